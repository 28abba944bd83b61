//! The files that tests are in.

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
                    let file = name.file().unwrap_or_default();
                    if !ends.contains(file) {
                        ends.insert(file.to_owned());
                    }
                }
                // Which of its words are folders and which is the file is not known.
                NameKind::Function => {
                    let words =
                        name.id().match_indices('.').filter_map(|(at, _)| name.id().get(..at));
                    ends.extend(words.map(|module| format!("{}.py", module.replace('.', "/"))));
                }
            }
        }
        Self { ends }
    }

    /// Returns whether the path is of a file with tests, or of a `conftest.py`.
    pub fn contains(&self, path: &str) -> bool {
        let path = path.replace('\\', "/");
        let starts = path.match_indices('/').map(|(at, _)| at + 1);
        std::iter::once(0)
            .chain(starts)
            .any(|at| path.get(at..).is_some_and(|end| self.ends.contains(end)))
    }
}
