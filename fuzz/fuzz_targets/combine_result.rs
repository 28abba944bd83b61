//! Combines any files with an intact data file. The result must be a valid data file with all rows
//! of the intact file. Every input that is not in the result must still exist.
#![no_main]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pulpcov_core::combine::{Combined, Combiner, StoreFormat, store};
use pulpcov_core::formats::read_bytes;
use pulpcov_core::paths::{PathAliases, WorkingFolder};
use pulpcov_core::{CoverageData, Error, ErrorKind, Measurement};
use pulpcov_fuzz::{Change, DataSet, RoundTrip, fixtures, folder};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// Data files of coverage.py that are stored in different ways.
const REAL: [&[u8]; 6] = fixtures![
    "written/v5.0a2-branch",
    "written/v7.17.3-lines",
    "written/v7.17.3-plugin",
    "written/v7.17.3-dynamic",
    "odd/overflow-pages",
    "odd/utf16le",
];

const SENTENCE: &[u8] = b"!coverage.py: This is a private format, don't read it directly!";

/// The limit on other files. More files find no more bugs.
const MOST: usize = 4;

#[derive(Debug, Arbitrary)]
struct Input {
    arcs: bool,
    intact: DataSet,
    others: Vec<Other>,
    target: Option<Other>,
    append: bool,
    keep: bool,
    little_memory: bool,
}

/// A file of arbitrary bytes, a JSON data file with any content, or a changed SQLite data file.
#[derive(Debug, Arbitrary)]
enum Other {
    Bytes(Vec<u8>),
    Json(Vec<u8>),
    Real(u8, Vec<Change>),
    Written { data: DataSet, arcs: bool, changes: Vec<Change> },
}

impl Other {
    fn bytes(&self, files: &RoundTrip) -> Option<Vec<u8>> {
        let (mut bytes, changes) = match self {
            Self::Bytes(bytes) => return Some(bytes.clone()),
            Self::Json(text) => return Some([SENTENCE, text].concat()),
            Self::Real(which, changes) => {
                (REAL[usize::from(*which) % REAL.len()].to_vec(), changes)
            }
            Self::Written { data, arcs, changes } => {
                (files.sqlite_bytes(&data.build(kind(*arcs))?), changes)
            }
        };
        changes.iter().for_each(|change| change.apply(&mut bytes));
        Some(bytes)
    }
}

fn kind(arcs: bool) -> Measurement {
    if arcs { Measurement::Arcs } else { Measurement::Lines }
}

fuzz_target!(|input: Input| {
    let Some(intact) = input.intact.build(kind(input.arcs)) else { return };
    // The result has paths with the slashes of this machine. Two files with different plugins can
    // then become one file, which is an error.
    let Ok(expected) = with_host_slashes(intact.clone()) else { return };
    let (files, folder) = (RoundTrip::new(), folder());
    let target = folder.path().join(".coverage");
    let intact_path = folder.path().join(".coverage.intact");
    store(&intact, &intact_path, StoreFormat::Sqlite).expect("data in memory can be written");
    for (number, other) in input.others.iter().take(MOST).enumerate() {
        let Some(bytes) = other.bytes(&files) else { return };
        fs::write(folder.path().join(format!(".coverage.{number}")), bytes).expect("written");
    }
    if let Some(other) = &input.target {
        let Some(bytes) = other.bytes(&files) else { return };
        fs::write(&target, bytes).expect("written");
    }
    let before = snapshot(folder.path());

    let mut combiner = Combiner::new(&target).append(input.append).keep(input.keep);
    if input.little_memory {
        combiner = combiner.memory(0);
    }
    let outcome = combiner.run();
    let after = snapshot(folder.path());
    match outcome {
        Ok(combined) => {
            assert!(is_in(&combined, &intact_path), "{combined:?}");
            assert_valid_data_file(&target, &combined, input.little_memory);
            let result = read_bytes(&after[&target]).expect("what is left can be read").data;
            assert_contains(&result, &expected);
            assert_other_inputs_remain(&combined, &before, &after, &target, input.keep);
        }
        Err(err) => {
            assert_eq!(after, before, "{err}");
            assert_fatal(&err, &target);
        }
    }
});

fn with_host_slashes(data: CoverageData) -> Result<CoverageData, Error> {
    let mut aliases = PathAliases::new(WorkingFolder::new("/"));
    data.map_paths(|path| aliases.map_file(path))
}

/// Returns the content of all files. Sets an old modification time, because combining waits if a
/// file has just changed.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let file = File::options().write(true).open(&path).expect("a file");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("its time");
        files.insert(path.clone(), fs::read(path).expect("its bytes"));
    }
    files
}

fn is_in(combined: &Combined, path: &Path) -> bool {
    combined.left_out.iter().all(|err| err.path() != Some(path))
}

/// Asserts that the error is one that may stop combining: either inputs contradict each other, or
/// nothing can be appended to the target.
fn assert_fatal(err: &Error, target: &Path) {
    let contradicts = matches!(err.kind(), ErrorKind::MixedData | ErrorKind::TracerConflict);
    assert!(contradicts || err.path() == Some(target), "{err:?}");
    assert!(!matches!(err.kind(), ErrorKind::Io | ErrorKind::Busy), "{err:?}");
}

/// Asserts that SQLite finds no fault, that Python can read all text, and that the reader of pages
/// and SQLite find the same rows.
fn assert_valid_data_file(path: &Path, combined: &Combined, little_memory: bool) {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("open");
    let one = |query: &str| -> String {
        db.query_row(query, [], |row| row.get(0)).expect("a row of text")
    };
    assert_eq!(one("SELECT CAST(version AS TEXT) FROM coverage_schema"), "7");
    assert_eq!(one("PRAGMA integrity_check"), "ok");
    let mut keys = db.prepare("PRAGMA foreign_key_check").expect("a query");
    assert!(!keys.exists([]).expect("an answer"));
    for query in [
        "SELECT path FROM file",
        "SELECT context FROM context",
        "SELECT tracer FROM tracer",
        "SELECT key FROM meta",
        "SELECT value FROM meta",
    ] {
        let mut query = db.prepare(query).expect("a query");
        let mut rows = query.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            match row.get_ref(0).expect("a column") {
                ValueRef::Text(text) => {
                    let text = std::str::from_utf8(text).expect("UTF-8");
                    assert!(!text.contains('\0'), "{text:?}");
                }
                other => panic!("no text: {other:?}"),
            }
        }
    }
    let mut bytes = fs::read(path).expect("its bytes");
    let pages = read_bytes(&bytes).expect("read by pages");
    // Now the header's version-valid-for number differs from its change counter, so its page count
    // is not valid (SQLite file format, section 1.3). SQLite reads such a file.
    bytes[92] ^= 1;
    let sql = read_bytes(&bytes).expect("read by SQLite");
    assert_eq!((&pages.data, pages.orphan_rows), (&sql.data, 0));
    assert_eq!(sql.orphan_rows, 0);
    if !little_memory {
        assert_eq!(Some(&pages.data), combined.data.as_ref());
    }
}

fn assert_contains(result: &CoverageData, expected: &CoverageData) {
    for file in expected.files() {
        let found = result.file(file.path()).expect("the file");
        assert!(file.tracer().is_empty() || file.tracer() == found.tracer());
        let lines: BTreeMap<_, _> = found.lines_by_context().into_iter().collect();
        let arcs: BTreeMap<_, _> = found.arcs_by_context().into_iter().collect();
        for (context, wanted) in file.lines_by_context() {
            assert!(wanted.iter().all(|line| lines[context].iter().any(|known| known == line)));
        }
        for (context, wanted) in file.arcs_by_context() {
            assert!(wanted.iter().all(|arc| arcs[context].as_slice().binary_search(&arc).is_ok()));
        }
    }
    let contexts = result.contexts();
    assert!(expected.contexts().iter().all(|context| contexts.contains(context)));
}

fn assert_other_inputs_remain(
    combined: &Combined,
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
    target: &Path,
    keep: bool,
) {
    assert!(combined.not_deleted.is_empty(), "{combined:?}");
    for (path, bytes) in before.iter().filter(|(path, _)| *path != target) {
        let stays = keep || !is_in(combined, path);
        assert_eq!(after.get(path), stays.then_some(bytes), "{path:?}, {combined:?}");
    }
    let new = after.keys().filter(|path| !before.contains_key(*path) && *path != target);
    assert_eq!(new.count(), 0, "nothing else is left");
}
