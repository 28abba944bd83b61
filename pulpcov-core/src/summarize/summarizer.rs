//! Makes a summary: chooses files, analyzes them, and collects the results.

use std::collections::BTreeMap;
use std::fmt;

use super::facts_cache::FactsCache;
use super::file_choice::FileChoice;
use super::joined::Joined;
use super::naming::Candidate;
use super::outcome::{Outcome, Task, missing_sources};
use super::sources::Sources;
use super::summary::{Detail, FileSummary, Summary};
use super::traced::{PluginLines, Traced, TracedFile};
use super::version::{Pass, PythonChoice};
use super::warning::{Unmatched, Warning};
use super::worker::Worker;
use crate::data::ContextSelection;
use crate::foreign::Report;
use crate::paths::WorkingFolder;
use crate::pyre::Pattern;
use crate::python::{AnalyzeOptions, LinePatterns, PythonVersion};
use crate::results::Numbers;
use crate::text::py_repr;
use crate::{Authors, CoverageData, Error, ErrorKind, FilePath, Result};

/// Makes a [`Summary`] from data and sources.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("cart.py", "", &Numbits::from_iter([1, 2]))?;
/// let sources = |_: &Path| Ok(Some(b"import sys\nif sys.argv:\n    print(1)\n".to_vec()));
///
/// let summary = Summarizer::new(&data, &sources).run()?;
/// assert_eq!(summary.files()[0].name(), "cart.py");
/// assert_eq!(summary.files()[0].analysis()?.missing(), [3]);
/// assert_eq!(summary.totals().ratio_covered(), (2, 3));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub struct Summarizer<'a> {
    data: &'a CoverageData,
    sources: &'a dyn Sources,
    choice: FileChoice,
    contexts: Vec<String>,
    exclude: Option<LinePatterns>,
    partial: Option<LinePatterns>,
    python: PythonChoice,
    ignore_errors: bool,
    traced: Traced,
    detail: Detail,
    cache: Option<&'a FactsCache>,
    with: Option<&'a Report>,
    on_file: Box<dyn Fn(Progress) + Sync + 'a>,
}

/// The progress of a summary.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Progress {
    /// The number of files in the summary.
    pub files: usize,
}

impl fmt::Debug for Summarizer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summarizer")
            .field("files", &self.data.files().len())
            .field("python", &self.python)
            .finish_non_exhaustive()
    }
}

impl<'a> Summarizer<'a> {
    /// Creates a summarizer for all files of `data`, under their names in the data.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::summarize::Summarizer;
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// assert_eq!(summary.totals().percent_covered(), 100.0);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new(data: &'a CoverageData, sources: &'a dyn Sources) -> Self {
        Self {
            data,
            sources,
            choice: FileChoice::default(),
            contexts: Vec::new(),
            exclude: None,
            partial: None,
            python: PythonChoice::default(),
            ignore_errors: false,
            traced: Traced::default(),
            detail: Detail::default(),
            cache: None,
            with: None,
            on_file: Box::new(|_| ()),
        }
    }

    /// Sets the folder that names in the report are relative to. As in coverage.py, sources are
    /// then read by absolute paths.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::paths::WorkingFolder;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// data.add_lines("/nonexistent/shop/cart.py", "", &Numbits::from_iter([1]))?;
    /// let folder = WorkingFolder::new("/nonexistent/shop");
    /// let summary = Summarizer::new(&data, &sources).folder(folder).run()?;
    /// assert_eq!(summary.files()[0].name(), "cart.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn folder(mut self, folder: WorkingFolder) -> Self {
        self.choice.folder = Some(folder);
        self
    }

    /// Sets whether paths in the data are relative to the [`folder`](Self::folder): coverage.py's
    /// setting `relative_files`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::paths::WorkingFolder;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// let folder = WorkingFolder::new("/nonexistent/shop");
    /// let summarizer = Summarizer::new(&data, &sources).folder(folder);
    /// let summary = summarizer.relative_files(true).run()?;
    /// assert_eq!(summary.totals().executed(), 1);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn relative_files(mut self, relative: bool) -> Self {
        self.choice.relative_files = relative;
        self
    }

    /// Summarizes only these files. A file that is not in the data counts as not run.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::FilePath;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # for path in ["app/cart.py", "tests/cart.py"] {
    /// #     data.add_lines(path, "", &Numbits::from_iter([1]))?;
    /// # }
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let files = [FilePath::try_from("app/cart.py")?, FilePath::try_from("app/never_imported.py")?];
    /// let summary = Summarizer::new(&data, &sources).files(files).run()?;
    /// assert_eq!(summary.totals().ratio_covered(), (1, 2));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn files(mut self, files: impl IntoIterator<Item = FilePath>) -> Self {
        self.choice.files.extend(files);
        self
    }

    /// Summarizes only the measured files in these folders, and those of [`files`](Self::files).
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::FilePath;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # for path in ["app/cart.py", "tests/cart.py"] {
    /// #     data.add_lines(path, "", &Numbits::from_iter([1]))?;
    /// # }
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).folders([FilePath::try_from("app")?]).run()?;
    /// assert_eq!(summary.files().len(), 1);
    /// assert_eq!(summary.files()[0].name(), "app/cart.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn folders(mut self, folders: impl IntoIterator<Item = FilePath>) -> Self {
        self.choice.folders.extend(folders);
        self
    }

    /// Summarizes only files whose path matches one of these patterns. Without patterns, all files
    /// match.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # for path in ["app/cart.py", "tests/cart.py"] {
    /// #     data.add_lines(path, "", &Numbits::from_iter([1]))?;
    /// # }
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).include(["app/*"]).run()?;
    /// assert_eq!(summary.files().len(), 1);
    /// assert_eq!(summary.files()[0].name(), "app/cart.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn include<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.choice.include.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Leaves out files whose path matches one of these patterns.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # for path in ["app/cart.py", "tests/cart.py"] {
    /// #     data.add_lines(path, "", &Numbits::from_iter([1]))?;
    /// # }
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).omit(["*/tests/*", "tests/*"]).run()?;
    /// assert_eq!(summary.files().len(), 1);
    /// assert_eq!(summary.files()[0].name(), "app/cart.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn omit<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.choice.omit.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Counts only what ran in contexts that match one of these regular expressions. Without
    /// expressions, all contexts match.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// data.add_lines("cart.py", "setup", &Numbits::from_iter([1]))?;
    /// data.add_lines("cart.py", "test_total", &Numbits::from_iter([2]))?;
    /// let summary = Summarizer::new(&data, &sources).contexts(["^test_"]).run()?;
    /// assert_eq!(summary.files()[0].analysis()?.executed(), [2]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn contexts<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.contexts.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Sets the patterns for excluded lines, instead of coverage.py's defaults.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::python::LinePatterns;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\nassert_never(x)\n".to_vec()));
    /// let patterns = LinePatterns::new(&[r"assert_never\("])?;
    /// let summary = Summarizer::new(&data, &sources).exclude(patterns).run()?;
    /// assert_eq!(summary.totals().excluded, 1);
    /// assert_eq!(summary.totals().percent_covered(), 100.0);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn exclude(mut self, patterns: LinePatterns) -> Self {
        self.exclude = Some(patterns);
        self
    }

    /// Sets the patterns for lines whose branches need not all be taken, instead of coverage.py's
    /// defaults.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::CoverageData;
    /// # use pulpcov_core::python::LinePatterns;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # let mut data = CoverageData::new();
    /// data.add_arcs("cart.py", "", [(-1, 1), (1, 2), (2, 3), (3, -1)])?;
    /// let sources = |_: &Path| Ok(Some(b"if DEBUG:\n    x = 1\ny = 2\n".to_vec()));
    /// assert_eq!(Summarizer::new(&data, &sources).run()?.totals().missing_branches, 1);
    ///
    /// let patterns = LinePatterns::new(&["if DEBUG"])?;
    /// let summary = Summarizer::new(&data, &sources).partial(patterns).run()?;
    /// assert_eq!(summary.totals().missing_branches, 0);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn partial(mut self, patterns: LinePatterns) -> Self {
        self.partial = Some(patterns);
        self
    }

    /// Sets the version of Python that ran the code.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::python::PythonVersion;
    /// # use pulpcov_core::summarize::{PythonChoice, Summarizer};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// let python = PythonChoice::Fixed(PythonVersion::Py313);
    /// let summary = Summarizer::new(&data, &sources).python(python).run()?;
    /// assert_eq!(summary.python_version(), PythonVersion::Py313);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn python(mut self, python: PythonChoice) -> Self {
        self.python = python;
        self
    }

    /// Leaves out files that have no source or are not Python, each with a [`Warning`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// for path in ["here.py", "gone.py"] {
    ///     data.add_lines(path, "", &Numbits::from_iter([1]))?;
    /// }
    /// let sources = |path: &Path| Ok((path == "here.py").then(|| b"x = 1\n".to_vec()));
    /// assert!(Summarizer::new(&data, &sources).run().is_err());
    ///
    /// let summary = Summarizer::new(&data, &sources).ignore_errors(true).run()?;
    /// assert_eq!((summary.files().len(), summary.warnings().len()), (1, 1));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn ignore_errors(mut self, ignore: bool) -> Self {
        self.ignore_errors = ignore;
        self
    }

    /// Sets what to do with files that a plugin traced.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::{PluginLines, Summarizer};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(Vec::new()));
    /// data.add_lines("page.html", "", &Numbits::from_iter([1, 4]))?;
    /// data.set_file_tracer("page.html", "django_coverage_plugin")?;
    /// let summarizer = Summarizer::new(&data, &sources).plugin_lines(PluginLines::Measured);
    /// assert_eq!(summarizer.run()?.totals().ratio_covered(), (2, 2));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn plugin_lines(mut self, lines: PluginLines) -> Self {
        self.traced.others = lines;
        self
    }

    /// Adds the statements of files that plugins traced, by their paths in the data. For all other
    /// files that plugins traced, [`plugin_lines`](Self::plugin_lines) applies.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::{Summarizer, TracedFile};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(Vec::new()));
    /// data.add_lines("page.html", "", &Numbits::from_iter([1, 4]))?;
    /// data.set_file_tracer("page.html", "django_coverage_plugin")?;
    /// let page = TracedFile { statements: vec![1, 4, 6], ..TracedFile::default() };
    /// let summarizer = Summarizer::new(&data, &sources).traced([("page.html".try_into()?, page)]);
    /// assert_eq!(summarizer.run()?.totals().ratio_covered(), (2, 3));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn traced(mut self, files: impl IntoIterator<Item = (FilePath, TracedFile)>) -> Self {
        self.traced.files.extend(files);
        self
    }

    /// Sets how much to keep of each file. A report that needs more returns an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::report::{json, text};
    /// use pulpcov_core::summarize::{Detail, Summarizer};
    /// use pulpcov_core::{CoverageData, ErrorKind, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("a.py", "", &Numbits::from_iter([1]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).detail(Detail::Numbers).run()?;
    ///
    /// assert_eq!(text::write(&summary, &text::Options::new(), std::io::sink())?, 100.0);
    /// let refused = json::write(&summary, &json::Options::new(), std::io::sink()).unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::NoData);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// Uses a cache of facts, which is kept between runs. Without a cache, every source is parsed
    /// every time.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::{FactsCache, Summarizer};
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let place = tempfile::tempdir()?;
    /// # let folder = place.path().join("cache");
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let cache = FactsCache::open(&folder);
    /// Summarizer::new(&data, &sources).cache(&cache).run()?;
    /// cache.save()?;
    /// assert!(folder.exists());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn cache(mut self, cache: &'a FactsCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Adds what other tools measured. The names in the report are those of this machine, as they are in the data.
    ///
    /// A file that the data has keeps the facts of its source, and the lines that ran are those of both. If contexts are chosen,
    /// they are those of the data: other tools have no contexts. All other files are the summary's
    /// [other files](Summary::other_files), with the lines and branches that the tools know.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::foreign::lcov;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// data.add_lines("app.py", "", &Numbits::from_iter([1]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\nz = 3\n".to_vec()));
    /// let report = lcov::read(&b"SF:app.py\nDA:1,0\nDA:2,4\nend_of_record\n"[..])?;
    /// let summary = Summarizer::new(&data, &sources).with(&report).run()?;
    /// assert_eq!(summary.files()[0].analysis()?.missing(), [3]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn with(mut self, report: &'a Report) -> Self {
        self.with = Some(report);
        self
    }

    /// Sets a function to call after each file, from several threads at once.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicUsize, Ordering};
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # for path in ["app/cart.py", "tests/cart.py"] {
    /// #     data.add_lines(path, "", &Numbits::from_iter([1]))?;
    /// # }
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let done = AtomicUsize::new(0);
    /// Summarizer::new(&data, &sources)
    ///     .on_file(|progress| {
    ///         assert_eq!(progress.files, 2);
    ///         done.fetch_add(1, Ordering::Relaxed);
    ///     })
    ///     .run()?;
    /// assert_eq!(done.into_inner(), 2);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn on_file(mut self, on_file: impl Fn(Progress) + Sync + 'a) -> Self {
        self.on_file = Box::new(on_file);
        self
    }

    /// Makes the summary.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NoData`] if there is no file to report on;
    /// - [`ErrorKind::Pattern`] or [`ErrorKind::Config`] if a pattern is invalid;
    /// - [`ErrorKind::NoSource`] if a source does not exist or cannot be read, unless errors are
    ///   ignored;
    /// - [`ErrorKind::NotPython`] if a source does not parse, unless errors are ignored.
    ///
    /// If several files have an error, the error of the first one is returned.
    ///
    /// Some files never cause an error:
    ///
    /// - A file that is not Python is skipped if its name does not suggest Python.
    /// - A file that may not be shown is [withheld](Warning::Withheld).
    /// - A file that only data files of other users name is [left out](Warning::LeftOut) after any
    ///   error, so that other users cannot stop the report.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, ErrorKind, Numbits};
    /// let mut data = CoverageData::new();
    /// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// let err = Summarizer::new(&data, &sources).run().unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::NoData);
    ///
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// assert_eq!(summary.totals().percent_covered(), 50.0);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn run(mut self) -> Result<Summary<'a>> {
        let patterns = (self.exclude.take(), self.partial.take());
        let facts = AnalyzeOptions::with_patterns(patterns.0, patterns.1)?;
        // The cache serves all reports, so its facts must be complete.
        let with_reasons = self.detail == Detail::Everything || self.cache.is_some();
        let facts = facts.branches(self.data.has_arcs()).with_reasons(with_reasons);
        let selection = self.select_contexts()?;
        let patterns = self.choice.patterns()?;
        let joined =
            self.with.map(|report| Joined::new(report, self.data, &self.choice, &patterns));
        let joined = joined.unwrap_or_default();
        let mut tasks = self.choice.tasks(self.data, &patterns);
        joined.leave_out(&mut tasks);
        if tasks.is_empty() && joined.is_empty() {
            return Err(Error::new(ErrorKind::NoData, "No data to report."));
        }
        let mut warnings = self.traced.leave_out(&mut tasks);
        warnings.extend(self.no_such_context(selection.as_ref()));
        let (version, outcomes) = self.outcomes(facts, &tasks, selection.as_ref(), &joined);
        let mut files = Vec::with_capacity(tasks.len());
        warnings.extend(self.unmatched_rows(&tasks, &outcomes));
        let missing = missing_sources(&outcomes);
        for (task, outcome) in tasks.iter().zip(outcomes) {
            self.apply_outcome(task, outcome, &mut files, &mut warnings).map_err(
                |err| match err.kind() {
                    ErrorKind::NoSource => err.with_files(missing.clone()),
                    _ => err,
                },
            )?;
        }
        let mut others = Vec::new();
        for other in joined.into_files(self.sources, self.detail) {
            match other {
                Ok((other, warning)) => {
                    others.push(other);
                    warnings.extend(warning);
                }
                Err(error) if self.ignore_errors => {
                    warnings.push(Warning::LeftOut { message: error.reason(), error });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Summary {
            data: self.data,
            sources: self.sources,
            selection,
            folder: self.choice.folder,
            relative_files: self.choice.relative_files,
            version,
            totals: files.iter().map(FileSummary::numbers).sum::<Numbers>(),
            files,
            others,
            warnings,
        })
    }

    /// Returns the outcome of each file, for the requested Python version or the one that fits the
    /// data.
    fn outcomes(
        &self,
        facts: AnalyzeOptions,
        tasks: &[Task],
        selection: Option<&ContextSelection>,
        joined: &Joined<'_>,
    ) -> (PythonVersion, Vec<Outcome>) {
        let worker = Worker {
            also_ran: &joined.also_ran,
            data: self.data,
            sources: self.sources,
            traced: &self.traced,
            detail: self.detail,
            cache: self.cache,
            facts: facts.deferred(self.python == PythonChoice::Auto),
            selection,
        };
        let analyze = |some: &[&Task], version, pass| {
            worker.run_all(some, version, || {
                // Each file counts once.
                if pass == Pass::First {
                    (self.on_file)(Progress { files: tasks.len() });
                }
            })
        };
        self.python.analyze(tasks, analyze, Outcome::evidence)
    }

    /// Returns the contexts to count: coverage.py's `set_query_contexts`.
    fn select_contexts(&self) -> Result<Option<ContextSelection>> {
        if self.contexts.is_empty() {
            return Ok(None);
        }
        let compile = |text: &String| {
            Pattern::new(text).map_err(|err| {
                let message = format!("Invalid context regex {}: {}", py_repr(text), err.reason());
                Error::new(ErrorKind::Config, message)
            })
        };
        let patterns = self.contexts.iter().map(compile).collect::<Result<Vec<_>>>()?;
        let mut failed = None;
        let selection = self.data.select_contexts(|name| {
            patterns.iter().any(|pattern| {
                pattern.is_match(name).unwrap_or_else(|err| {
                    failed = Some(err);
                    false
                })
            })
        });
        failed.map_or(Ok(Some(selection)), Err)
    }

    /// Returns a warning if contexts are asked for, and the data has none of them.
    fn no_such_context(&self, selection: Option<&ContextSelection>) -> Option<Warning> {
        selection.filter(|selection| selection.is_empty())?;
        let names = self.data.contexts();
        let named: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        Some(Warning::NoSuchContext {
            patterns: self.contexts.clone(),
            contexts: named.len(),
            first: named.first().map(|name| (*name).to_owned()),
        })
    }

    /// Returns warnings about files whose rows the report does not find, because it looks for them
    /// under another name.
    fn unmatched_rows(&self, tasks: &[Task], outcomes: &[Outcome]) -> Vec<Warning> {
        let has_rows = |path: &FilePath| self.data.file(path).is_some_and(|file| file.has_rows());
        let mut unmatched = BTreeMap::<Unmatched, Vec<(FilePath, FilePath)>>::new();
        for (Task { candidate: Candidate { requested, recorded, .. }, .. }, outcome) in
            tasks.iter().zip(outcomes)
        {
            let is_shown = matches!(outcome, Outcome::Done { .. });
            if is_shown && requested != recorded && has_rows(requested) {
                let why = Unmatched::of(requested, self.choice.relative_files);
                unmatched.entry(why).or_default().push((requested.clone(), recorded.clone()));
            }
        }
        unmatched.into_iter().map(|(why, files)| Warning::UnmatchedRows { why, files }).collect()
    }

    /// Handles an outcome: adds a file, adds a warning, does nothing, or returns an error.
    fn apply_outcome(
        &self,
        task: &Task,
        outcome: Outcome,
        files: &mut Vec<FileSummary>,
        warnings: &mut Vec<Warning>,
    ) -> Result<()> {
        match outcome {
            Outcome::Done { file, mismatch, .. } => {
                files.push(*file);
                warnings.extend(mismatch);
                Ok(())
            }
            Outcome::NotNamedPython => Ok(()),
            // Other users must not be able to stop a report by naming files that they may not read.
            Outcome::Withheld { path, authors } => {
                warnings.push(Warning::Withheld { path, authors });
                Ok(())
            }
            Outcome::Failed { message, error, .. } => {
                let may_be_ignored =
                    matches!(error.kind(), ErrorKind::NoSource | ErrorKind::NotPython);
                // The same applies to files that do not exist or are not Python.
                let is_of_others = task.authors != Authors::Caller;
                if !is_of_others && (!self.ignore_errors || !may_be_ignored) {
                    return Err(error);
                }
                warnings.push(Warning::LeftOut { message, error });
                Ok(())
            }
        }
    }
}
