//! The files that tests are in.

use std::borrow::Cow;
use std::collections::HashSet;

use super::test_name::{NameKind, TestName};

/// The files that tests are in, as far as the names of the tests tell.
///
/// Tests run their own lines, so these files say nothing about what tests have in common.
///
/// # Examples
///
/// ```
/// use pulpcov_core::impact::TestFiles;
///
/// let files = TestFiles::of_contexts(["tests/test_cart.py::test_add|run", "tests.test_web.TestWeb.test_get"]);
/// assert!(files.contains("/srv/shop/tests/test_cart.py"));
/// assert!(files.contains("/srv/shop/tests/test_web.py") && files.contains("C:\\shop\\tests\\conftest.py"));
/// assert!(!files.contains("/srv/shop/cart.py"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestFiles {
    /// The ends of paths, which begin at a folder.
    ends: HashSet<String>,
}

impl TestFiles {
    /// Collects the files of all contexts that are tests.
    pub fn of_contexts<'a>(contexts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut ends = HashSet::from(["conftest.py".to_owned()]);
        for name in contexts.into_iter().filter_map(TestName::parse) {
            match name.kind() {
                NameKind::NodeId => {
                    let file = with_slashes(name.file().unwrap_or_default());
                    if !ends.contains(file.as_ref()) {
                        ends.insert(file.into_owned());
                    }
                }
                NameKind::Function => ends.extend(files_of_function(name.id())),
            }
        }
        Self { ends }
    }

    /// Returns whether the path is of a file with tests, or of a `conftest.py`.
    pub fn contains(&self, path: &str) -> bool {
        let path = with_slashes(path);
        let starts = path.match_indices('/').map(|(at, _)| at + 1);
        std::iter::once(0)
            .chain(starts)
            .any(|at| path.get(at..).is_some_and(|end| self.ends.contains(end)))
    }
}

/// Returns a path with `/` between its folders, as both systems' paths are compared.
fn with_slashes(path: &str) -> Cow<'_, str> {
    match path.contains('\\') {
        true => Cow::Owned(path.replace('\\', "/")),
        false => Cow::Borrowed(path),
    }
}

/// Returns whether pytest looks for tests in a file of this name, unless it is set to look for others: `test_*.py` and
/// `*_test.py`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::impact::is_test_file;
///
/// assert!(is_test_file("tests/test_cart.py") && is_test_file("cart_test.py"));
/// assert!(!is_test_file("tests/conftest.py") && !is_test_file("test_data.txt"));
/// ```
pub fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".py").is_some_and(is_test_module)
}

fn is_test_module(name: &str) -> bool {
    name.starts_with("test_") || name.ends_with("_test")
}

/// Returns the files that a test function may be in, by its dotted name.
///
/// Which of its words are folders and which is the file is not known, unless a word is one that pytest looks for.
fn files_of_function(name: &str) -> Vec<String> {
    let modules: Vec<&str> = name.match_indices('.').filter_map(|(at, _)| name.get(..at)).collect();
    let is_test = |module: &&&str| is_test_module(module.rsplit('.').next().unwrap_or(module));
    let file = |module: &&str| format!("{}.py", module.replace('.', "/"));
    match modules.iter().find(is_test) {
        Some(module) => vec![file(module)],
        None => modules.iter().map(file).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_no_file_with_tests_because_its_package_has_some() {
        let files = TestFiles::of_contexts(["shop.tests.test_s.T.test_a"]);
        assert!(files.contains("src/shop/tests/test_s.py"));
        assert!(!files.contains("shop/shop.py") && !files.contains("shop/tests.py"));
        let files = TestFiles::of_contexts(["shop.checks.T.test_a"]);
        assert!(files.contains("shop/checks.py"));
    }

    #[test]
    fn a_test_of_windows_is_in_its_file() {
        let files = TestFiles::of_contexts([r"tests\test_s.py::test_a|run"]);
        assert!(files.contains(r"tests\test_s.py") && files.contains("/srv/shop/tests/test_s.py"));
    }
}
