//! Who ran it, as JSON for programs.

use std::io::Write;

use serde::Serialize;

use super::{TestReach, WhoFile};
use crate::{Numbits, Result};

/// The version of the shapes. It grows when something is removed or changes its meaning.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<T> {
    format: u32,
    #[serde(flatten)]
    content: T,
}

#[derive(Serialize)]
struct Who<'a> {
    files: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    part: String,
    statements: &'a [i32],
    tests: Vec<Test<'a>>,
    others: Vec<Other<'a>>,
}

#[derive(Serialize)]
struct Test<'a> {
    id: &'a str,
    lines: Vec<i32>,
    parts: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    context: &'a str,
    phase: Option<&'static str>,
    lines: Vec<i32>,
}

#[derive(Serialize)]
struct Other<'a> {
    context: &'a str,
    lines: Vec<i32>,
}

#[derive(Serialize)]
struct Reach<'a> {
    tests: Vec<&'a str>,
    files: Vec<ReachedFile<'a>>,
}

#[derive(Serialize)]
struct ReachedFile<'a> {
    path: &'a str,
    lines: Vec<i32>,
    alone: Vec<i32>,
}

#[derive(Serialize)]
struct Unused<'a> {
    unused_tests: &'a [&'a str],
    tests: usize,
}

/// Writes who ran each file, on one line.
///
/// ```text
/// {"format": 1,                                the version of this shape
///  "files": [
///   {"path": "src/shop.py",                    the file
///    "part": "src/shop.py:3-5",                what is asked about
///    "statements": [3, 5],                     its statements
///    "tests": [
///     {"id": "t/test_shop.py::test_add",       the test
///      "lines": [3],                           the statements that it ran
///      "parts": [{"context": "py312",          the same by static context, or ""
///                 "phase": "run",              setup, run, teardown, or null
///                 "lines": [3]}]}],
///    "others": [{"context": "",                what ran in contexts that are no tests
///                "lines": [3]}]}]}
/// ```
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_json(files: &[WhoFile<'_>], out: impl Write) -> Result<()> {
    write(Who { files: files.iter().map(File::new).collect() }, out)
}

/// Writes what a test ran, on one line.
///
/// ```text
/// {"format": 1,                                the version of this shape
///  "tests": ["t/test_shop.py::test_add"],      the tests
///  "files": [{"path": "src/shop.py",           a file
///             "lines": [3, 5],                 the statements that the tests ran
///             "alone": [5]}]}                  those that no other test ran
/// ```
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_reach_json(reach: &TestReach<'_>, out: impl Write) -> Result<()> {
    let files = reach.files().iter().map(|file| ReachedFile {
        path: file.name(),
        lines: numbers(file.lines()),
        alone: numbers(file.alone()),
    });
    write(Reach { tests: reach.tests().iter().copied().collect(), files: files.collect() }, out)
}

/// Writes the tests whose every line another test ran too, on one line: `{"format": 1, "unused_tests": [ids], "tests":
/// the number of all tests}`.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_unused_json(unused: &[&str], tests: usize, out: impl Write) -> Result<()> {
    write(Unused { unused_tests: unused, tests }, out)
}

fn write(content: impl Serialize, mut out: impl Write) -> Result<()> {
    let document = Document { format: FORMAT, content };
    serde_json::to_writer(&mut out, &document).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

impl<'a> File<'a> {
    fn new(who: &'a WhoFile<'_>) -> Self {
        let tests = who.runs.tests().iter().map(|test| Test {
            id: test.id(),
            lines: numbers(&test.lines()),
            parts: test.parts().iter().map(Part::new).collect(),
        });
        let others = who.runs.others().iter();
        Self {
            path: who.file.name(),
            part: who.name(),
            statements: who.statements(),
            tests: tests.collect(),
            others: others
                .map(|(context, lines)| Other { context, lines: numbers(lines) })
                .collect(),
        }
    }
}

impl<'a> Part<'a> {
    fn new(part: &crate::impact::Part<'a>) -> Self {
        Self {
            context: part.static_context,
            phase: part.phase.map(|phase| phase.as_str()),
            lines: numbers(&part.lines),
        }
    }
}

fn numbers(lines: &Numbits) -> Vec<i32> {
    lines.iter().collect()
}
