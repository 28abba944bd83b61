//! `pulpcov xml`

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use pulpcov_core::Error;
use pulpcov_core::report::xml::{self, Options};
use pulpcov_core::summarize::{Detail, Summary};

use super::reporting::{Reporting, finish};
use crate::args::XmlArgs;
use crate::exit::{Exit, Failure};

pub(crate) fn run(args: &XmlArgs) -> Result<Exit, Failure> {
    finish(report(args))
}

fn report(args: &XmlArgs) -> Result<Exit, Failure> {
    let reporting = Reporting::new(&args.reporting, args.quiet)?;
    let output = args.output.as_ref().unwrap_or(&reporting.config.xml.output);
    let summary = reporting.summarize(Detail::Lines)?;
    let total = reporting
        .write(output, "XML report", |out| render(&reporting, &summary, args.skip_empty, out))?;
    reporting.judge(total, &args.fail_under, reporting.precision(None)?)
}

/// The report as of now, with its settings.
pub(super) fn render(
    reporting: &Reporting<'_>,
    summary: &Summary<'_>,
    skip_empty: bool,
    out: &mut dyn Write,
) -> Result<f64, Error> {
    let config = &reporting.config;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let options = Options::new()
        .package_depth(config.xml.package_depth)
        .skip_empty(skip_empty || config.report.skip_empty)
        .sources(config.run.source.iter().flatten())
        .timestamp(now.as_millis());
    xml::write(summary, &options, out)
}
