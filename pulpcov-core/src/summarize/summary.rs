//! The content of a report.

use std::path::{Path, PathBuf};

use crate::data::ContextSelection;
use crate::paths::WorkingFolder;
use crate::python::{Facts, PythonSource, PythonVersion};
use crate::results::{Analysis, Numbers};
use crate::{Authors, CoverageData, Error, ErrorKind, FilePath, Result, foreign};

use super::sources::{Sources, read_source};
use super::warning::Warning;

/// The files of a report, what ran of each, and the totals. A [`Summarizer`](super::Summarizer)
/// makes it.
///
/// A summary does not keep the text of sources. Reports that show it read the sources again.
pub struct Summary<'a> {
    pub(super) data: &'a CoverageData,
    pub(super) sources: &'a dyn Sources,
    pub(super) selection: Option<ContextSelection>,
    pub(super) folder: Option<WorkingFolder>,
    pub(super) relative_files: bool,
    pub(super) version: PythonVersion,
    pub(super) files: Vec<FileSummary>,
    pub(super) others: Vec<OtherFile>,
    pub(super) totals: Numbers,
    pub(super) warnings: Vec<Warning>,
}

/// One file of a [`Summary`].
#[derive(Debug)]
pub struct FileSummary {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) requested: FilePath,
    pub(super) recorded: FilePath,
    pub(super) authors: Authors,
    pub(super) is_python: bool,
    pub(super) numbers: Numbers,
    pub(super) facts: Option<Box<Facts>>,
    pub(super) analysis: Option<Box<Analysis>>,
}

/// A file that only other tools measured, as a [`Summary`] shows it beside those of the data.
#[derive(Debug)]
pub struct OtherFile {
    pub(super) language: &'static str,
    pub(super) counts: foreign::File,
    pub(super) file: FileSummary,
}

impl OtherFile {
    /// Returns the [language](foreign::language) of the file.
    pub fn language(&self) -> &'static str {
        self.language
    }

    /// Returns what the other tools counted.
    pub fn counts(&self) -> &foreign::File {
        &self.counts
    }

    /// Returns the lines and branches as those of a file of the data. It has no arcs, and no functions or classes.
    pub fn summary(&self) -> &FileSummary {
        &self.file
    }
}

/// How much a [`Summary`] keeps of each file. Keeping less takes less memory and time.
///
/// Each variant also keeps everything that the variants before it keep.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detail {
    /// Names and numbers: enough for a table without missing lines.
    Numbers,
    /// Which lines and branches ran: enough for tables with missing lines, XML, and annotated
    /// sources.
    Lines,
    /// Everything, for any report. This adds functions and classes, and why arcs were not taken.
    #[default]
    Everything,
}

impl FileSummary {
    /// Returns the name in reports: relative to the folder if the file is inside it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path of the source.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path that the summary was asked for: the path in the data, or one of the
    /// [files](super::Summarizer::files) that the caller named.
    pub fn requested_path(&self) -> &FilePath {
        &self.requested
    }

    /// Returns the path in the data.
    pub fn recorded_path(&self) -> &FilePath {
        &self.recorded
    }

    /// Returns whose data files name the file.
    pub fn authors(&self) -> &Authors {
        &self.authors
    }

    /// Returns whether the file is Python. Otherwise a plugin traced it.
    pub fn is_python(&self) -> bool {
        self.is_python
    }

    /// Returns the facts about the source: what could have run.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`] unless the summary keeps [everything](Detail::Everything).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// assert_eq!(summary.files()[0].facts()?.statements(), [1, 2]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn facts(&self) -> Result<&Facts> {
        self.facts.as_deref().ok_or_else(|| self.not_kept("facts"))
    }

    /// Returns the analysis of the file: what ran.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`] if the summary only keeps [numbers](Detail::Numbers).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// assert_eq!(summary.files()[0].analysis()?.missing(), [2]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn analysis(&self) -> Result<&Analysis> {
        self.analysis.as_deref().ok_or_else(|| self.not_kept("lines"))
    }

    fn not_kept(&self, what: &str) -> Error {
        Error::new(ErrorKind::NoData, format!("the summary does not keep its {what}"))
            .with_path(&self.path)
    }

    /// Returns the counts of the file.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// assert_eq!(summary.files()[0].numbers().ratio_statements(), (1, 2));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }
}

impl Summary<'_> {
    /// Returns the files, in the order of their paths.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// for path in ["web.py", "app.py"] {
    ///     data.add_lines(path, "", &Numbits::from_iter([1]))?;
    /// }
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// let names: Vec<_> = summary.files().iter().map(|file| file.name()).collect();
    /// assert_eq!(names, ["app.py", "web.py"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn files(&self) -> &[FileSummary] {
        &self.files
    }

    /// Returns the files that only other tools [measured](super::Summarizer::with), in the order of their languages and names.
    ///
    /// They are neither among [`files`](Self::files) nor in [`totals`](Self::totals).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::foreign::lcov;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app.py", "", &Numbits::from_iter([1]))?;
    /// let sources = |path: &Path| Ok(Some(if path == "app.py" { &b"x = 1\n"[..] } else { b"f();\ng();\n" }.to_vec()));
    /// let report = lcov::read(&b"SF:src/speed.c\nDA:1,5\nDA:2,0\nend_of_record\n"[..])?;
    /// let summary = Summarizer::new(&data, &sources).with(&report).run()?;
    /// let [speed] = summary.other_files() else { panic!() };
    /// assert_eq!((speed.language(), speed.summary().name()), ("C", "src/speed.c"));
    /// assert_eq!(speed.summary().numbers().ratio_covered(), (1, 2));
    /// assert_eq!(summary.totals().ratio_covered(), (1, 1));
    /// assert_eq!(summary.totals_of_all().ratio_covered(), (2, 3));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn other_files(&self) -> &[OtherFile] {
        &self.others
    }

    /// Returns [`other_files`](Self::other_files) by language, with the sum of the counts of each language.
    pub fn other_languages(&self) -> impl Iterator<Item = (&'static str, &[OtherFile], Numbers)> {
        self.others.chunk_by(|a, b| a.language == b.language).filter_map(|files| {
            let totals = files.iter().map(|other| other.file.numbers).sum();
            Some((files.first()?.language, files, totals))
        })
    }

    /// Returns the sum of the counts of all files, those that only other tools measured too.
    pub fn totals_of_all(&self) -> Numbers {
        self.others.iter().map(|other| other.file.numbers).sum::<Numbers>() + self.totals
    }

    /// Returns the total that a report begins with: that of the data, or that of all languages if it is asked for, or if no file of
    /// the data is in the report. Nothing of the data would be 100 % covered.
    pub fn headline(&self, is_of_all: bool) -> Numbers {
        match is_of_all || self.files.is_empty() {
            true => self.totals_of_all(),
            false => self.totals,
        }
    }

    /// Returns all files: those of the data, then those that only other tools measured.
    pub fn all_files(&self) -> impl Iterator<Item = &FileSummary> {
        self.files.iter().chain(self.others.iter().map(OtherFile::summary))
    }

    /// Returns whether the data names the file, or other tools measured it. A summary may have been asked for files that nobody
    /// measured.
    pub fn is_measured(&self, file: &FileSummary) -> bool {
        self.data.file(&file.recorded).is_some() || self.is_only_of_other_tools(file)
    }

    /// Returns whether only other tools measured the file.
    pub(crate) fn is_only_of_other_tools(&self, file: &FileSummary) -> bool {
        // Searching comes last, because most files are Python.
        !file.is_python && self.others.iter().any(|other| std::ptr::eq(&other.file, file))
    }

    /// Returns the lines of the file that ran, in any context, as the data has them.
    pub fn lines_that_ran(&self, file: &FileSummary) -> Vec<i32> {
        self.data.lines(&file.recorded).map(|lines| lines.iter().collect()).unwrap_or_default()
    }

    /// Returns the sum of the counts of all files.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// data.add_lines("app.py", "", &Numbits::from_iter([1]))?;
    /// data.add_lines("web.py", "", &Numbits::from_iter([1, 2]))?;
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// assert_eq!(summary.totals().percent_covered(), 75.0);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn totals(&self) -> Numbers {
        self.totals
    }

    /// Returns whether branches were measured.
    pub fn has_arcs(&self) -> bool {
        self.data.has_arcs()
    }

    /// Returns the warnings.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1, 30]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// assert_eq!(summary.warnings()[0].slug(), "source-mismatch");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Returns the Python version that the facts are for.
    pub fn python_version(&self) -> PythonVersion {
        self.version
    }

    /// Reads the source of a file again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoSource`] if the source can no longer be read, or [`ErrorKind::Withheld`] if
    /// it may no longer be shown.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// assert_eq!(summary.source(&summary.files()[0])?.text(), "x = 1\ny = 2\n");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn source(&self, file: &FileSummary) -> Result<PythonSource> {
        let bytes = self.source_bytes(file)?;
        if file.is_python { PythonSource::decode(bytes) } else { Ok(PythonSource::plain(&bytes)) }
    }

    /// Reads the source of a file again, as it is.
    pub(crate) fn source_bytes(&self, file: &FileSummary) -> Result<Vec<u8>> {
        read_source(self.sources, &file.path, &file.authors)
    }

    /// Returns each line that ran with the contexts that ran it, sorted by name.
    ///
    /// The lines are in coverage.py's order: first the lines of the first context in the data file,
    /// then the other lines of the second, and so on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// data.add_lines("cart.py", "test_add", &Numbits::from_iter([1]))?;
    /// data.add_lines("cart.py", "test_sub", &Numbits::from_iter([1, 2]))?;
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// let by_line = summary.contexts_by_line(&summary.files()[0]);
    /// assert_eq!(by_line, [(1, vec!["test_add", "test_sub"]), (2, vec!["test_sub"])]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn contexts_by_line(&self, file: &FileSummary) -> Vec<(i32, Vec<&str>)> {
        self.data.contexts_by_line_recorded(&file.recorded, self.selection.as_ref())
    }

    /// Returns the contexts that ran a file, each with the lines that it ran, as the data has them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// data.add_lines("cart.py", "test_sub", &Numbits::from_iter([1, 2]))?;
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// let rows = summary.lines_by_context(&summary.files()[0]);
    /// assert_eq!((rows[0].0, rows[0].1.len()), ("test_sub", 2));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn lines_by_context(
        &self,
        file: &FileSummary,
    ) -> Vec<(&str, std::borrow::Cow<'_, crate::Numbits>)> {
        self.data.lines_by_context(&file.recorded, self.selection.as_ref())
    }

    /// Returns the names of all contexts in the data.
    pub(crate) fn contexts(&self) -> Vec<&str> {
        self.data.contexts()
    }

    /// Returns the folder that names are relative to, or `None` if they are the names in the data.
    pub fn folder(&self) -> Option<&WorkingFolder> {
        self.folder.as_ref()
    }

    /// Returns whether paths in the data are relative to the folder.
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
