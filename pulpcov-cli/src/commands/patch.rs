//! `pulpcov patch`

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use pulpcov_core::changes::Diff;
use pulpcov_core::config::Config;
use pulpcov_core::report::patch::{
    Options, Patch, write_github, write_gitlab, write_json, write_markdown, write_text,
};
use pulpcov_core::results::Numbers;
use pulpcov_core::summarize::{Detail, FileSummary};
use pulpcov_core::text::plural;
use pulpcov_core::{CoverageData, Error, ErrorKind, FilePath};

use super::git::{self, seen_from};
use super::reporting::{Reporting, print_failure};
use crate::args::{PatchArgs, PatchFormat};
use crate::exit::{Exit, Failure};
use crate::ui;

/// How many changed files that were not measured one message names.
const NAMED: usize = 5;

pub(crate) fn run(args: &PatchArgs) -> Result<Exit, Failure> {
    print_failure(report(args))
}

fn report(args: &PatchArgs) -> Result<Exit, Failure> {
    let changes = changes(args)?;
    let diff = Diff::parse(&changes.text)?;
    let mut reporting = Reporting::new(&args.reporting, true)?;
    if reporting.data().files().len() == 0 {
        return Err(Error::new(ErrorKind::NoData, "No data to report.").into());
    }
    let places = Places::new(&reporting, changes.top);
    let names = file_names(reporting.data());
    let wanted = |path: &Path| {
        let is_python = path.extension().is_some_and(|ending| ending == "py" || ending == "pyw");
        let is_named = path.file_name().is_some_and(|name| names.contains(name));
        (is_python || is_named) && places.are_asked_for(path)
    };
    let path_of = |path: &Path| places.in_report(path).filter(|_| wanted(path));
    let files: Vec<FilePath> =
        diff.files().iter().filter_map(|change| path_of(change.new_path()?)).collect();
    let options = options(args, &reporting, &changes.base)?;
    if files.is_empty() {
        let patch = Patch::without_statements(&diff);
        write(args, &reporting, &patch, &options)?;
        return Ok(Exit::Success);
    }
    reporting.select(files);
    let summary = reporting.summarize(Detail::Everything)?;
    let beside = Beside::new(&reporting.config, reporting.data());
    let patch = Patch::new(&diff, &summary, path_of, |file| beside.expects(file))?;
    write(args, &reporting, &patch, &options)?;
    judge(args, &reporting, &patch)
}

/// The text of a diff, and where its names start.
struct Changes {
    text: Vec<u8>,
    /// The version that the diff is from, and the commit where the changes began.
    base: Option<(String, String)>,
    top: PathBuf,
}

fn changes(args: &PatchArgs) -> Result<Changes, Failure> {
    let here = crate::settings::cwd()?;
    let top = git::top_folder().unwrap_or(here);
    match &args.diff {
        Some(file) => Ok(Changes { text: read(file)?, base: None, top }),
        None => {
            let revision = args.reporting.source_rev.as_deref();
            let changes = git::changes(args.base.as_deref(), revision)?;
            Ok(Changes { text: changes.diff, base: Some((changes.base, changes.merge_base)), top })
        }
    }
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
    fn new(reporting: &Reporting<'_>, top: PathBuf) -> Self {
        let top = top.canonicalize().unwrap_or(top);
        let absolute = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        Self {
            top,
            folder: reporting.folder(),
            asked_for: reporting.args.files.iter().map(absolute).collect(),
        }
    }

    /// Returns the path in the report of a file of the diff.
    fn in_report(&self, path: &Path) -> Option<FilePath> {
        let seen = seen_from(&self.folder, &self.top.join(path));
        FilePath::try_from(seen.as_os_str().as_encoded_bytes()).ok()
    }

    fn are_asked_for(&self, path: &Path) -> bool {
        let path = self.top.join(path);
        self.asked_for.is_empty() || self.asked_for.iter().any(|wanted| path.starts_with(wanted))
    }
}

/// Returns the names of all measured files, without their folders.
fn file_names(data: &CoverageData) -> HashSet<OsString> {
    let names = data
        .files()
        .filter_map(|file| Some(Path::new(file.path().as_str()).file_name()?.to_owned()));
    names.collect()
}

/// The places where files that were not measured should have been: beside measured files, and in the source folders
/// of the settings.
struct Beside {
    folders: HashSet<PathBuf>,
    sources: Vec<PathBuf>,
}

impl Beside {
    fn new(config: &Config, data: &CoverageData) -> Self {
        let parent = |path: &str| Path::new(path).parent().map(Path::to_owned);
        let folders = data
            .files()
            .filter(|file| file.has_rows())
            .filter_map(|file| parent(file.path().as_str()));
        let sources = config.run.source.iter().flatten().filter_map(|source| {
            // A name of a package is not a folder.
            Path::new(source).canonicalize().ok()
        });
        Self { folders: folders.collect(), sources: sources.collect() }
    }

    fn expects(&self, file: &FileSummary) -> bool {
        let recorded = Path::new(file.recorded_path().as_str());
        let is_beside = recorded.parent().is_some_and(|parent| self.folders.contains(parent));
        let path = file.path().canonicalize().unwrap_or_else(|_| file.path().to_owned());
        is_beside || self.sources.iter().any(|source| path.starts_with(source))
    }
}

fn options(
    args: &PatchArgs,
    reporting: &Reporting<'_>,
    base: &Option<(String, String)>,
) -> Result<Options, Failure> {
    let options = Options::new().precision(reporting.precision(args.precision)?);
    Ok(match base {
        Some((name, commit)) => options.base(name, commit),
        None => options,
    })
}

fn write(
    args: &PatchArgs,
    reporting: &Reporting<'_>,
    patch: &Patch<'_>,
    options: &Options,
) -> Result<(), Failure> {
    let output = args.output.as_deref().unwrap_or("-");
    reporting.write(output, "patch report", |out: &mut dyn Write| {
        match args.format {
            PatchFormat::Text => write_text(patch, options, out),
            PatchFormat::Markdown => write_markdown(patch, options, out),
            PatchFormat::Json => write_json(patch, options, out),
            PatchFormat::Github => write_github(patch, options, out),
            PatchFormat::Gitlab => write_gitlab(patch, options, out),
        }?;
        Ok(patch.totals().percent_covered())
    })?;
    Ok(())
}

/// Returns the exit code: the most serious of what was found. Says on standard error why the command fails.
fn judge(args: &PatchArgs, reporting: &Reporting<'_>, patch: &Patch<'_>) -> Result<Exit, Failure> {
    let totals = patch.totals();
    let others: Vec<String> = patch.of_other_versions().map(|file| file.name()).collect();
    if !others.is_empty() {
        ui::error(&format!(
            "these data were not measured on this source: {}; measure again, or name the version that was measured with --source-rev",
            in_part(&others)
        ));
        return Ok(Exit::OtherVersion);
    }
    let mut is_too_little = false;
    if let Some(floor) = args.fail_under
        && !floor.is_met(totals.ratio_covered())
    {
        is_too_little = true;
        ui::error(&format!("less than {floor}% of the changes are covered: {}", missing(totals)));
    }
    let misses = totals.missing + totals.missing_branches;
    if let Some(max) = args.max_missing
        && misses > max
    {
        is_too_little = true;
        ui::error(&format!("more than {max} changes are not covered: {}", missing(totals)));
    }
    let unmeasured: Vec<String> = patch.unmeasured().map(|file| file.name()).collect();
    if !unmeasured.is_empty() && !args.allow_unmeasured {
        is_too_little = true;
        ui::error(&format!(
            "changed files were not measured: {}; --allow-unmeasured accepts that, --omit leaves files out",
            in_part(&unmeasured)
        ));
    }
    Ok(if is_too_little { Exit::FailUnder } else { reporting.exit_code() })
}

/// Returns what is not covered, in words.
fn missing(totals: Numbers) -> String {
    let statements = plural(totals.missing, "statement");
    match totals.missing_branches {
        0 => statements,
        1 => format!("{statements} and 1 branch"),
        branches => format!("{statements} and {branches} branches"),
    }
}

/// Returns the first names, and the number of the others.
fn in_part(names: &[String]) -> String {
    let mut shown: Vec<String> =
        names.iter().take(NAMED).map(|name| ui::name(Path::new(name))).collect();
    if names.len() > NAMED {
        shown.push(format!("and {} more", names.len() - NAMED));
    }
    shown.join(", ")
}
