//! Patch coverage: whether the lines that a diff changes were run.
//!
//! A [`Patch`] is made from a [`Diff`] and a [`Summary`] of the new version. The formats are those that people
//! read ([`write_text`], [`write_markdown`]), programs ([`write_json`]), and the CI of GitHub and GitLab
//! ([`write_github`], [`write_gitlab`]).
//!
//! - `text`, `markdown`, `json`, `github`, `gitlab`: the formats.

mod github;
mod gitlab;
mod json;
pub(in crate::report) mod markdown;
mod text;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;

pub use github::write_github;
pub use gitlab::write_gitlab;
pub use json::write_json;
pub use markdown::write_markdown;
pub use text::write_text;

use rayon::prelude::*;

use super::figures::{covered, covered_below, percent};
use super::findings::{FileFindings, Finding, excluded_ranges, of_changes};
use crate::changes::{
    ChangeKind, Diff, FileChange, FilePatch, RanBefore, lines_of_another_version,
};
use crate::python::Facts;
use crate::results::{Analysis, Floor, Numbers, Precision};
use crate::summarize::{FileSummary, Summary, Warning};
use crate::text::plural;
use crate::{FilePath, Result};

/// How many lines a remark names.
const LINES_NAMED: usize = 3;

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
/// let patch = Patch::new(&diff, Some(&summary), path, |_| true)?;
/// assert_eq!(patch.totals().ratio_covered(), (1, 2));
/// let mut out = Vec::new();
/// write_text(&patch, &Options::new(), &mut out)?;
/// assert!(String::from_utf8_lossy(&out).starts_with("a.py: 50% covered: 1 of 2 statements\n    3 !     x = 3\n"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Patch<'a> {
    summary: Option<&'a Summary<'a>>,
    files: Vec<PatchFile<'a>>,
    /// Whether only what ran before counts.
    is_of_new_misses: bool,
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
    /// No statement was added or changed: the file was deleted, is not Python, or was not measured and only its comments
    /// changed.
    NoStatements,
    /// The file has no source, its source is not Python, or the diff does not show its lines.
    NoSource,
    /// The settings leave the file out.
    LeftOut,
}

impl<'a> Patch<'a> {
    /// Compares the changes with what ran.
    ///
    /// `summary` is of the new version, and `None` if there is no file to summarize. `path_of` converts the path of a
    /// changed file to the path that the summary was [asked](crate::summarize::Summarizer::files) for, or to its path
    /// in the data; `None` stands for a file that nobody asks about, as one that is not Python. `is_expected` returns
    /// whether a file that was not measured should have been.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) unless the summary keeps
    ///   [everything](crate::summarize::Detail::Everything);
    /// - [`ErrorKind::NoSource`](crate::ErrorKind::NoSource) if a source can no longer be read.
    pub fn new(
        diff: &'a Diff,
        summary: Option<&'a Summary<'a>>,
        path_of: impl Fn(&Path) -> Option<FilePath> + Sync,
        is_expected: impl Fn(&FileSummary) -> bool + Sync,
    ) -> Result<Self> {
        Self::with(diff, summary, path_of, is_expected, FilePatch::new, false)
    }

    /// Compares what ran before with what runs now. `before` returns what ran of the old version of a file. Only that
    /// counts, in all files of the diff. [`Diff::add_unchanged_file`] adds those that did not change.
    ///
    /// The other arguments are those of [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// The same as [`new`](Self::new).
    pub fn of_new_misses(
        diff: &'a Diff,
        summary: Option<&'a Summary<'a>>,
        path_of: impl Fn(&Path) -> Option<FilePath> + Sync,
        before: impl Fn(&FileChange) -> RanBefore + Sync,
    ) -> Result<Self> {
        let compare = |change: &FileChange, facts: &Facts, analysis: &Analysis| {
            FilePatch::of_new_misses(&before(change), change, facts, analysis)
        };
        Self::with(diff, summary, path_of, |_| true, compare, true)
    }

    fn with(
        diff: &'a Diff,
        summary: Option<&'a Summary<'a>>,
        path_of: impl Fn(&Path) -> Option<FilePath> + Sync,
        is_expected: impl Fn(&FileSummary) -> bool + Sync,
        compare: impl Fn(&FileChange, &Facts, &Analysis) -> FilePatch + Sync,
        is_of_new_misses: bool,
    ) -> Result<Self> {
        let files = summary.map(by_path).unwrap_or_default();
        let state = |change: &'a FileChange| -> Result<FileState<'a>> {
            let path = change.new_path().filter(|_| !change.is_link() && !change.is_submodule());
            let Some(path) = path.and_then(&path_of) else { return Ok(FileState::NoStatements) };
            match (summary, files.get(&path)) {
                // A diff that does not show the lines of a Python file says nothing about it.
                _ if change.is_binary() => Ok(FileState::NoSource),
                (Some(summary), Some(file)) => {
                    FileState::new(change, file, summary, &is_expected, &compare)
                }
                (Some(summary), None) if has_no_source(summary, &path) => Ok(FileState::NoSource),
                (_, None) | (None, _) => Ok(FileState::LeftOut),
            }
        };
        let files = diff
            .files()
            .par_iter()
            .map(|change| Ok(PatchFile { change, state: state(change)? }))
            .collect::<Vec<Result<_>>>()
            // Of several errors, the first counts.
            .into_iter()
            .collect::<Result<_>>()?;
        Ok(Self { summary, files, is_of_new_misses })
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
        self.files.iter().filter(|file| file.is_missing_from_data())
    }

    /// Returns the files of which nothing is known, because there is no source, or the diff does not show their lines.
    pub fn without_source(&self) -> impl Iterator<Item = &PatchFile<'a>> {
        self.files.iter().filter(|file| matches!(file.state, FileState::NoSource))
    }

    /// Returns the files that were measured on another version of their source.
    pub fn of_other_versions(&self) -> impl Iterator<Item = &PatchFile<'a>> {
        self.files.iter().filter(|file| file.is_of_other_version())
    }

    /// Returns whether a report for people has the file. A report of new misses has only files with some.
    fn shows(&self, file: &PatchFile<'_>) -> bool {
        let is_missing = |numbers: Numbers| numbers.missing + numbers.missing_branches > 0;
        match self.is_of_new_misses {
            true => file.numbers().is_some_and(is_missing) || file.is_of_other_version(),
            false => !file.has_no_statements(),
        }
    }

    /// Returns what needs attention in each file.
    fn findings(&self) -> Result<Vec<FileFindings<'a>>> {
        let of_file = |file: &PatchFile<'a>| {
            let name = file.name();
            Ok(match (file.state(), self.summary) {
                (FileState::Measured { file: whole, .. }, Some(summary)) => {
                    FileFindings::new(name, file.findings()?, summary, whole)
                }
                _ => FileFindings::none(name),
            })
        };
        let findings: Vec<Result<_>> = self.files.par_iter().map(of_file).collect();
        findings.into_iter().collect()
    }

    /// Returns a sentence with the total and what the changes are from.
    #[cfg(feature = "html")]
    pub(super) fn sentence(&self, options: &Options) -> String {
        let since = match &options.base {
            Some(base) => format!(" since {}", crate::text::printable(&base.name)),
            None => String::new(),
        };
        format!("Changes{since}: {}", self.total(options))
    }

    /// Returns the total in words, for the end of a report.
    pub(super) fn total(&self, options: &Options) -> String {
        let totals = self.totals();
        let others = self.of_other_versions().count();
        let covered = match (others, totals.statements) {
            (0, 0) if self.is_of_new_misses => "nothing of it ran before".to_owned(),
            (0, 0) => "no statement that was measured changed".to_owned(),
            (0, _) => options.total(totals),
            (others, _) => return format!("{} changed after measuring", plural(others, "file")),
        };
        // A comment in the change may exclude its lines, so a reader has to see that.
        match totals.excluded {
            _ if self.is_of_new_misses => covered,
            0 => covered,
            1 => format!("{covered}; 1 changed line is excluded"),
            count => format!("{covered}; {count} changed lines are excluded"),
        }
    }
}

impl<'a> FileState<'a> {
    fn new(
        change: &FileChange,
        file: &'a FileSummary,
        summary: &'a Summary<'a>,
        is_expected: impl Fn(&FileSummary) -> bool,
        compare: impl Fn(&FileChange, &Facts, &Analysis) -> FilePatch,
    ) -> Result<Self> {
        let source = summary.source_bytes(file)?;
        // Other tools count lines as a diff does.
        let change = match summary.is_only_of_other_tools(file) {
            true => Cow::Borrowed(change),
            false => change.with_python_lines(&source),
        };
        let patch = compare(&change, file.facts()?, file.analysis()?);
        if !summary.is_measured(file) {
            return Ok(match patch.statements().is_empty() {
                true => Self::NoStatements,
                false => Self::Unmeasured { file, patch, is_expected: is_expected(file) },
            });
        }
        let lines = match file.is_python() {
            true => lines_of_another_version(file.facts()?, summary.lines_that_ran(file)),
            false => Vec::new(),
        };
        Ok(match lines.is_empty() {
            true => Self::Measured { file, patch },
            false => Self::OtherVersion { file, lines },
        })
    }
}

/// Returns the files of a summary by the paths that it was asked for, and by their paths in the data.
fn by_path<'a>(summary: &'a Summary<'_>) -> HashMap<&'a FilePath, &'a FileSummary> {
    let recorded = summary.all_files().map(|file| (file.recorded_path(), file));
    let requested = summary.all_files().map(|file| (file.requested_path(), file));
    recorded.chain(requested).collect()
}

/// Returns whether the summary has no source of the file that it was asked for.
fn has_no_source(summary: &Summary<'_>, path: &FilePath) -> bool {
    summary.warnings().iter().any(|warning| match warning {
        Warning::LeftOut { error, .. } => {
            error.path().is_some_and(|source| source.ends_with(path.as_str()))
        }
        _ => false,
    })
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

    /// Returns the name of the file in the new version, or in the old one if the file is gone. Bytes that are not
    /// UTF-8 are replaced.
    pub fn name(&self) -> String {
        let path = self.change.new_path().or_else(|| self.change.old_path());
        path.unwrap_or(Path::new("")).to_string_lossy().into_owned()
    }

    /// Returns the counts of the changed statements and branches. `None` if the file was not measured and need not
    /// have been, or if nothing can be said of it.
    pub fn numbers(&self) -> Option<Numbers> {
        self.counted().map(|(_, patch)| patch.numbers())
    }

    /// Returns what needs attention in the changed lines. A file that was not measured has no findings: none of its lines
    /// ran.
    pub(super) fn findings(&self) -> Result<Vec<Finding>> {
        match &self.state {
            FileState::Measured { file, patch } => of_changes(file, patch),
            _ => Ok(Vec::new()),
        }
    }

    /// Returns the changed lines that are excluded, as ranges.
    fn excluded(&self) -> Vec<RangeInclusive<i32>> {
        self.counted().map(|(_, patch)| excluded_ranges(patch.lines())).unwrap_or_default()
    }

    /// Returns the whole file and its changed lines, if something is known of single lines.
    #[cfg(feature = "html")]
    pub(super) fn patch(&self) -> Option<(&'a FileSummary, &FilePatch)> {
        match &self.state {
            FileState::Measured { file, patch } | FileState::Unmeasured { file, patch, .. } => {
                Some((file, patch))
            }
            _ => None,
        }
    }

    /// Returns the whole file and its changed lines. `None` for the same files as for [`numbers`](Self::numbers).
    fn counted(&self) -> Option<(&'a FileSummary, &FilePatch)> {
        match &self.state {
            FileState::Measured { file, patch }
            | FileState::Unmeasured { file, patch, is_expected: true } => Some((file, patch)),
            _ => None,
        }
    }

    pub(super) fn has_no_statements(&self) -> bool {
        matches!(self.state, FileState::NoStatements)
    }

    /// Returns whether the file should have been measured, but was not.
    fn is_missing_from_data(&self) -> bool {
        matches!(self.state, FileState::Unmeasured { is_expected: true, .. })
    }

    fn is_of_other_version(&self) -> bool {
        matches!(self.state, FileState::OtherVersion { .. })
    }

    /// Returns what a reader must know of the file, besides its counts.
    pub(super) fn remark(&self) -> Option<String> {
        let remark = match &self.state {
            FileState::Measured { .. } => return None,
            FileState::NoStatements => match self.change.kind() {
                ChangeKind::Deleted => "deleted",
                _ => "no statement changed",
            },
            FileState::Unmeasured { is_expected: true, .. } => {
                "not measured, though other files of its folder were"
            }
            FileState::Unmeasured { .. } => "not measured",
            FileState::NoSource => {
                "its source is missing, or is not Python, or the diff does not show it"
            }
            FileState::LeftOut => "left out by the settings",
            FileState::OtherVersion { lines, .. } => return Some(changed_since(lines)),
        };
        Some(remark.to_owned())
    }
}

/// Says that a file changed after it was measured, and names lines that show it.
fn changed_since(lines: &[i32]) -> String {
    let named: Vec<String> = lines.iter().take(LINES_NAMED).map(ToString::to_string).collect();
    let more = if lines.len() > LINES_NAMED { ", ..." } else { "" };
    match lines.len() {
        1 => format!(
            "changed after it was measured: line {} ran, but has no code now",
            named.join("")
        ),
        _ => format!(
            "changed after it was measured: lines {}{more} ran, but have no code now",
            named.join(", ")
        ),
    }
}

/// How a patch is written.
#[derive(Debug, Clone, Default)]
pub struct Options {
    base: Option<Base>,
    precision: Precision,
    floor: Option<Floor>,
    max_bytes: Option<usize>,
    failures: Vec<String>,
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

    /// Sets the percentage that is asked of the changes. If less is covered, the total has as many digits as it takes to show that.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::report::patch::Options;
    ///
    /// let options = Options::new().floor("85".parse()?);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn floor(mut self, floor: Floor) -> Self {
        self.floor = Some(floor);
        self
    }

    /// Sets the most bytes that [`write_markdown`] may write. Files of which little is missing are left out until the
    /// rest fits. A file with too many gaps to list has their number. GitHub takes comments of 65,536 characters, and
    /// summaries of steps of 1,048,576 bytes.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Adds the reason why the change fails. [`write_github`] makes an error of it.
    #[must_use]
    pub fn failure(mut self, reason: impl Into<String>) -> Self {
        self.failures.push(reason.into());
        self
    }

    /// Returns the percentage of counts, as text.
    pub(super) fn percent(&self, numbers: Numbers) -> String {
        percent(numbers, self.precision)
    }

    /// Returns the percentage and the counts in words: `75% covered: 3 of 4 statements`.
    fn covered(&self, numbers: Numbers) -> String {
        covered(numbers, self.precision)
    }

    /// Returns what [`covered`](Self::covered) does, of the total. If it is below the floor, it is not shown as the floor.
    fn total(&self, numbers: Numbers) -> String {
        match self.floor {
            Some(floor) => covered_below(numbers, floor, self.precision),
            None => covered(numbers, self.precision),
        }
    }
}

/// What a diff is from.
#[derive(Debug, Clone)]
struct Base {
    name: String,
    commit: String,
}
