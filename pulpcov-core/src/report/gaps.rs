//! What is not covered, for the CI of GitHub and GitLab.
//!
//! A gap is a range of lines that did not run, or a branch that was not taken. Ranges go on over lines without code. What
//! [`patch`](super::patch) says of changed lines, this says of all lines.

use std::io::Write;

use super::RepositoryFiles;
use super::code_quality::Issues;
use super::figures::covered;
use super::findings::{FileFindings, of_file};
use super::workflow_commands::{Command, notice, write_findings, write_limited};
use crate::Result;
use crate::results::Precision;

/// How gaps are written.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::RepositoryFiles;
/// use pulpcov_core::report::gaps::{Options, write_github};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x == 2:\n    # Never.\n    x = 3\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
/// let files = RepositoryFiles::new(&summary, "")?;
///
/// let mut out = Vec::new();
/// write_github(&files, &Options::new().failure("too little"), &mut out)?;
/// assert_eq!(
///     String::from_utf8_lossy(&out),
///     "::warning file=a.py,line=2,endLine=4,title=Not covered::lines 2 to 4 did not run\n\
///      ::error title=Coverage::too little\n\
///      ::notice title=Coverage::33%25 covered: 1 of 3 statements\n",
/// );
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Options {
    precision: Precision,
    failure: Option<String>,
}

impl Options {
    /// Creates the defaults: percentages without decimals, and no failure.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of decimals of percentages.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets why the report fails. [`write_github`] makes an error of it.
    #[must_use]
    pub fn failure(mut self, reason: impl Into<String>) -> Self {
        self.failure = Some(reason.into());
        self
    }
}

/// Writes the gaps as [workflow commands] of GitHub Actions: a warning for each, the largest first, an error if the report
/// [fails](Options::failure), and a notice with the total.
///
/// GitHub shows ten warnings of a step. If there are more gaps, the tenth warning counts the others. The total counts all
/// files of the report, also those that are not in the repository.
///
/// [workflow commands]: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
///
/// # Errors
///
/// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) unless the summary keeps
///   [everything](crate::summarize::Detail::Everything);
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_github(
    files: &RepositoryFiles<'_>,
    options: &Options,
    mut out: impl Write,
) -> Result<()> {
    write_findings(&findings(files)?, &mut out)?;
    let errors: Vec<Command> =
        options.failure.iter().map(|reason| Command::new("Coverage", reason.clone())).collect();
    write_limited("error", "Coverage", "failure", &errors, &mut out)?;
    let total = covered(files.summary().totals(), options.precision);
    notice("Coverage", &total, &mut out)
}

/// Writes the gaps as a [code quality report] of GitLab.
///
/// A fingerprint depends on the file, the kind, and the text of the lines, so an issue stays the same while lines above it
/// are added or removed.
///
/// [code quality report]: https://docs.gitlab.com/ci/testing/code_quality/
///
/// # Errors
///
/// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) unless the summary keeps
///   [everything](crate::summarize::Detail::Everything);
/// - [`ErrorKind::NoSource`](crate::ErrorKind::NoSource) if a source can no longer be read;
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::{RepositoryFiles, gaps};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let mut out = Vec::new();
/// gaps::write_gitlab(&RepositoryFiles::new(&summary, "")?, &mut out)?;
/// assert!(out.starts_with(br#"[{"description":"line 2 did not run","check_name":"missing-lines","#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write_gitlab(files: &RepositoryFiles<'_>, out: impl Write) -> Result<()> {
    let mut issues = Issues::new();
    for file in findings(files)? {
        issues.add_findings(&file)?;
    }
    issues.write(out)
}

fn findings<'a>(files: &RepositoryFiles<'a>) -> Result<Vec<FileFindings<'a>>> {
    let summary = files.summary();
    let of_file = |(name, file): (&str, _)| {
        Ok(FileFindings::new(name.to_owned(), of_file(file)?, summary, file))
    };
    files.iter().map(of_file).collect()
}
