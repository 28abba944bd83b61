//! The tests that a change can affect, for people, programs and test runners.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use crate::Result;
use crate::impact::Reason;
use crate::text::printable;

/// The version of the JSON. It grows when something is removed or changes its meaning.
const FORMAT: u32 = 1;

/// The tests to run, by the names that test runners know them by.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::tests_for::{TestsFor, write_ids};
///
/// let mut tests = TestsFor { everything: None, tests: Default::default(), roots: vec!["tests".to_owned()] };
/// let mut out = Vec::new();
/// write_ids(&tests, &mut out)?;
/// assert_eq!(out, b"");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TestsFor {
    /// The reason to run all tests, if there is one.
    pub everything: Option<Reason>,
    /// The tests: ids, files and folders, with the reason for each.
    pub tests: BTreeMap<String, Reason>,
    /// The folders with tests, which stand for all of them.
    pub roots: Vec<String>,
}

impl TestsFor {
    /// Returns what to run: the selected tests, or the folders with tests if all are.
    pub fn ids(&self) -> Vec<&str> {
        match &self.everything {
            Some(_) => self.roots.iter().map(String::as_str).collect(),
            None => self.tests.keys().map(String::as_str).collect(),
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    base: Option<&'a str>,
    everything: Option<Why<'a>>,
    roots: &'a [String],
    tests: Vec<Test<'a>>,
}

#[derive(Serialize)]
struct Why<'a> {
    rule: &'static str,
    change: &'a str,
}

#[derive(Serialize)]
struct Test<'a> {
    id: &'a str,
    #[serde(flatten)]
    why: Why<'a>,
}

impl<'a> Why<'a> {
    fn new(reason: &'a Reason) -> Self {
        Self { rule: reason.rule.as_str(), change: &reason.change }
    }
}

/// Writes ids, one a line, as `pytest @FILE` reads them (pytest 8.2).
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_ids(tests: &TestsFor, out: impl Write) -> Result<()> {
    super::who::write_pytest(tests.ids(), out)
}

/// Writes the names of modules, classes and methods, one a line, as `python -m unittest` takes them.
///
/// unittest knows no functions, so such a test is the module that it is in. `files` are all files with tests, which stand
/// for their folders.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_unittest(tests: &TestsFor, files: &[String], mut out: impl Write) -> Result<()> {
    let mut names = std::collections::BTreeSet::new();
    for id in tests.ids() {
        match id.split_once("::") {
            Some((file, rest)) if rest.contains("::") => {
                names.insert([&module(file), ".", &rest.replace("::", ".")].concat());
            }
            Some((file, _)) => drop(names.insert(module(file))),
            None if id.ends_with(".py") => drop(names.insert(module(id))),
            None => names
                .extend(files.iter().filter(|file| is_beneath(file, id)).map(|file| module(file))),
        }
    }
    for name in names.iter().filter(|name| !name.contains(['\n', '\r'])) {
        writeln!(out, "{name}")?;
    }
    Ok(())
}

fn module(file: &str) -> String {
    file.strip_suffix(".py").unwrap_or(file).replace('/', ".")
}

fn is_beneath(file: &str, folder: &str) -> bool {
    folder == "." || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Writes each test with the rule and the change that selected it.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_reasons(tests: &TestsFor, mut out: impl Write) -> Result<()> {
    if let Some(reason) = &tests.everything {
        writeln!(out, "all tests: {}", printable(&reason.change))?;
    }
    for (id, reason) in &tests.tests {
        let (id, change) = (printable(id), printable(&reason.change));
        writeln!(out, "{id}: {} ({change})", reason.rule)?;
    }
    if tests.everything.is_none() && tests.tests.is_empty() {
        writeln!(out, "no test is selected")?;
    }
    Ok(())
}

/// Writes the tests as JSON, on one line.
///
/// ```text
/// {"format": 1,                            the version of this shape
///  "base": "main",                         what the change is from
///  "everything": {"rule": "unknown",       why all tests are selected, or null
///                 "change": "uv.lock changed, and nothing says which tests need it"},
///  "roots": ["tests"],                     the folders with tests
///  "tests": [
///   {"id": "tests/test_a.py::test_x",      a test, a class, a file or a folder
///    "rule": "ran-function",               or ran-file, imports, test-file, conftest, map, always
///    "change": "Cart.add in src/cart.py changed"}]}
/// ```
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_json(tests: &TestsFor, base: Option<&str>, mut out: impl Write) -> Result<()> {
    let document = Document {
        format: FORMAT,
        base,
        everything: tests.everything.as_ref().map(Why::new),
        roots: &tests.roots,
        tests: tests.tests.iter().map(|(id, reason)| Test { id, why: Why::new(reason) }).collect(),
    };
    serde_json::to_writer(&mut out, &document).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}
