-- All that SQL can see of a data file, and at last what SQLite's own checks say.
SELECT type, name, tbl_name, sql FROM sqlite_master;
SELECT rowid, * FROM coverage_schema;
SELECT rowid, * FROM meta;
SELECT rowid, * FROM file;
SELECT rowid, * FROM context;
SELECT rowid, * FROM line_bits;
SELECT rowid, * FROM arc;
SELECT rowid, * FROM tracer;
PRAGMA page_size;
PRAGMA encoding;
PRAGMA foreign_key_check;
PRAGMA quick_check;
PRAGMA integrity_check;
