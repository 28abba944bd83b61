//! Tests by the names that exist now, as seen from the current folder.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use pulpcov_core::impact::{CurrentNames, Project, Reason, Rule, Selection};
use pulpcov_core::report::tests_for::TestsFor;

use super::super::git::seen_from;
use super::data::Data;
use super::file_of;
use super::worktree::Worktree;

/// The names that tests have now.
pub(super) struct Names<'a> {
    worktree: &'a Worktree,
    data: &'a Data,
    /// The Python files with tests, from the top folder.
    test_files: &'a BTreeSet<String>,
}

impl<'a> Names<'a> {
    pub(super) fn new(
        worktree: &'a Worktree,
        data: &'a Data,
        test_files: &'a BTreeSet<String>,
    ) -> Self {
        Self { worktree, data, test_files }
    }

    /// Returns the selection by names that exist now.
    pub(super) fn current(
        &self,
        selection: &Selection,
        project: &Project,
        with_parameters: bool,
    ) -> TestsFor {
        let (top, cwd) = (&self.worktree.top, &self.worktree.cwd);
        // Most files have many tests.
        let known = RefCell::new(HashMap::<String, bool>::new());
        let exists = |path: &str| {
            let found = known.borrow().get(path).copied();
            found.unwrap_or_else(|| {
                let exists = top.join(path).exists();
                known.borrow_mut().insert(path.to_owned(), exists);
                exists
            })
        };
        let current = CurrentNames::new(project, exists).with_parameters(with_parameters);
        let folder = seen_from(top, cwd).to_string_lossy().into_owned();
        let mut existing =
            |path: &str, names: &[&str]| self.worktree.definitions(path).existing(names);
        let mut everything = selection.everything().cloned();
        let mut seen = HashMap::<String, String>::new();
        let mut tests = BTreeMap::<String, Reason>::new();
        let mut last = None;
        for (test, reason) in selection.tests() {
            let key = current.key(test);
            if last.replace(key) == Some(key) {
                continue;
            }
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
                let file = file_of(&name);
                let seen = seen.entry(file.to_owned()).or_insert_with(|| self.seen(file));
                let rest = name.get(file.len()..).unwrap_or_default();
                tests.entry([seen, rest].concat()).or_insert_with(|| reason.clone());
            }
        }
        TestsFor::new(everything, tests, self.roots())
    }

    /// Returns a file or folder with tests as seen from the current folder.
    fn seen(&self, file: &str) -> String {
        let seen = seen_from(&self.worktree.cwd, &self.worktree.top.join(file))
            .to_string_lossy()
            .into_owned();
        match seen.as_str() {
            "" => ".".to_owned(),
            // A runner would take it for an option, or for a file with more arguments.
            name if name.starts_with(['-', '@']) => format!("./{name}"),
            _ => seen,
        }
    }

    /// Returns the files with tests as seen from the current folder.
    pub(super) fn of_test_files(&self) -> Vec<String> {
        self.test_files.iter().map(|file| self.seen(file)).collect()
    }

    /// Returns the folders with tests, without those inside of others, and files with tests that are not Python.
    fn roots(&self) -> Vec<String> {
        if self.sets_python_files() {
            return vec![".".to_owned()];
        }
        let folders = self.test_files.iter().filter_map(|file| Path::new(file).parent());
        let folders: BTreeSet<PathBuf> = folders.map(Path::to_owned).collect();
        let places: Vec<PathBuf> = folders.into_iter().chain(self.other_files()).collect();
        let mut roots = Vec::<PathBuf>::new();
        for place in places {
            if !roots.iter().any(|root| place.starts_with(root)) {
                roots.push(place);
            }
        }
        match roots.is_empty() {
            true => vec![".".to_owned()],
            false => roots.iter().map(|root| self.seen(&root.to_string_lossy())).collect(),
        }
    }

    /// Returns the files with tests that are not Python and still exist, by their paths from the top folder. pytest names them from
    /// the folder that it ran in, so several files can be meant.
    fn other_files(&self) -> BTreeSet<PathBuf> {
        let names = self.data.other_test_files();
        let is_meant = |file: &&String| names.iter().any(|name| Path::new(file).ends_with(name));
        self.worktree.files.iter().filter(is_meant).map(PathBuf::from).collect()
    }

    /// Returns whether pytest is set to look for files of other names. Then only pytest knows where tests are.
    fn sets_python_files(&self) -> bool {
        let files = ["pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"];
        let folders = [&self.worktree.top, &self.worktree.cwd];
        let mut texts = folders.iter().flat_map(|folder| {
            files.iter().filter_map(|file| std::fs::read_to_string(folder.join(file)).ok())
        });
        texts.any(|text| text.contains("python_files"))
    }
}
