//! What a report is made of.

use std::path::{Path, PathBuf};

use crate::data::ContextSelection;
use crate::paths::WorkingDir;
use crate::python::{Facts, PythonSource, PythonVersion};
use crate::results::{Analysis, Numbers};
use crate::{Authors, CoverageData, Error, ErrorKind, FilePath, Result};

use super::sources::Sources;
use super::summarizer::read_source;
use super::warning::Warning;

/// Files, what ran of each, and totals: made by a [`Summarizer`](super::Summarizer).
///
/// Source text is not kept: a report that shows it reads it again.
pub struct Summary<'a> {
    pub(super) data: &'a CoverageData,
    pub(super) sources: &'a dyn Sources,
    pub(super) selection: Option<ContextSelection>,
    pub(super) folder: Option<WorkingDir>,
    pub(super) relative_files: bool,
    pub(super) version: PythonVersion,
    pub(super) files: Vec<FileSummary>,
    pub(super) totals: Numbers,
    pub(super) warnings: Vec<Warning>,
}

/// One file of a [`Summary`].
#[derive(Debug)]
pub struct FileSummary {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) recorded: FilePath,
    pub(super) authors: Authors,
    pub(super) is_python: bool,
    pub(super) numbers: Numbers,
    pub(super) facts: Option<Box<Facts>>,
    pub(super) analysis: Option<Box<Analysis>>,
}

/// How much a [`Summary`] keeps of each file. The less, the less memory and time it takes. Each of these keeps what those
/// before it keep.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detail {
    /// Names and numbers, which are all that a table without missing lines shows.
    Numbers,
    /// What ran and what did not, for tables with missing lines, XML and annotated sources.
    Lines,
    /// Everything, for any report: functions and classes too, and why arcs are not taken.
    #[default]
    Everything,
}

impl FileSummary {
    /// The name that a report prints: relative to the folder, if the file is in it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the source is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the data calls the file.
    pub fn recorded_path(&self) -> &FilePath {
        &self.recorded
    }

    /// Whose data files name it.
    pub fn authors(&self) -> &Authors {
        &self.authors
    }

    /// Whether this is Python, and not a file of which only the lines are known that ran.
    pub fn is_python(&self) -> bool {
        self.is_python
    }

    /// What could have run.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`] unless [everything](Detail::Everything) was kept.
    pub fn facts(&self) -> Result<&Facts> {
        self.facts.as_deref().ok_or_else(|| self.not_kept("facts"))
    }

    /// What did.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`] if [numbers](Detail::Numbers) alone were kept.
    pub fn analysis(&self) -> Result<&Analysis> {
        self.analysis.as_deref().ok_or_else(|| self.not_kept("lines"))
    }

    fn not_kept(&self, what: &str) -> Error {
        Error::new(ErrorKind::NoData, format!("the summary does not keep its {what}"))
            .with_path(&self.path)
    }

    /// The counts.
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }
}

impl Summary<'_> {
    /// The files in the order of their paths.
    pub fn files(&self) -> &[FileSummary] {
        &self.files
    }

    /// The sum of all files' counts.
    pub fn totals(&self) -> Numbers {
        self.totals
    }

    /// Whether branches were measured.
    pub fn has_arcs(&self) -> bool {
        self.data.has_arcs()
    }

    /// What is odd, in the order of the files.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The Python version that was decided for.
    pub fn python_version(&self) -> PythonVersion {
        self.version
    }

    /// The source of a file, read once more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoSource`] if it is gone meanwhile, [`ErrorKind::Withheld`] if it may not be shown any more.
    pub fn source(&self, file: &FileSummary) -> Result<PythonSource> {
        let bytes = read_source(self.sources, &file.path, &file.authors)?;
        if file.is_python { PythonSource::decode(bytes) } else { Ok(PythonSource::plain(&bytes)) }
    }

    /// For each line of a file that ran, the contexts that ran it, sorted by name.
    ///
    /// The order of the lines is coverage.py's: those that the first context ran come first, and
    /// contexts are as old as the data file says.
    pub fn contexts_by_line(&self, file: &FileSummary) -> Vec<(u32, Vec<&str>)> {
        self.data.contexts_by_line_recorded(&file.recorded, self.selection.as_ref())
    }

    /// The contexts that ran a file, each with the lines that it ran.
    pub(crate) fn lines_by_context(
        &self,
        file: &FileSummary,
    ) -> Vec<(&str, std::borrow::Cow<'_, crate::Numbits>)> {
        self.data.lines_by_context(&file.recorded, self.selection.as_ref())
    }

    /// The names of the contexts that the data knows.
    pub(crate) fn contexts(&self) -> Vec<&str> {
        self.data.contexts()
    }

    /// The folder that the names are relative to; none if they are those of the data.
    pub fn folder(&self) -> Option<&WorkingDir> {
        self.folder.as_ref()
    }

    /// Whether paths were recorded relative to the folder.
    pub fn relative_files(&self) -> bool {
        self.relative_files
    }
}

impl std::fmt::Debug for Summary<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { files, totals, warnings, version, .. } = self;
        f.debug_struct("Summary")
            .field("files", files)
            .field("totals", totals)
            .field("warnings", warnings)
            .field("version", version)
            .finish_non_exhaustive()
    }
}
