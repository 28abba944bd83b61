//! Text that Python cannot read counts as damage. A file with such text is named and kept.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};
use rusqlite::Connection;

use super::{TARGET, data, input_name, inputs, snapshot};
use crate::support::{Dir, Rows};

/// The text columns of a data file, each with an SQL statement that stores other bytes there.
const PLACES: [(&str, &str); 5] = [
    ("path", "update file set path = cast(?1 as text) where id = 1"),
    ("context", "update context set context = cast(?1 as text) where id = 2"),
    ("tracer", "insert or replace into tracer values (1, cast(?1 as text))"),
    ("key", "insert into meta values (cast(?1 as text), 'x')"),
    ("value", "insert into meta values ('x', cast(?1 as text))"),
];

/// How a database is stored, which decides how it is read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    /// As coverage.py stores it: read page by page.
    Plain,
    /// With one more table: read through SQLite.
    Odd,
    Utf16le,
    Utf16be,
}

const LAYOUTS: [Layout; 4] = [Layout::Plain, Layout::Odd, Layout::Utf16le, Layout::Utf16be];

impl Layout {
    /// Returns `text` followed by damaged bytes, each with words that the error must have.
    fn damaged(self, text: &str) -> Vec<[Vec<u8>; 2]> {
        let units = |units: &[u16]| -> Vec<u8> {
            let all = text.encode_utf16().chain(units.iter().copied());
            match self {
                Self::Utf16be => all.flat_map(u16::to_be_bytes).collect(),
                _ => all.flat_map(u16::to_le_bytes).collect(),
            }
        };
        let bytes = |more: &[u8]| [text.as_bytes(), more].concat();
        let not_utf8 = b"not UTF-8".to_vec();
        let nul = b"a NUL".to_vec();
        match self {
            Self::Plain | Self::Odd => vec![
                [bytes(b"\xe9"), not_utf8.clone()],
                // An encoded surrogate, and a slash encoded in two bytes.
                [bytes(b"\xed\xb2\x80x"), not_utf8.clone()],
                [bytes(b"\xc0\xafx"), not_utf8],
                [bytes(b"\0x"), nul],
            ],
            Self::Utf16le | Self::Utf16be => vec![
                [units(&[0xd83d]), b"not UTF-16".to_vec()],
                [units(&[0xd83d, 0x61]), b"not UTF-16".to_vec()],
                [units(&[0xde00, 0x61, 0x62]), b"not UTF-16".to_vec()],
                [units(&[0, 0x61]), nul],
            ],
        }
    }

    /// Writes a data file, and stores `bytes` in it with the SQL of `change`.
    fn write(self, path: &Path, change: &str, bytes: &[u8]) {
        store(&data(7), path, StoreFormat::Sqlite).unwrap();
        if let Self::Utf16le | Self::Utf16be = self {
            in_utf16(path, self);
        }
        let db = Connection::open(path).unwrap();
        if self == Self::Odd {
            db.execute_batch("create table more (x)").unwrap();
        }
        // A cast from a blob stores the bytes unchanged.
        db.execute(change, [bytes]).unwrap();
        db.close().unwrap();
    }
}

/// Rewrites the database with its text in UTF-16.
fn in_utf16(path: &Path, layout: Layout) {
    let other = path.with_extension("other");
    let db = Connection::open(&other).unwrap();
    db.pragma_update(None, "encoding", format!("{layout:?}").replace("Utf16", "UTF-16")).unwrap();
    let schema = include_str!("../../../pulpcov-core/src/formats/sqlite/schema7.sql");
    db.execute_batch(schema).unwrap();
    let rows = Connection::open(path).unwrap();
    for (table, columns) in [
        ("coverage_schema", 1),
        ("meta", 2),
        ("file", 2),
        ("context", 2),
        ("line_bits", 3),
        ("arc", 4),
        ("tracer", 2),
    ] {
        let mut query = rows.prepare(&format!("select * from {table}")).unwrap();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<rusqlite::types::Value> =
                (0..columns).map(|column| row.get(column).unwrap()).collect();
            let places = vec!["?"; columns].join(",");
            db.execute(
                &format!("insert into {table} values ({places})"),
                rusqlite::params_from_iter(values),
            )
            .unwrap();
        }
    }
    db.close().unwrap();
    fs::rename(other, path).unwrap();
}

/// The bytes of a damaged file, and words that the error must have.
type Bad = (Vec<u8>, Vec<String>);

/// Returns the bytes of the file that `write` writes.
fn bytes_of(write: impl FnOnce(&Path)) -> Vec<u8> {
    let dir = Dir::new();
    write(&dir.path("data"));
    fs::read(dir.path("data")).unwrap()
}

/// Checks that every command names and keeps the damaged files, and that coverage.py reads the result of a
/// combine.
#[track_caller]
fn are_named_and_kept(bad: &[Bad]) {
    let dir = Dir::new();
    let rows = inputs(&dir, 1..=2);
    let names: Vec<String> = (50..).map(input_name).take(bad.len()).collect();
    names.iter().zip(bad).for_each(|(name, (bytes, _))| drop(dir.write(name, bytes)));
    let before = snapshot(&dir);
    let ran = dir.pulpcov(["combine"]).status(3);
    let mut after = snapshot(&dir);
    for (name, (_, words)) in names.iter().zip(bad) {
        let said = ran.stderr.lines().find(|line| line.contains(name)).unwrap();
        assert!(said.starts_with("warning: left out: "), "{said}");
        words.iter().for_each(|word| assert!(said.contains(word), "no {word:?} in {said}"));
        assert_eq!(after.remove(name).as_ref(), before.get(name), "{name}");
    }
    assert_eq!(after.into_keys().collect::<Vec<_>>(), [TARGET]);
    assert_eq!(Rows::by_coverage(dir.path(TARGET)), rows);
    bad.iter().for_each(|bad| is_named_alone(bad));
}

/// Checks the same for a damaged file that is the only input, and so is read in place.
#[track_caller]
fn is_named_alone((bytes, words): &Bad) {
    let dir = Dir::new();
    let is_said = |text: &str| {
        words.iter().for_each(|word| assert!(text.contains(word), "no {word:?} in {text}"));
    };
    let name = input_name(50);
    dir.write(&name, bytes);
    for args in
        [&["combine"][..], &["debug", "data", &name], &["convert", "--to=json", &name, "new"]]
    {
        is_said(&dir.pulpcov(args).status(1).stderr);
        assert_eq!(snapshot(&dir), [(name.clone(), bytes.clone())].into(), "{args:?}");
    }

    // It can be neither appended to nor reported on.
    fs::rename(dir.path(&name), dir.path(TARGET)).unwrap();
    inputs(&dir, 1..=1);
    let before = snapshot(&dir);
    for args in [&["combine", "--append"][..], &["report"], &["xml"]] {
        let ran = dir.pulpcov(args).status(1).stderr("error: .coverage: ");
        is_said(&ran.stderr);
        ran.stderr("cannot be appended to: ").stderr("move it away");
        assert_eq!(snapshot(&dir), before, "{args:?}");
    }
    fs::remove_file(dir.path(input_name(1))).unwrap();
    is_said(&dir.pulpcov(["report"]).status(1).stderr);
}

#[test]
fn text_of_a_database_that_python_could_not_have_written_is_damage() {
    for layout in LAYOUTS {
        let mut bad = Vec::new();
        for (column, change) in PLACES {
            for [bytes, words] in layout.damaged("some text") {
                let file = bytes_of(|path| layout.write(path, change, &bytes));
                bad.push((
                    file,
                    vec![format!("column {column}"), String::from_utf8(words).unwrap()],
                ));
            }
        }
        are_named_and_kept(&bad);
    }
}

#[test]
fn half_a_unit_of_utf16_is_damage() {
    let text: Vec<u8> = "odd.py".encode_utf16().flat_map(u16::to_le_bytes).collect();
    // A record of NULL, which stands for the row's id, and of a text of `len` bytes.
    let record = |len: u8| [&[3, 0, 13 + 2 * len][..], &text].concat();
    let mut file = bytes_of(|path| {
        Layout::Utf16le.write(path, "update file set path = cast(?1 as text) where id = 1", &text);
    });
    let whole = record(12);
    let at = file.windows(whole.len()).position(|bytes| bytes == whole).unwrap();
    file[at..at + whole.len()].copy_from_slice(&record(11));
    are_named_and_kept(&[(file, vec!["table file: ".to_owned()])]);
}

#[test]
fn text_of_json_that_coverage_could_not_store_today_is_damage() {
    const SENTENCE: &[u8] = b"!coverage.py: This is a private format, don't read it directly!";
    let cases: [(&[u8], &str); 8] = [
        (br#"{"lines":{"caf\udce9.py":[1]}}"#, "not UTF-8"),
        (br#"{"arcs":{"caf\udce9.py":[[1,2]]}}"#, "not UTF-8"),
        (br#"{"lines":{"a\u0000.py":[1]}}"#, "a NUL"),
        (br#"{"lines":{"a.py":[1]},"file_tracers":{"a.py":"plug\udce9"}}"#, "not UTF-8"),
        (br#"{"lines":{"a.py":[1]},"file_tracers":{"a.py":"plug\u0000"}}"#, "a NUL"),
        (br#"{"lines":{"a.py":[1]},"file_tracers":{"b\ud83d.py":"plug"}}"#, "not UTF-8"),
        (br#"{"lines":{"a.py":[1],"a.py":[2]}}"#, "named twice"),
        (b"{\"lines\":{\"caf\xe9.py\":[1]}}", ""),
    ];
    let bad = cases.map(|(json, words)| {
        ([SENTENCE, json].concat(), vec!["line 1, column ".to_owned(), words.to_owned()])
    });
    are_named_and_kept(&bad);
}

/// `[paths]` resolves symbolic links, and a link can lead to a folder whose name is not UTF-8.
#[test]
fn an_input_whose_files_get_names_that_are_no_text_is_kept() {
    let dir = Dir::new();
    let folder = OsStr::from_bytes(b"caf\xe9");
    fs::create_dir(dir.path(folder)).unwrap();
    fs::write(dir.path(folder).join("a.py"), "").unwrap();
    symlink(folder, dir.path("src")).unwrap();
    dir.write(".coveragerc", "[paths]\nsource =\n    src\n    /ci\n");
    let bad = input_name(50);
    let mut data = CoverageData::new();
    data.add_lines("/ci/a.py", "", &Numbits::from_iter([1])).unwrap();
    store(&data, dir.path(&bad), StoreFormat::Sqlite).unwrap();
    let before = fs::read(dir.path(&bad)).unwrap();
    let words = "[paths] gives '/ci/a.py' a name: no data file can hold the path";
    dir.pulpcov(["combine"]).status(1).stderr("No usable data files").stderr(words);
    assert!(!dir.path(TARGET).exists());

    let rows = inputs(&dir, 1..=2);
    dir.pulpcov(["combine"]).status(3).stderr("left out: ").stderr(&bad).stderr(words);
    assert_eq!(fs::read(dir.path(&bad)).unwrap(), before);
    assert_eq!(Rows::by_coverage(dir.path(TARGET)), rows);
}
