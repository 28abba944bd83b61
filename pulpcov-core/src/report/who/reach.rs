//! What a test ran of all files.

use std::collections::BTreeSet;

use super::runs_of;
use crate::impact::TestName;
use crate::summarize::{FileSummary, Summary};
use crate::{Numbits, Result};

/// What one test, or a group of tests, ran of each file.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::who::TestReach;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("shop.py", "test_shop.py::test_add|run", &Numbits::from_iter([1, 2]))?;
/// data.add_lines("shop.py", "test_shop.py::test_sub|run", &Numbits::from_iter([1]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let reach = TestReach::new(&summary, "test_shop.py::test_add")?;
/// assert_eq!(reach.files()[0].lines(), &Numbits::from_iter([1, 2]));
/// assert_eq!(reach.files()[0].alone(), &Numbits::from_iter([2]));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestReach<'a> {
    tests: BTreeSet<&'a str>,
    files: Vec<FileReach<'a>>,
}

/// What a test ran of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReach<'a> {
    name: &'a str,
    statements: &'a [i32],
    lines: Numbits,
    alone: Numbits,
}

impl<'a> TestReach<'a> {
    /// Finds what `test` ran. If it is a class, a file or a test without its parameters, finds what all of its tests ran
    /// together. See [`TestName::belongs_to`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`](crate::ErrorKind::NoData) unless the summary keeps
    /// [everything](crate::summarize::Detail::Everything).
    pub fn new(summary: &'a Summary<'_>, test: &str) -> Result<Self> {
        let belongs = |id: &str| TestName::parse(id).is_some_and(|name| name.belongs_to(test));
        let mut reach = Self { tests: BTreeSet::new(), files: Vec::new() };
        for file in summary.files() {
            let facts = file.facts()?;
            let runs = runs_of(summary, file, facts);
            let (mut lines, mut others) = (Numbits::new(), Numbits::new());
            for run in runs.tests() {
                if belongs(run.id()) {
                    reach.tests.insert(run.id());
                    lines.union_with(&run.lines());
                } else {
                    others.union_with(&run.lines());
                }
            }
            reach.add(file, facts.statements(), lines, &others);
        }
        Ok(reach)
    }

    fn add(
        &mut self,
        file: &'a FileSummary,
        statements: &'a [i32],
        lines: Numbits,
        others: &Numbits,
    ) {
        if !lines.is_empty() {
            let alone = lines.iter().filter(|line| !others.contains(*line)).collect();
            self.files.push(FileReach { name: file.name(), statements, lines, alone });
        }
    }

    /// Returns the tests, which are none if no test of that name ran anything.
    pub fn tests(&self) -> &BTreeSet<&'a str> {
        &self.tests
    }

    /// Returns the files of which the tests ran lines.
    pub fn files(&self) -> &[FileReach<'a>] {
        &self.files
    }
}

impl FileReach<'_> {
    /// Returns the name of the file in reports.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Returns all statements of the file.
    pub fn statements(&self) -> &[i32] {
        self.statements
    }

    /// Returns the statements that the tests ran.
    pub fn lines(&self) -> &Numbits {
        &self.lines
    }

    /// Returns the statements that no other test ran.
    pub fn alone(&self) -> &Numbits {
        &self.alone
    }
}
