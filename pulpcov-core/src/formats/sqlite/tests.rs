//! Tests that the two ways of reading and writing, with and without SQLite, agree.

use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;

use super::read::Reader;
use super::rows::Contexts;
use super::snapshot::Snapshot;
use crate::data::merging::{Merging, PathTable};
use crate::data::{ArcSet, CoverageData, FilePath, LineArc, Numbits};
use crate::error::Result;
use crate::folder::Entry;
use crate::formats::data_file::input::Input;

/// Everything that a data file gives to the rest of the crate, including the order of paths and contexts.
#[derive(Debug, PartialEq)]
struct Everything {
    paths: Vec<FilePath>,
    contexts: Vec<String>,
    data: CoverageData,
    orphan_rows: u64,
}

impl Everything {
    fn new(paths: Vec<FilePath>, data: CoverageData, orphan_rows: u64) -> Self {
        let contexts = data.context_table().names().map(str::to_owned).collect();
        Self { paths, contexts, data, orphan_rows }
    }
}

fn everything(reader: Result<Reader>, contexts: Contexts) -> Result<Everything> {
    let reader = reader?;
    let paths = reader.paths().iter().map(FilePath::from).collect();
    let decoded = reader.read(contexts)?;
    Ok(Everything::new(paths, decoded.data, decoded.orphan_rows))
}

/// Reads the same as [`everything`], one page at a time.
fn everything_in_batches(reader: Result<Reader>, contexts: Contexts) -> Result<Everything> {
    let reader = reader?;
    let all: Vec<FilePath> = reader.paths().iter().map(FilePath::from).collect();
    let mut paths = PathTable::default();
    let numbers: Vec<usize> = all.iter().map(|path| paths.number(path.clone())).collect();
    let ((merging, _), rows) = reader.read_in_batches(
        contexts,
        1,
        |names| {
            let mut merging = Merging::default();
            let ids = merging.add_names(names, &numbers, paths.all())?;
            Ok((merging, ids))
        },
        |(merging, ids), lines, arcs| {
            merging.add_runs(lines, arcs, &numbers, ids);
            Ok(())
        },
    )?;
    assert!(rows.lines.is_empty() && rows.arcs.is_empty());
    let mut data = merging.into_data(rows.measurement, paths.all());
    data.replace_meta(rows.meta);
    Ok(Everything::new(all, data, rows.orphans))
}

/// Checks that all ways to read `database` agree. Returns whether the database is so plain that SQLite is not
/// needed.
fn all_ways_agree(database: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    std::fs::write(&path, database).unwrap();
    // The reader waits if a file was changed just now, so the file gets an old time stamp.
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    for contexts in [Contexts::Kept, Contexts::Merged] {
        let sql = Reader::through_sql(Snapshot { bytes: database.to_vec(), companion: None });
        let sql = everything(sql, contexts);
        let ours = everything(Reader::from_bytes(database.to_vec()), contexts);
        let open = || {
            Reader::in_place(Input::open(&Entry::at_path(&path).unwrap()).unwrap())
                .map(|opened| opened.0)
        };
        let in_place = everything(open(), contexts);
        let in_batches = everything_in_batches(open(), contexts);
        for ours in [ours, in_place, in_batches] {
            match (&sql, &ours) {
                (Ok(sql), Ok(ours)) => assert_eq!(sql, ours),
                (Err(sql), Err(ours)) => assert_eq!(sql.to_string(), ours.to_string()),
                (sql, ours) => panic!("SQLite: {sql:?}, and here: {ours:?}"),
            }
        }
    }
    Reader::from_bytes(database.to_vec()).is_ok_and(|reader| reader.needs_no_sql())
}

fn file_bytes(mut connection: Connection) -> Vec<u8> {
    connection.serialize("main").unwrap().to_vec()
}

#[test]
fn data_files_of_all_versions_are_read_alike() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/data");
    let mut plain = Vec::new();
    for sub in ["written", "odd"] {
        for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "sqlite")
                && all_ways_agree(&std::fs::read(&path).unwrap())
            {
                plain.push(path.file_stem().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    for name in ["v5.0-branch", "v7.17.3-dynamic", "overflow-pages", "free-pages", "page-1024"] {
        assert!(plain.iter().any(|plain| plain == name), "{name} is not read by pages: {plain:?}");
    }
    for name in [
        "v5.0a2-branch",
        "utf16le",
        "auto-vacuum-full",
        "more-tables",
        "without-indexes",
        "without-rowids",
        "reserved-bytes",
    ] {
        assert!(!plain.iter().any(|plain| plain == name), "{name} is for SQLite to read");
    }
}

type Row = (u8, i64, i64, i64, i64, Vec<u8>);

/// Generates rows as coverage.py would insert them, and some that it would not insert.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let number =
        prop_oneof![8 => 0i64..6, 1 => any::<i16>().prop_map(i64::from), 1 => any::<i64>()];
    let text = prop_oneof![
        8 => prop::collection::vec(32u8..127, 0..12),
        1 => prop::collection::vec(any::<u8>(), 0..3000),
    ];
    let row = (0u8..12, number.clone(), 0i64..4, number.clone(), number, text);
    prop::collection::vec(row, 0..60)
}

/// Creates a database of schema 7 with these rows and this page size. If `delete` is true, deletes some rows
/// again.
fn database(rows: &[Row], page_size: u32, delete: bool) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "page_size", page_size).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection.execute_batch(include_str!("schema7.sql")).unwrap();
    connection.execute("INSERT INTO coverage_schema VALUES (7)", []).unwrap();
    for (table, a, b, c, d, bytes) in rows {
        let text = String::from_utf8_lossy(bytes);
        let insert = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
            // Skips rows that are there already.
            connection.execute(&format!("INSERT OR IGNORE INTO {sql}"), values).unwrap();
        };
        match table {
            0 | 1 => insert("file VALUES (?1, ?2)", &[b, &text]),
            2 | 3 => insert("context VALUES (?1, ?2)", &[b, &text]),
            4 => insert("meta VALUES (?1, ?2)", &[&text, a]),
            5 => insert("tracer VALUES (?1, ?2)", &[b, &text]),
            6..9 => insert("line_bits VALUES (?1, ?2, ?3)", &[a, b, bytes]),
            _ => insert("arc VALUES (?1, ?2, ?3, ?4)", &[a, b, c, d]),
        }
    }
    if delete {
        connection.execute_batch("DELETE FROM arc WHERE rowid % 3 = 1").unwrap();
    }
    connection
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_rows_are_read_alike(
        rows in rows(),
        page_size in prop::sample::select(vec![512u32, 1024, 4096, 65536]),
        delete in any::<bool>(),
    ) {
        all_ways_agree(&file_bytes(database(&rows, page_size, delete)));
    }

    #[test]
    fn damaged_databases_are_read_alike(
        rows in rows(),
        page_size in prop::sample::select(vec![512u32, 1024]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = file_bytes(database(&rows, page_size, false));
        for (at, byte) in damage {
            let len = bytes.len();
            bytes[at.index(len)] = byte;
        }
        all_ways_agree(&bytes);
    }

    #[test]
    fn pages_that_take_each_others_place_are_read_alike(
        rows in rows(),
        copies in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..3),
    ) {
        let mut bytes = file_bytes(database(&rows, 512, false));
        let pages = bytes.len() / 512;
        for (from, to) in copies {
            let (from, to) = (from.index(pages) * 512, to.index(pages) * 512);
            bytes.copy_within(from..from + 512, to);
        }
        all_ways_agree(&bytes);
    }
}

/// Returns everything that SQL can see of a database, with the results of SQLite's own checks.
fn contents(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut contents = Vec::new();
    let changes = [
        "VACUUM",
        "PRAGMA integrity_check",
        "INSERT INTO arc SELECT file_id, context_id, fromno + 5000000, tono FROM arc",
        "INSERT INTO context (context) VALUES ('another one, of which nobody knew')",
        "DELETE FROM line_bits WHERE rowid % 3 = 1",
        "PRAGMA integrity_check",
    ];
    // The fuzz target `sqlite_pages` uses the same queries.
    let queries = include_str!("contents.sql").split_terminator(";\n");
    for query in queries.chain(changes) {
        let mut statement = connection.prepare(query).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        contents.push(query.to_owned());
        while let Some(row) = rows.next().unwrap() {
            let value = |column| row.get::<_, rusqlite::types::Value>(column).unwrap();
            contents.push(format!("{:?}", (0..columns).map(value).collect::<Vec<_>>()));
        }
    }
    contents
}

/// Writes `data` in both ways and compares what SQL sees of the two files. Returns the size of the file that
/// was written without SQLite.
fn both_ways_write_alike(data: &CoverageData) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (ours, sql) = (folder.path().join("ours"), folder.path().join("sql"));
    super::write(data, &ours).unwrap();
    super::write::write_through_sql(data, &sql).unwrap();
    let bytes = std::fs::read(&ours).unwrap();
    assert!(all_ways_agree(&bytes));
    let read = Reader::from_bytes(bytes.clone()).unwrap().read(Contexts::Kept).unwrap();
    assert_eq!((&read.data, read.orphan_rows), (data, 0));
    let (ours, sql) = (contents(&ours), contents(&sql));
    assert_eq!(ours.iter().filter(|line| **line == "[Text(\"ok\")]").count(), 4, "{ours:?}");
    assert_eq!(ours, sql);
    bytes.len()
}

/// Generates names of any length. Many of them take more than a page.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z/é]{0,12}",
        1 => ("[a-z]{3}", 900usize..1100).prop_map(|(name, len)| name.repeat(len / 3)),
        1 => ("[a-z]{3}", 3990usize..4100).prop_map(|(name, len)| name.repeat(len / 3)),
        1 => ("[a-z]{3}", 0usize..20_000).prop_map(|(name, len)| name.repeat(len / 3)),
    ]
}

fn data() -> impl Strategy<Value = CoverageData> {
    let lines = prop_oneof![
        6 => prop::collection::vec(0i32..300, 0..20),
        1 => prop::collection::vec(0i32..100_000, 0..20),
    ];
    let number = prop_oneof![6 => -3i32..300, 1 => -100_000i32..4_000_000];
    let arcs = prop::collection::vec((number.clone(), number), 0..40);
    let row = (0usize..8, 0usize..8, lines, arcs);
    (
        any::<bool>(),
        prop::collection::vec(name(), 8),
        prop::collection::vec(name(), 8),
        prop::collection::vec(row, 0..40),
        prop::collection::btree_map(name(), name(), 0..4),
    )
        .prop_map(|(measures_arcs, files, contexts, rows, meta)| {
            let mut data = CoverageData::new();
            for (file, context, lines, arcs) in rows {
                let (file, context) = (files[file].as_str(), contexts[context].as_str());
                if measures_arcs {
                    data.add_arcs(file, context, arcs).unwrap();
                } else {
                    data.add_lines(file, context, &lines.into_iter().collect()).unwrap();
                }
            }
            data.touch_file(files[0].as_str()).unwrap();
            data.touch_context(&contexts[0]).unwrap();
            data.set_file_tracer(files[1].as_str(), &contexts[1]).unwrap();
            meta.iter().for_each(|(key, value)| data.set_meta(key, value).unwrap());
            data
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_data_is_written_alike(data in data()) {
        both_ways_write_alike(&data);
    }
}

#[test]
fn no_data_is_written_alike() {
    assert!(both_ways_write_alike(&CoverageData::new()) > 0);
}

/// A tree ends at a different place for every number of rows.
#[test]
fn trees_of_any_number_of_pages_are_written_alike() {
    for rows in (0..2200).step_by(97).chain(190..215).chain(290..310) {
        let mut data = CoverageData::new();
        data.add_arcs("a.py", "", (0..rows).map(|n| (n, n % 7))).unwrap();
        (0..rows / 40).for_each(|n| data.touch_context(&format!("{n:0900}")).unwrap());
        both_ways_write_alike(&data);
    }
}

#[test]
fn tables_of_many_pages_are_plain() {
    let mut data = CoverageData::new();
    let mut lines = CoverageData::new();
    for file in 0..40 {
        for context in 0..100 {
            let name = format!("test_{}", (context * 7) % 100);
            let arcs = (0..15).map(|n| -> LineArc { (n - 1, n * context % 17 - 3) });
            data.add_arcs(format!("{file}.py"), &name, arcs).unwrap();
            let bits: Numbits = (0..15).map(|n| n * context.abs() % 9000).collect();
            lines.add_lines(format!("{file}.py"), &name, &bits).unwrap();
        }
    }
    assert!(both_ways_write_alike(&data) > 1_000_000 && both_ways_write_alike(&lines) > 200_000);
}

/// Does the same as [`both_ways_write_alike`] for data with very many rows. Compares rows while reading them,
/// including their order.
fn both_ways_write_many_alike(data: &CoverageData) {
    let (table, rows) = (if data.has_arcs() { "arc" } else { "line_bits" }, data.row_count());
    let folder = tempfile::tempdir().unwrap();
    let (ours, sql) = (folder.path().join("ours"), folder.path().join("sql"));
    super::write(data, &ours).unwrap();
    super::write::write_through_sql(data, &sql).unwrap();
    let (reader, _) =
        Reader::in_place(Input::open(&Entry::at_path(&ours).unwrap()).unwrap()).unwrap();
    assert!(&reader.read(Contexts::Kept).unwrap().data == data);

    let (ours, sql) = (Connection::open(&ours).unwrap(), Connection::open(&sql).unwrap());
    for check in ["PRAGMA integrity_check", "PRAGMA quick_check"] {
        let checked: String = ours.query_row(check, [], |row| row.get(0)).unwrap();
        assert_eq!(checked, "ok", "{check}");
    }
    let mut keys = ours.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(!keys.exists([]).unwrap());
    let query = format!("SELECT rowid, * FROM {table}");
    let (mut ours, mut sql) = (ours.prepare(&query).unwrap(), sql.prepare(&query).unwrap());
    let columns = ours.column_count();
    let (mut ours, mut sql) = (ours.query([]).unwrap(), sql.query([]).unwrap());
    for _ in 0..rows {
        let (ours, sql) = (ours.next().unwrap().unwrap(), sql.next().unwrap().unwrap());
        for column in 0..columns {
            assert_eq!(ours.get_ref(column).unwrap(), sql.get_ref(column).unwrap());
        }
    }
    assert!(ours.next().unwrap().is_none() && sql.next().unwrap().is_none());
}

#[test]
fn five_million_arcs_are_written_alike() {
    let mut data = CoverageData::new();
    for file in 0..50 {
        for context in 0..500 {
            // Numbers of every width and of both signs.
            let arcs = (0..210).map(|n: i32| (n * (context - 200), (n - 9) << (file % 14)));
            data.add_arcs(format!("{file}.py"), &format!("test {context}"), arcs).unwrap();
        }
    }
    assert!(data.row_count() > 5_000_000, "{}", data.row_count());
    both_ways_write_many_alike(&data);
}

/// Returns a generator of numbers that depend only on `seed` (splitmix64).
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % below
    }
}

/// Returns data with at least `rows` rows. Each file and context has about `arcs` arcs, or lines if `arcs` is
/// 0.
fn many_rows(rows: u64, files: u64, arcs: u64, seed: u64) -> CoverageData {
    let mut below = numbers(seed);
    let mut data = CoverageData::new();
    let (mut count, mut context) = (0, 0);
    while count < rows {
        context += 1;
        for file in 0..files {
            let (file, context) = (format!("{file}.py"), format!("test {context}"));
            if arcs == 0 {
                let long = if below(1000) == 0 { 12_000 } else { 40 };
                let lines: Vec<u8> = (0..below(long)).map(|_| below(256) as u8).collect();
                data.add_lines(file, &context, &Numbits::from_bytes(&lines)).unwrap();
                count += 1;
            } else {
                let width = below(22);
                let mut end = || below(2 << width) as i32 - (1 << width);
                let arcs: Vec<LineArc> = (0..arcs).map(|_| (end(), end())).collect();
                // Drops duplicates.
                let arcs = ArcSet::from(arcs);
                count += arcs.len() as u64;
                data.add_arcs(file, &context, arcs.iter()).unwrap();
            }
        }
    }
    data
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 8, ..ProptestConfig::with_cases(1) })]

    #[test]
    fn a_million_rows_of_any_shape_are_written_alike(
        files in prop_oneof![1u64..20, 1u64..1000],
        arcs in prop_oneof![Just(0), 1u64..3000],
        seed in any::<u64>(),
    ) {
        both_ways_write_many_alike(&many_rows(1_000_000, files, arcs, seed));
    }
}

/// A table and its index are written at the same time. Where the index begins also depends on the overflow
/// pages of long rows.
#[test]
fn many_lines_with_long_ones_among_them_are_written_alike() {
    let mut data = CoverageData::new();
    for file in 0..25 {
        for context in 0..1000u32 {
            let length = if context % 9 == 0 { 3900 + context * 2 } else { context % 97 };
            let lines = Numbits::from_bytes(&vec![0x91; length as usize]);
            data.add_lines(format!("{file}.py"), &format!("test {context}"), &lines).unwrap();
        }
    }
    both_ways_write_many_alike(&data);
}

/// SQL that creates schema 7, with rows on pages of all kinds.
const SAMPLE: &str = concat!(
    include_str!("schema7.sql"),
    "INSERT INTO coverage_schema VALUES (7);
     INSERT INTO meta VALUES ('has_arcs', '1');
     WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n LIMIT 60)
     INSERT INTO file SELECT n, 'größe/' || n || hex(zeroblob(n * n)) FROM n;
     INSERT INTO context SELECT id, 'test ' || path FROM file WHERE id < 40;
     INSERT INTO arc SELECT file.id, context.id, context.id - 20, file.id * 4000
     FROM file CROSS JOIN context;
     DELETE FROM arc WHERE file_id BETWEEN 10 AND 30;
     DELETE FROM arc WHERE context_id = 39;
     DELETE FROM context WHERE id = 39;
     INSERT INTO tracer VALUES (1, 'a.plugin');",
);

/// Fills an empty database with [`SAMPLE`].
fn fill(connection: &Connection) {
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection.execute_batch(SAMPLE).unwrap();
    let checked: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
}

/// Varies the settings that SQLite offers.
#[test]
fn databases_of_any_settings_are_read_alike() {
    let mut plain = 0;
    for page_size in PAGE_SIZES {
        for settings in [
            "",
            "PRAGMA auto_vacuum = FULL",
            "PRAGMA auto_vacuum = INCREMENTAL",
            "PRAGMA encoding = 'UTF-16le'",
            "PRAGMA encoding = 'UTF-16be'",
            "PRAGMA user_version = 7; PRAGMA application_id = 1234567",
            "PRAGMA legacy_file_format = ON",
        ] {
            let connection = Connection::open_in_memory().unwrap();
            connection.pragma_update(None, "page_size", page_size).unwrap();
            connection.execute_batch(settings).unwrap();
            fill(&connection);
            plain += u32::from(all_ways_agree(&file_bytes(connection)));
        }
    }
    // Three of the settings give a plain database: none, numbers that SQLite ignores, and the legacy format,
    // which SQLite no longer makes.
    assert_eq!(plain, 8 * 3);
}

const PAGE_SIZES: [u32; 8] = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];

/// Creates an empty database whose pages end in reserved bytes, which SQLite leaves alone. SQLite's
/// `SQLITE_FCNTL_RESERVE_BYTES` makes such databases.
fn reserving(page_size: u32, reserved: u8) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "page_size", page_size).unwrap();
    connection.execute_batch("CREATE TABLE first (x); DROP TABLE first; VACUUM").unwrap();
    let mut bytes = connection.serialize("main").unwrap().to_vec();
    assert_eq!(bytes.len(), page_size as usize);
    bytes[20] = reserved;
    // Where the cells of the first page begin. The page has none.
    let end = (page_size - u32::from(reserved)) as u16;
    bytes[105..107].copy_from_slice(&end.to_be_bytes());
    let len = bytes.len();
    connection.deserialize_read_exact("main", bytes.as_slice(), len, false).unwrap();
    connection
}

#[test]
fn databases_with_reserved_bytes_are_read_alike() {
    for page_size in PAGE_SIZES {
        for reserved in [0, 1, 8, 32, 200, 255] {
            // SQLite requires 480 usable bytes per page.
            if page_size - u32::from(reserved) < 480 {
                continue;
            }
            let connection = reserving(page_size, reserved);
            fill(&connection);
            let bytes = file_bytes(connection);
            assert_eq!(bytes[20], reserved);
            assert_eq!(all_ways_agree(&bytes), reserved == 0, "{page_size} {reserved}");
        }
    }
}

/// Such tables are read like all others, although only SQLite can read them.
#[test]
fn tables_of_another_shape_have_the_same_rows() {
    let changed = |change: &str| {
        let connection = Connection::open_in_memory().unwrap();
        fill(&connection);
        connection.execute_batch(change).unwrap_or_else(|err| panic!("{change}: {err}"));
        file_bytes(connection)
    };
    let rows = |bytes: &[u8]| {
        let decoded = Reader::from_bytes(bytes.to_vec()).unwrap().read(Contexts::Kept).unwrap();
        (decoded.data, decoded.orphan_rows)
    };
    let same = changed("");
    assert!(all_ways_agree(&same));
    let again = |table: &str, columns: &str, how: &str| {
        format!(
            "CREATE TABLE new ({columns}) {how}; INSERT INTO new SELECT * FROM {table}; \
             DROP TABLE {table}; ALTER TABLE new RENAME TO {table}"
        )
    };
    let arc = "file_id integer, context_id integer, fromno integer, tono integer";
    let arc_key = format!("{arc}, primary key (file_id, context_id, fromno, tono)");
    let by_name = "id integer, path text primary key";
    for change in [
        again("arc", &arc_key, "WITHOUT ROWID"),
        again("arc", &arc_key, ""),
        again("arc", arc, "STRICT"),
        again("file", by_name, "WITHOUT ROWID"),
        again("context", &by_name.replace("path", "context"), "WITHOUT ROWID"),
        again("tracer", "file_id integer primary key, tracer text", "WITHOUT ROWID"),
        again("meta", "key text primary key, value text", "WITHOUT ROWID"),
        again("coverage_schema", "version integer primary key", ""),
        "ALTER TABLE arc ADD COLUMN times integer DEFAULT 1".to_owned(),
        "ALTER TABLE file ADD COLUMN hash text; UPDATE file SET hash = path".to_owned(),
        "CREATE TABLE notes (body text)".to_owned(),
        "CREATE TABLE notes (body text primary key) WITHOUT ROWID".to_owned(),
        "CREATE VIEW covered AS SELECT path FROM file".to_owned(),
        "CREATE INDEX by_end ON arc (tono)".to_owned(),
        "CREATE TRIGGER t AFTER INSERT ON file BEGIN DELETE FROM arc; END".to_owned(),
        "ANALYZE".to_owned(),
    ] {
        let bytes = changed(&change);
        assert!(!all_ways_agree(&bytes), "{change}");
        assert!(rows(&bytes) == rows(&same), "{change}");
    }
}

/// The rows of an unknown schema have no known meaning.
#[test]
fn schemas_that_nobody_knows_are_refused_alike() {
    for change in [
        "UPDATE coverage_schema SET version = 8",
        "UPDATE coverage_schema SET version = 'seven'",
        "UPDATE coverage_schema SET version = 7.5",
        "UPDATE coverage_schema SET version = NULL",
        "DELETE FROM coverage_schema",
        "DROP TABLE coverage_schema",
        "DROP TABLE line_bits",
        "DROP TABLE tracer; CREATE VIEW tracer AS SELECT 1 AS file_id, 'x' AS tracer",
        "DROP TABLE coverage_schema; CREATE VIEW coverage_schema AS SELECT 7 AS version",
        "ALTER TABLE arc RENAME COLUMN tono TO lineno",
    ] {
        let connection = Connection::open_in_memory().unwrap();
        fill(&connection);
        connection.execute_batch(change).unwrap();
        let bytes = file_bytes(connection);
        assert!(!all_ways_agree(&bytes), "{change}");
        assert!(
            Reader::from_bytes(bytes).and_then(|r| r.read(Contexts::Kept)).is_err(),
            "{change}"
        );
    }
}
