//! `pulpcov lcov`

use pulpcov_core::report::lcov::{self, Options};
use pulpcov_core::summarize::Detail;

use super::reporting::{Reporting, print_failure};
use crate::args::LcovArgs;
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;

pub(crate) fn run(args: &LcovArgs) -> Result<Exit, Failure> {
    print_failure(report(args))
}

fn report(args: &LcovArgs) -> Result<Exit, Failure> {
    let reporting =
        Reporting::new(ReportPlan::try_from(&args.reporting)?.with(&args.with), args.quiet)?;
    let config = &reporting.config;
    let options = Options::new()
        .line_checksums(config.lcov.line_checksums)
        .numeric_branches(args.numeric_branches)
        .skip_empty(config.report.skip_empty);
    let output = args.output.as_ref().unwrap_or(&config.lcov.output);
    let summary = reporting.summarize(Detail::Everything)?;
    let total =
        reporting.write(output, "LCOV report", |out| lcov::write(&summary, &options, out))?;
    let total = reporting.total(total, &summary, args.one_total);
    reporting.exit_code_for_total(total, &args.fail_under, reporting.precision(None)?)
}
