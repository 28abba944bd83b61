//! What was measured.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use pulpcov_core::changes::lines_of_another_version;
use pulpcov_core::config::Config;
use pulpcov_core::data::RanBy;
use pulpcov_core::impact::{
    Change, Measured, Project, Selector, TestFiles, TestLayout, TestName, is_test_file,
};
use pulpcov_core::python::{AnalyzeOptions, PythonSource};
use pulpcov_core::{CoverageData, FileData, Numbits};
use rayon::prelude::*;

use super::super::reporting::base_name;
use super::super::{data, source_tree, who};
use super::worktree::Worktree;
use crate::args::TestsForArgs;
use crate::exit::Failure;
use crate::plan::DataPlan;
use crate::settings;

/// What was measured, by paths from the top folder.
pub(super) struct Data {
    /// The rows of the changed files.
    data: CoverageData,
    /// The contexts of the changed files and of all that import them.
    ran_by: RanBy,
    /// The paths in the data of each file.
    paths: HashMap<String, Vec<String>>,
    /// The files of the tests that the data has.
    test_files: TestFiles,
}

impl Data {
    pub(super) fn read(
        args: &TestsForArgs,
        config: &Config,
        worktree: &Worktree,
        project: &Project,
        changes: &[Change],
    ) -> Result<Self, Failure> {
        let layout = TestLayout::default();
        let wanted = Selector::new(project, &layout).files(changes);
        let wanted: HashSet<&str> = wanted.into_iter().map(base_name).collect();
        // The data may have a file under the name of a link to it.
        let changed: HashSet<&str> = changes
            .iter()
            .flat_map(|change| worktree.names_of(change.path()))
            .map(base_name)
            .collect();
        let (mut measured, mut ran_by) = data::load_contexts(
            &DataPlan::from(&args.data),
            config,
            |path| wanted.contains(base_name(path)),
            |path| changed.contains(base_name(path)),
        )?;
        if measured.files().len() == 0 {
            let file = settings::data_file(args.data.data_file.clone(), config);
            return Err(data::missing(&file));
        }
        who::check_that_tests_are_named(ran_by.contexts())?;
        let mut folder = worktree.cwd.clone();
        if let Some(root) = &args.source_root {
            let tree = source_tree::at(root)?;
            folder = tree.root().to_owned();
            measured = tree.rename_files(measured)?;
            ran_by = ran_by.map_paths(|path| Ok(tree.renamed(path)))?;
        }
        let recorded: Vec<&str> = measured.files().map(|file| file.path().as_str()).collect();
        let inside = |path: &&str| {
            let absolute = folder.join(path);
            let absolute = absolute.canonicalize().unwrap_or(absolute);
            let inside = absolute.strip_prefix(&worktree.top).ok().and_then(Path::to_str)?;
            Some((inside.to_owned(), (*path).to_owned()))
        };
        let inside: Vec<(String, String)> = recorded.par_iter().filter_map(inside).collect();
        let mut paths = HashMap::<String, Vec<String>>::new();
        for (path, recorded) in inside {
            paths.entry(path).or_default().push(recorded);
        }
        if !paths.keys().any(|path| project.contains(path)) {
            return Err(Failure::Refused(
                "the data has no file of this repository: --source-root=. finds files that were measured in another place, and [paths] maps them".to_owned(),
            ));
        }
        let test_files = TestFiles::of_contexts(ran_by.contexts());
        Ok(Self { data: measured, ran_by, paths, test_files })
    }

    /// Returns a file as the data has it. There are several if it was measured in several places.
    fn files(&self, path: &str) -> impl Iterator<Item = FileData<'_>> {
        self.recorded(path).filter_map(|path| self.data.file(path))
    }

    /// Returns the paths of a file in the data.
    fn recorded(&self, path: &str) -> impl Iterator<Item = &String> + use<'_> {
        self.paths.get(path).into_iter().flatten()
    }

    /// Returns whether lines ran that have no code in this source. A source that is not Python tells nothing.
    pub(super) fn is_of_another_version(&self, path: &str, source: &[u8]) -> bool {
        let facts = || {
            let options = AnalyzeOptions::new().ok()?.branches(false);
            PythonSource::decode(source).ok()?.analyze(&options).ok()
        };
        let mut ran = Numbits::new();
        self.rows(path).iter().for_each(|(_, lines)| ran.union_with(lines));
        facts().is_some_and(|facts| !lines_of_another_version(&facts, ran.iter()).is_empty())
    }

    /// Returns the tests as dotted names that begin with their files, without parameters.
    pub(super) fn test_names(&self) -> HashSet<String> {
        let dotted = |context: &&str| {
            let id = TestName::parse(context)?.id().split('[').next()?;
            Some(
                id.split_once("::")
                    .map_or_else(|| id.to_owned(), |(file, test)| dotted(file, test)),
            )
        };
        let contexts: Vec<&str> = self.ran_by.contexts().collect();
        contexts.par_iter().filter_map(dotted).collect()
    }

    /// Returns whether the data has a test of this file.
    pub(super) fn has_tests_of(&self, path: &str) -> bool {
        self.test_files.contains(path)
    }

    /// Returns the files with tests that are not Python, as the data has them: texts with examples, for instance.
    pub(super) fn other_test_files(&self) -> BTreeSet<String> {
        let files = self.ran_by.contexts().filter_map(|context| TestName::parse(context)?.file());
        files.filter(|file| !file.ends_with(".py")).map(str::to_owned).collect()
    }

    /// Returns the files with tests: those that pytest looks for, and those that tests of the data are in.
    pub(super) fn test_files(&self, project: &Project) -> BTreeSet<String> {
        let is_test = |path: &&str| {
            let is_conftest = base_name(path) == "conftest.py";
            !is_conftest && (is_test_file(path) || self.test_files.contains(path))
        };
        project.paths().filter(is_test).map(str::to_owned).collect()
    }
}

impl Measured for Data {
    fn rows(&self, path: &str) -> Vec<(&str, Cow<'_, Numbits>)> {
        let mut rows = Vec::new();
        for file in self.files(path) {
            let lines = file.lines_by_context().into_iter();
            rows.extend(lines.map(|(context, lines)| (context, Cow::Borrowed(lines))));
            let arcs = file.arcs_by_context().into_iter();
            rows.extend(arcs.map(|(context, arcs)| (context, Cow::Owned(arcs.lines().collect()))));
        }
        rows
    }

    fn contexts(&self, paths: &[&str]) -> Vec<&str> {
        self.ran_by.contexts_of(paths.iter().flat_map(|path| self.recorded(path)))
    }

    fn importing_contexts(&self, paths: &[&str]) -> Vec<&str> {
        self.ran_by.importers_of(paths.iter().flat_map(|path| self.recorded(path)))
    }
}

/// Returns the dotted name of a test, which begins with its file.
pub(super) fn dotted(file: &str, test: &str) -> String {
    let module = file.strip_suffix(".py").unwrap_or(file).replace('/', ".");
    format!("{module}.{}", test.replace("::", "."))
}
