//! Names of tests in data, as names that exist now.

use std::collections::BTreeSet;

use super::project::Project;
use super::test_files::is_test_file;
use super::test_name::{NameKind, TestName};

/// Finds the names under which tests of the data exist now.
///
/// pytest runs nothing if one of the ids that it is given does not exist. So a test that is gone is left out, and a
/// test whose name is not in the text of its file, such as one that its class inherits, is replaced by its class or its file.
#[derive(Debug, Clone, Copy)]
pub struct CurrentNames<'a, F> {
    project: &'a Project,
    exists: F,
    with_parameters: bool,
}

impl<'a, F: Fn(&str) -> bool> CurrentNames<'a, F> {
    /// Creates the finder for a project. `exists` returns whether there is a file at a path from the top folder; it is
    /// asked about files that are not Python, too.
    pub fn new(project: &'a Project, exists: F) -> Self {
        Self { project, exists, with_parameters: false }
    }

    /// Keeps the parameters in ids. By default, a test without its parameters is selected, because these may be others now.
    #[must_use]
    pub fn with_parameters(self, keep: bool) -> Self {
        Self { with_parameters: keep, ..self }
    }

    /// Returns the part of a test's name that decides its names now. Tests with the same part
    /// have the same names.
    pub fn key<'t>(&self, test: &'t str) -> &'t str {
        match TestName::parse(test) {
            Some(name) if name.kind() == NameKind::NodeId && !self.with_parameters => {
                let id = name.id();
                let names = name.file().map_or(0, str::len);
                let end = id.get(names..).and_then(|rest| rest.find('['));
                end.and_then(|end| id.get(..names + end)).unwrap_or(id)
            }
            _ => test,
        }
    }

    /// Returns the names of a test, whose files are paths from the top folder. Returns `None` if nothing is known of the
    /// place of the test.
    ///
    /// `folder` is the folder that pytest's ids start from, or `""` for the top folder. `existing` returns how many names,
    /// each inside the one before, a file [defines](crate::python::Definitions::existing).
    pub fn of(
        &self,
        test: &str,
        folder: &str,
        mut existing: impl FnMut(&str, &[&str]) -> usize,
    ) -> Option<BTreeSet<String>> {
        let Some(name) = TestName::parse(test) else {
            return Some(BTreeSet::from([test.to_owned()]));
        };
        if name.kind() == NameKind::Function {
            return self.of_function(name.id(), existing);
        }
        let file = name.file().unwrap_or_default();
        let rest = name.id().get(file.len()..).unwrap_or_default();
        let (names, parameters) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
        let names: Vec<&str> = names.split("::").filter(|name| !name.is_empty()).collect();
        let name_in = |path: String| {
            let known = existing(&path, &names);
            let mut found = id(&path, names.get(..known).unwrap_or_default());
            if self.with_parameters && known == names.len() {
                found.push_str(parameters);
            }
            found
        };
        Some(self.files(file, folder).into_iter().map(name_in).collect())
    }

    /// Returns the files that a test may be in. There are several if pytest ran in another folder, and more than one file can be
    /// meant.
    fn files(&self, file: &str, folder: &str) -> Vec<String> {
        let below = if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
        if (self.exists)(&below) {
            return vec![below];
        }
        let end = format!("/{file}");
        let alike = self.project.paths().filter(|path| path.ends_with(&end) || *path == file);
        alike.filter(|path| (self.exists)(path)).map(str::to_owned).collect()
    }

    /// Returns the names of a function of coverage.py's `test_function`. Its class may be the base of the class that ran it,
    /// so the files that import its file are among them.
    fn of_function(
        &self,
        name: &str,
        mut existing: impl FnMut(&str, &[&str]) -> usize,
    ) -> Option<BTreeSet<String>> {
        let ends = name.match_indices('.').map(|(at, _)| at).collect::<Vec<_>>();
        let (files, names) = ends.into_iter().rev().find_map(|end| {
            let (module, rest) = name.split_at(end);
            let files = self.project.files_of_module(module);
            (!files.is_empty()).then(|| {
                (files, rest.split('.').filter(|name| !name.is_empty()).collect::<Vec<_>>())
            })
        })?;
        let mut found = BTreeSet::new();
        for path in files.into_iter().filter(|path| (self.exists)(path)) {
            // A class that tests inherit is in a file that pytest does not look into.
            let heirs = self.project.importers(path).into_iter();
            let heirs = heirs.filter(|heir| is_test_file(heir) && (self.exists)(heir));
            let heirs: Vec<String> = heirs.map(str::to_owned).collect();
            if is_test_file(path) || heirs.is_empty() {
                let known = existing(path, &names);
                found.insert(id(path, names.get(..known).unwrap_or_default()));
            } else {
                found.extend(heirs);
            }
        }
        Some(found)
    }
}

fn id(path: &str, names: &[&str]) -> String {
    std::iter::once(&path).chain(names).copied().collect::<Vec<_>>().join("::")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::{Imports, PythonSource};

    const TESTS: &str = "def test_a(): ...\nclass TestB(Base):\n    def test_c(self): ...\n";

    fn names(test: &str, with_parameters: bool) -> Option<Vec<String>> {
        let files = ["sub/tests/test_x.py", "sub/tests/__init__.py", "a/test_y.py", "b/test_y.py"];
        let project = Project::new(files.map(|path| (path.to_owned(), Imports::default())));
        let exists = |path: &str| path == "README.rst" || project.contains(path);
        let existing = |path: &str, names: &[&str]| {
            let text = if path.ends_with("test_x.py") { TESTS } else { "" };
            let source = PythonSource::decode(text.as_bytes()).unwrap();
            source.definitions().unwrap().existing(names)
        };
        let current = CurrentNames::new(&project, exists).with_parameters(with_parameters);
        Some(current.of(test, "sub", existing)?.into_iter().collect())
    }

    #[test]
    fn names_are_those_that_exist() {
        let file = "sub/tests/test_x.py";
        for (test, expected) in [
            ("tests/test_x.py::test_a|run", vec![format!("{file}::test_a")]),
            ("tests/test_x.py::test_a[1::2]", vec![format!("{file}::test_a")]),
            ("tests/test_x.py::TestB::test_c", vec![format!("{file}::TestB::test_c")]),
            ("tests/test_x.py::TestB::test_inherited", vec![format!("{file}::TestB")]),
            ("tests/test_x.py::test_gone", vec![file.to_owned()]),
            ("tests/test_gone.py::test_a", vec![]),
            ("sub/tests/test_x.py::test_a", vec![format!("{file}::test_a")]),
            // Two files could be meant.
            ("test_y.py::test_a", vec!["a/test_y.py".to_owned(), "b/test_y.py".to_owned()]),
            ("tests.test_x.TestB.test_c", vec![format!("{file}::TestB::test_c")]),
            ("tests.test_x.test_gone", vec![file.to_owned()]),
            ("a/folder", vec!["a/folder".to_owned()]),
        ] {
            assert_eq!(names(test, false), Some(expected), "{test}");
        }
        assert_eq!(names("elsewhere.test_z.test_a", false), None);
        assert_eq!(
            names("tests/test_x.py::test_a[1::2]|run", true),
            Some(vec![format!("{file}::test_a[1::2]")])
        );
    }
}
