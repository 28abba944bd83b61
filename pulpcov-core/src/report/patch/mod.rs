//! Patch coverage: whether the lines that a diff changes were run.
//!
//! A [`Patch`] is made from a [`Diff`] and a [`Summary`] of the new version. The formats are those that people
//! read ([`write_text`], [`write_markdown`]), programs ([`write_json`]), and the CI of GitHub and GitLab
//! ([`write_github`], [`write_gitlab`]).
//!
//! - `text`, `markdown`, `json`, `github`, `gitlab`: the formats.
//! - `findings`: the lines that a format points at, joined to ranges.

mod findings;
mod github;
mod gitlab;
mod json;
mod markdown;
mod text;

use std::path::Path;

pub use github::write_github;
pub use gitlab::write_gitlab;
pub use json::write_json;
pub use markdown::write_markdown;
pub use text::write_text;

use crate::changes::{ChangeKind, Diff, FileChange, FilePatch, lines_of_another_version};
use crate::results::{Numbers, Precision, display_covered};
use crate::summarize::{FileSummary, Summary};
use crate::{FilePath, Result};

/// The changed files of a diff, compared with what ran.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::changes::Diff;
/// use pulpcov_core::report::patch::{Options, Patch, write_text};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, FilePath, Numbits};
///
/// let diff = Diff::parse(b"--- a/a.py\n+++ b/a.py\n@@ -1 +1,3 @@\n x = 1\n+if x == 2:\n+    x = 3\n")?;
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x == 2:\n    x = 3\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let path = |path: &Path| FilePath::try_from(path.to_string_lossy().as_bytes()).ok();
/// let patch = Patch::new(&diff, &summary, path, |_| true)?;
/// assert_eq!(patch.totals().ratio_covered(), (1, 2));
/// let mut out = Vec::new();
/// write_text(&patch, &Options::new(), &mut out)?;
/// assert!(String::from_utf8_lossy(&out).starts_with("a.py: 1 of 2 statements, 50%\n    3 !     x = 3\n"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Patch<'a> {
    summary: Option<&'a Summary<'a>>,
    files: Vec<PatchFile<'a>>,
}

/// A file of a [`Patch`].
#[derive(Debug)]
pub struct PatchFile<'a> {
    change: &'a FileChange,
    state: FileState<'a>,
}

/// What can be said of a changed file.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileState<'a> {
    /// The file was measured.
    Measured {
        /// The whole file.
        file: &'a FileSummary,
        /// Its changed lines.
        patch: FilePatch,
    },
    /// No process that was measured ran the file, though statements of it changed.
    Unmeasured {
        /// The whole file.
        file: &'a FileSummary,
        /// Its changed lines, none of which ran.
        patch: FilePatch,
        /// Whether it should have been measured. Then its lines count as missing.
        is_expected: bool,
    },
    /// The file was measured on another version of its source, so nothing can be said of single lines.
    OtherVersion {
        /// The whole file.
        file: &'a FileSummary,
        /// Lines that ran but are no statements of this source.
        lines: Vec<i32>,
    },
    /// No statement was added or changed: the file was deleted, is not Python, or only comments changed.
    NoStatements,
    /// The settings leave the file out.
    LeftOut,
}

impl<'a> Patch<'a> {
    /// Compares the changes with what ran.
    ///
    /// `path_of` converts the path of a changed file to the path that the summary was
    /// [asked](crate::summarize::Summarizer::files) for, or to its path in the data; `None` stands for a file that
    /// is not Python. `is_expected` returns whether a file that was not measured should have been.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`](crate::ErrorKind::NoData) unless the summary keeps
    /// [everything](crate::summarize::Detail::Everything).
    pub fn new(
        diff: &'a Diff,
        summary: &'a Summary<'a>,
        path_of: impl Fn(&Path) -> Option<FilePath>,
        is_expected: impl Fn(&FileSummary) -> bool,
    ) -> Result<Self> {
        let file_of = |path: &FilePath| {
            summary
                .files()
                .iter()
                .find(|file| file.requested_path() == path || file.recorded_path() == path)
        };
        let state = |change: &'a FileChange| -> Result<FileState<'a>> {
            let path = change.new_path().filter(|_| !change.is_binary() && !change.is_submodule());
            let Some(path) = path.and_then(&path_of) else { return Ok(FileState::NoStatements) };
            let Some(file) = file_of(&path) else { return Ok(FileState::LeftOut) };
            let patch = FilePatch::new(change, file.facts()?, file.analysis()?);
            if !summary.is_measured(file) {
                return Ok(match patch.statements().is_empty() {
                    true => FileState::NoStatements,
                    false => FileState::Unmeasured { file, patch, is_expected: is_expected(file) },
                });
            }
            let lines = match file.is_python() {
                true => lines_of_another_version(file.facts()?, summary.lines_that_ran(file)),
                false => Vec::new(),
            };
            Ok(match lines.is_empty() {
                true => FileState::Measured { file, patch },
                false => FileState::OtherVersion { file, lines },
            })
        };
        let files = diff
            .files()
            .iter()
            .map(|change| Ok(PatchFile { change, state: state(change)? }))
            .collect::<Result<_>>()?;
        Ok(Self { summary: Some(summary), files })
    }

    /// Returns the patch of a diff without Python files.
    pub fn without_statements(diff: &'a Diff) -> Self {
        let no_statements = |change| PatchFile { change, state: FileState::NoStatements };
        Self { summary: None, files: diff.files().iter().map(no_statements).collect() }
    }

    /// Returns the changed files, in the order of the diff.
    pub fn files(&self) -> &[PatchFile<'a>] {
        &self.files
    }

    /// Returns the counts of changed statements and branches of all files that were measured or should have been.
    pub fn totals(&self) -> Numbers {
        self.files.iter().filter_map(PatchFile::numbers).sum()
    }

    /// Returns the files that should have been measured, but were not.
    pub fn unmeasured(&self) -> impl Iterator<Item = &PatchFile<'a>> {
        self.files
            .iter()
            .filter(|file| matches!(file.state, FileState::Unmeasured { is_expected: true, .. }))
    }

    /// Returns whether a file should have been measured, but was not, or not on this source.
    fn needs_attention(&self, file: &PatchFile<'_>) -> bool {
        matches!(
            file.state,
            FileState::Unmeasured { is_expected: true, .. } | FileState::OtherVersion { .. }
        )
    }

    /// Returns the files that were measured on another version of their source.
    pub fn of_other_versions(&self) -> impl Iterator<Item = &PatchFile<'a>> {
        self.files.iter().filter(|file| matches!(file.state, FileState::OtherVersion { .. }))
    }
}

impl<'a> PatchFile<'a> {
    /// Returns the change.
    pub fn change(&self) -> &'a FileChange {
        self.change
    }

    /// Returns what can be said of the file.
    pub fn state(&self) -> &FileState<'a> {
        &self.state
    }

    /// Returns the name of the file in the new version, or in the old one if the file is gone.
    pub fn name(&self) -> String {
        let path = self.change.new_path().or_else(|| self.change.old_path());
        path.unwrap_or(Path::new("")).to_string_lossy().into_owned()
    }

    /// Returns the counts of the changed statements and branches, if they count.
    pub fn numbers(&self) -> Option<Numbers> {
        match &self.state {
            FileState::Measured { patch, .. }
            | FileState::Unmeasured { patch, is_expected: true, .. } => Some(patch.numbers()),
            _ => None,
        }
    }

    fn has_no_statements(&self) -> bool {
        matches!(self.state, FileState::NoStatements)
    }

    /// Returns the whole file and its changed lines, if they count.
    fn counted(&self) -> Option<(&'a FileSummary, &FilePatch)> {
        match &self.state {
            FileState::Measured { file, patch }
            | FileState::Unmeasured { file, patch, is_expected: true } => Some((file, patch)),
            _ => None,
        }
    }

    /// Returns what a reader must know of a file of which there are no counts.
    fn remark(&self) -> Option<String> {
        match &self.state {
            FileState::Measured { .. } => None,
            FileState::Unmeasured { is_expected: true, .. } => Some(
                "not measured, though the files beside it or its source folder were".to_owned(),
            ),
            FileState::Unmeasured { .. } => Some("not measured".to_owned()),
            FileState::OtherVersion { lines, .. } => {
                let named: Vec<String> = lines.iter().take(3).map(ToString::to_string).collect();
                let more = if lines.len() > 3 { ", ..." } else { "" };
                Some(format!(
                    "these data were not measured on this source: lines {}{more} ran, and are no statements of it",
                    named.join(", ")
                ))
            }
            FileState::NoStatements => Some(
                match self.change.kind() {
                    ChangeKind::Deleted => "deleted",
                    _ => "no statement changed",
                }
                .to_owned(),
            ),
            FileState::LeftOut => Some("left out by the settings".to_owned()),
        }
    }
}

/// How a patch is written.
#[derive(Debug, Clone, Default)]
pub struct Options {
    base: Option<Base>,
    precision: Precision,
}

impl Options {
    /// Creates the defaults: percentages without decimals, and no name of what the diff is from.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what the diff is from: the name of a branch, a tag or a commit, and the commit where the changed branch
    /// left it.
    #[must_use]
    pub fn base(mut self, name: impl Into<String>, merge_base: impl Into<String>) -> Self {
        self.base = Some(Base { name: name.into(), commit: merge_base.into() });
        self
    }

    /// Sets the number of decimals of percentages.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Returns the percentage of counts, as text.
    fn percent(&self, numbers: Numbers) -> String {
        format!("{}%", display_covered(numbers.percent_covered(), self.precision))
    }
}

/// What a diff is from.
#[derive(Debug, Clone)]
struct Base {
    name: String,
    commit: String,
}

/// Returns the counts in words: `3 of 4 statements and 1 of 2 branches`.
fn counts(numbers: Numbers) -> String {
    let (ran, statements) = numbers.ratio_statements();
    let (taken, branches) = numbers.ratio_branches();
    let of_statements =
        format!("{ran} of {statements} statement{}", if statements == 1 { "" } else { "s" });
    match branches {
        0 => of_statements,
        1 => format!("{of_statements} and {taken} of 1 branch"),
        branches => format!("{of_statements} and {taken} of {branches} branches"),
    }
}
