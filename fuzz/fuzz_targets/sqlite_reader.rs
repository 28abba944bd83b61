//! Reads a SQLite data file. Either the file is refused, or the data stays the same when it is
//! written and read again.
//!
//! An input that starts like a SQLite file is read as it is. Any other input is a [`Recipe`] for a
//! file.
#![no_main]

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use pulpcov_core::formats::read_bytes;
use pulpcov_fuzz::{Change, RoundTrip, fixtures};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

static FILES: LazyLock<RoundTrip> = LazyLock::new(RoundTrip::new);

/// A data file of each schema, and data files that SQLite stores in unusual ways.
const REAL: [&[u8]; 10] = fixtures![
    "written/v5.0a2-branch",
    "written/v5.0a3-dynamic",
    "written/dev-41cddfc4-dynamic",
    "written/dev-57a637f2-branch",
    "written/v5.0a6-plugin",
    "written/v7.17.3-branch",
    "written/v7.17.3-static",
    "odd/overflow-pages",
    "odd/utf16le",
    "odd/page-1024",
];

#[derive(Debug, Arbitrary)]
enum Recipe {
    /// A changed data file from the test fixtures.
    Changed(u8, Vec<Change>),
    /// A new database with rows that may make no sense.
    Made { schema: u8, rows: Vec<Row>, changes: Vec<Change> },
}

#[derive(Debug, Arbitrary)]
struct Row {
    table: u8,
    values: [Cell; 4],
}

#[derive(Debug, Arbitrary)]
enum Cell {
    Small(u8),
    Integer(i64),
    Null,
    Real(f64),
    Text(String),
    /// Text that may be invalid UTF-8.
    TextOfBytes(Vec<u8>),
    Blob(Vec<u8>),
    LargeBlob(u32),
}

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"SQLite format 3\0") {
        return check(bytes);
    }
    match Recipe::arbitrary_take_rest(Unstructured::new(bytes)) {
        Ok(Recipe::Changed(which, changes)) => {
            let mut file = REAL[usize::from(which) % REAL.len()].to_vec();
            changes.iter().for_each(|change| change.apply(&mut file));
            check(&file);
        }
        Ok(Recipe::Made { schema, rows, changes }) => {
            let Ok(mut file) = make(schema, &rows) else { return };
            changes.iter().for_each(|change| change.apply(&mut file));
            check(&file);
        }
        Err(_) => {}
    }
});

fn check(file: &[u8]) {
    match read_bytes(file) {
        Ok(decoded) => assert_eq!(FILES.sqlite(&decoded.data), decoded.data),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Builds a database with the tables of a schema, but without constraints and column types.
fn make(schema: u8, rows: &[Row]) -> rusqlite::Result<Vec<u8>> {
    let schema = schema % 9;
    let (lines, numbers) = match schema {
        0..=2 => ("line", "lineno"),
        3 => ("line_map", "bitmap"),
        4..=6 => ("line_map", "numbits"),
        7.. => ("line_bits", "numbits"),
    };
    let meta = if schema < 6 { "has_lines, has_arcs, sys_argv" } else { "key, value" };
    let context = if schema < 2 { "" } else { "context_id, " };
    let tables = [
        ("file", "id, path".to_owned()),
        ("context", "id, context".to_owned()),
        (lines, format!("file_id, {context}{numbers}")),
        ("arc", format!("file_id, {context}fromno, tono")),
        ("tracer", "file_id, tracer".to_owned()),
        ("meta", meta.to_owned()),
    ];
    let mut database = Connection::open_in_memory()?;
    database.execute_batch(&format!(
        "CREATE TABLE coverage_schema (version); INSERT INTO coverage_schema VALUES ({schema});"
    ))?;
    for (name, columns) in &tables {
        database.execute_batch(&format!("CREATE TABLE {name} ({columns})"))?;
    }
    for row in rows {
        let (name, columns) = &tables[usize::from(row.table) % tables.len()];
        let count = columns.split(',').count();
        let texts = row.values.iter().map(|cell| match cell {
            Cell::TextOfBytes(_) => "CAST(? AS TEXT)",
            _ => "?",
        });
        let places: Vec<_> = texts.take(count).collect();
        let insert = format!("INSERT INTO {name} VALUES ({})", places.join(","));
        database
            .execute(&insert, params_from_iter(row.values.iter().take(count).map(Cell::value)))?;
    }
    Ok(database.serialize("main")?.to_vec())
}

impl Cell {
    fn value(&self) -> Value {
        match self {
            Self::Small(number) => Value::Integer(i64::from(number % 8)),
            Self::Integer(number) => Value::Integer(*number),
            Self::Null => Value::Null,
            Self::Real(number) => Value::Real(*number),
            Self::Text(text) => Value::Text(text.clone()),
            Self::TextOfBytes(bytes) | Self::Blob(bytes) => Value::Blob(bytes.clone()),
            Self::LargeBlob(size) => Value::Blob(vec![1; *size as usize % (1 << 20)]),
        }
    }
}
