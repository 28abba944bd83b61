//! `pulpcov report`

use std::str::FromStr;

use pulpcov_core::report::text::{self, By, Format, Options};
use pulpcov_core::summarize::Detail;

use super::reporting::{Reporting, print_failure, to_stdout};
use crate::args::{self, ReportArgs};
use crate::exit::{Exit, Failure};

pub(crate) fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    print_failure(report(args))
}

fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    let contexts = args.contexts.as_deref();
    let reporting = Reporting::with_contexts(&args.reporting, false, contexts, |_| false)?;
    let options = options(args, &reporting)?;
    let summary = reporting.summarize(match shows_missing(args, &reporting) {
        true => Detail::Lines,
        false => Detail::Numbers,
    })?;
    let total = to_stdout(|out| text::write(&summary, &options, out))?;
    reporting.exit_code_for_total(total, &args.fail_under, reporting.precision(args.precision)?)
}

fn shows_missing(args: &ReportArgs, reporting: &Reporting<'_>) -> bool {
    args.show_missing || reporting.config.report.show_missing
}

/// Returns the options of the report. An option of the command overrides the setting.
fn options(args: &ReportArgs, reporting: &Reporting<'_>) -> Result<Options, Failure> {
    let settings = &reporting.config.report;
    let format = args.format.as_ref().or(settings.format.as_ref());
    let format = format.filter(|format| !format.is_empty());
    let skip_covered = args.skip_covered || (settings.skip_covered && !args.no_skip_covered);
    let options = Options::new()
        .format(format.map_or(Ok(Format::Text), |format| Format::from_str(format))?)
        .by(match args.by {
            args::By::Dir => By::Folder,
            args::By::File => By::File,
        })
        .precision(reporting.precision(args.precision)?)
        .show_missing(shows_missing(args, reporting))
        .skip_covered(skip_covered)
        .skip_empty(args.skip_empty || settings.skip_empty);
    Ok(match args.sort.as_ref().or(settings.sort.as_ref()) {
        Some(column) => options.sort(column),
        None => options,
    })
}
