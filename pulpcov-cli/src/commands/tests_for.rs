//! `pulpcov tests-for`

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use pulpcov_core::changes::{ChangeKind, Diff, FileChange, lines_of_another_version};
use pulpcov_core::config::{Config, OwnSettings};
use pulpcov_core::gates::PathPattern;
use pulpcov_core::impact::{
    Change, CurrentNames, Project, Reason, Rule, Selection, Selector, TestFiles, TestLayout,
    TestName, TestRuns, failed_tests,
};
use pulpcov_core::python::{AnalyzeOptions, Definitions, PythonSource, SourceChange};
use pulpcov_core::report::tests_for::{
    TestsFor, write_ids, write_json, write_reasons, write_unittest,
};
use pulpcov_core::text::plural;
use pulpcov_core::{CoverageData, Numbits};
use rayon::prelude::*;

use super::git::{self, Base, seen_from};
use super::reporting::{self, base_name, is_python, named_in_part, to_output};
use super::{data, gate, own, source_tree, who};
use crate::args::{TestsForArgs, TestsForFormat};
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

/// How many tests a message names.
const TESTS_NAMED: usize = 10;

pub(crate) fn run(args: &TestsForArgs) -> Result<Exit, Failure> {
    let config = settings::load(&args.data.config)?;
    let own = own::load(&args.data.config)?;
    let worktree = Worktree::open(args, &own)?;
    let ours = Ours::new(args, &config, &own);
    let changes: Vec<Change> =
        worktree.changes()?.into_iter().filter(|change| !ours.has(change, &worktree)).collect();
    let project = worktree.project(args);
    let data = Data::read(args, &config, &worktree, &project, &changes)?;
    let test_files = data.test_files(&project);
    let layout = layout(args, own, &worktree, &changes, &test_files)?;
    let mut newer = newer_than_data(args, &worktree, &data, &changes)?;
    newer.extend(worktree.with_unknown_tests(&data, &project, &changes, &test_files));
    let selector = Selector::new(&project, &layout).newer_than_data(newer);
    let selection = selector.select(&changes, |path| data.runs(path));
    let tests = worktree.current(args, &project, &selection, &data, &test_files);
    let base = Some(worktree.base.name.as_str());
    to_output(args.output.as_deref(), |out| match args.format {
        _ if args.explain => write_reasons(&tests, out),
        TestsForFormat::Pytest => write_ids(&tests, out),
        TestsForFormat::Unittest => write_unittest(&tests, &worktree.seen(&test_files), out),
        TestsForFormat::Json => write_json(&tests, base, out),
    })?;
    match &args.shadow {
        Some(report) => shadow(report, &tests),
        None if tests.ids().is_empty() => {
            ui::message("no test is selected");
            Ok(Exit::NothingSelected)
        }
        None => Ok(Exit::Success),
    }
}

/// The files that pulpcov itself writes, from the current folder. They change nothing that a test runs.
struct Ours {
    files: Vec<PathBuf>,
    data_file: PathBuf,
}

impl Ours {
    fn new(args: &TestsForArgs, config: &Config, own: &OwnSettings) -> Self {
        let outputs = args.output.iter().map(PathBuf::from).chain(args.shadow.clone());
        Self {
            files: outputs.chain([gate::ratchet_path(&own.gate)]).collect(),
            data_file: settings::data_file(args.data.data_file.clone(), config),
        }
    }

    fn has(&self, change: &Change, worktree: &Worktree) -> bool {
        let Change::Other(path) = change else { return false };
        let path = worktree.top.join(path);
        let data_file = worktree.cwd.join(&self.data_file).into_os_string();
        // Parallel data files have the name of the data file, a dot, and more.
        let rest = path.as_os_str().as_encoded_bytes().strip_prefix(data_file.as_encoded_bytes());
        self.files.iter().any(|file| worktree.cwd.join(file) == path)
            || rest.is_some_and(|rest| matches!(rest, [] | [b'.', ..]))
    }
}

/// The files of the repository as they are now, and what changed in them.
struct Worktree {
    top: PathBuf,
    cwd: PathBuf,
    base: Base,
    /// The changes since the base.
    diff: Diff,
    /// The edited Python files as they were at the base.
    old: HashMap<PathBuf, Vec<u8>>,
    /// The files that git tracks and those that it does not ignore, from the top folder.
    files: Vec<String>,
}

impl Worktree {
    fn open(args: &TestsForArgs, own: &OwnSettings) -> Result<Self, Failure> {
        let base = args.base.as_deref().or(own.patch.base.as_deref());
        let (text, base) = git::changes(base, None, None)?;
        let mut diff = Diff::parse(&text)?;
        let untracked = git::untracked()?;
        untracked.iter().for_each(|path| diff.add_new_file(path, 1));
        let old = contents(&base.commit, &edited(&diff))?;
        let canonical = |path: PathBuf| path.canonicalize().unwrap_or(path);
        let top = canonical(git::top_folder().map_or_else(settings::cwd, Ok)?);
        let exists = |path: &PathBuf| top.join(path).is_file();
        let files = git::tracked()?.into_iter().chain(untracked).filter(exists);
        let files = files.filter_map(|path| path.to_str().map(str::to_owned)).collect();
        let cwd = canonical(settings::cwd()?);
        Ok(Self { top, cwd, base, diff, old, files })
    }

    /// Returns what changed, as Python sees it.
    fn changes(&self) -> Result<Vec<Change>, Failure> {
        Ok(changes(&self.diff, &self.old, |path| {
            std::fs::read(self.top.join(path)).unwrap_or_default()
        }))
    }

    /// Returns the Python files, with those that are gone: others may still import them.
    fn project(&self, args: &TestsForArgs) -> Project {
        let gone = self.diff.files().iter().filter_map(FileChange::old_path);
        let gone = gone.filter_map(|path| path.to_str().map(str::to_owned));
        let files = self.files.iter().cloned().chain(gone);
        let paths: BTreeSet<String> = files.filter(|path| is_python(Path::new(path))).collect();
        let cache = reporting::cache(&args.data).ok().flatten();
        let read = |path: &str| std::fs::read(self.top.join(path)).ok();
        let project = Project::read(paths.into_iter().collect(), read, cache.as_ref());
        let project = project.links(self.links());
        // In a folder that cannot be written to, there is no cache, and the next run is slower.
        let _ = cache.map(|cache| cache.save());
        project
    }

    /// Returns the files of the repository that are links to others, each with the file that it leads to.
    fn links(&self) -> Vec<(String, String)> {
        let link = |path: &String| {
            let whole = self.top.join(path);
            if !whole.is_symlink() {
                return None;
            }
            let target = whole.canonicalize().ok()?;
            Some((path.clone(), target.strip_prefix(&self.top).ok()?.to_str()?.to_owned()))
        };
        self.files.iter().filter_map(link).collect()
    }

    /// Returns the selection by names that exist now, as seen from the current folder.
    fn current(
        &self,
        args: &TestsForArgs,
        project: &Project,
        selection: &Selection,
        data: &Data,
        test_files: &BTreeSet<String>,
    ) -> TestsFor {
        let exists = |path: &str| self.top.join(path).exists();
        let current = CurrentNames::new(project, exists).with_parameters(args.exact);
        let folder = seen_from(&self.top, &self.cwd).to_string_lossy().into_owned();
        let mut definitions = HashMap::<String, Option<Definitions>>::new();
        let mut existing = |path: &str, names: &[&str]| {
            let known = match definitions.get(path) {
                Some(known) => known,
                None => {
                    definitions.entry(path.to_owned()).or_insert_with(|| self.definitions(path))
                }
            };
            known.as_ref().map_or(0, |known| known.existing(names))
        };
        let mut everything = selection.everything().cloned();
        let mut tests = BTreeMap::<String, Reason>::new();
        for (test, reason) in selection.tests() {
            let Some(names) = current.of(test, &folder, &mut existing) else {
                let change = format!("{}, and the file of {test} is not known", reason.change);
                everything.get_or_insert(Reason::new(Rule::Unknown, change));
                continue;
            };
            for name in names.into_iter().filter(|name| exists(file_of(name))) {
                // pytest reads a name a line.
                if name.contains(['\n', '\r']) {
                    let change =
                        format!("{}, and {name:?} cannot be written on one line", reason.change);
                    everything.get_or_insert(Reason::new(Rule::Unknown, change));
                    continue;
                }
                tests.entry(self.seen_name(&name)).or_insert_with(|| reason.clone());
            }
        }
        TestsFor::new(everything, tests, self.roots(data, test_files))
    }

    /// Returns the files that import a changed file, and have tests that the data does not have: tests that were not run, or that
    /// ran nothing that is measured.
    fn with_unknown_tests(
        &self,
        data: &Data,
        project: &Project,
        changes: &[Change],
        test_files: &BTreeSet<String>,
    ) -> Vec<String> {
        let edited = changes.iter().filter_map(|change| match change {
            Change::Edited(path, SourceChange::Functions(_)) => Some(path),
            _ => None,
        });
        let files: BTreeSet<&str> = edited.flat_map(|path| project.importers(path)).collect();
        let known = data.test_names();
        let is_known = |file: &str, test: &str| {
            // pytest may have run in a folder above or below.
            let starts = file.match_indices('/').map(|(at, _)| at + 1);
            let mut names = [0].into_iter().chain(starts).filter_map(|at| file.get(at..));
            names.any(|file| known.contains(&dotted(file, test)))
        };
        let has_unknown = |file: &&str| {
            if !data.has_tests_of(file) {
                return true;
            }
            let tests = self.definitions(file).map(|known| known.tests()).unwrap_or_default();
            tests.is_empty() || !tests.iter().all(|test| is_known(file, test))
        };
        let files: Vec<&str> =
            files.into_iter().filter(|file| test_files.contains(*file)).collect();
        files.into_par_iter().filter(has_unknown).map(str::to_owned).collect()
    }

    fn definitions(&self, path: &str) -> Option<Definitions> {
        let bytes = std::fs::read(self.top.join(path)).ok()?;
        PythonSource::decode(bytes).ok()?.definitions().ok()
    }

    /// Returns a name of a test as seen from the current folder.
    fn seen_name(&self, name: &str) -> String {
        let file = file_of(name);
        let seen = seen_from(&self.cwd, &self.top.join(file)).to_string_lossy().into_owned();
        let seen = match seen.as_str() {
            "" => ".".to_owned(),
            // A runner would take it for an option, or for a file with more arguments.
            name if name.starts_with(['-', '@']) => format!("./{name}"),
            _ => seen,
        };
        [&seen, name.get(file.len()..).unwrap_or_default()].concat()
    }

    fn seen(&self, files: &BTreeSet<String>) -> Vec<String> {
        files.iter().map(|file| self.seen_name(file)).collect()
    }

    /// Returns the folders with tests, without those inside of others, and files with tests that are not Python.
    fn roots(&self, data: &Data, test_files: &BTreeSet<String>) -> Vec<String> {
        if self.sets_python_files() {
            return vec![".".to_owned()];
        }
        let mut roots = Vec::<&Path>::new();
        let folders: BTreeSet<&Path> =
            test_files.iter().filter_map(|file| Path::new(file).parent()).collect();
        for folder in folders {
            if !roots.iter().any(|root| folder.starts_with(root)) {
                roots.push(folder);
            }
        }
        let others = data.other_test_files();
        let others = others.iter().map(Path::new).filter(|file| {
            self.cwd.join(file).is_file() && !roots.iter().any(|root| file.starts_with(root))
        });
        let others: Vec<String> = others.map(|file| file.to_string_lossy().into_owned()).collect();
        let roots = roots.iter().map(|root| self.seen_name(&root.to_string_lossy()));
        let roots: Vec<String> = roots.chain(others).collect();
        if roots.is_empty() { vec![".".to_owned()] } else { roots }
    }

    /// Returns whether pytest is set to look for files of other names. Then only pytest knows where tests are.
    fn sets_python_files(&self) -> bool {
        let files = ["pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"];
        let folders = [&self.top, &self.cwd];
        let mut texts = folders.iter().flat_map(|folder| {
            files.iter().filter_map(|file| std::fs::read_to_string(folder.join(file)).ok())
        });
        texts.any(|text| text.contains("python_files"))
    }
}

/// Returns what a diff changed, as Python sees it. `old` has the edited files, and `new` reads them.
fn changes(
    diff: &Diff,
    old: &HashMap<PathBuf, Vec<u8>>,
    new: impl Fn(&Path) -> Vec<u8>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for change in diff.files() {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let (before, after) = (change.old_path(), change.new_path());
        if let Some((path, old)) = before.and_then(|path| Some((path, old.get(path)?))) {
            changes.push(Change::Edited(text(path), SourceChange::between(old, &new(path))));
            continue;
        }
        let before = before.filter(|_| change.kind() != ChangeKind::Copied);
        let after = after.filter(|path| Some(*path) != before);
        changes.extend(before.map(|path| match is_python(path) {
            true => Change::Deleted(text(path)),
            false => Change::Other(text(path)),
        }));
        changes.extend(after.map(|path| match is_python(path) {
            true => Change::Added(text(path)),
            false => Change::Other(text(path)),
        }));
    }
    changes
}

/// Returns the Python files that have another text at the same place.
fn edited(diff: &Diff) -> Vec<&Path> {
    let is_edit = |change: &&FileChange| {
        change.kind() == ChangeKind::Modified && change.old_path() == change.new_path()
    };
    let paths = diff.files().iter().filter(is_edit).filter_map(FileChange::old_path);
    paths.filter(|path| is_python(path)).collect()
}

fn contents(revision: &str, paths: &[&Path]) -> Result<HashMap<PathBuf, Vec<u8>>, Failure> {
    let contents = git::contents(revision, paths)?;
    Ok(paths.iter().map(|path| path.to_path_buf()).zip(contents).collect())
}

/// Returns the dotted name of a test, which begins with its file.
fn dotted(file: &str, test: &str) -> String {
    let module = file.strip_suffix(".py").unwrap_or(file).replace('/', ".");
    format!("{module}.{}", test.replace("::", "."))
}

/// Returns the file or folder of a test's name.
fn file_of(name: &str) -> &str {
    name.split_once("::").map_or(name, |(file, _)| file)
}

/// Returns the Python files that are newer than the data: those that changed between the measured version and the base, and
/// those of which lines ran that have no code at the base.
fn newer_than_data(
    args: &TestsForArgs,
    worktree: &Worktree,
    data: &Data,
    changed: &[Change],
) -> Result<Vec<String>, Failure> {
    let mut newer = Vec::new();
    if let Some(revision) = &args.data_rev {
        let (measured, base) = (git::commit_of(revision)?, &worktree.base.commit);
        let diff = Diff::parse(&git::between(&measured, Some(base))?)?;
        let edited = edited(&diff);
        let (old, new) = (contents(&measured, &edited)?, contents(base, &edited)?);
        let before = changes(&diff, &old, |path| new.get(path).cloned().unwrap_or_default());
        newer.extend(before.into_iter().filter_map(|change| match change {
            Change::Edited(_, SourceChange::Nothing) | Change::Other(_) => None,
            Change::Edited(path, _) | Change::Added(path) | Change::Deleted(path) => Some(path),
            _ => None,
        }));
    }
    let known: HashSet<String> = newer.iter().cloned().collect();
    let mut others = Vec::new();
    for change in changed {
        let Change::Edited(path, SourceChange::Functions(_)) = change else { continue };
        let source = worktree.old.get(Path::new(path)).filter(|_| !known.contains(path));
        if source.is_some_and(|source| data.is_of_another_version(path, source)) {
            others.push(path.clone());
        }
    }
    if !others.is_empty() {
        let names: Vec<PathBuf> = others.iter().map(PathBuf::from).collect();
        ui::warning(&format!(
            "measured on another version than {}: {}; --data-rev=REV names the version, and more tests are selected",
            ui::name(Path::new(&worktree.base.name)),
            named_in_part(&names)
        ));
    }
    newer.extend(others);
    Ok(newer)
}

/// What was measured, by paths from the top folder.
struct Data {
    data: CoverageData,
    /// The paths in the data of each file.
    paths: HashMap<String, Vec<String>>,
    /// The files of the tests that the data has.
    test_files: TestFiles,
}

impl Data {
    fn read(
        args: &TestsForArgs,
        config: &Config,
        worktree: &Worktree,
        project: &Project,
        changes: &[Change],
    ) -> Result<Self, Failure> {
        let layout = TestLayout::default();
        let wanted = Selector::new(project, &layout).files(changes);
        let wanted: HashSet<&str> = wanted.into_iter().map(base_name).collect();
        let is_wanted = |path: &str| wanted.contains(base_name(path));
        let mut measured = data::load(&args.data, config, true, true, is_wanted)?;
        if measured.files().len() == 0 {
            let file = settings::data_file(args.data.data_file.clone(), config);
            return Err(data::missing(&file));
        }
        who::check_that_tests_are_named(&measured)?;
        let mut folder = worktree.cwd.clone();
        if let Some(root) = &args.source_root {
            let tree = source_tree::at(root)?;
            folder = tree.root().to_owned();
            measured = tree.rename_files(measured)?;
        }
        let mut paths = HashMap::<String, Vec<String>>::new();
        for file in measured.files() {
            let path = file.path().as_str();
            let absolute = folder.join(path);
            let absolute = absolute.canonicalize().unwrap_or(absolute);
            let inside = absolute.strip_prefix(&worktree.top).ok().and_then(Path::to_str);
            if let Some(inside) = inside {
                paths.entry(inside.to_owned()).or_default().push(path.to_owned());
            }
        }
        if !paths.keys().any(|path| project.contains(path)) {
            return Err(Failure::Refused(
                "the data has no file of this repository: --source-root=. finds files that were measured in another place, and [paths] maps them".to_owned(),
            ));
        }
        let test_files = TestFiles::of_contexts(measured.contexts());
        Ok(Self { data: measured, paths, test_files })
    }

    /// Returns what the tests ran of a file, as the data has it, or `None` if nothing ran of the file.
    fn runs(&self, path: &str) -> Option<TestRuns<'_>> {
        let rows = self.rows(path);
        (!rows.is_empty()).then(|| TestRuns::new(rows.into_iter()))
    }

    fn rows(&self, path: &str) -> Vec<(&str, Numbits)> {
        let paths = self.paths.get(path).into_iter().flatten();
        let mut rows = Vec::new();
        for file in paths.filter_map(|path| self.data.file(path)) {
            let lines = file.lines_by_context().into_iter();
            rows.extend(lines.map(|(context, lines)| (context, lines.clone())));
            let arcs = file.arcs_by_context().into_iter();
            rows.extend(arcs.map(|(context, arcs)| (context, arcs.lines().collect())));
        }
        rows
    }

    /// Returns whether lines ran that have no code in this source. A source that is not Python tells nothing.
    fn is_of_another_version(&self, path: &str, source: &[u8]) -> bool {
        let facts = || {
            let options = AnalyzeOptions::new().ok()?.branches(false);
            PythonSource::decode(source).ok()?.analyze(&options).ok()
        };
        let mut ran = Numbits::new();
        self.rows(path).iter().for_each(|(_, lines)| ran.union_with(lines));
        facts().is_some_and(|facts| !lines_of_another_version(&facts, ran.iter()).is_empty())
    }

    /// Returns the tests as dotted names that begin with their files, without parameters.
    fn test_names(&self) -> HashSet<String> {
        let names = self.data.contexts().into_iter().filter_map(TestName::parse);
        let names = names.filter_map(|name| {
            let id = name.id().split('[').next()?;
            Some(
                id.split_once("::")
                    .map_or_else(|| id.to_owned(), |(file, test)| dotted(file, test)),
            )
        });
        names.collect()
    }

    /// Returns whether the data has a test of this file.
    fn has_tests_of(&self, path: &str) -> bool {
        self.test_files.contains(path)
    }

    /// Returns the files with tests that are not Python, as the data has them: texts with examples, for instance.
    fn other_test_files(&self) -> BTreeSet<String> {
        let names = self.data.contexts();
        let files = names.into_iter().filter_map(|context| TestName::parse(context)?.file());
        files.filter(|file| !file.ends_with(".py")).map(str::to_owned).collect()
    }

    /// Returns the files with tests: those that pytest looks for, and those that tests of the data are in.
    fn test_files(&self, project: &Project) -> BTreeSet<String> {
        let is_test = |path: &&str| {
            let name = base_name(path);
            let is_pytest =
                name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"));
            name != "conftest.py" && (is_pytest || self.test_files.contains(path))
        };
        project.paths().filter(is_test).map(str::to_owned).collect()
    }
}

/// Returns where tests are, and what the settings and options map to them. An option counts before a setting.
fn layout(
    args: &TestsForArgs,
    own: OwnSettings,
    worktree: &Worktree,
    changes: &[Change],
    test_files: &BTreeSet<String>,
) -> Result<TestLayout, Failure> {
    let mut layout = TestLayout::new(test_files.iter().cloned());
    let mut map = args.map.iter().map(|entry| mapping(entry)).collect::<Result<Vec<_>, _>>()?;
    map.extend(own.map);
    let targets = map.iter().flat_map(|(_, tests)| tests);
    if let Some(gone) = targets.into_iter().find(|test| !worktree.top.join(file_of(test)).exists())
    {
        let gone = ui::name(Path::new(gone));
        return Err(Failure::Refused(format!("{gone}: the map names this, and it does not exist")));
    }
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

/// Says which failures of a run of all tests would not have been selected.
fn shadow(report: &Path, tests: &TestsFor) -> Result<Exit, Failure> {
    let bytes = std::fs::read(report).map_err(|err| Failure::reading(report, &err))?;
    let failed = failed_tests(&bytes).map_err(|err| err.with_path(report))?;
    let missed = tests.missed(&failed);
    ui::message(&format!(
        "{} failed, of which {} would have been run",
        plural(failed.len(), "test"),
        failed.len() - missed.len()
    ));
    missed.iter().take(TESTS_NAMED).for_each(|test| {
        ui::message(&format!("missed: {}", ui::name(Path::new(test))));
    });
    if missed.len() > TESTS_NAMED {
        ui::message(&format!("missed: {} more", missed.len() - TESTS_NAMED));
    }
    Ok(if missed.is_empty() { Exit::Success } else { Exit::FailUnder })
}
