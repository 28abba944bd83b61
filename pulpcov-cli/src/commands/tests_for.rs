//! `pulpcov tests-for`

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use pulpcov_core::changes::{ChangeKind, Diff, FileChange};
use pulpcov_core::config::OwnSettings;
use pulpcov_core::gates::PathPattern;
use pulpcov_core::impact::{
    Change, CurrentNames, Project, Reason, Rule, Selection, Selector, TestFiles, TestLayout,
    TestName, TestRuns, failed_tests,
};
use pulpcov_core::python::{Definitions, PythonSource, SourceChange};
use pulpcov_core::report::tests_for::{
    TestsFor, write_ids, write_json, write_reasons, write_unittest,
};
use pulpcov_core::text::plural;
use pulpcov_core::{CoverageData, Numbits};

use super::gate;
use super::git::{self, Base, seen_from};
use super::reporting::{Reporting, is_python, to_output};
use crate::args::{TestsForArgs, TestsForFormat};
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

/// How many tests a message names.
const TESTS_NAMED: usize = 10;

pub(crate) fn run(args: &TestsForArgs) -> Result<Exit, Failure> {
    if let Some(file) = args.reporting.files.first() {
        let file = ui::name(file);
        return Err(Failure::Refused(format!(
            "{file}: the changes of all files count, so none can be named"
        )));
    }
    let own = settings::own(&args.reporting.config)?;
    let worktree = Worktree::open(args)?;
    let ours = Ours::new(args, &own)?;
    let changes: Vec<Change> =
        worktree.changes()?.into_iter().filter(|change| !ours.has(change, &worktree)).collect();
    let project = worktree.project(args);
    let data = Data::read(args, &worktree, &project, &changes)?;
    let test_files = data.test_files(&project);
    let layout = layout(args, own, &changes, &test_files)?;
    let selection = Selector::new(&project, &layout).select(
        &changes,
        |path| data.runs(path),
        |path, line| worktree.line_of_data(path, line),
    );
    let tests = worktree.current(args, &project, selection, &test_files);
    let base = Some(worktree.base.name.as_str());
    to_output(args.output.as_deref(), |out| match args.format {
        _ if args.explain => write_reasons(&tests, out),
        TestsForFormat::Pytest => write_ids(&tests, out),
        TestsForFormat::Unittest => write_unittest(&tests, &worktree.seen(&test_files), out),
        TestsForFormat::Json => write_json(&tests, base, out),
    })?;
    match &args.shadow {
        Some(report) => shadow(report, &tests),
        None if tests.ids().is_empty() => Ok(Exit::NothingSelected),
        None => Ok(Exit::Success),
    }
}

/// The files that pulpcov itself writes, from the current folder. They change nothing that a test runs.
struct Ours {
    files: Vec<PathBuf>,
    data_file: PathBuf,
}

impl Ours {
    fn new(args: &TestsForArgs, own: &OwnSettings) -> Result<Self, Failure> {
        let config = settings::load(&args.reporting.config)?;
        let outputs = args.output.iter().map(PathBuf::from).chain(args.shadow.clone());
        Ok(Self {
            files: outputs.chain([gate::ratchet_path(&own.gate)]).collect(),
            data_file: settings::data_file(args.reporting.data_file.clone(), &config),
        })
    }

    fn has(&self, change: &Change, worktree: &Worktree) -> bool {
        let Change::Other(path) = change else { return false };
        let path = worktree.top.join(path);
        let data_file = worktree.cwd.join(&self.data_file).into_os_string();
        // Parallel data files have the name of the data file, a dot, and more.
        let rest = path.as_os_str().as_encoded_bytes().strip_prefix(data_file.as_encoded_bytes());
        self.files.iter().any(|file| worktree.cwd.join(file) == path)
            || rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'.')
    }
}

/// The files of the repository as they are now, and what changed in them.
struct Worktree {
    top: PathBuf,
    cwd: PathBuf,
    base: Base,
    /// The changes since the base.
    diff: Diff,
    /// The changes from the measured version to the base, if these are two.
    before: Option<Diff>,
    /// The files that git tracks and those that it does not ignore, from the top folder.
    files: Vec<String>,
}

impl Worktree {
    fn open(args: &TestsForArgs) -> Result<Self, Failure> {
        let (text, base) = git::changes(args.base.as_deref(), None)?;
        let mut diff = Diff::parse(&text)?;
        let untracked = git::untracked()?;
        untracked.iter().for_each(|path| diff.add_new_file(path, 1));
        let before = match &args.data_rev {
            Some(revision) => Some(Diff::parse(&git::between(revision, &base.commit)?)?),
            None => None,
        };
        let top = git::top_folder().map_or_else(settings::cwd, Ok)?;
        let top = top.canonicalize().unwrap_or(top);
        let exists = |path: &PathBuf| top.join(path).is_file();
        let files = git::tracked()?.into_iter().chain(untracked).filter(exists);
        let files = files.filter_map(|path| path.to_str().map(str::to_owned)).collect();
        let cwd = settings::cwd()?;
        let cwd = cwd.canonicalize().unwrap_or(cwd);
        Ok(Self { top, cwd, base, diff, before, files })
    }

    /// Returns what changed, as Python sees it.
    fn changes(&self) -> Result<Vec<Change>, Failure> {
        let edited = self.diff.files().iter().filter(|change| is_edit(change));
        let edited: Vec<&Path> = edited.filter_map(FileChange::old_path).collect();
        let old = git::contents(&self.base.commit, &edited)?;
        let old: HashMap<&Path, Vec<u8>> = edited.into_iter().zip(old).collect();
        let mut changes = Vec::new();
        for change in self.diff.files() {
            let text = |path: &Path| path.to_string_lossy().into_owned();
            let (before, after) = (change.old_path(), change.new_path());
            if let (true, Some(path)) = (is_edit(change), before) {
                let new = std::fs::read(self.top.join(path)).unwrap_or_default();
                let old = old.get(path).map(Vec::as_slice).unwrap_or_default();
                changes.push(Change::Edited(text(path), SourceChange::between(old, &new)));
                continue;
            }
            let before = before.filter(|_| change.kind() != ChangeKind::Copied);
            changes.extend(before.map(|path| match is_python(path) {
                true => Change::Deleted(text(path)),
                false => Change::Other(text(path)),
            }));
            changes.extend(after.filter(|path| Some(*path) != before).map(|path| match is_python(
                path,
            ) {
                true => Change::Added(text(path)),
                false => Change::Other(text(path)),
            }));
        }
        Ok(changes)
    }

    /// Returns the Python files, with those that are gone: others may still import them.
    fn project(&self, args: &TestsForArgs) -> Project {
        let gone = self.diff.files().iter().filter_map(FileChange::old_path);
        let gone = gone.filter_map(|path| path.to_str().map(str::to_owned));
        let files = self.files.iter().cloned().chain(gone);
        let paths: BTreeSet<String> = files.filter(|path| is_python(Path::new(path))).collect();
        let cache = super::reporting::cache(&args.reporting).ok().flatten();
        let read = |path: &str| std::fs::read(self.top.join(path)).ok();
        let project = Project::read(paths.into_iter().collect(), read, cache.as_ref());
        // In a folder that cannot be written to, there is no cache, and the next run is slower.
        let _ = cache.map(|cache| cache.save());
        project
    }

    /// Returns the line in the measured version of a line at the base.
    fn line_of_data(&self, path: &str, line: i32) -> Option<i32> {
        let Some(before) = &self.before else { return Some(line) };
        match before.file(Path::new(path)) {
            Some(change) if change.old_path().is_none() => None,
            Some(change) => change.old_line(line),
            None => Some(line),
        }
    }

    /// Returns the selection by names that exist now, as seen from the current folder.
    fn current(
        &self,
        args: &TestsForArgs,
        project: &Project,
        selection: Selection,
        test_files: &BTreeSet<String>,
    ) -> TestsFor {
        let exists = |path: &str| self.top.join(path).exists();
        let current = CurrentNames::new(project, exists).with_parameters(args.exact);
        let folder = seen_from(&self.top, &self.cwd).to_string_lossy().into_owned();
        let mut definitions = HashMap::<String, Option<Definitions>>::new();
        let mut known = |path: &str| {
            let read = || {
                let bytes = std::fs::read(self.top.join(path)).ok()?;
                PythonSource::decode(bytes).ok()?.definitions().ok()
            };
            definitions.entry(path.to_owned()).or_insert_with(read).clone()
        };
        let mut everything = selection.everything().cloned();
        let mut tests = BTreeMap::<String, Reason>::new();
        for (test, reason) in selection.tests() {
            let cell = std::cell::RefCell::new(&mut known);
            match current.of(test, &folder, |path| (cell.borrow_mut())(path)) {
                Some(names) => {
                    for name in names.into_iter().filter(|name| exists(file_of(name))) {
                        tests.entry(self.seen_name(&name)).or_insert_with(|| reason.clone());
                    }
                }
                None => {
                    let change = format!(
                        "{}, which {test} ran, and the file of that test is not known",
                        reason.change
                    );
                    everything.get_or_insert(unknown(change));
                }
            }
        }
        TestsFor { everything, tests: without_covered(tests), roots: self.roots(test_files) }
    }

    /// Returns a name of a test as seen from the current folder.
    fn seen_name(&self, name: &str) -> String {
        let file = file_of(name);
        let seen = seen_from(&self.cwd, &self.top.join(file)).to_string_lossy().into_owned();
        let seen = match seen.as_str() {
            "" => ".".to_owned(),
            // A runner would take it for an option.
            name if name.starts_with('-') => format!("./{name}"),
            _ => seen,
        };
        [&seen, name.get(file.len()..).unwrap_or_default()].concat()
    }

    fn seen(&self, files: &BTreeSet<String>) -> Vec<String> {
        files.iter().map(|file| self.seen_name(file)).collect()
    }

    /// Returns the folders with tests, without those inside of others.
    fn roots(&self, test_files: &BTreeSet<String>) -> Vec<String> {
        let mut roots = Vec::<&Path>::new();
        let folders: BTreeSet<&Path> =
            test_files.iter().filter_map(|file| Path::new(file).parent()).collect();
        for folder in folders {
            if !roots.iter().any(|root| folder.starts_with(root)) {
                roots.push(folder);
            }
        }
        let mut names: Vec<String> =
            roots.iter().map(|root| self.seen_name(&root.to_string_lossy())).collect();
        if names.is_empty() {
            names.push(".".to_owned());
        }
        names
    }
}

fn unknown(change: String) -> Reason {
    Reason::new(Rule::Unknown, change)
}

/// Returns whether a change gave a Python file another text at the same place.
fn is_edit(change: &FileChange) -> bool {
    let path = change.new_path().filter(|path| is_python(path));
    change.kind() == ChangeKind::Modified && path.is_some() && change.old_path() == path
}

/// Returns the file or folder of a test's name.
fn file_of(name: &str) -> &str {
    name.split_once("::").map_or(name, |(file, _)| file)
}

/// Removes tests that are in a file, class or folder that is selected, too.
fn without_covered(tests: BTreeMap<String, Reason>) -> BTreeMap<String, Reason> {
    let names: HashSet<String> = tests.keys().cloned().collect();
    let is_covered = |name: &str| {
        let inner = name.rmatch_indices("::").filter_map(|(at, _)| name.get(..at));
        let mut above = Path::new(file_of(name)).ancestors().skip(1);
        inner.into_iter().any(|outer| names.contains(outer))
            || name
                .find('[')
                .is_some_and(|at| name.get(..at).is_some_and(|whole| names.contains(whole)))
            || above.any(|folder| names.contains(&*folder.to_string_lossy()))
            || (name != "." && names.contains("."))
    };
    tests.into_iter().filter(|(name, _)| !is_covered(name)).collect()
}

/// What was measured, by paths from the top folder.
struct Data {
    data: CoverageData,
    /// The paths in the data of each file.
    paths: HashMap<String, Vec<String>>,
}

impl Data {
    fn read(
        args: &TestsForArgs,
        worktree: &Worktree,
        project: &Project,
        changes: &[Change],
    ) -> Result<Self, Failure> {
        let layout = TestLayout::default();
        let wanted: HashSet<&str> = Selector::new(project, &layout)
            .files(changes)
            .into_iter()
            .filter_map(|path| path.rsplit('/').next())
            .collect();
        let is_wanted =
            |path: &str| wanted.contains(path.rsplit(['/', '\\']).next().unwrap_or(path));
        let reporting = Reporting::of_rows(&args.reporting, is_wanted)?;
        let data = reporting.data().clone();
        super::who::check_that_tests_are_named(&data)?;
        let mut paths = HashMap::<String, Vec<String>>::new();
        for file in data.files() {
            let path = file.path().as_str();
            let known = in_project(path, &reporting.folder(), worktree, project);
            if let Some(known) = known {
                paths.entry(known).or_default().push(path.to_owned());
            }
        }
        Ok(Self { data, paths })
    }

    /// Returns what the tests ran of a file, as the data has it, or `None` if the file was not measured.
    fn runs(&self, path: &str) -> Option<TestRuns<'_>> {
        let files = self.paths.get(path)?.iter().filter_map(|path| self.data.file(path));
        let mut rows = Vec::<(&str, Numbits)>::new();
        for file in files {
            let lines = file.lines_by_context().into_iter();
            rows.extend(lines.map(|(context, lines)| (context, lines.clone())));
            let arcs = file.arcs_by_context().into_iter();
            rows.extend(arcs.map(|(context, arcs)| (context, arcs.lines().collect())));
        }
        (!rows.is_empty()).then(|| TestRuns::new(rows.into_iter()))
    }

    /// Returns the files with tests: those that pytest looks for, and those that tests of the data are in.
    fn test_files(&self, project: &Project) -> BTreeSet<String> {
        let contexts = self.data.contexts();
        let named = TestFiles::of_contexts(
            contexts.iter().copied().filter(|context| TestName::parse(context).is_some()),
        );
        let is_test = |path: &&str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let is_pytest =
                name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"));
            name != "conftest.py" && (is_pytest || named.contains(path))
        };
        project.paths().filter(is_test).map(str::to_owned).collect()
    }
}

/// Returns the path from the top folder of a file of the data, which may have been measured in another place.
fn in_project(path: &str, folder: &Path, worktree: &Worktree, project: &Project) -> Option<String> {
    let absolute = folder.join(path);
    let here = absolute.strip_prefix(&worktree.top).ok().and_then(Path::to_str);
    if let Some(here) = here.filter(|here| project.contains(here)) {
        return Some(here.to_owned());
    }
    let path = path.replace('\\', "/");
    let ends = path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..));
    ends.into_iter().find(|end| project.contains(end)).map(str::to_owned)
}

/// Returns where tests are, and what the settings and options map to them. An option counts before a setting.
fn layout(
    args: &TestsForArgs,
    own: OwnSettings,
    changes: &[Change],
    test_files: &BTreeSet<String>,
) -> Result<TestLayout, Failure> {
    let mut layout = TestLayout::new(test_files.iter().cloned());
    let mut map = args.map.iter().map(|entry| mapping(entry)).collect::<Result<Vec<_>, _>>()?;
    map.extend(own.map);
    for change in changes {
        let Change::Other(path) = change else { continue };
        // The most specific pattern counts.
        let matching = map.iter().filter(|(pattern, _)| pattern.is_match(path)).rev();
        if let Some((_, tests)) = matching.max_by(|a, b| a.0.cmp_specificity(&b.0)) {
            layout = layout.map(path, tests.iter().cloned());
        }
    }
    for pattern in args.always.iter().chain(&own.always) {
        let found: Vec<String> =
            test_files.iter().filter(|file| pattern.is_match(file)).cloned().collect();
        if found.is_empty() {
            let pattern = ui::name(Path::new(pattern.as_str()));
            return Err(Failure::Refused(format!(
                "always = {pattern}: this matches no file with tests"
            )));
        }
        layout = layout.always(found);
    }
    Ok(layout)
}

/// Reads `PATTERN=TEST,TEST`.
fn mapping(entry: &str) -> Result<(PathPattern, Vec<String>), Failure> {
    let (pattern, tests) = entry.split_once('=').ok_or_else(|| {
        let entry = ui::name(Path::new(entry));
        Failure::Refused(format!("{entry}: a mapping is PATTERN=TEST,TEST"))
    })?;
    let tests = tests.split(',').filter(|test| !test.is_empty()).map(str::to_owned);
    Ok((pattern.parse()?, tests.collect()))
}

/// Says which failures of a full run would not have been selected.
fn shadow(report: &Path, tests: &TestsFor) -> Result<Exit, Failure> {
    let bytes = std::fs::read(report).map_err(|err| Failure::reading(report, &err))?;
    let failed = failed_tests(&bytes).map_err(|err| err.with_path(report))?;
    let selected: Vec<String> = tests.ids().into_iter().map(dotted).collect();
    let is_selected = |test: &&String| {
        let whole = test.split('[').next().unwrap_or(test);
        selected.iter().any(|id| {
            id == "."
                || whole
                    .strip_prefix(id.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let missed: Vec<&String> = failed.iter().filter(|test| !is_selected(test)).collect();
    ui::message(&format!(
        "{} failed, of which {} would have been run",
        plural(failed.len(), "test"),
        failed.len() - missed.len()
    ));
    missed.iter().take(TESTS_NAMED).for_each(|test| {
        ui::message(&format!("missed: {}", ui::name(Path::new(test))));
    });
    Ok(if missed.is_empty() { Exit::Success } else { Exit::FailUnder })
}

/// Returns a name of a test as JUnit reports have it: the module, the classes and the function with dots between them.
fn dotted(id: &str) -> String {
    let file = file_of(id);
    let module = file.strip_suffix(".py").unwrap_or(file).replace('/', ".");
    let rest = id.get(file.len()..).unwrap_or_default();
    let rest = rest.split('[').next().unwrap_or(rest);
    if file == "." { file.to_owned() } else { format!("{module}{}", rest.replace("::", ".")) }
}
