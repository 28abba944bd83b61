//! What only one test ran, of all files.

use std::collections::BTreeMap;

use super::test_runs::TestRuns;

/// For each test, the number of lines that no other test ran, over all files.
///
/// # Examples
///
/// ```
/// use pulpcov_core::Numbits;
/// use pulpcov_core::impact::{TestRuns, UniqueLines};
///
/// let rows = [("t.py::test_x|run", Numbits::from_iter([1, 2])), ("t.py::test_y|run", Numbits::from_iter([1]))];
/// let mut unique = UniqueLines::default();
/// unique.add(&TestRuns::new(rows.into_iter()));
/// assert_eq!(unique.tests_without().collect::<Vec<_>>(), ["t.py::test_y"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UniqueLines<'a> {
    counts: BTreeMap<&'a str, usize>,
}

impl<'a> UniqueLines<'a> {
    /// Adds what the tests ran of one file.
    pub fn add(&mut self, runs: &TestRuns<'a>) {
        let once = runs.lines_of_one();
        for test in runs.tests() {
            let unique = test.lines().intersection(&once).len();
            *self.counts.entry(test.id()).or_default() += unique;
        }
    }

    /// Returns the tests whose every line another test ran too, sorted by their ids.
    ///
    /// Each of them can be deleted without losing a line. Two of them together may run a line that no third one runs.
    pub fn tests_without(&self) -> impl Iterator<Item = &'a str> {
        self.counts.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id)
    }

    /// Returns the number of tests.
    pub fn test_count(&self) -> usize {
        self.counts.len()
    }
}
