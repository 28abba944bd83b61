//! What all reports have in common: data, sources, messages, and exit codes.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::mem::{self, ManuallyDrop};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pulpcov_core::config::Config;
use pulpcov_core::output::WholeFile;
use pulpcov_core::plugins::depends_on_python_version;
use pulpcov_core::python::{LinePatterns, PythonVersion};
use pulpcov_core::results::{Precision, fail_under_message, should_fail_under};
use pulpcov_core::summarize::{
    Detail, FactsCache, PythonChoice, Summarizer, Summary, Unmatched, Warning,
};
use pulpcov_core::text::plural;
use pulpcov_core::{CoverageData, Error, ErrorKind, FilePath, REFERENCE_VERSION};

use super::data::{self, Loaded, wants_debug};
use super::git;
use super::origin::Origin;
use super::plugins;
use super::with::{self, With};
use crate::args::{FailUnderArgs, OneTotalArgs, Plugins};
use crate::exit::{Exit, Failure};
use crate::plan::{DataPlan, ReportPlan, patterns};
use crate::progress::Progress;
use crate::{settings, trust, ui};

/// Returns the address where coverage.py explains a message.
fn explanation(anchor: &str) -> String {
    format!("https://coverage.readthedocs.io/en/{REFERENCE_VERSION}/messages.html#{anchor}")
}

/// The cache of facts about sources, kept between reports in the folder that the command runs in.
const CACHE: &str = ".pulpcov_cache";

/// The names of standard output.
///
/// Standard output is not opened by these names: if it is a file, opening it would write from the file's
/// start.
const STANDARD_OUTPUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// How many sources that do not match the data are named, unless `--debug=sources` asks for all.
const MISMATCHES_NAMED: usize = 5;

/// How many files one message names.
const FILES_NAMED: usize = 5;

/// The settings, options and data of one report.
pub(crate) struct Reporting {
    pub(crate) plan: ReportPlan,
    pub(crate) config: Config,
    contexts: Vec<String>,
    quiet: bool,
    /// Whether the report is of selected files, of which some may have no source or be no Python.
    is_of_selection: bool,
    origin: Origin,
    data: CoverageData,
    /// The parallel data files that were combined first.
    inputs: Vec<PathBuf>,
    cache: Option<FactsCache>,
    /// What plugins said of the files that they traced.
    traced: plugins::Traced,
    /// What other tools measured.
    with: Option<With>,
    /// Whether sources are withheld or left out.
    is_incomplete: Cell<bool>,
    /// The warnings so far. A second summary of the same data does not repeat them.
    warned: RefCell<HashSet<String>>,
}

/// What a report is of.
pub(crate) struct Subject {
    files: Vec<FilePath>,
    folders: Vec<FilePath>,
    is_selected: bool,
}

impl Reporting {
    /// Reads the settings and the data. Parallel data files are combined first.
    pub(crate) fn new(plan: ReportPlan, quiet: bool) -> Result<Self, Failure> {
        let config = settings::load(&plan.data.config)?;
        let Loaded { data, inputs } = data::load(&plan.data, &config, quiet, false, |_| true)?;
        Ok(Self { quiet, inputs, ..Self::of_data(plan, config, data)? })
    }

    /// Reads the settings and the data, and counts only what ran in the contexts that match `option`, or else
    /// the setting.
    ///
    /// `shows` returns whether the report will name contexts. Contexts are read only if it does, or if they
    /// filter.
    pub(crate) fn with_contexts(
        plan: ReportPlan,
        quiet: bool,
        option: Option<&str>,
        shows: impl FnOnce(&Config) -> bool,
    ) -> Result<Self, Failure> {
        let config = settings::load(&plan.data.config)?;
        let setting = config.report.contexts.clone();
        let contexts = patterns(option).or(setting).unwrap_or_default();
        let keep_contexts = !contexts.is_empty() || shows(&config);
        let Loaded { data, inputs } =
            data::load(&plan.data, &config, quiet, keep_contexts, |_| true)?;
        Ok(Self { quiet, contexts, inputs, ..Self::of_data(plan, config, data)? })
    }

    /// Reads the settings and the data with its contexts, but only the rows of files whose paths are wanted. Files whose
    /// sources are missing are left out.
    pub(crate) fn of_rows(
        plan: ReportPlan,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, Failure> {
        let config = settings::load(&plan.data.config)?;
        let Loaded { data, inputs } = data::load(&plan.data, &config, true, true, is_wanted)?;
        Ok(Self { inputs, ..Self::of_data(plan, config, data)? })
    }

    /// Creates a quiet report of data that is in memory already.
    ///
    /// Paths in the data must have been mapped by the aliases.
    pub(crate) fn of_data(
        plan: ReportPlan,
        config: Config,
        data: CoverageData,
    ) -> Result<Self, Failure> {
        let mut config = config;
        let runs_plugins = plan.plugins == Some(Plugins::Run);
        let traced = match runs_plugins {
            true => plugins::run(&plan, &mut config, &data)?,
            false => plugins::Traced::new(),
        };
        let (origin, data) = Origin::of(&plan, &config, data)?;
        let with = match &plan.with {
            // A total of the other languages alone must not pass for that of the project.
            Some(_) if data.files().len() == 0 => {
                return Err(data::missing(&settings::data_file(plan.data.file.clone(), &config)));
            }
            Some(with) => Some(with::read(with, &plan, &config, &origin)?),
            None => None,
        };
        let cache = cache(&plan.data)?;
        let (contexts, is_incomplete) = (Vec::new(), Cell::new(false));
        let mut reporting = Self {
            plan,
            config,
            contexts,
            quiet: true,
            is_of_selection: false,
            origin,
            data,
            inputs: Vec::new(),
            cache,
            traced,
            with,
            is_incomplete,
            warned: RefCell::default(),
        };
        if !runs_plugins {
            reporting.apply_plugins()?;
        }
        Ok(reporting)
    }

    /// Changes the settings as the plugins that they name would do.
    fn apply_plugins(&mut self) -> Result<(), Failure> {
        if self.config.run.plugins.is_empty() {
            return Ok(());
        }
        let python = match self.plan.python {
            PythonChoice::Fixed(version) => version,
            _ if !depends_on_python_version(&self.config) => PythonVersion::NEWEST,
            _ => self.python_of_data()?,
        };
        plugins::apply(&self.plan, &mut self.config, &self.data, python)
    }

    /// Returns the version of Python that the data suggests, for plugins whose exclusions depend on it.
    fn python_of_data(&self) -> Result<PythonVersion, Failure> {
        let summary = self.summarizer(Detail::Numbers)?.ignore_errors(true).run();
        // The report itself will print the error.
        let Ok(summary) = summary else { return Ok(PythonVersion::NEWEST) };
        let python = summary.python_version();
        if plugins::ask_for_python(&self.config) || self.have_version_pragmas(&summary) {
            ui::warning(&format!(
                "exclusions of plugins are those for Python {python}, detected from the data; --python-version says otherwise"
            ));
        }
        Ok(python)
    }

    /// Returns whether some lines are excluded only in some versions of Python.
    fn have_version_pragmas(&self, summary: &Summary<'_>) -> bool {
        summary.files().iter().any(|file| {
            let source = self.origin.sources.read_for(file.path(), file.authors());
            source.is_ok_and(|source| source.is_some_and(|text| plugins::has_version_pragma(&text)))
        })
    }

    /// Passes on the outcome of a report. If there was nothing to report, says what to do.
    pub(crate) fn explain_if_empty<T>(&self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(Failure::Core(err)) = &outcome
            && err.kind() == ErrorKind::NoData
        {
            ui::warning(&self.why_there_is_nothing());
        }
        outcome
    }

    /// Says why there is nothing to report, and what to do.
    pub(crate) fn why_there_is_nothing(&self) -> String {
        match self.data.files().len() {
            0 => data::missing(&self.data_file()).to_string(),
            count => format!(
                "{} has {}, but the report has none: --include, --omit and the settings choose files, and -i leaves out those without sources",
                ui::name(&self.data_file()),
                plural(count, "file")
            ),
        }
    }

    /// Refuses to report on nothing: a gate must not pass because of it.
    pub(crate) fn check_that_there_is_data(&self) -> Result<(), Failure> {
        if self.data.files().len() > 0 {
            return Ok(());
        }
        Err(data::missing(&self.data_file()))
    }

    /// Returns the path of the data file.
    pub(crate) fn data_file(&self) -> PathBuf {
        settings::data_file(self.plan.data.file.clone(), &self.config)
    }

    /// Refuses data of which a file may be several of the sources. Its lines would be lost.
    pub(crate) fn check_that_sources_are_clear(&self) -> Result<(), Failure> {
        let Some(unclear) = self.origin.unclear.first() else { return Ok(()) };
        Err(Failure::Refused(format!(
            "{}: this may be any of {}; --source-root names a folder with only one of them, or [paths] maps the folder that it was measured in",
            ui::name(Path::new(unclear.recorded.as_str())),
            named_in_part(&unclear.sources)
        )))
    }

    /// Returns the parallel data files that were combined first.
    pub(crate) fn inputs(&self) -> &[PathBuf] {
        &self.inputs
    }

    /// Returns the names of the files that other tools measured.
    pub(crate) fn names_of_other_tools(&self) -> impl Iterator<Item = &str> {
        self.with.iter().flat_map(|with| with.report.files()).map(|(name, _)| name)
    }

    /// Returns when another tool wrote what it measured of a file, if it did.
    pub(crate) fn measured_by_others(&self, path: &Path) -> Option<SystemTime> {
        self.with.as_ref()?.written.get(path).copied()
    }

    /// Returns the data.
    pub(crate) fn data(&self) -> &CoverageData {
        &self.data
    }

    /// Returns whether a file of the report is the named one, or in the named folder.
    pub(crate) fn is_in(&self, path: &Path, named: &Path) -> bool {
        let absolute = |path: &Path| {
            let path = self.folder().join(path);
            path.canonicalize().unwrap_or(path)
        };
        // A name is that in the report, or one from the current folder.
        let path = absolute(path);
        let from_here = settings::cwd().unwrap_or_default().join(named);
        path.starts_with(absolute(named))
            || path.starts_with(from_here.canonicalize().unwrap_or(from_here))
    }

    /// Returns the folder that relative paths start from.
    pub(crate) fn folder(&self) -> PathBuf {
        self.origin.folder_path()
    }

    /// Returns whether there is a source of this name.
    pub(crate) fn has_source(&self, name: &str) -> bool {
        self.origin.sources.read(Path::new(name)).is_ok_and(|source| source.is_some())
    }

    /// Reports on these files only, whether they were measured or not. Those that were not measured and are not Python
    /// are left out. Returns what the report was of, for [`restore`](Self::restore).
    pub(crate) fn select(&mut self, files: Vec<FilePath>) -> Subject {
        self.restore(Subject { files, folders: Vec::new(), is_selected: true })
    }

    /// Reports on what [`select`](Self::select) returned. Returns what the report was of.
    pub(crate) fn restore(&mut self, subject: Subject) -> Subject {
        Subject {
            files: mem::replace(&mut self.origin.files, subject.files),
            folders: mem::replace(&mut self.origin.folders, subject.folders),
            is_selected: mem::replace(&mut self.is_of_selection, subject.is_selected),
        }
    }

    /// Returns the files that the report is asked for.
    pub(crate) fn selected(&self) -> &[FilePath] {
        &self.origin.files
    }

    /// Compares data and sources, and prints the warnings.
    ///
    /// The summary is never dropped, since the process ends after the report: freeing it would take a
    /// fiftieth of the report's time.
    pub(crate) fn summarize(&self, detail: Detail) -> Result<ManuallyDrop<Summary<'_>>, Failure> {
        self.summarize_with(detail, |warning| self.warn_once(&warning)).map(ManuallyDrop::new)
    }

    fn warn_once(&self, warning: &str) {
        if self.warned.borrow_mut().insert(warning.to_owned()) {
            ui::warning(warning);
        }
    }

    /// Compares data and sources like [`summarize`](Self::summarize), and returns the warnings too.
    pub(crate) fn summarize_and_list(
        &self,
        detail: Detail,
    ) -> Result<(ManuallyDrop<Summary<'_>>, Vec<String>), Failure> {
        let mut problems = Vec::new();
        let summary = self.summarize_with(detail, |warning| {
            self.warn_once(&warning);
            problems.push(warning);
        })?;
        Ok((ManuallyDrop::new(summary), problems))
    }

    /// Compares data and sources, and passes each warning to `warn`.
    pub(crate) fn summarize_with(
        &self,
        detail: Detail,
        warn: impl FnMut(String),
    ) -> Result<Summary<'_>, Failure> {
        let summary = self.summarizer(detail)?.run()?;
        // In a folder that cannot be written to, there is no cache, and reports are slower.
        let _ = self.cache.as_ref().map(FactsCache::save);
        if wants_debug(&self.plan.data, &self.config, "python") {
            ui::message(&format!("Statements are those of Python {}", summary.python_version()));
        }
        self.report_warnings(summary.warnings(), warn);
        Ok(summary)
    }

    fn summarizer(&self, detail: Detail) -> Result<Summarizer<'_>, Failure> {
        let report = &self.config.report;
        let origin = &self.origin;
        let include = self.plan.include.clone().or_else(|| report.include.clone());
        let omit = self.plan.omit.clone().or_else(|| report.omit.clone());
        let partial = [&report.partial_branches[..], &report.partial_branches_always].concat();
        let progress = Progress::new(self.quiet);
        let mut summarizer = Summarizer::new(&self.data, &*origin.sources)
            .folder(origin.folder.clone())
            .relative_files(origin.relative_files)
            .files(origin.files.iter().cloned())
            .folders(origin.folders.iter().cloned())
            .include(include.unwrap_or_default())
            .omit(omit.unwrap_or_default())
            .contexts(self.contexts.clone())
            .exclude(LinePatterns::new(&report.exclude_lines)?)
            .partial(LinePatterns::new(&partial)?)
            .python(self.plan.python)
            .plugin_lines(self.plan.plugin_lines)
            .traced(self.traced.clone())
            .detail(detail)
            .ignore_errors(
                self.ignores_errors() || self.plan.leave_out_errors || self.is_of_selection,
            )
            .on_file(move |file| progress.on_file(file));
        if let Some(cache) = &self.cache {
            summarizer = summarizer.cache(cache);
        }
        if let Some(with) = &self.with {
            summarizer = summarizer.with(&with.report);
        }
        Ok(summarizer)
    }

    /// Returns whether missing sources, and sources that are not Python, are ignored.
    fn ignores_errors(&self) -> bool {
        self.plan.ignore_errors || self.config.report.ignore_errors
    }

    /// Passes warnings to `warn`, and records whether the report is incomplete.
    ///
    /// In an old checkout, every source may differ from the data, and other users may name any number of
    /// files that do not exist. So only the first of these are named, and the others are counted.
    fn report_warnings(&self, warnings: &[Warning], mut warn: impl FnMut(String)) {
        let all = wants_debug(&self.plan.data, &self.config, "sources");
        let (mut mismatches, mut more) = (0, 0);
        let mut lost = Vec::new();
        let mut seen = HashSet::new();
        for warning in warnings {
            let Some(words) = self.in_words(warning) else { continue };
            // Several names may lead to the same file.
            if !seen.insert(words.clone()) {
                continue;
            }
            match warning {
                Warning::Withheld { .. } => self.is_incomplete.set(true),
                Warning::LeftOut { error, .. } if !self.ignores_errors() => {
                    lost.push(error);
                    continue;
                }
                _ => {}
            }
            if let Warning::Mismatch { .. } | Warning::OtherMismatch { .. } = warning {
                mismatches += 1;
                if mismatches > MISMATCHES_NAMED && !all {
                    more += 1;
                    continue;
                }
            }
            warn(words);
        }
        if more > 0 {
            let files = plural(more, "more file");
            warn(format!("{files} that lack lines of their data: --debug=sources names each"));
        }
        if !lost.is_empty() {
            self.is_incomplete.set(true);
            warn(left_out(&lost));
        }
    }

    /// Returns the folder that file names start from, if the sources are not where they were measured.
    pub(crate) fn tree_root(&self) -> Option<String> {
        let folder = self.origin.tree.as_ref().map(|_| self.origin.folder.as_bytes())?;
        Some(String::from_utf8_lossy(folder).into_owned())
    }

    /// Returns whether the sources are somewhere else than where they were measured.
    pub(crate) fn has_sources_elsewhere(&self) -> bool {
        self.origin.tree.is_some()
    }

    /// Warns if contexts are to be shown, but none were measured.
    pub(crate) fn warn_without_contexts(&self) {
        if self.data.contexts() == [""] {
            ui::warning("No contexts were measured");
        }
    }

    /// Returns the text of a warning, or `None` if the user disabled it.
    fn in_words(&self, warning: &Warning) -> Option<String> {
        let slug = warning.slug();
        if self.config.run.disable_warnings.iter().any(|disabled| disabled == slug) {
            return None;
        }
        let explained = match warning {
            Warning::LeftOut { .. } => format!("; see {}", explanation(&format!("warning-{slug}"))),
            Warning::Withheld { .. } => "; --show-source shows it all the same".to_owned(),
            Warning::UnmatchedRows { why: Unmatched::Relative, .. } => {
                "; set `relative_files = true` in [run]".to_owned()
            }
            Warning::UnmatchedRows { why: Unmatched::Absolute, .. } => {
                "; set `relative_files = false` in [run]".to_owned()
            }
            Warning::UnmatchedRows { .. } => {
                "; --source-root=. finds them by the ends of their paths".to_owned()
            }
            _ => String::new(),
        };
        Some(format!("{warning} ({slug}){explained}"))
    }

    /// Returns the number of digits in percentages: the option, or else the setting.
    pub(crate) fn precision(&self, option: Option<i64>) -> Result<Precision, Failure> {
        Ok(Precision::new(option.unwrap_or(self.config.report.precision))?)
    }

    /// Writes a report to a file, or to standard output if `output` is one of its names.
    pub(crate) fn write(
        &self,
        output: &str,
        report: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<f64, Error>,
    ) -> Result<f64, Failure> {
        let path = Path::new(output);
        if is_standard_output(path) {
            return to_stdout(write);
        }
        trust::check_output(path)?;
        let total = WholeFile::at(path).write(write)?;
        if !self.quiet {
            ui::message(&format!("Wrote {report} to {output}"));
        }
        Ok(total)
    }

    /// Returns whether the report counts only some files or contexts.
    pub(crate) fn is_of_part(&self) -> bool {
        let ReportPlan { files, include, omit, .. } = &self.plan;
        !files.is_empty() || include.is_some() || omit.is_some() || !self.contexts.is_empty()
    }

    /// Returns the exit code of a report whose total is not judged: whether the report is complete.
    pub(crate) fn exit_code(&self) -> Exit {
        if self.is_incomplete.get() { Exit::LeftOut } else { Exit::Success }
    }

    /// Returns the exit code of a report whose total is compared with `--fail-under`, or else the setting.
    pub(crate) fn exit_code_for_total(
        &self,
        total: f64,
        option: &FailUnderArgs,
        precision: Precision,
    ) -> Result<Exit, Failure> {
        self.judge(total, option, precision, |message| {
            writeln!(anstream::stdout(), "Coverage failure: {message}").map_err(Failure::Output)
        })
    }

    /// Does what [`exit_code_for_total`](Self::exit_code_for_total) does, but says on standard error that too little is covered.
    /// A program may read standard output.
    pub(crate) fn exit_code_beside_output(
        &self,
        total: f64,
        option: &FailUnderArgs,
        precision: Precision,
    ) -> Result<Exit, Failure> {
        self.judge(total, option, precision, |message| {
            ui::error(message);
            Ok(())
        })
    }

    /// Returns the total of a report, `total`, or that of all languages if it is asked for.
    pub(crate) fn total(&self, total: f64, summary: &Summary<'_>, one_total: OneTotalArgs) -> f64 {
        match one_total.one_total || summary.files().is_empty() {
            true => summary.headline(one_total.one_total).percent_covered(),
            false => total,
        }
    }

    fn judge(
        &self,
        total: f64,
        option: &FailUnderArgs,
        precision: Precision,
        say: impl FnOnce(&str) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        match self.failure_of_total(total, option, precision)? {
            None => Ok(self.exit_code()),
            Some(message) => say(&message).map(|()| Exit::FailUnder),
        }
    }

    /// Says that a total is less than `--fail-under`, or else the setting, asks for. Returns `None` if it is not.
    pub(crate) fn failure_of_total(
        &self,
        total: f64,
        option: &FailUnderArgs,
        precision: Precision,
    ) -> Result<Option<String>, Failure> {
        let wanted = option.fail_under.unwrap_or(self.config.report.fail_under);
        let fails = should_fail_under(total, wanted, precision)?;
        Ok(fails.then(|| fail_under_message(total, wanted, precision)))
    }
}

/// Refuses a limit that would have no effect.
pub(crate) fn check_max_bytes(limit: Option<usize>, is_markdown: bool) -> Result<(), Failure> {
    if limit.is_none() || is_markdown {
        return Ok(());
    }
    Err(Failure::Refused("--max-bytes is for --format=markdown only".to_owned()))
}

/// Prints on standard output why there is no report, as coverage.py does.
pub(crate) fn print_failure(outcome: Result<Exit, Failure>) -> Result<Exit, Failure> {
    say_failure(outcome, |message| {
        writeln!(anstream::stdout(), "{message}").map_err(Failure::Output)
    })
}

/// Prints on standard error why there is no report. Programs read standard output.
pub(crate) fn print_failure_beside_output(outcome: Result<Exit, Failure>) -> Result<Exit, Failure> {
    say_failure(outcome, |message| {
        ui::error(message);
        Ok(())
    })
}

fn say_failure(
    outcome: Result<Exit, Failure>,
    say: impl FnOnce(&str) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    match outcome {
        Err(Failure::Core(err)) if is_about_reports(err.kind()) => {
            let mut message = err.reason();
            if err.kind() == ErrorKind::NoSource && message.ends_with("'.") {
                let message_alone = message.trim_end_matches('.');
                message = format!("{message_alone}; see {}", explanation("error-no-source"));
            }
            say(&message)?;
            if !err.files().is_empty() {
                ui::warning(&missing_sources(err.files()));
            }
            Ok(Exit::Error)
        }
        outcome => outcome,
    }
}

/// Returns the message that a report was made without these files. Their rows stay in the data.
fn left_out(files: &[&Error]) -> String {
    let paths: Vec<PathBuf> = files.iter().filter_map(|err| Some(err.path()?.into())).collect();
    let names = named_in_part(&paths);
    match files.len() {
        1 => format!("1 file is left out, for its source is missing or is not Python: {names}"),
        count => format!(
            "{count} files are left out, for their sources are missing or are not Python: {names}"
        ),
    }
}

/// Returns the names of the first files, and the number of the others.
pub(crate) fn named_in_part(files: &[PathBuf]) -> String {
    let mut names: Vec<String> =
        files.iter().take(FILES_NAMED).map(|file| ui::name(file)).collect();
    if files.len() > FILES_NAMED {
        names.push(format!("and {} more", files.len() - FILES_NAMED));
    }
    names.join(", ")
}

/// Returns the message that files changed after they were measured, and what to do.
pub(crate) fn measure_again(files: &[PathBuf]) -> String {
    format!(
        "changed after measuring: {}; measure again. If what was measured is a commit, --source-rev=REV reports on it",
        named_in_part(files)
    )
}

/// Returns the message that sources are missing, and what to do.
fn missing_sources(files: &[PathBuf]) -> String {
    format!(
        "{} missing: {}; -i leaves them out, --source-root finds them in another folder or an archive, [paths] maps folders",
        if files.len() == 1 {
            "1 source is".to_owned()
        } else {
            format!("{} sources are", files.len())
        },
        named_in_part(files)
    )
}

fn is_about_reports(kind: ErrorKind) -> bool {
    use ErrorKind as Kind;
    matches!(kind, Kind::NoData | Kind::NoSource | Kind::NotPython | Kind::Config | Kind::Pattern)
}

pub(crate) fn is_standard_output(path: &Path) -> bool {
    STANDARD_OUTPUT.iter().any(|name| path.as_os_str() == *name)
}

/// Writes an answer to a file, or to standard output if `output` is `None` or one of its names.
pub(crate) fn to_output(
    output: Option<&str>,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Failure> {
    match output.map(Path::new).filter(|path| !is_standard_output(path)) {
        None => to_stdout(write),
        Some(path) => {
            trust::check_output(path)?;
            Ok(WholeFile::at(path).write(write)?)
        }
    }
}

/// Writes to standard output through a large buffer.
pub(crate) fn to_stdout<T>(
    write: impl FnOnce(&mut dyn Write) -> Result<T, Error>,
) -> Result<T, Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let done = write(&mut out)?;
    out.flush().map_err(Failure::Output)?;
    Ok(done)
}

pub(crate) fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "py" || ending == "pyw")
}

/// Returns the last part of a path that may come from Windows.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Opens the cache, if it is to be used.
pub(crate) fn cache(plan: &DataPlan) -> Result<Option<FactsCache>, Failure> {
    Ok(uses_cache(plan)?.then(|| FactsCache::open(CACHE)))
}

/// Returns whether to use the cache. A cache that git may track could come from anybody whose change was checked out, and
/// would decide what counts as covered.
fn uses_cache(plan: &DataPlan) -> Result<bool, Failure> {
    if !plan.is_cached || !Path::new(CACHE).exists() {
        return Ok(plan.is_cached);
    }
    let is_tracked = git::may_track(&settings::cwd()?, &format!("{CACHE}/facts-"));
    if is_tracked {
        ui::warning(&format!("{CACHE} is in git, so it may be anybody's, and is not used"));
    }
    Ok(!is_tracked)
}
