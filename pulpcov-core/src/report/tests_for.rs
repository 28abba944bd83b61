//! The tests that a change can affect, for people, programs and test runners.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;

use serde::Serialize;

use crate::Result;
use crate::impact::{Reason, Rule};
use crate::text::printable;

/// The version of the JSON. It grows when something is removed or changes its meaning.
const FORMAT: u32 = 1;

/// The tests to run, by the names that test runners know them by.
///
/// # Examples
///
/// ```
/// use pulpcov_core::impact::{Reason, Rule};
/// use pulpcov_core::report::tests_for::{TestsFor, write_ids};
///
/// let reason = Reason::new(Rule::RanFunction, "total in cart.py changed");
/// let ids = ["tests/test_cart.py::test_total", "tests/test_cart.py", "tests/test_tax.py::test_of"];
/// let tests = TestsFor::new(None, ids.map(|id| (id.to_owned(), reason.clone())), ["tests".to_owned()]);
/// let mut out = Vec::new();
/// write_ids(&tests, &mut out)?;
/// assert_eq!(String::from_utf8_lossy(&out), "tests/test_cart.py\ntests/test_tax.py::test_of\n");
///
/// // These tests failed in a run of all tests.
/// let failed = ["tests.test_cart.test_total[1]".to_owned(), "tests.test_web.test_get".to_owned()];
/// assert_eq!(tests.missed(&failed), ["tests.test_web.test_get"]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestsFor {
    everything: Option<Reason>,
    tests: BTreeMap<String, Reason>,
    roots: Vec<String>,
}

impl TestsFor {
    /// Creates the list. `tests` are ids, files and folders; what is in another of them is left out. If there is a reason
    /// to run all tests, `roots` stand for them: the folders with tests.
    pub fn new(
        everything: Option<Reason>,
        tests: impl IntoIterator<Item = (String, Reason)>,
        roots: impl IntoIterator<Item = String>,
    ) -> Self {
        let tests: BTreeMap<String, Reason> = tests.into_iter().collect();
        let names: HashSet<&str> = tests.keys().map(String::as_str).collect();
        let is_covered = |name: &str| outer(name).any(|outer| names.contains(outer));
        let covered: HashSet<String> =
            tests.keys().filter(|name| is_covered(name)).cloned().collect();
        let tests = tests.into_iter().filter(|(name, _)| !covered.contains(name)).collect();
        Self { everything, tests, roots: roots.into_iter().collect() }
    }

    /// Returns what to run: the selected tests, or the folders with tests if all are.
    pub fn ids(&self) -> Vec<&str> {
        match &self.everything {
            Some(_) => self.roots.iter().map(String::as_str).collect(),
            None => self.tests.keys().map(String::as_str).collect(),
        }
    }

    /// Returns the tests that are not among those to run. They are named as in a [JUnit
    /// report](crate::impact::failed_tests).
    pub fn missed<'t>(&self, tests: &'t [String]) -> Vec<&'t str> {
        let selected: Vec<String> = self.ids().into_iter().map(dotted).collect();
        let is_selected = |test: &str| {
            let test = test.split('[').next().unwrap_or(test);
            let is_in = |outer: &String| {
                test.strip_prefix(outer.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            selected.iter().any(|outer| outer.is_empty() || is_in(outer))
        };
        tests.iter().map(String::as_str).filter(|test| !is_selected(test)).collect()
    }
}

/// Returns the names of everything that a test, a class, a file or a folder is in, and of the test without parameters.
fn outer(name: &str) -> impl Iterator<Item = &str> {
    let (names, _) = name.split_at(name.find('[').unwrap_or(name.len()));
    let whole = (names != name).then_some(names);
    let inner = names.rmatch_indices("::").filter_map(|(at, _)| names.get(..at));
    let file = file_of(name);
    let folders = file.rmatch_indices('/').filter_map(|(at, _)| file.get(..at));
    whole.into_iter().chain(inner).chain(folders).chain((name != ".").then_some("."))
}

/// Returns the file or the folder of a test's name.
fn file_of(name: &str) -> &str {
    name.split_once("::").map_or(name, |(file, _)| file)
}

/// Returns a name as JUnit reports have it: the module, the classes and the function, with dots between them. The folder
/// with everything is empty.
fn dotted(id: &str) -> String {
    let file = file_of(id);
    let names = id.get(file.len()..).unwrap_or_default().split('[').next().unwrap_or_default();
    if file == "." { String::new() } else { module(file) + &names.replace("::", ".") }
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
    let mut names = BTreeSet::new();
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
        if reason.rule == Rule::Unknown {
            writeln!(out, "  [tool.pulpcov.map] can name the tests that need a file, or none")?;
        }
    }
    for (id, reason) in &tests.tests {
        let (id, change) = (printable(id), printable(&reason.change));
        writeln!(out, "{id}: {} ({change})", reason.rule)?;
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
