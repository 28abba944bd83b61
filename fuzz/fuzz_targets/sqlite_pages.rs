//! Compares the page-by-page reader and writer of data files with SQLite. Both write any data set.
//! Both read any changed data file, whether it is new or from the test fixtures.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use pulpcov_core::formats::{read_bytes, sqlite};
use pulpcov_core::{CoverageData, Measurement};
use pulpcov_fuzz::{Change, DataSet, fixtures, folder};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// Data files that can be read page by page.
const REAL: [&[u8]; 5] = fixtures![
    "written/v7.17.3-branch",
    "written/v7.17.3-dynamic",
    "odd/overflow-pages",
    "odd/free-pages",
    "odd/page-1024",
];

/// Queries that return everything in a database. The last ones return the results of SQLite's
/// checks.
const QUERIES: &str = include_str!("../../pulpcov-core/src/formats/sqlite/contents.sql");

#[derive(Debug, Arbitrary)]
enum Input {
    Real(u8, Vec<Change>),
    Written { data: DataSet, arcs: bool, changes: Vec<Change> },
}

fuzz_target!(|bytes: &[u8]| {
    let mut file = match Input::arbitrary_take_rest(Unstructured::new(bytes)) {
        Ok(Input::Real(which, changes)) => {
            changed(REAL[usize::from(which) % REAL.len()].to_vec(), &changes)
        }
        Ok(Input::Written { data, arcs, changes }) => {
            let measurement = if arcs { Measurement::Arcs } else { Measurement::Lines };
            let Some(data) = data.build(measurement) else { return };
            changed(write_in_both_ways(&data), &changes)
        }
        Err(_) => return,
    };
    if !header_page_count_is_right(&file) {
        return;
    }
    let pages = read_bytes(&file);
    // Now the header's version-valid-for number differs from its change counter, so its page count
    // is not valid (SQLite file format, section 1.3). SQLite reads such a file.
    file[92] ^= 1;
    match (pages, read_bytes(&file)) {
        (Ok(pages), Ok(sql)) => {
            assert_eq!((pages.data, pages.orphan_rows), (sql.data, sql.orphan_rows));
        }
        (Err(pages), Err(sql)) => assert_eq!(pages.to_string(), sql.to_string()),
        (pages, sql) => panic!("by pages: {pages:?}, by SQLite: {sql:?}"),
    }
});

fn changed(mut file: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    changes.iter().for_each(|change| change.apply(&mut file));
    file
}

/// Returns whether SQLite finds the same number of pages with and without the header's page count.
fn header_page_count_is_right(file: &[u8]) -> bool {
    let number = |at: usize| Some(u32::from_be_bytes(*file.get(at..)?.first_chunk()?));
    let page_size = match file.get(16..18) {
        Some([0, 1]) => 65_536,
        Some([high, low]) => usize::from(u16::from_be_bytes([*high, *low])).max(1),
        _ => return false,
    };
    file.len() >= 100
        && number(24) == number(92)
        && file.len().is_multiple_of(page_size)
        && number(28).is_some_and(|count| count as usize == file.len() / page_size)
}

/// Writes `data` page by page and with SQLite, and asserts that SQLite reads the same from both
/// files. Returns the bytes of the file that was written page by page.
fn write_in_both_ways(data: &CoverageData) -> Vec<u8> {
    let folder = folder();
    let (pages, sql) = (folder.path().join("pages"), folder.path().join("sql"));
    sqlite::write(data, &pages).unwrap();
    // If there already is a database, SQLite writes to it.
    Connection::open(&sql).unwrap().pragma_update(None, "application_id", 1).unwrap();
    sqlite::write(data, &sql).unwrap();
    assert_eq!(contents(&pages), contents(&sql));
    std::fs::read(&pages).unwrap()
}

/// Returns all rows of a database, and the results of SQLite's checks.
fn contents(path: &std::path::Path) -> Vec<String> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut contents = Vec::new();
    for query in QUERIES.split_terminator(";\n") {
        let mut statement = db.prepare(query).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            // SQLite's text may be invalid UTF-8.
            let values = (0..columns).map(|column| row.get_ref(column).unwrap());
            contents.push(format!("{:?}", values.collect::<Vec<_>>()));
        }
    }
    assert_eq!(contents.last(), Some(&format!("{:?}", [ValueRef::Text(b"ok")])));
    contents
}
