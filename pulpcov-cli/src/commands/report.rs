//! `pulpcov report`

use std::str::FromStr;

use pulpcov_core::report::gaps::{self, write_github, write_gitlab};
use pulpcov_core::report::text::{self, By, Format, Options};
use pulpcov_core::summarize::Detail;

use super::reporting::{
    Reporting, check_max_bytes, print_failure, print_failure_beside_output, to_stdout,
};
use super::repository;
use crate::args::{self, ReportArgs};
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;

pub(crate) fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let is_for_programs = matches!(args.format.as_deref(), Some("github" | "gitlab"));
    match is_for_programs || args.max_bytes.is_some() {
        true => print_failure_beside_output(report(args)),
        false => print_failure(report(args)),
    }
}

fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    let contexts = args.contexts.as_deref();
    let reporting = Reporting::with_contexts(
        ReportPlan::try_from(&args.reporting)?.with(&args.with),
        false,
        contexts,
        |_| false,
    )?;
    match ReportFormat::of(args, &reporting)? {
        ReportFormat::Table(format) => table(args, &reporting, format),
        ReportFormat::Gaps(service) => gaps(args, &reporting, service),
    }
}

/// What the report is.
enum ReportFormat {
    Table(Format),
    Gaps(Service),
}

/// A service that shows gaps.
#[derive(Clone, Copy)]
enum Service {
    Github,
    Gitlab,
}

impl ReportFormat {
    /// Returns the format that the option names, or else the setting.
    fn of(args: &ReportArgs, reporting: &Reporting) -> Result<Self, Failure> {
        let format = args.format.as_ref().or(reporting.config.report.format.as_ref());
        let format = match format.map(String::as_str) {
            Some("github") => Self::Gaps(Service::Github),
            Some("gitlab") => Self::Gaps(Service::Gitlab),
            Some("") | None => Self::Table(Format::Text),
            Some(format) => Self::Table(Format::from_str(format)?),
        };
        check_max_bytes(args.max_bytes, matches!(format, Self::Table(Format::Markdown)))?;
        Ok(format)
    }
}

fn table(args: &ReportArgs, reporting: &Reporting, format: Format) -> Result<Exit, Failure> {
    let options = options(args, reporting, format)?;
    let summary = reporting.summarize(match shows_missing(args, reporting) {
        true => Detail::Lines,
        false => Detail::Numbers,
    })?;
    let total = to_stdout(|out| text::write(&summary, &options, out))?;
    reporting.exit_code_for_total(total, &args.fail_under, reporting.precision(args.precision)?)
}

/// Writes what is not covered. Programs read the output, so it says nothing else.
fn gaps(args: &ReportArgs, reporting: &Reporting, service: Service) -> Result<Exit, Failure> {
    check_that_nothing_shapes_a_table(args)?;
    let precision = reporting.precision(args.precision)?;
    reporting.check_that_sources_are_clear()?;
    let summary = reporting.summarize(Detail::Everything)?;
    let files = repository::files(reporting, &summary)?;
    let total = summary.totals().percent_covered();
    let total = reporting.total(total, &summary, args.one_total);
    let failure = reporting.failure_of_total(total, &args.fail_under, precision)?;
    let options = gaps::Options::new().precision(precision);
    let options = failure.iter().fold(options, gaps::Options::failure);
    to_stdout(|out| match service {
        Service::Github => write_github(&files, &options, out),
        Service::Gitlab => write_gitlab(&files, out),
    })?;
    reporting.exit_code_beside_output(total, &args.fail_under, precision)
}

/// Refuses options that only a table heeds.
fn check_that_nothing_shapes_a_table(args: &ReportArgs) -> Result<(), Failure> {
    let options = [
        (args.by == args::By::Dir, "--by"),
        (args.show_missing, "--show-missing"),
        (args.sort.is_some(), "--sort"),
        (args.skip_covered, "--skip-covered"),
        (args.skip_empty, "--skip-empty"),
    ];
    match options.into_iter().find(|(is_given, _)| *is_given) {
        None => Ok(()),
        Some((_, option)) => Err(Failure::Refused(format!(
            "{option} is for tables, and the formats github and gitlab have none"
        ))),
    }
}

fn shows_missing(args: &ReportArgs, reporting: &Reporting) -> bool {
    args.show_missing || reporting.config.report.show_missing
}

/// Returns the options of the report. An option of the command overrides the setting.
fn options(args: &ReportArgs, reporting: &Reporting, format: Format) -> Result<Options, Failure> {
    let settings = &reporting.config.report;
    let skip_covered = args.skip_covered || (settings.skip_covered && !args.no_skip_covered);
    let mut options = Options::new()
        .format(format)
        .by(match args.by {
            args::By::Dir => By::Folder,
            args::By::File => By::File,
        })
        .precision(reporting.precision(args.precision)?)
        .show_missing(shows_missing(args, reporting))
        .one_total(args.one_total.one_total)
        .skip_covered(skip_covered)
        .skip_empty(args.skip_empty || settings.skip_empty);
    if let Some(bytes) = args.max_bytes {
        options = options.max_bytes(bytes);
    }
    Ok(match args.sort.as_ref().or(settings.sort.as_ref()) {
        Some(column) => options.sort(column),
        None => options,
    })
}
