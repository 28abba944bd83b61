//! Rows that coverage.py never records, but that a damaged file can have. coverage.py must be able to use the
//! result.

use std::fs;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Measurement};
use rusqlite::Connection;

use super::results::{Results, own_data};
use super::{TARGET, has_rows, input_name};
use crate::support::{Dir, Rows};

const PATHS: [&str; 14] = [
    "",
    "/",
    ".",
    "..",
    "/srv/app/main.py ",
    "/SRV/APP/MAIN.PY",
    "./main.py",
    "//srv/app/main.py",
    "main.pyc",
    "<string>",
    "/x.zip/a.py",
    "/dev/null",
    "\u{1}\n\u{1b}.py",
    "\u{fffd}\u{10ffff}.py",
];

const CONTEXTS: [&str; 6] = ["", " ", "(", "[a", "\u{1}\n", "\u{d7ff}\u{e000}"];

/// Numbits without lines, with line 0, with zeros at the end, with a line far beyond the end, and with many
/// lines.
const NUMBITS: [&str; 6] = ["", "00", "01", "06000000", "far", "all"];

/// Line numbers. The test has an arc from every number to every number.
const ENDS: [i32; 8] = [-4_194_303, -5, -1, 0, 1, 3, 99, 4_194_303];

fn numbits(words: &str) -> Vec<u8> {
    match words {
        "far" => [vec![0; 524_287], vec![0x80]].concat(),
        "all" => vec![0xff; 900],
        hex => (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect(),
    }
}

/// Creates a data file with a file and a context, but without rows.
fn database(dir: &Dir, measurement: Measurement) -> Connection {
    let mut data = CoverageData::new();
    data.set_measurement(measurement).unwrap();
    data.touch_file("/srv/app/main.py").unwrap();
    data.touch_context("of the program").unwrap();
    let path = dir.path(input_name(1));
    store(&data, &path, StoreFormat::Sqlite).unwrap();
    Connection::open(path).unwrap()
}

#[test]
fn odd_rows_are_for_coverage_to_use() {
    let results = Results::new();
    let try_rows = |case: String, measurement: Measurement, insert: &dyn Fn(&Connection)| {
        let dir = Dir::new();
        let db = database(&dir, measurement);
        insert(&db);
        db.close().unwrap();
        let rows = Rows::by_sql(dir.path(input_name(1)));
        let own = own_data(measurement, "own");
        store(&own, dir.path(input_name(2)), StoreFormat::Sqlite).unwrap();
        dir.pulpcov(["combine"]).status(0);
        let result = Rows::by_sql(dir.path(TARGET));
        assert!(has_rows(&result, &rows.union(Rows::of(&own))), "{case}");
        results.add(case, fs::read(dir.path(TARGET)).unwrap());
    };
    let lines = Measurement::Lines;
    let long = "x".repeat(300_000);
    for path in PATHS.into_iter().chain([long.as_str()]) {
        try_rows(format!("path {path:.50?}"), lines, &|db| {
            db.execute("insert into file values (7, ?1)", [path]).unwrap();
            db.execute("insert into line_bits values (7, 1, x'06')", []).unwrap();
        });
    }
    for context in CONTEXTS.into_iter().chain([long.as_str()]) {
        try_rows(format!("context {context:.50?}"), lines, &|db| {
            db.execute("insert into context values (7, ?1)", [context]).unwrap();
            db.execute("insert into line_bits values (1, 7, x'06')", []).unwrap();
        });
    }
    for words in NUMBITS {
        try_rows(format!("numbits {words}"), lines, &|db| {
            db.execute("insert into line_bits values (1, 1, ?1)", [numbits(words)]).unwrap();
        });
    }
    try_rows("arcs from all to all".to_owned(), Measurement::Arcs, &|db| {
        for (from, to) in ENDS.iter().flat_map(|from| ENDS.map(|to| (from, to))) {
            db.execute("insert into arc values (1, 1, ?1, ?2)", [*from, to]).unwrap();
        }
    });
    try_rows("no rows".to_owned(), lines, &|_| ());
    try_rows("metadata".to_owned(), lines, &|db| {
        db.execute_batch(
            "insert into meta values ('', ''), ('version', '');
            update meta set value = 'maybe' where key = 'has_arcs'",
        )
        .unwrap();
    });
    try_rows("ids".to_owned(), lines, &|db| {
        db.execute_batch(
            "pragma foreign_keys = off; update file set id = 9223372036854775807;
            update context set id = -9223372036854775808;
            insert into line_bits select file.id, context.id, x'0e' from file, context",
        )
        .unwrap();
    });
    results.assert_usable_by_coverage();
}
