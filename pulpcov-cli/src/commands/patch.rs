//! `pulpcov patch`

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use pulpcov_core::changes::{ChangeKind, Diff, FileChange, RanBefore, lines_of_another_version};
use pulpcov_core::config::PatchSettings;
use pulpcov_core::paths::{GlobMatcher, WorkingFolder, prep_patterns};
use pulpcov_core::python::{AnalyzeOptions, Facts, PythonSource};
use pulpcov_core::report::patch::{
    FileState, Options, Patch, PatchFile, write_github, write_gitlab, write_json, write_markdown,
    write_text,
};
use pulpcov_core::results::{Numbers, Precision};
use pulpcov_core::summarize::{Detail, FileSummary, Summary};
use pulpcov_core::text::{branches, plural};
use pulpcov_core::{CoverageData, ErrorKind, FileData, FilePath};

use super::git::{self, Base, seen_from};
use super::reporting::{Reporting, check_max_bytes, is_python, named_in_part};
use super::{data, own};
use crate::args::{PatchArgs, PatchFormat};
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

pub(crate) fn run(args: &PatchArgs) -> Result<Exit, Failure> {
    check_max_bytes(args.max_bytes, args.format == PatchFormat::Markdown)?;
    let own = own::load(&args.reporting.data.config)?.patch;
    let mut changes = Changes::read(args, &own)?;
    let mut reporting = Reporting::new(&args.reporting, true)?;
    reporting.check_that_there_is_data()?;
    let baseline = match &args.baseline {
        Some(file) => Some(changes.baseline(file, &reporting)?),
        None => None,
    };
    changes.compare(args, &mut reporting, baseline.as_ref(), |reporting, patch| {
        if let Some(baseline) = &baseline {
            let others = baseline.of_other_versions(patch, changes.source.base.as_ref())?;
            if !others.is_empty() {
                ui::error(&format!(
                    "the baseline was measured on another version of {}; --baseline-rev=REV names the version",
                    named_in_part(&others)
                ));
                return Ok(Exit::OtherVersion);
            }
        }
        let failures = failures(args, &own, patch);
        write(args, reporting, patch, options(args, reporting, &changes, &failures)?)?;
        warn_of_other_places(reporting.data(), patch);
        if args.diff.is_none() && !reporting.has_sources_elsewhere() {
            warn_of_newer_sources(reporting, patch);
        }
        Ok(judge(args, reporting, patch, &failures))
    })
}

/// The changes of a branch.
pub(super) struct Changes {
    source: DiffSource,
    diff: Diff,
}

impl Changes {
    /// Asks git for the changes, or reads them from a file.
    pub(super) fn read(args: &PatchArgs, own: &PatchSettings) -> Result<Self, Failure> {
        let source = DiffSource::of(args, own)?;
        let mut diff = Diff::parse(&source.text)?;
        for (path, lines) in &source.untracked {
            diff.add_new_file(path, *lines);
        }
        check_that_it_is_one(args, &source, &diff)?;
        Ok(Self { source, diff })
    }

    /// Reads what ran before the changes. From now on, the files that did not change belong to the changes, too.
    fn baseline(&mut self, file: &Path, reporting: &Reporting<'_>) -> Result<Baseline, Failure> {
        let places = Places::new(reporting, &self.source.top);
        let baseline = Baseline::read(file, reporting, &places)?;
        baseline.add_unchanged_files(&mut self.diff, &places, reporting.data());
        Ok(baseline)
    }

    /// Returns how a patch is written: what it is from, and how many decimals percentages have.
    pub(super) fn options(&self, precision: Precision) -> Options {
        let options = Options::new().precision(precision);
        match &self.source.base {
            Some(base) => options.base(&base.name, &base.commit),
            None => options,
        }
    }

    /// Compares the changes with what ran, or what ran before them with what runs now, and passes the result to `then`. From now on, the report is of the changed files.
    pub(super) fn compare<T>(
        &self,
        args: &PatchArgs,
        reporting: &mut Reporting<'_>,
        baseline: Option<&Baseline>,
        then: impl FnOnce(&Reporting<'_>, &Patch<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let places = Places::new(reporting, &self.source.top);
        places.check_what_is_asked_for(&self.diff)?;
        let names = file_names(reporting.data());
        let is_wanted = |path: &Path| {
            let is_named = path.file_name().is_some_and(|name| names.contains(name));
            (is_python(path) || is_named) && places.are_asked_for(path)
        };
        let path_of = |path: &Path| places.in_report(path).filter(|_| is_wanted(path));
        let files: Vec<FilePath> =
            self.diff.files().iter().filter_map(|change| path_of(change.new_path()?)).collect();
        let has_files = !files.is_empty();
        reporting.select(files);
        let reporting = &*reporting;
        let summary = if has_files { summarize(reporting)? } else { None };
        let expected = Expected::new(reporting, &places)?;
        let is_expected = |file: &FileSummary| !args.allow_unmeasured && expected.has(file);
        let patch = match baseline {
            Some(baseline) => {
                let before = |change: &FileChange| baseline.ran_before(change);
                Patch::of_new_misses(&self.diff, summary.as_deref(), path_of, before)?
            }
            None => Patch::new(&self.diff, summary.as_deref(), path_of, is_expected)?,
        };
        then(reporting, &patch)
    }
}

/// Summarizes the selected files. Returns `None` if the settings leave all of them out.
fn summarize<'r>(
    reporting: &'r Reporting<'_>,
) -> Result<Option<ManuallyDrop<Summary<'r>>>, Failure> {
    match reporting.summarize(Detail::Everything) {
        Err(Failure::Core(err)) if err.kind() == ErrorKind::NoData => Ok(None),
        summary => summary.map(Some),
    }
}

/// The text of a diff, what it is from, and where its names start.
struct DiffSource {
    text: Vec<u8>,
    base: Option<Base>,
    top: PathBuf,
    /// Files that git does not track, and the numbers of their lines if they are Python.
    untracked: Vec<(PathBuf, i32)>,
}

impl DiffSource {
    fn of(args: &PatchArgs, own: &PatchSettings) -> Result<Self, Failure> {
        let (text, base) = match &args.diff {
            Some(file) => (read(file)?, None),
            None => {
                let revision = args.reporting.source_rev.as_deref();
                let base = args.base.as_deref().or(own.base.as_deref());
                let (text, base) = match &args.baseline_rev {
                    Some(baseline) => git::changes_since(baseline, revision)?,
                    None => git::changes(base, revision, Some("read a diff with --diff=FILE"))?,
                };
                (text, Some(base))
            }
        };
        let top = git::top_folder().map_or_else(settings::cwd, Ok)?;
        let is_of_working_tree = args.diff.is_none() && args.reporting.source_rev.is_none();
        let untracked = if is_of_working_tree { git::untracked()? } else { Vec::new() };
        let counted = untracked.into_iter().map(|path| {
            let lines = if is_python(&path) { count_lines(&top.join(&path)) } else { 0 };
            (path, lines)
        });
        Ok(Self { untracked: counted.collect(), text, base, top })
    }
}

/// Counts lines as git does. A file that is not regular or cannot be read has none; the report says that its source is
/// missing.
fn count_lines(path: &Path) -> i32 {
    let is_regular = path.symlink_metadata().is_ok_and(|status| status.is_file());
    let bytes = if is_regular { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    let ends = bytes.iter().filter(|&&b| b == b'\n').count();
    let open = usize::from(bytes.last().is_some_and(|&b| b != b'\n'));
    i32::try_from(ends + open).unwrap_or(i32::MAX)
}

/// Reads a diff from a file, or from standard input if its name is `-`.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let done = match file.as_os_str() == "-" {
        true => std::io::stdin().lock().read_to_end(&mut text),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut text)),
    };
    done.map_err(|err| Failure::reading(file, &err))?;
    Ok(text)
}

/// Refuses text that is no diff: a gate must not pass because of it. Warns of an empty file, which may be the diff of
/// nothing, or the output of a program that failed.
fn check_that_it_is_one(args: &PatchArgs, source: &DiffSource, diff: &Diff) -> Result<(), Failure> {
    let Some(file) = args.diff.as_ref().filter(|_| diff.files().is_empty()) else { return Ok(()) };
    if source.text.trim_ascii().is_empty() {
        ui::warning(&format!("{}: the diff is empty", ui::name(file)));
        return Ok(());
    }
    Err(Failure::Refused(format!("{}: this is not a unified diff", ui::name(file))))
}

/// Where the files of the diff are.
struct Places {
    /// The folder that names in the diff start from.
    top: PathBuf,
    /// The folder that names in the report start from.
    folder: PathBuf,
    /// The files and folders that the user asked for. Empty if the user asked for everything.
    asked_for: Vec<PathBuf>,
}

impl Places {
    fn new(reporting: &Reporting<'_>, top: &Path) -> Self {
        let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
        let absolute = |path: &PathBuf| {
            path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or(path.clone())
        };
        Self {
            top,
            folder: reporting.folder(),
            asked_for: reporting.args.files.iter().map(absolute).collect(),
        }
    }

    /// Refuses a name that neither a file nor a change has, such as a misspelt one.
    fn check_what_is_asked_for(&self, diff: &Diff) -> Result<(), Failure> {
        let changed = |wanted: &Path| {
            let paths =
                diff.files().iter().flat_map(|change| [change.new_path(), change.old_path()]);
            paths.flatten().any(|path| self.top.join(path).starts_with(wanted))
        };
        match self.asked_for.iter().find(|wanted| !wanted.exists() && !changed(wanted)) {
            None => Ok(()),
            Some(wanted) => Err(Failure::Refused(format!(
                "{}: no such file or folder, and no change of one",
                ui::name(wanted)
            ))),
        }
    }

    /// Returns the path in the report of a file of the diff.
    fn in_report(&self, path: &Path) -> Option<FilePath> {
        let seen = seen_from(&self.folder, &self.top.join(path));
        // No data has a name that is not UTF-8. The report says that this one has no source.
        FilePath::try_from(seen.to_string_lossy().as_bytes()).ok()
    }

    /// Returns the path from the top folder of a path in the data, if it is below.
    fn in_repository(&self, recorded: &FilePath) -> Option<PathBuf> {
        let path = self.folder.join(recorded.as_str());
        let path = path.canonicalize().unwrap_or(path);
        path.strip_prefix(&self.top).ok().map(Path::to_owned)
    }

    fn are_asked_for(&self, path: &Path) -> bool {
        let path = self.top.join(path);
        self.asked_for.is_empty() || self.asked_for.iter().any(|wanted| path.starts_with(wanted))
    }
}

/// What ran before the changes.
pub(super) struct Baseline {
    data: CoverageData,
    /// The paths in the data of each file, by its path in the repository.
    paths: BTreeMap<PathBuf, Vec<FilePath>>,
}

impl Baseline {
    fn read(file: &Path, reporting: &Reporting<'_>, places: &Places) -> Result<Self, Failure> {
        let data = data::read_named(file, &reporting.config)?;
        let mut paths = BTreeMap::<PathBuf, Vec<FilePath>>::new();
        for file in data.files().filter(FileData::has_rows) {
            if let Some(path) = places.in_repository(file.path()) {
                paths.entry(path).or_default().push(file.path().clone());
            }
        }
        Ok(Self { data, paths })
    }

    /// Adds the files that were measured, before or now, and did not change.
    fn add_unchanged_files(&self, diff: &mut Diff, places: &Places, now: &CoverageData) {
        let changed: HashSet<PathBuf> = diff
            .files()
            .iter()
            .flat_map(|change| [change.old_path(), change.new_path()])
            .flatten()
            .map(Path::to_owned)
            .collect();
        let measured = now.files().filter(FileData::has_rows);
        let mut paths: BTreeSet<PathBuf> =
            measured.filter_map(|file| places.in_repository(file.path())).collect();
        paths.extend(self.paths.keys().cloned());
        paths.into_iter().filter(|path| !changed.contains(path)).for_each(|path| {
            diff.add_unchanged_file(path);
        });
    }

    /// Returns the files of which lines ran before that had no code then. `base` is what the changes are from; without it,
    /// only files that did not change are looked at.
    fn of_other_versions(
        &self,
        patch: &Patch<'_>,
        base: Option<&Base>,
    ) -> Result<Vec<PathBuf>, Failure> {
        let measured = patch.files().iter().filter_map(|file| match file.state() {
            FileState::Measured { file: summary, .. } if summary.is_python() => {
                Some((file, *summary))
            }
            _ => None,
        });
        let (unchanged, changed): (Vec<_>, Vec<_>) =
            measured.partition(|(file, _)| file.change().kind() == ChangeKind::Unchanged);
        let is_other = |file: &PatchFile<'_>, facts: &Facts| {
            let before = self.ran_before(file.change());
            !lines_of_another_version(facts, before.lines.iter()).is_empty()
        };
        let mut others = Vec::new();
        for (file, summary) in unchanged {
            if is_other(file, summary.facts()?) {
                others.push(file.name().into());
            }
        }
        let Some(base) = base else { return Ok(others) };
        let changed =
            changed.into_iter().filter_map(|(file, _)| Some((file, file.change().old_path()?)));
        let (changed, paths): (Vec<_>, Vec<_>) = changed.unzip();
        let options = AnalyzeOptions::new()?.branches(false);
        for (file, source) in changed.into_iter().zip(git::contents(&base.commit, &paths)?) {
            // A source that is not Python tells nothing.
            let facts = PythonSource::decode(source).and_then(|source| source.analyze(&options));
            if facts.is_ok_and(|facts| is_other(file, &facts)) {
                others.push(file.name().into());
            }
        }
        Ok(others)
    }

    fn ran_before(&self, change: &FileChange) -> RanBefore {
        let mut before = RanBefore::default();
        let paths = change.old_path().and_then(|path| self.paths.get(path));
        for path in paths.into_iter().flatten() {
            self.data.lines(path).into_iter().for_each(|lines| before.lines.union_with(&lines));
            self.data.arcs(path).into_iter().for_each(|arcs| before.arcs.union_with(&arcs));
        }
        before
    }
}

/// Returns the names of all measured files, without their folders.
fn file_names(data: &CoverageData) -> HashSet<OsString> {
    let names = data
        .files()
        .filter_map(|file| Some(Path::new(file.path().as_str()).file_name()?.to_owned()));
    names.collect()
}

/// Which files should have been measured: those in folders with measured files, at any depth below the top folder,
/// and those in the source folders of the settings. The settings can leave files out of that.
struct Expected<'a> {
    top: &'a Path,
    data: &'a CoverageData,
    folders: HashSet<PathBuf>,
    sources: Vec<PathBuf>,
    include: Option<GlobMatcher>,
    omit: Option<GlobMatcher>,
}

impl<'a> Expected<'a> {
    fn new(reporting: &'a Reporting<'_>, places: &'a Places) -> Result<Self, Failure> {
        let run = &reporting.config.run;
        let measured = reporting.data().files().filter(|file| file.has_rows());
        let folders =
            measured.filter_map(|file| Some(Path::new(file.path().as_str()).parent()?.to_owned()));
        // A name of a package is not a folder.
        let sources = run.source.iter().flatten().chain(&run.source_dirs);
        let sources = sources.filter_map(|name| Path::new(name).canonicalize().ok());
        let folder = WorkingFolder::new(&places.folder);
        let matcher = |patterns: &[String]| match patterns.is_empty() {
            true => Ok(None),
            false => GlobMatcher::new(prep_patterns(&folder, patterns)).map(Some),
        };
        Ok(Self {
            top: &places.top,
            data: reporting.data(),
            folders: folders.collect(),
            sources: sources.collect(),
            include: matcher(&run.include)?,
            omit: matcher(&run.omit)?,
        })
    }

    fn has(&self, file: &FileSummary) -> bool {
        let path = file.path().canonicalize().unwrap_or_else(|_| file.path().to_owned());
        let bytes = path.as_os_str().as_encoded_bytes();
        let is_measured = self.include.as_ref().is_none_or(|include| include.is_match(bytes))
            && self.omit.as_ref().is_none_or(|omit| !omit.is_match(bytes));
        let is_expected =
            self.is_beside(file) || self.is_in_source(&path) || self.is_elsewhere(&path);
        is_measured && is_expected
    }

    fn is_beside(&self, file: &FileSummary) -> bool {
        let recorded = Path::new(file.recorded_path().as_str());
        let above = |folder: &&Path| *folder != self.top && *folder != Path::new("");
        let is_direct = recorded.parent().is_some_and(|folder| self.folders.contains(folder));
        is_direct
            || recorded
                .ancestors()
                .skip(1)
                .take_while(above)
                .any(|folder| self.folders.contains(folder))
    }

    /// Returns whether the data may have the file under a path of another place.
    fn is_elsewhere(&self, path: &Path) -> bool {
        let name = path.strip_prefix(self.top).unwrap_or(path).to_string_lossy();
        self.data.files().any(|file| is_same_below(file.path().as_str(), &name))
    }

    fn is_in_source(&self, path: &Path) -> bool {
        self.sources.iter().any(|source| path.starts_with(source))
    }
}

fn options(
    args: &PatchArgs,
    reporting: &Reporting<'_>,
    changes: &Changes,
    failures: &[String],
) -> Result<Options, Failure> {
    let options = changes.options(reporting.precision(args.precision)?);
    let options = failures.iter().fold(options, Options::failure);
    Ok(match args.max_bytes {
        Some(bytes) => options.max_bytes(bytes),
        None => options,
    })
}

fn write(
    args: &PatchArgs,
    reporting: &Reporting<'_>,
    patch: &Patch<'_>,
    options: Options,
) -> Result<(), Failure> {
    let output = args.output.as_deref().unwrap_or("-");
    reporting.write(output, "patch report", |out: &mut dyn Write| {
        match args.format {
            PatchFormat::Text => write_text(patch, &options, out),
            PatchFormat::Markdown => write_markdown(patch, &options, out),
            PatchFormat::Json => write_json(patch, &options, out),
            PatchFormat::Github => write_github(patch, &options, out),
            PatchFormat::Gitlab => write_gitlab(patch, &options, out),
        }?;
        Ok(patch.totals().percent_covered())
    })?;
    Ok(())
}

/// Warns of changed files that were written after the data: they may have changed in a way that leaves each statement on its
/// line, or moves it onto the line of another.
fn warn_of_newer_sources(reporting: &Reporting<'_>, patch: &Patch<'_>) {
    let written = |path: &Path| path.metadata().and_then(|status| status.modified()).ok();
    let Some(measured) = written(&reporting.data_file()) else { return };
    let newer = patch.files().iter().filter(|file| match file.state() {
        FileState::Measured { file, .. } => {
            written(file.path()).is_some_and(|written| written > measured)
        }
        _ => false,
    });
    let newer = names(newer);
    if !newer.is_empty() {
        ui::warning(&format!(
            "written after the data: {}; if they changed since, measure again",
            named_in_part(&newer)
        ));
    }
}

/// Warns of a changed file that was not measured if the data has one that may be the same, measured in another place.
fn warn_of_other_places(data: &CoverageData, patch: &Patch<'_>) {
    let other = patch.files().iter().find_map(|file| {
        let FileState::Unmeasured { .. } = file.state() else { return None };
        let other =
            data.files().find(|other| is_same_below(other.path().as_str(), &file.name()))?;
        Some((file.name(), other.path().as_str().to_owned()))
    });
    if let Some((name, other)) = other {
        ui::warning(&format!(
            "{} was not measured, but {} was: if that is the same file in another place, --source-root=. finds it, and [paths] maps it",
            ui::name(Path::new(&name)),
            ui::name(Path::new(&other))
        ));
    }
}

/// Returns whether a path of the data ends with a path of the repository.
fn is_same_below(recorded: &str, name: &str) -> bool {
    Path::new(&recorded.replace('\\', "/")).ends_with(name)
}

/// Returns which floors the changes are below.
fn failures(args: &PatchArgs, own: &PatchSettings, patch: &Patch<'_>) -> Vec<String> {
    let totals = patch.totals();
    let mut failures = Vec::new();
    // Nothing is known of single lines, so the counts mean nothing.
    if patch.of_other_versions().next().is_some() {
        return failures;
    }
    let option = |name: &str, is_option: bool| match is_option {
        true => format!("--{}", name.replace('_', "-")),
        false => name.to_owned(),
    };
    let floor = args.fail_under.or(own.fail_under);
    if let Some(floor) = floor.filter(|floor| !floor.is_met(totals.ratio_covered())) {
        failures.push(format!(
            "less is covered than {}={floor} asks for: {} are missing",
            option("fail_under", args.fail_under.is_some()),
            missing(totals)
        ));
    }
    let max = args.max_missing.or(own.max_missing);
    if let Some(max) = max.filter(|max| totals.missing + totals.missing_branches > *max) {
        failures.push(format!(
            "more is missing than {}={max} allows: {}",
            option("max_missing", args.max_missing.is_some()),
            missing(totals)
        ));
    }
    failures
}

/// Returns the exit code: that of the most serious finding. Says on standard error why the command fails.
fn judge(
    args: &PatchArgs,
    reporting: &Reporting<'_>,
    patch: &Patch<'_>,
    failures: &[String],
) -> Exit {
    let others = names(patch.of_other_versions());
    if !others.is_empty() {
        ui::error(&format!(
            "changed after measuring: {}; measure again. If what was measured is a commit, --source-rev=REV reports on it",
            named_in_part(&others)
        ));
        return Exit::OtherVersion;
    }
    failures.iter().for_each(|failure| ui::error(failure));
    let unmeasured = names(patch.unmeasured());
    if !unmeasured.is_empty() {
        ui::error(&format!(
            "changed files were not measured: {}; --allow-unmeasured accepts that, --omit leaves files out",
            named_in_part(&unmeasured)
        ));
    }
    let is_complete = args.reporting.ignore_errors || patch.without_source().next().is_none();
    match failures.is_empty() && unmeasured.is_empty() {
        false => Exit::FailUnder,
        true if is_complete => reporting.exit_code(),
        true => Exit::LeftOut,
    }
}

fn names<'p>(files: impl Iterator<Item = &'p PatchFile<'p>>) -> Vec<PathBuf> {
    files.map(|file| file.name().into()).collect()
}

/// Returns what is not covered, in words.
fn missing(totals: Numbers) -> String {
    let statements = plural(totals.missing, "statement");
    match totals.missing_branches {
        0 => statements,
        count => format!("{statements} and {}", branches(count)),
    }
}
