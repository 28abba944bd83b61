//! `pulpcov patch`

use std::io::Write;
use std::path::{Path, PathBuf};

use pulpcov_core::CoverageData;
use pulpcov_core::config::PatchSettings;
use pulpcov_core::report::patch::{
    FileState, Options, Patch, PatchFile, write_github, write_gitlab, write_json, write_markdown,
    write_text,
};
use pulpcov_core::results::Numbers;
use pulpcov_core::text::{branches, plural};

use super::changes::{Changes, is_same_below};
use super::git::beside;
use super::own;
use super::reporting::{Reporting, check_max_bytes, measure_again, named_in_part};
use super::with;
use crate::args::{PatchArgs, PatchFormat};
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;
use crate::ui;

pub(crate) fn run(args: &PatchArgs) -> Result<Exit, Failure> {
    check_max_bytes(args.max_bytes, args.format == PatchFormat::Markdown)?;
    let own = own::load(&args.reporting.data.config)?.patch;
    let baseline_rev = args.baseline_rev.as_deref();
    let plan = ReportPlan::try_from(&args.reporting)?.with(&args.with);
    let revision = plan.sources.revision().map(str::to_owned);
    let changes = || Changes::read(&args.changes, revision.as_deref(), baseline_rev, &own);
    // git takes longer than reading the data.
    let (changes, reporting) = beside(changes, || Reporting::new(plan, true));
    let (mut changes, mut reporting) = (changes?, reporting?);
    with::check_that_nothing_is_compared(&args.with, args.baseline.as_deref())?;
    reporting.check_that_there_is_data()?;
    let baseline = match &args.baseline {
        Some(file) => Some(changes.baseline(file, &reporting)?),
        None => None,
    };
    changes.compare(&mut reporting, baseline.as_ref(), |reporting, patch| {
        if let Some(baseline) = &baseline {
            let others = baseline.of_other_versions(patch, changes.base())?;
            if !others.is_empty() {
                ui::error(&format!(
                    "the baseline was measured on another version of {}; --baseline-rev=REV names the version",
                    named_in_part(&others)
                ));
                return Ok(Exit::OtherVersion);
            }
        }
        let failures = failures(args, &own, patch);
        write(args, reporting, patch, options(args, &own, reporting, &changes, &failures)?)?;
        warn_of_other_places(reporting.data(), patch);
        with::warn_of_unmeasured(reporting, patch);
        if args.changes.diff.is_none() && !reporting.has_sources_elsewhere() {
            warn_of_newer_sources(reporting, patch);
        }
        Ok(judge(args, reporting, patch, &failures))
    })
}

fn options(
    args: &PatchArgs,
    own: &PatchSettings,
    reporting: &Reporting,
    changes: &Changes,
    failures: &[String],
) -> Result<Options, Failure> {
    let options = changes.options(reporting.precision(args.precision)?);
    let floor = args.fail_under.or(own.fail_under);
    let options = floor.into_iter().fold(options, Options::floor);
    let options = failures.iter().fold(options, Options::failure);
    Ok(match args.max_bytes {
        Some(bytes) => options.max_bytes(bytes),
        None => options,
    })
}

fn write(
    args: &PatchArgs,
    reporting: &Reporting,
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
fn warn_of_newer_sources(reporting: &Reporting, patch: &Patch<'_>) {
    let written = |path: &Path| path.metadata().and_then(|status| status.modified()).ok();
    let Some(measured) = written(&reporting.data_file()) else { return };
    let newer = patch.files().iter().filter(|file| match file.state() {
        FileState::Measured { file, .. } => {
            let by_others = reporting.measured_by_others(file.path());
            let measured = by_others.filter(|_| !file.is_python()).unwrap_or(measured);
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
            "less is covered than {}={floor} asks for; missing: {}",
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
fn judge(args: &PatchArgs, reporting: &Reporting, patch: &Patch<'_>, failures: &[String]) -> Exit {
    let others = names(patch.of_other_versions());
    if !others.is_empty() {
        ui::error(&measure_again(&others));
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
