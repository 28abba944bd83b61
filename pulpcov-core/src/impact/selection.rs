//! Which tests a change can affect.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::project::Project;
use super::test_name::{Phase, TestName};
use super::test_runs::TestRuns;
use crate::Numbits;
use crate::python::{ChangedFunction, SourceChange};

/// A change of one file, by paths from the top folder of the project.
///
/// A renamed file is one that was deleted and one that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A Python file is new.
    Added(String),
    /// A Python file is gone.
    Deleted(String),
    /// A Python file has another text.
    Edited(String, SourceChange),
    /// A file that is not Python was changed, and the tests are those that [`TestLayout::map`] names.
    Other(String),
}

impl Change {
    /// Returns the path of the file.
    pub fn path(&self) -> &str {
        match self {
            Self::Added(path) | Self::Deleted(path) | Self::Edited(path, _) | Self::Other(path) => {
                path
            }
        }
    }
}

const NO_WAY_TO_TESTS: &str = "no file with tests is known to import it";

/// Where the tests of a project are.
#[derive(Debug, Clone, Default)]
pub struct TestLayout {
    test_files: BTreeSet<String>,
    map: Vec<(String, Vec<String>)>,
    always: Vec<String>,
}

/// Why a test is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// It ran a function whose body changed.
    RanFunction,
    /// It ran a file that changed outside of functions, or one that imports such a file.
    RanFile,
    /// Its file imports the changed file, directly or through others.
    Imports,
    /// It is in a file that changed.
    TestFile,
    /// It is beneath a `conftest.py` that changed.
    Conftest,
    /// It may run the changed function: it, or a file that it imports, is newer than the data, or the data does not have it.
    NewerThanData,
    /// The settings map the changed file to it.
    Map,
    /// The settings select it always.
    Always,
    /// Nothing says which tests need the changed file, so all may.
    Unknown,
}

/// A rule, and the change that it was applied to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Reason {
    /// The rule.
    pub rule: Rule,
    /// What changed. Thousands of tests may share one text.
    pub change: Arc<str>,
}

/// The tests that a change can affect.
///
/// A test is a test id, a file or a folder. What its name means now is for the caller to find out: data name tests as they
/// were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    tests: BTreeMap<String, Reason>,
    everything: Option<Reason>,
}

impl Reason {
    /// Creates a reason from a rule and what changed.
    pub fn new(rule: Rule, change: impl Into<Arc<str>>) -> Self {
        Self { rule, change: change.into() }
    }
}

impl TestLayout {
    /// Creates the layout of a project with these test files.
    pub fn new<P: Into<String>>(test_files: impl IntoIterator<Item = P>) -> Self {
        Self { test_files: test_files.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Selects `tests` if the file at `path` changed, which need not be Python. No tests mean that no test needs it.
    #[must_use]
    pub fn map(mut self, path: &str, tests: impl IntoIterator<Item = String>) -> Self {
        self.map.push((path.to_owned(), tests.into_iter().collect()));
        self
    }

    /// Selects tests whatever changed.
    #[must_use]
    pub fn always(mut self, tests: impl IntoIterator<Item = String>) -> Self {
        self.always.extend(tests);
        self
    }
}

/// What was measured of files, as they were before the changes. Paths start from the top folder of the project.
pub trait Measured {
    /// Returns the lines of a file that each context ran. None if the file was not measured.
    fn rows(&self, path: &str) -> Vec<(&str, Cow<'_, Numbits>)>;

    /// Returns the contexts that ran any of these files.
    fn contexts(&self, paths: &[&str]) -> Vec<&str> {
        paths.iter().flat_map(|path| self.rows(path)).map(|(context, _)| context).collect()
    }

    /// Returns the contexts that imported any of these files: those that ran the first line of a file that any context ran, which
    /// is at its top.
    fn importing_contexts(&self, paths: &[&str]) -> Vec<&str> {
        let of_file = |path: &&str| {
            let first = |(context, lines): (_, Cow<'_, Numbits>)| Some((context, lines.min()?));
            let first: Vec<_> = self.rows(path).into_iter().filter_map(first).collect();
            let top = first.iter().map(|(_, line)| *line).min();
            first.into_iter().filter(move |(_, line)| Some(*line) == top)
        };
        paths.iter().flat_map(of_file).map(|(context, _)| context).collect()
    }
}

/// Rows by paths, each with its context.
impl Measured for HashMap<String, Vec<(String, Numbits)>> {
    fn rows(&self, path: &str) -> Vec<(&str, Cow<'_, Numbits>)> {
        let rows = self.get(path).into_iter().flatten();
        rows.map(|(context, lines)| (context.as_str(), Cow::Borrowed(lines))).collect()
    }
}

/// Finds the tests that changes can affect.
///
/// | change | tests |
/// |---|---|
/// | the body of a function | those that ran it |
/// | a function, if files that import it are [newer](Selector::newer_than_data) than the data | also those of these files |
/// | a function that ran outside of tests, in setup or teardown, or in a test that imported its file, or whose results a decorator keeps | as outside of functions |
/// | outside of functions: statements of modules and classes, signatures, decorators | those that ran the file, and those of all files that import it |
/// | a new file | those of its importers; if none of these has tests, all |
/// | a file that is gone | those that ran it, and those of its importers; if none of these has tests, all |
/// | a file with tests | all of the file, and those of its importers |
/// | `conftest.py` | all beneath, and those of its importers |
/// | a file that no file with tests imports, also through others | all, unless only the bodies of functions changed |
/// | a file that is not Python | those that the layout maps it to; without any, all |
/// | comments, docstrings, formatting | none |
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
///
/// use pulpcov_core::Numbits;
/// use pulpcov_core::impact::{Change, Project, Selector, TestLayout};
/// use pulpcov_core::python::{PythonSource, SourceChange};
///
/// let imports = |text: &str| PythonSource::decode(text.as_bytes()).and_then(|source| source.imports());
/// let project = Project::new([
///     ("cart.py".to_owned(), imports("")?),
///     ("test_cart.py".to_owned(), imports("import cart\n")?),
/// ]);
/// let layout = TestLayout::new(["test_cart.py"]);
///
/// let old = b"def add(a, b):\n    return a + b\ndef sub(a, b):\n    return a - b\n";
/// let new = b"def add(a, b):\n    return b + a\ndef sub(a, b):\n    return a - b\n";
/// let change = Change::Edited("cart.py".to_owned(), SourceChange::between(old, new));
///
/// // What each test ran: the lines that the data has of the old version.
/// let rows = [("", vec![1, 3]), ("test_cart.py::test_add|run", vec![2]), ("test_cart.py::test_sub|run", vec![4])];
/// let of_file = rows.map(|(context, lines)| (context.to_owned(), Numbits::from_iter(lines)));
/// let measured = HashMap::from([("cart.py".to_owned(), of_file.to_vec())]);
/// let selection = Selector::new(&project, &layout).select(&[change], &measured);
/// assert_eq!(selection.tests().keys().collect::<Vec<_>>(), ["test_cart.py::test_add"]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Selector<'a> {
    project: &'a Project,
    layout: &'a TestLayout,
    newer: BTreeSet<String>,
}

impl<'a> Selector<'a> {
    /// Creates a selector for a project.
    pub fn new(project: &'a Project, layout: &'a TestLayout) -> Self {
        Self { project, layout, newer: BTreeSet::new() }
    }

    /// Sets the files that changed after they were measured, and those with tests that the data does not have. The data does not
    /// know what they run now, so their tests are selected if they import a changed file.
    #[must_use]
    pub fn newer_than_data(mut self, files: impl IntoIterator<Item = String>) -> Self {
        self.newer.extend(files);
        self
    }

    /// Returns the files whose rows [`select`](Self::select) asks for.
    pub fn files(&self, changes: &[Change]) -> BTreeSet<&'a str> {
        let paths = changes.iter().filter_map(|change| match change {
            Change::Added(path) | Change::Deleted(path) | Change::Edited(path, _) => Some(path),
            Change::Other(_) => None,
        });
        let mut files = BTreeSet::new();
        for path in paths {
            files.extend(self.project.importers(path));
            files.extend(self.project.path(path));
        }
        files
    }

    /// Selects tests.
    pub fn select(&self, changes: &[Change], measured: &impl Measured) -> Selection {
        let selection = Selection::default();
        let (seen, ran, first_imports) = (HashSet::new(), HashSet::new(), HashMap::new());
        let mut picker = Picker { selector: self, measured, selection, seen, ran, first_imports };
        for test in &self.layout.always {
            picker.add(test, Rule::Always, "whatever changed");
        }
        changes.iter().for_each(|change| picker.apply(change));
        picker.selection
    }
}

impl Selection {
    /// Returns the selected tests: ids, files and folders, each with the first reason that selected it.
    pub fn tests(&self) -> &BTreeMap<String, Reason> {
        &self.tests
    }

    /// Returns why all tests are selected, or `None` if they are not.
    pub fn everything(&self) -> Option<&Reason> {
        self.everything.as_ref()
    }
}

/// Applies the rules to changes, one after the other.
struct Picker<'s, 'a, M> {
    selector: &'s Selector<'a>,
    measured: &'s M,
    selection: Selection,
    /// The files that changed in a way that their importers may see, and whose tests are selected.
    seen: HashSet<String>,
    /// The contexts whose tests are selected because they ran a whole file, by their places in memory. Most run many files, and
    /// hashing their names would take longer than anything else here.
    ran: HashSet<*const str>,
    /// The tests that imported a file, or one of its importers, while they ran.
    first_imports: HashMap<String, BTreeSet<String>>,
}

impl<M: Measured> Picker<'_, '_, M> {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Other(path) => self.other(path),
            Change::Added(path) => self.file(path, &format!("{path} is new")),
            Change::Deleted(path) => self.deleted(path),
            Change::Edited(_, SourceChange::Nothing) => {}
            Change::Edited(path, SourceChange::Doctests) => self.doctests(path),
            Change::Edited(path, SourceChange::ModuleAndDoctests) => {
                self.doctests(path);
                self.file(path, &format!("{path} changed outside of functions, or its examples"));
            }
            Change::Edited(path, SourceChange::Functions(functions)) if !self.is_test(path) => {
                functions.iter().for_each(|function| self.function(path, function));
            }
            Change::Edited(path, SourceChange::Functions(_)) => {
                self.file(path, &format!("{path} changed"));
            }
            Change::Edited(path, SourceChange::Module) => {
                self.file(path, &format!("{path} changed outside of functions"));
            }
        }
    }

    fn is_test(&self, path: &str) -> bool {
        self.selector.layout.test_files.contains(path) || is_conftest(path)
    }

    fn add(&mut self, test: &str, rule: Rule, change: &str) {
        let reason = || Reason::new(rule, change);
        self.selection.tests.entry(test.to_owned()).or_insert_with(reason);
    }

    fn select_everything(&mut self, change: &str) {
        let reason = || Reason::new(Rule::Unknown, change);
        self.selection.everything.get_or_insert_with(reason);
    }

    /// A file that is not Python changed.
    fn other(&mut self, path: &str) {
        let layout = self.selector.layout;
        let tests = layout.map.iter().filter(|(mapped, _)| mapped == path);
        let mut is_mapped = false;
        for (_, tests) in tests {
            is_mapped = true;
            tests.iter().for_each(|test| self.add(test, Rule::Map, &format!("{path} changed")));
        }
        if !is_mapped {
            self.select_everything(&format!(
                "{path} changed, and nothing says which tests need it"
            ));
        }
    }

    fn deleted(&mut self, path: &str) {
        let change = format!("{path} is gone");
        self.ran_files(&[path], Rule::RanFile, &change);
        let reaches_tests = self.importers(path, &change);
        if is_conftest(path) {
            self.add(test_of_file(path), Rule::Conftest, &change);
        } else if !reaches_tests && !self.is_test(path) {
            self.select_everything(&format!("{change}, and {NO_WAY_TO_TESTS}"));
        }
    }

    /// The examples in docstrings changed. Their tests are in the file itself, or in files that import it and run them.
    fn doctests(&mut self, path: &str) {
        let change = format!("examples of {path} changed");
        self.add(path, Rule::TestFile, &change);
        self.importers(path, &change);
    }

    /// The body of a function changed.
    fn function(&mut self, path: &str, function: &ChangedFunction) {
        let change = format!("{} in {path} changed", function.name);
        let rows = self.measured.rows(path);
        let runs = (!rows.is_empty()).then(|| {
            TestRuns::new(rows.into_iter()).of_lines(|line| function.lines.contains(&line))
        });
        match runs {
            Some(_) if function.keeps_results => {
                self.file(path, &format!("{change}, whose results may be kept"));
            }
            Some(runs) if is_shared(&runs) || self.ran_in_import(path, &runs) => {
                self.file(path, &format!("{change}, which also ran outside of single tests"));
            }
            Some(runs) => {
                for test in runs.tests() {
                    self.add(test.id(), Rule::RanFunction, &change);
                }
                self.newer_files(path, &change);
            }
            None => self.file(path, &format!("{change}, and was not measured")),
        }
    }

    /// Returns whether a test that ran these lines also imported the file, or one that imports it, for the first time: the lines
    /// may have run in the import, whose effects other tests share.
    fn ran_in_import(&mut self, path: &str, runs: &TestRuns<'_>) -> bool {
        if !self.first_imports.contains_key(path) {
            let files = self.selector.project.importers(path).into_iter().chain([path]);
            let contexts = self.measured.importing_contexts(&files.collect::<Vec<_>>());
            let tests = contexts.into_iter().filter_map(TestName::parse);
            let tests = tests.map(|name| name.id().to_owned()).collect();
            self.first_imports.insert(path.to_owned(), tests);
        }
        let Some(importing) = self.first_imports.get(path) else { return false };
        runs.tests().iter().any(|test| importing.contains(test.id()))
    }

    /// A function changed of which newer files than the data may know.
    fn newer_files(&mut self, path: &str, change: &str) {
        let selector = self.selector;
        let importers = selector.project.importers(path);
        for newer in selector
            .newer
            .iter()
            .filter(|newer| *newer == path || importers.contains(newer.as_str()))
        {
            self.tests_of(newer, Rule::NewerThanData, change);
            for importer in selector.project.importers(newer) {
                self.tests_of(importer, Rule::NewerThanData, change);
            }
        }
    }

    /// A file changed in a way that its importers may see.
    fn file(&mut self, path: &str, change: &str) {
        // Another change of the file selects the same tests.
        if !self.seen.insert(path.to_owned()) {
            return;
        }
        let is_test = self.is_test(path);
        if is_test {
            let rule = if is_conftest(path) { Rule::Conftest } else { Rule::TestFile };
            self.add(test_of_file(path), rule, change);
        }
        self.ran_files(&[path], Rule::RanFile, change);
        let reaches_tests = self.importers(path, change);
        if !is_test && !reaches_tests {
            self.select_everything(&format!("{change}, and {NO_WAY_TO_TESTS}"));
        }
    }

    /// Selects the tests of all files that import a file. Returns whether one of these files has tests. If none has, the file is
    /// loaded in a way that its imports do not show, and tests that did not run its lines may need it, too.
    fn importers(&mut self, path: &str, change: &str) -> bool {
        let importers = self.selector.project.importers(path).into_iter();
        let (tests, others): (Vec<_>, Vec<_>) =
            importers.partition(|importer| self.is_test(importer));
        for test in &tests {
            self.add(test_of_file(test), Rule::Imports, change);
        }
        self.ran_files(&others, Rule::RanFile, change);
        !tests.is_empty()
    }

    /// Selects the tests that are in a file, or those that ran it.
    fn tests_of(&mut self, path: &str, rule: Rule, change: &str) {
        if self.is_test(path) {
            self.add(test_of_file(path), rule, change);
        } else {
            self.ran_files(&[path], rule, change);
        }
    }

    /// Selects the tests that ran any of these files.
    fn ran_files(&mut self, paths: &[&str], rule: Rule, change: &str) {
        let measured = self.measured;
        let contexts = measured.contexts(paths).into_iter();
        let new = contexts.filter(|context| self.ran.insert(std::ptr::from_ref(*context)));
        let reason = Reason::new(rule, change);
        let mut tests: BTreeMap<String, Reason> = new
            .filter_map(TestName::parse)
            .map(|name| (name.id().to_owned(), reason.clone()))
            .collect();
        // The first reason of a test counts. Adding a map to a map takes less time than adding thousands of tests.
        tests.append(&mut self.selection.tests);
        self.selection.tests = tests;
    }
}

/// Returns what stands for all tests that a file has, or that a `conftest.py` is for.
fn test_of_file(path: &str) -> &str {
    match path.rsplit_once('/') {
        _ if !is_conftest(path) => path,
        Some((folder, _)) => folder,
        None => ".",
    }
}

fn is_conftest(path: &str) -> bool {
    path == "conftest.py" || path.ends_with("/conftest.py")
}

/// Returns whether lines ran outside of tests, or in a phase whose effects other tests may share.
fn is_shared(runs: &TestRuns<'_>) -> bool {
    let is_shared = |phase: Option<Phase>| matches!(phase, Some(Phase::Setup | Phase::Teardown));
    let mut parts = runs.tests().iter().flat_map(|test| test.parts());
    !runs.others().is_empty() || parts.any(|part| is_shared(part.phase))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RanFunction => "ran the function",
            Self::RanFile => "ran the file, or one that imports it, directly or through others",
            Self::Imports => "imports the file, directly or through others",
            Self::NewerThanData => "may run it, because the data is older",
            Self::TestFile => "is in the file",
            Self::Conftest => "is beneath the file",
            Self::Map => "is mapped to the file",
            Self::Always => "is always selected",
            Self::Unknown => "may need it",
        })
    }
}

impl Rule {
    /// Returns the name of the rule in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RanFunction => "ran-function",
            Self::RanFile => "ran-file",
            Self::Imports => "imports",
            Self::NewerThanData => "newer-than-data",
            Self::TestFile => "test-file",
            Self::Conftest => "conftest",
            Self::Map => "map",
            Self::Always => "always",
            Self::Unknown => "unknown",
        }
    }
}
