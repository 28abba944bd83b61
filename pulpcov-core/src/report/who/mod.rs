//! Who ran it: the tests that ran the lines of a file.
//!
//! A [`WhoFile`] is a file, or a part of it, with what each test ran. The formats are those that people read
//! ([`write_text`]), programs ([`write_json`]) and pytest ([`write_pytest`]). A [`TestReach`] is what one test ran of
//! all files.
//!
//! - `part`: the lines that are asked about.
//! - `text`, `json`, `pytest`: the formats.
//! - `reach`: what a test ran, and what it alone ran.

mod json;
mod part;
mod pytest;
mod reach;
mod text;

pub use json::{write_json, write_reach_json, write_unused_json};
pub use part::FilePart;
pub use pytest::write_pytest;
pub use reach::TestReach;
pub use text::{write_reach_text, write_text};

use crate::Result;
use crate::impact::TestRuns;
use crate::python::Facts;
use crate::summarize::{FileSummary, Summary};

/// A file, or a part of one, with what each test ran of it.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::who::{FilePart, WhoFile, write_text};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("shop.py", "", &Numbits::from_iter([1]))?;
/// data.add_lines("shop.py", "test_shop.py::test_add|run", &Numbits::from_iter([2]))?;
/// let sources = |_: &Path| Ok(Some(b"def add(a, b):\n    return a + b\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let who = WhoFile::new(&summary, &summary.files()[0], FilePart::Named("add".to_owned()))?;
/// let mut out = Vec::new();
/// write_text(&[who], &mut out)?;
/// assert_eq!(String::from_utf8_lossy(&out), "\
/// shop.py::add: 1 of 1 statement ran, in 1 test
///   test_shop.py::test_add (run): 2
/// ");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct WhoFile<'a> {
    file: &'a FileSummary,
    facts: &'a Facts,
    part: FilePart,
    statements: Vec<i32>,
    runs: TestRuns<'a>,
    is_alone: bool,
}

impl<'a> WhoFile<'a> {
    /// Finds who ran a part of a file.
    ///
    /// Lines stand for the statements that contain them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the file has no function or class of that name, or not so many
    /// lines, or unless the summary keeps [everything](crate::summarize::Detail::Everything).
    pub fn new(summary: &'a Summary<'_>, file: &'a FileSummary, part: FilePart) -> Result<Self> {
        let facts = file.facts()?;
        let statements = part.statements(file, facts)?;
        let runs = runs_of(summary, file, facts);
        let runs = runs.of_lines(|line| statements.binary_search(&line).is_ok());
        Ok(Self { file, facts, part, statements, runs, is_alone: false })
    }

    /// Keeps only the statements that exactly one test ran.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { runs: self.runs.alone(), is_alone: true, ..self }
    }

    /// Returns the file, and the part of it that is asked about.
    pub fn name(&self) -> String {
        self.part.name(self.file.name())
    }

    /// Returns the statements of the part.
    pub fn statements(&self) -> &[i32] {
        &self.statements
    }

    /// Returns what the tests ran, as statements.
    pub fn runs(&self) -> &TestRuns<'a> {
        &self.runs
    }
}

/// Returns what the tests ran of a file, as statements.
fn runs_of<'a>(summary: &'a Summary<'_>, file: &FileSummary, facts: &Facts) -> TestRuns<'a> {
    let rows = summary.lines_by_context(file);
    let as_statements = |(context, lines): (&'a str, std::borrow::Cow<'_, crate::Numbits>)| {
        let statements = lines.iter().map(|line| facts.first_line(line));
        let is_statement = |line: &i32| facts.statements().binary_search(line).is_ok();
        (context, statements.filter(is_statement).collect::<crate::Numbits>())
    };
    TestRuns::new(rows.into_iter().map(as_statements).filter(|(_, lines)| !lines.is_empty()))
}
