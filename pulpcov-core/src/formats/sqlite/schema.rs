//! What the seven schemas have in common, and how they differ.
//!
//! From the history of `coverage/sqldata.py` and its notes:
//!
//! - Schema 1 had no contexts.
//! - Schema 2 added contexts.
//! - Schema 3 replaced one row per line by a bitmap.
//! - Schema 4 renamed the bitmap's column from `bitmap` to `numbits`.
//! - Schema 5 declared foreign keys.
//! - Schema 6 made `meta` a table of keys and values.
//! - Schema 7 renamed `line_map` to `line_bits`.

use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

use super::{SCHEMA_VERSION, from_sqlite};
use crate::error::{Error, ErrorKind, Position, Result};

/// The SQL text with which coverage.py creates its tables (`sqldata.py`, `SCHEMA`).
pub(super) const SCHEMA: &str = include_str!("schema7.sql");

/// How one schema version is read. The columns of a query are in the same order for all versions.
pub(super) struct Schema {
    pub(super) version: i64,
    /// The tables that must exist, as ordinary tables.
    tables: &'static [&'static str],
    /// The query for `key, value`.
    pub(super) meta: &'static str,
    /// The query for `rowid, context`.
    pub(super) contexts: &'static str,
    /// Where the lines are.
    pub(super) lines: Lines,
    /// The query for `rowid, file_id, context_id, fromno, tono`.
    pub(super) arcs: &'static str,
}

/// How a schema stores lines.
pub(super) enum Lines {
    /// One row per line: `rowid, file_id, context_id, lineno`.
    Rows(&'static str),
    /// One bitmap per file and context: `rowid, file_id, context_id, numbits`.
    Bitmaps(&'static str),
}

/// The metadata of schemas 1 to 5, which have one row of flags. `sys_argv`, which was added to schema 2
/// later, is not read.
const META_FLAGS: &str =
    "SELECT 'has_arcs', CASE WHEN has_lines OR has_arcs THEN has_arcs END FROM meta";
const META_KEYS: &str = "SELECT key, value FROM meta";
/// The contexts of schema 1, which has none. Its rows are in the unnamed context, which gets the id 1.
const CONTEXTS_NONE: &str =
    "SELECT 1, '' WHERE EXISTS (SELECT 1 FROM line) OR EXISTS (SELECT 1 FROM arc)";
const CONTEXTS: &str = "SELECT id, context FROM context";
const ARCS: &str = "SELECT rowid, file_id, context_id, fromno, tono FROM arc";

const SCHEMAS: [Schema; 7] = [
    Schema {
        version: 1,
        tables: &["meta", "file", "line", "arc", "tracer"],
        meta: META_FLAGS,
        contexts: CONTEXTS_NONE,
        lines: Lines::Rows("SELECT rowid, file_id, 1, lineno FROM line"),
        arcs: "SELECT rowid, file_id, 1, fromno, tono FROM arc",
    },
    Schema {
        version: 2,
        tables: &["meta", "file", "context", "line", "arc", "tracer"],
        meta: META_FLAGS,
        contexts: CONTEXTS,
        lines: Lines::Rows("SELECT rowid, file_id, context_id, lineno FROM line"),
        arcs: ARCS,
    },
    line_map(3, META_FLAGS, "SELECT rowid, file_id, context_id, bitmap FROM line_map"),
    line_map(4, META_FLAGS, LINE_MAP_NUMBITS),
    line_map(5, META_FLAGS, LINE_MAP_NUMBITS),
    line_map(6, META_KEYS, LINE_MAP_NUMBITS),
    Schema {
        version: SCHEMA_VERSION,
        tables: &["meta", "file", "context", "line_bits", "arc", "tracer"],
        meta: META_KEYS,
        contexts: CONTEXTS,
        lines: Lines::Bitmaps("SELECT rowid, file_id, context_id, numbits FROM line_bits"),
        arcs: ARCS,
    },
];

const LINE_MAP_NUMBITS: &str = "SELECT rowid, file_id, context_id, numbits FROM line_map";

const fn line_map(version: i64, meta: &'static str, lines: &'static str) -> Schema {
    Schema {
        version,
        tables: &["meta", "file", "context", "line_map", "arc", "tracer"],
        meta,
        contexts: CONTEXTS,
        lines: Lines::Bitmaps(lines),
        arcs: ARCS,
    }
}

impl Schema {
    /// Returns the columns that hold text, each with its table.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let meta = [("meta", "key"), ("meta", "value")].into_iter();
        let others = [("file", "path"), ("context", "context"), ("tracer", "tracer")].into_iter();
        meta.filter(|_| self.meta == META_KEYS)
            .chain(others.filter(|(table, _)| self.tables.contains(table)))
    }

    /// Returns the schema of a database, after checking that its tables exist and are ordinary.
    pub(super) fn of(connection: &Connection) -> Result<&'static Self> {
        let tables = Tables::of(connection)?;
        if !tables.has("coverage_schema")? {
            let message =
                "this is a SQLite database, but no data file: it has no table coverage_schema";
            return Err(Error::new(ErrorKind::NotADataFile, message));
        }
        let version = version(connection)?;
        let schema = SCHEMAS.iter().find(|schema| schema.version == version).ok_or_else(|| {
            let message =
                format!("its schema is {version}, and only 1 to {SCHEMA_VERSION} are known");
            Error::new(ErrorKind::UnknownSchema, message)
        })?;
        for table in schema.tables {
            if !tables.has(table)? {
                return Err(corrupt(table, "the table is missing"));
            }
        }
        Ok(schema)
    }
}

/// Returns the schema version of a database. A version that is missing or not a number is as unknown as a
/// future version.
fn version(connection: &Connection) -> Result<i64> {
    let at = Position::Row { table: "coverage_schema".into(), rowid: None };
    let found = connection
        .query_row("SELECT version FROM coverage_schema", [], |row| row.get::<_, Value>(0))
        .optional();
    match found {
        Ok(Some(Value::Integer(version))) => Ok(version),
        Ok(Some(_)) => Err(Error::new(ErrorKind::UnknownSchema, "its schema is not a number")),
        Ok(None) => Err(Error::new(ErrorKind::UnknownSchema, "it does not say what its schema is")),
        Err(err) => Err(from_sqlite(err)),
    }
    .map_err(|err| err.at(at))
}

/// The names in a database that a query could use, each with whether it is an ordinary table, which only
/// stores values.
struct Tables(HashMap<String, bool>);

impl Tables {
    fn of(connection: &Connection) -> Result<Self> {
        let mut query = connection
            .prepare("SELECT name, type = 'table' AND rootpage > 0, sql FROM sqlite_master WHERE type IN ('table', 'view')")
            .map_err(from_sqlite)?;
        let mut rows = query.query([]).map_err(from_sqlite)?;
        let mut tables = HashMap::new();
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            let (name, is_table): (String, bool) =
                (row.get(0).map_err(from_sqlite)?, row.get(1).map_err(from_sqlite)?);
            let sql: String = row.get(2).map_err(from_sqlite)?;
            // SQLite itself writes this text, so nothing else can come before an ordinary table's name.
            let plain = is_table
                && sql.starts_with("CREATE TABLE ")
                && !(may_compute(&sql) && has_computed_columns(connection, &name)?);
            tables.insert(name, plain);
        }
        Ok(Self(tables))
    }

    /// Returns whether there is such a table. Views, virtual tables and generated columns compute values, so
    /// they are refused.
    fn has(&self, name: &str) -> Result<bool> {
        match self.0.get(name) {
            None => Ok(false),
            Some(true) => Ok(true),
            Some(false) => Err(corrupt(name, "this is not an ordinary table")),
        }
    }
}

/// Returns whether a table may have a generated column, which is declared `AS (…)`. Tables without that word
/// need no further check.
fn may_compute(sql: &str) -> bool {
    sql.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word.eq_ignore_ascii_case("as"))
}

fn has_computed_columns(connection: &Connection, table: &str) -> Result<bool> {
    connection
        .query_row(
            "SELECT count(*) FROM pragma_table_xinfo(?1) WHERE hidden != 0",
            [table],
            |row| row.get(0),
        )
        .map(|computed: i64| computed > 0)
        .map_err(from_sqlite)
}

fn corrupt(table: &str, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, what).at(Position::Row { table: table.into(), rowid: None })
}
