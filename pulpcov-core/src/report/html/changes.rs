//! The changes of a branch, as the report shows them.

use std::collections::HashMap;

use crate::Result;
use crate::report::findings::{Finding, FindingKind};
use crate::report::patch::{self, Patch, PatchFile};
use crate::results::Numbers;
use crate::text::printable;

/// The changes of a branch, for [`Options::changes`](super::Options::changes): which lines changed, and what is not covered
/// of them.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::changes::Diff;
/// use pulpcov_core::report::{html, patch};
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
/// let patch = patch::Patch::new(&diff, Some(&summary), path, |_| true)?;
/// let changes = html::Changes::new(&patch, &patch::Options::new())?;
///
/// let mut page = Vec::new();
/// html::write_single_file(&summary, &html::Options::new().changes(changes), &mut page)?;
/// assert!(String::from_utf8_lossy(&page).contains("Changes: 50% covered: 1 of 2 statements"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Changes {
    /// A sentence with the total.
    pub(super) sentence: String,
    pub(super) has_branches: bool,
    files: Vec<ChangedFile>,
    /// The files that were measured or should have been, by their names in the report.
    by_name: HashMap<String, usize>,
}

/// A changed file.
#[derive(Debug, Clone)]
pub(super) struct ChangedFile {
    /// The name in the repository, safe to display.
    pub(super) shown: String,
    /// The name in the report, if the report can have the file.
    pub(super) name: Option<String>,
    /// The changed lines.
    pub(super) lines: Vec<i32>,
    /// What changed was covered, if that is known.
    pub(super) numbers: Option<Numbers>,
    pub(super) percent: String,
    pub(super) gaps: Vec<Gap>,
    pub(super) remark: Option<String>,
}

/// Changed lines that are not covered, for one reason.
#[derive(Debug, Clone)]
pub(super) struct Gap {
    pub(super) first: i32,
    pub(super) last: i32,
    /// Which branch was not taken. Empty for lines that did not run.
    pub(super) message: String,
}

impl Changes {
    /// Takes what the report shows from a patch. `options` says what the changes are from, and the precision of percentages.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`](crate::ErrorKind::NoData) unless the summary of the patch keeps
    /// [everything](crate::summarize::Detail::Everything).
    pub fn new(patch: &Patch<'_>, options: &patch::Options) -> Result<Self> {
        let shown = patch.files().iter().filter(|file| is_shown(file));
        let files: Vec<ChangedFile> =
            shown.map(|file| ChangedFile::new(file, options)).collect::<Result<_>>()?;
        let named = files.iter().enumerate();
        let by_name = named.filter_map(|(at, file)| Some((file.name.clone()?, at))).collect();
        Ok(Self {
            sentence: patch.sentence(options),
            has_branches: patch.totals().branches > 0,
            files,
            by_name,
        })
    }

    /// Returns the changed files, in the order of the patch.
    pub(super) fn files(&self) -> &[ChangedFile] {
        &self.files
    }

    /// Returns the file that has this name in the report.
    pub(super) fn file(&self, name: &str) -> Option<&ChangedFile> {
        self.files.get(*self.by_name.get(name)?)
    }
}

/// Returns whether a reader asks about a file: not if it was deleted, was only renamed, or has no statements.
fn is_shown(file: &PatchFile<'_>) -> bool {
    match file.patch() {
        Some((_, patch)) => !patch.lines().is_empty(),
        None => !file.has_no_statements(),
    }
}

impl ChangedFile {
    fn new(file: &PatchFile<'_>, options: &patch::Options) -> Result<Self> {
        let numbers = file.numbers();
        let (name, lines) = match file.patch() {
            Some((whole, patch)) => (
                Some(whole.name().to_owned()),
                patch.lines().iter().map(|&(line, _)| line).collect(),
            ),
            None => (None, Vec::new()),
        };
        Ok(Self {
            shown: printable(&file.name()).into_owned(),
            name,
            lines,
            numbers,
            percent: numbers.map(|numbers| options.percent(numbers)).unwrap_or_default(),
            gaps: file.findings()?.into_iter().map(Gap::from).collect(),
            remark: file.remark(),
        })
    }

    /// Returns whether a line changed.
    pub(super) fn has(&self, line: i32) -> bool {
        self.lines.binary_search(&line).is_ok()
    }
}

impl From<Finding> for Gap {
    fn from(finding: Finding) -> Self {
        let message = match finding.kind {
            FindingKind::Missing => String::new(),
            FindingKind::Partial => finding.message,
        };
        Self { first: *finding.lines.start(), last: *finding.lines.end(), message }
    }
}

impl Gap {
    /// Returns the lines as the end of an address: `12` or `12-15`.
    pub(super) fn lines(&self) -> String {
        match self.first == self.last {
            true => self.first.to_string(),
            false => format!("{}-{}", self.first, self.last),
        }
    }
}
