//! Choosing, reading and parsing files, and comparing them with the data.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::facts_cache::FactsCache;
use super::naming::{Candidate, Naming};
use super::sources::Sources;
use super::summary::{Detail, FileSummary, Summary};
use super::version::{Evidence, FIRST_GUESS, PythonChoice};
use super::warning::{Unmatched, Warning};
use crate::data::ContextSelection;
use crate::paths::{GlobMatcher, TreeMatcher, WorkingFolder, from_os, prep_patterns};
use crate::pyre::Pattern;
use crate::python::{AnalyzeOptions, Facts, LinePatterns, PythonSource, PythonVersion};
use crate::results::{Analysis, Numbers};
use crate::text::{printable, py_repr};
use crate::{ArcSet, Authors, CoverageData, Error, ErrorKind, FilePath, Position, Result};

/// Analyzes every 16th file first; if these files suggest Python 3.14, starts the rest as 3.14.
/// Without this sample, all sources that 3.14 ran would be analyzed twice.
const SAMPLE_INTERVAL: usize = 16;

/// The number of files that one thread names in a row. Adjacent files are often in the same folder,
/// which the thread then resolves only once.
const FILES_NAMED_TOGETHER: usize = 64;

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
    folder: Option<WorkingFolder>,
    relative_files: bool,
    files: Vec<FilePath>,
    folders: Vec<FilePath>,
    include: Vec<String>,
    omit: Vec<String>,
    contexts: Vec<String>,
    exclude: Option<LinePatterns>,
    partial: Option<LinePatterns>,
    python: PythonChoice,
    ignore_errors: bool,
    plugin_lines: PluginLines,
    traced: BTreeMap<FilePath, TracedFile>,
    detail: Detail,
    cache: Option<&'a FactsCache>,
    on_file: Box<dyn Fn(Progress) + Sync + 'a>,
}

impl fmt::Debug for Summarizer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summarizer")
            .field("files", &self.data.files().len())
            .field("python", &self.python)
            .finish_non_exhaustive()
    }
}

/// What to do with files that a plugin of coverage.py traced, such as templates.
///
/// The data only has the lines that ran. Only the plugin knows which other lines are statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginLines {
    /// Leave the files out, with a [`Warning`].
    #[default]
    LeftOut,
    /// Report the lines that ran, as if there were no others.
    Measured,
}

/// What a plugin says about a file that it traced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TracedFile {
    /// The lines that could have run.
    pub statements: Vec<i32>,
    /// The excluded lines.
    pub excluded: Vec<i32>,
}

/// The progress of a summary.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Progress {
    /// The number of files in the summary.
    pub files: usize,
}

impl<'a> Summarizer<'a> {
    /// Creates a summarizer for all files of `data`, under their names in the data.
    pub fn new(data: &'a CoverageData, sources: &'a dyn Sources) -> Self {
        Self {
            data,
            sources,
            folder: None,
            relative_files: false,
            files: Vec::new(),
            folders: Vec::new(),
            include: Vec::new(),
            omit: Vec::new(),
            contexts: Vec::new(),
            exclude: None,
            partial: None,
            python: PythonChoice::default(),
            ignore_errors: false,
            plugin_lines: PluginLines::default(),
            traced: BTreeMap::new(),
            detail: Detail::default(),
            cache: None,
            on_file: Box::new(|_| ()),
        }
    }

    /// Sets the folder that names in the report are relative to. As in coverage.py, sources are
    /// then read by absolute paths.
    #[must_use]
    pub fn folder(mut self, folder: WorkingFolder) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Sets whether paths in the data are relative to the [`folder`](Self::folder): coverage.py's
    /// setting `relative_files`.
    #[must_use]
    pub fn relative_files(mut self, relative: bool) -> Self {
        self.relative_files = relative;
        self
    }

    /// Summarizes only these files. A file that is not in the data counts as not run.
    #[must_use]
    pub fn files(mut self, files: impl IntoIterator<Item = FilePath>) -> Self {
        self.files.extend(files);
        self
    }

    /// Summarizes only the measured files in these folders, and those of [`files`](Self::files).
    #[must_use]
    pub fn folders(mut self, folders: impl IntoIterator<Item = FilePath>) -> Self {
        self.folders.extend(folders);
        self
    }

    /// Summarizes only files whose path matches one of these patterns. Without patterns, all files
    /// match.
    #[must_use]
    pub fn include<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.include.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Leaves out files whose path matches one of these patterns.
    #[must_use]
    pub fn omit<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.omit.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Counts only what ran in contexts that match one of these regular expressions. Without
    /// expressions, all contexts match.
    #[must_use]
    pub fn contexts<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.contexts.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Sets the patterns for excluded lines, instead of coverage.py's defaults.
    #[must_use]
    pub fn exclude(mut self, patterns: LinePatterns) -> Self {
        self.exclude = Some(patterns);
        self
    }

    /// Sets the patterns for lines whose branches need not all be taken, instead of coverage.py's
    /// defaults.
    #[must_use]
    pub fn partial(mut self, patterns: LinePatterns) -> Self {
        self.partial = Some(patterns);
        self
    }

    /// Sets the version of Python that ran the code.
    #[must_use]
    pub fn python(mut self, python: PythonChoice) -> Self {
        self.python = python;
        self
    }

    /// Leaves out files that have no source or are not Python, each with a [`Warning`].
    #[must_use]
    pub fn ignore_errors(mut self, ignore: bool) -> Self {
        self.ignore_errors = ignore;
        self
    }

    /// Sets what to do with files that a plugin traced.
    #[must_use]
    pub fn plugin_lines(mut self, lines: PluginLines) -> Self {
        self.plugin_lines = lines;
        self
    }

    /// Adds the statements of files that plugins traced, by their paths in the data. For all other
    /// files that plugins traced, [`plugin_lines`](Self::plugin_lines) applies.
    #[must_use]
    pub fn traced(mut self, files: impl IntoIterator<Item = (FilePath, TracedFile)>) -> Self {
        self.traced.extend(files);
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
    #[must_use]
    pub fn cache(mut self, cache: &'a FactsCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Sets a function to call after each file, from several threads at once.
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
    pub fn run(mut self) -> Result<Summary<'a>> {
        let patterns = (self.exclude.take(), self.partial.take());
        let facts = AnalyzeOptions::with_patterns(patterns.0, patterns.1)?;
        // The cache serves all reports, so its facts must be complete.
        let with_reasons = self.detail == Detail::Everything || self.cache.is_some();
        let facts = facts.branches(self.data.has_arcs()).with_reasons(with_reasons);
        let selection = self.select_contexts()?;
        let mut warnings = Vec::new();
        let candidates = self.candidates(&mut warnings)?;
        let (version, outcomes) = self.outcomes(facts, &candidates, selection.as_ref());
        let mut files = Vec::with_capacity(candidates.len());
        warnings.extend(self.unmatched_rows(&candidates, &outcomes));
        let missing = missing_sources(&outcomes);
        for (task, outcome) in candidates.iter().zip(outcomes) {
            self.apply_outcome(task, outcome, &mut files, &mut warnings).map_err(
                |err| match err.kind() {
                    ErrorKind::NoSource => err.with_files(missing.clone()),
                    _ => err,
                },
            )?;
        }
        Ok(Summary {
            data: self.data,
            sources: self.sources,
            selection,
            folder: self.folder,
            relative_files: self.relative_files,
            version,
            totals: files.iter().map(FileSummary::numbers).sum::<Numbers>(),
            files,
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
    ) -> (PythonVersion, Vec<Outcome>) {
        let worker = Worker { summarizer: self, facts, selection, files: tasks.len() };
        let all: Vec<&Task> = tasks.iter().collect();
        if let PythonChoice::Fixed(version) = self.python {
            return (version, worker.run_all(version, &all));
        }
        let worker = Worker { facts: worker.facts.deferred(true), ..worker };
        let (sample, rest) = sampled(tasks);
        let of_sample = worker.run_all(FIRST_GUESS, &sample);
        let guess = match evidence(&of_sample).version() {
            newer if newer >= PythonVersion::Py314 => newer,
            _ => FIRST_GUESS,
        };
        let of_rest = worker.run_all(guess, &rest);
        let version = evidence(of_sample.iter().chain(&of_rest)).version();
        if version == guess && guess == FIRST_GUESS {
            return (version, merge_sample(of_sample, of_rest));
        }
        if version == guess {
            return (version, merge_sample(worker.run_again(version, &sample), of_rest));
        }
        if guess == FIRST_GUESS {
            return (version, worker.run_again(version, &all));
        }
        // The rest was only analyzed as 3.14, which may parse what older versions do not. So the
        // evidence about syntax is incomplete.
        let outcomes = worker.run_again(FIRST_GUESS, &all);
        let version = evidence(&outcomes).version();
        if version == FIRST_GUESS {
            return (version, outcomes);
        }
        (version, worker.run_again(version, &all))
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

    /// Returns the files to report on, in coverage.py's order.
    fn candidates(&self, warnings: &mut Vec<Warning>) -> Result<Vec<Task>> {
        let requested = self.requested();
        let include = self.matcher(&self.include)?;
        let omit = self.matcher(&self.omit)?;
        let is_wanted = |task: &Task| {
            let path = from_os(&task.candidate.path);
            include.as_ref().is_none_or(|include| include.is_match(&path))
                && omit.as_ref().is_none_or(|omit| !omit.is_match(&path))
        };
        let mut tasks = self.tasks(&requested);
        tasks.retain(is_wanted);
        if tasks.is_empty() {
            return Err(no_data());
        }
        tasks.sort_by(|a, b| {
            let (a, b) = (&a.candidate, &b.candidate);
            // `Path` compares components; coverage.py compares strings.
            (a.path.as_os_str(), &a.requested).cmp(&(b.path.as_os_str(), &b.requested))
        });
        let is_unknown = |task: &Task| {
            !task.tracer.is_empty() && !self.traced.contains_key(&task.candidate.requested)
        };
        let unknown = tasks.iter().filter(|task| is_unknown(task));
        warnings.extend(plugin_warnings(unknown, self.plugin_lines));
        if self.plugin_lines == PluginLines::LeftOut {
            tasks.retain(|task| !is_unknown(task));
        }
        Ok(tasks)
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
                let why = Unmatched::of(requested, self.relative_files);
                unmatched.entry(why).or_default().push((requested.clone(), recorded.clone()));
            }
        }
        unmatched.into_iter().map(|(why, files)| Warning::UnmatchedRows { why, files }).collect()
    }

    /// Names files. Naming looks up links on the disk, so it runs in parallel.
    fn tasks(&self, requested: &[FilePath]) -> Vec<Task> {
        use rayon::prelude::*;
        requested
            .par_chunks(FILES_NAMED_TOGETHER)
            .flat_map_iter(|requested| self.named(requested))
            .collect()
    }

    fn named(&self, requested: &[FilePath]) -> Vec<Task> {
        let mut naming = Naming::new(self.folder.clone(), self.relative_files);
        let task = |requested| {
            let candidate = naming.name(requested);
            let tracer = self.data.file_tracer(naming.data_path(&candidate)).unwrap_or_default();
            Task { tracer: tracer.to_owned(), authors: self.authors(&candidate), candidate }
        };
        requested.iter().map(task).collect()
    }

    /// Returns whose data files name the file. The data file may name the path that was asked for,
    /// or what its links lead to.
    fn authors(&self, candidate: &Candidate) -> Authors {
        let file =
            self.data.file(&candidate.requested).or_else(|| self.data.file(&candidate.recorded));
        file.map(|file| file.authors().clone()).unwrap_or_default()
    }

    /// Returns the files that the caller asked for, and the measured files in the folders that the
    /// caller asked for. If the caller asked for nothing, returns all measured files.
    fn requested(&self) -> Vec<FilePath> {
        let measured = self.data.files().map(|file| file.path().clone());
        if self.folders.is_empty() {
            return if self.files.is_empty() { measured.collect() } else { self.files.clone() };
        }
        let folders = self.folders.iter().map(FilePath::as_bytes);
        let trees = TreeMatcher::new(self.folder_or_root(), folders);
        let inside = measured.filter(|path| trees.is_match(path.as_bytes()));
        self.files.iter().cloned().chain(inside).collect()
    }

    fn folder_or_root(&self) -> WorkingFolder {
        self.folder.clone().unwrap_or_else(|| WorkingFolder::new("/"))
    }

    fn matcher(&self, patterns: &[String]) -> Result<Option<GlobMatcher>> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let prepared = prep_patterns(&self.folder_or_root(), patterns);
        GlobMatcher::new(prepared).map(Some)
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

/// A file to summarize, with the plugin that traced it.
struct Task {
    candidate: Candidate,
    tracer: String,
    authors: Authors,
}

impl Task {
    fn withheld(&self) -> Outcome {
        // Do not reveal what the path resolves to.
        let path = self.candidate.requested.clone();
        Outcome::Withheld { path, authors: self.authors.clone() }
    }
}

/// What happened to a file.
enum Outcome {
    Done {
        file: Box<FileSummary>,
        mismatch: Option<Warning>,
        evidence: Evidence,
    },
    /// The file is not Python, and its name does not suggest that it is.
    NotNamedPython,
    /// The file may not be shown.
    Withheld {
        path: FilePath,
        authors: Authors,
    },
    Failed {
        /// coverage.py's message if errors are ignored.
        message: String,
        error: Error,
        evidence: Evidence,
    },
}

impl Outcome {
    fn evidence(&self) -> Evidence {
        match self {
            Self::Done { evidence, .. } | Self::Failed { evidence, .. } => *evidence,
            Self::NotNamedPython | Self::Withheld { .. } => Evidence::default(),
        }
    }
}

/// Returns the paths of all sources that do not exist.
fn missing_sources(outcomes: &[Outcome]) -> Vec<PathBuf> {
    let missing = |outcome: &Outcome| match outcome {
        Outcome::Failed { error, .. } if error.kind() == ErrorKind::NoSource => {
            error.path().map(Path::to_owned)
        }
        _ => None,
    };
    outcomes.iter().filter_map(missing).collect()
}

/// Splits the tasks into a sample and the rest.
fn sampled(tasks: &[Task]) -> (Vec<&Task>, Vec<&Task>) {
    let neighbours = tasks.chunks(SAMPLE_INTERVAL).filter_map(|tasks| tasks.split_first());
    let (sample, rest): (Vec<_>, Vec<_>) = neighbours.unzip();
    (sample, rest.into_iter().flatten().collect())
}

/// Merges the outcomes of the sample and of the rest, in the order of the tasks.
fn merge_sample(of_sample: Vec<Outcome>, of_rest: Vec<Outcome>) -> Vec<Outcome> {
    let mut all = Vec::with_capacity(of_sample.len() + of_rest.len());
    let mut of_rest = of_rest.into_iter();
    for outcome in of_sample {
        all.push(outcome);
        all.extend(of_rest.by_ref().take(SAMPLE_INTERVAL - 1));
    }
    all
}

fn evidence<'o>(outcomes: impl IntoIterator<Item = &'o Outcome>) -> Evidence {
    outcomes.into_iter().map(Outcome::evidence).sum()
}

/// What all threads share.
struct Worker<'w, 'a> {
    summarizer: &'w Summarizer<'a>,
    facts: AnalyzeOptions,
    selection: Option<&'w ContextSelection>,
    /// The total number of files.
    files: usize,
}

impl Worker<'_, '_> {
    /// Analyzes files as `version`, and reports the progress.
    fn run_all(&self, version: PythonVersion, tasks: &[&Task]) -> Vec<Outcome> {
        let options = self.facts.clone().version(version);
        each(tasks, |task| {
            let outcome = self.summarize(task, &options);
            (self.summarizer.on_file)(Progress { files: self.files });
            outcome
        })
    }

    /// Analyzes files once more as another version. Does not report the progress, because each file
    /// counts once.
    fn run_again(&self, version: PythonVersion, tasks: &[&Task]) -> Vec<Outcome> {
        let options = self.facts.clone().version(version);
        each(tasks, |task| self.summarize(task, &options))
    }

    fn summarize(&self, task: &Task, options: &AnalyzeOptions) -> Outcome {
        let candidate = &task.candidate;
        let rows = FileRows::of(self.summarizer.data, &candidate.recorded, self.selection);
        let facts = if task.tracer.is_empty() {
            match self.facts(task, options, &rows) {
                Ok(facts) => facts,
                Err(outcome) => return outcome,
            }
        } else if self.is_withheld(task) {
            return task.withheld();
        } else if let Some(traced) = self.summarizer.traced.get(&candidate.requested) {
            Facts::of_statements(traced.statements.iter().copied(), traced.excluded.iter().copied())
        } else {
            Facts::of_measured_lines(rows.lines())
        };
        let lines = rows.lines();
        let mismatch = match task.tracer.is_empty() {
            true => mismatch(candidate, &lines, &facts),
            false => None,
        };
        let evidence = Evidence::of_file(&facts, &lines);
        let analysis = rows.analyze(lines, &facts);
        let detail = self.summarizer.detail;
        let file = FileSummary {
            name: candidate.name.clone(),
            path: candidate.path.clone(),
            recorded: candidate.recorded.clone(),
            authors: task.authors.clone(),
            is_python: task.tracer.is_empty(),
            numbers: analysis.numbers(),
            facts: (detail >= Detail::Everything).then(|| Box::new(facts)),
            analysis: (detail >= Detail::Lines).then(|| Box::new(analysis)),
        };
        Outcome::Done { file: Box::new(file), mismatch, evidence }
    }

    /// Returns whether the source of a traced file may not be shown. The facts about the file do
    /// not come from its source, so the source would not be read otherwise.
    fn is_withheld(&self, task: &Task) -> bool {
        let read = || read_source(self.summarizer.sources, &task.candidate.path, &task.authors);
        task.authors != Authors::Caller
            && read().is_err_and(|err| err.kind() == ErrorKind::Withheld)
    }

    fn facts(
        &self,
        task: &Task,
        options: &AnalyzeOptions,
        rows: &FileRows,
    ) -> Result<Facts, Outcome> {
        let path = &task.candidate.path;
        let shown = shown(path);
        let failed = |error: Error| {
            if error.kind() == ErrorKind::Withheld {
                return task.withheld();
            }
            let message = format!("Couldn't parse '{shown}': {}", error.reason());
            Outcome::Failed { message, error, evidence: Evidence::default() }
        };
        let bytes = read_source(self.summarizer.sources, path, &task.authors).map_err(failed)?;
        let kept = self.summarizer.cache.map(|cache| (cache, FactsCache::key(options, &bytes)));
        if let Some(facts) = kept.as_ref().and_then(|(cache, key)| cache.get(key)) {
            return Ok(facts);
        }
        let source = PythonSource::decode(bytes).map_err(|err| {
            let message = format!("Couldn't parse '{shown}': {}", err.reason());
            let error = Error::new(err.kind(), message.clone()).with_path(path);
            Outcome::Failed { message, error, evidence: Evidence::default() }
        })?;
        let facts = source.analyze(options).map_err(|err| match err.kind() {
            ErrorKind::NotPython if !is_named_python(path) => Outcome::NotNamedPython,
            ErrorKind::NotPython => {
                let message = format!("Couldn't parse Python file '{shown}'");
                let evidence = match rows.lines().is_empty() {
                    true => Evidence::default(),
                    false => Evidence::of_refused(&source, options),
                };
                Outcome::Failed { message, error: not_parsed(path, &err), evidence }
            }
            _ => failed(err),
        })?;
        if let Some((cache, key)) = kept {
            cache.put(key, &facts);
        }
        Ok(facts)
    }
}

fn each(tasks: &[&Task], work: impl Fn(&Task) -> Outcome + Sync + Send) -> Vec<Outcome> {
    use rayon::prelude::*;
    tasks.par_iter().map(|task| work(task)).collect()
}

/// The data of one file.
enum FileRows {
    Lines(crate::Numbits),
    Arcs(ArcSet),
}

impl FileRows {
    fn of(data: &CoverageData, path: &FilePath, selection: Option<&ContextSelection>) -> Self {
        if data.has_arcs() {
            let arcs = match selection {
                Some(selection) => data.arcs_in(path, selection),
                None => data.arcs(path),
            };
            return Self::Arcs(arcs.unwrap_or_default());
        }
        let lines = match selection {
            Some(selection) => data.lines_in(path, selection),
            None => data.lines(path),
        };
        Self::Lines(lines.unwrap_or_default())
    }

    fn lines(&self) -> Vec<i32> {
        match self {
            Self::Lines(lines) => lines.iter().collect(),
            Self::Arcs(arcs) => arcs.lines().collect(),
        }
    }

    fn analyze(&self, lines: Vec<i32>, facts: &Facts) -> Analysis {
        match self {
            Self::Lines(_) => Analysis::of_lines(facts, lines),
            Self::Arcs(arcs) => Analysis::of_arcs(facts, lines, arcs.iter()),
        }
    }
}

/// Returns a warning if the data has lines that the source does not have.
fn mismatch(candidate: &Candidate, ran: &[i32], facts: &Facts) -> Option<Warning> {
    // There is no code after the last newline, but an empty module has code on line 1.
    let lines = (facts.last_line() - 1).max(1);
    let recorded = ran.iter().copied().max().filter(|last| *last > lines)?;
    Some(Warning::Mismatch { path: candidate.path.clone(), recorded, lines })
}

/// Returns the bytes of a source. If it is missing, returns an error with coverage.py's message.
pub(super) fn read_source(
    sources: &dyn Sources,
    path: &Path,
    authors: &Authors,
) -> Result<Vec<u8>> {
    let error = |message: String| Error::new(ErrorKind::NoSource, message).with_path(path);
    match sources.read_for(path, authors) {
        Ok(Some(bytes)) => Ok(bytes),
        Err(err) if err.kind() == ErrorKind::Withheld => Err(err),
        Ok(None) => Err(error(format!("No source for code: '{}'.", shown(path)))),
        Err(err) => Err(error(format!("No source for code: '{}': {}", shown(path), err.reason()))),
    }
}

/// Returns coverage.py's error for a file that does not parse.
fn not_parsed(path: &Path, err: &Error) -> Error {
    let line = match err.position() {
        Some(Position::Line { line, .. }) => line.to_string(),
        _ => "None".to_owned(),
    };
    let reason = py_repr(&err.reason());
    let path_shown = shown(path);
    let message =
        format!("Couldn't parse '{path_shown}' as Python source: {reason} at line {line}");
    Error::new(ErrorKind::NotPython, message).with_path(path)
}

/// Returns a path in the form in which messages show it.
fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// Returns whether the name of a file suggests Python: coverage.py's `should_be_python`.
fn is_named_python(path: &Path) -> bool {
    let path = from_os(path);
    let extension = crate::paths::extension(&path);
    extension.is_empty() || extension.starts_with(b".py")
}

/// Returns one warning for each plugin.
fn plugin_warnings<'t>(tasks: impl Iterator<Item = &'t Task>, lines: PluginLines) -> Vec<Warning> {
    let mut files = BTreeMap::<&str, usize>::new();
    for task in tasks {
        *files.entry(&task.tracer).or_default() += 1;
    }
    let measured = lines == PluginLines::Measured;
    let warning = |(plugin, files): (&str, usize)| Warning::Plugin {
        plugin: plugin.to_owned(),
        files,
        measured,
    };
    files.into_iter().map(warning).collect()
}

pub(super) fn no_data() -> Error {
    Error::new(ErrorKind::NoData, "No data to report.")
}
