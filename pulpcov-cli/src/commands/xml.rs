//! `pulpcov xml`

use std::time::{SystemTime, UNIX_EPOCH};

use pulpcov_core::report::xml::{self, Options};

use super::reporting::{Reporting, finish};
use crate::args::XmlArgs;
use crate::exit::{Exit, Failure};

pub(crate) fn run(args: &XmlArgs) -> Result<Exit, Failure> {
    finish(report(args))
}

fn report(args: &XmlArgs) -> Result<Exit, Failure> {
    let reporting = Reporting::new(&args.reporting, args.quiet)?;
    let config = &reporting.config;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let options = Options::new()
        .package_depth(config.xml.package_depth)
        .skip_empty(args.skip_empty || config.report.skip_empty)
        .sources(config.run.source.iter().flatten())
        .timestamp(now.as_millis());
    let output = args.output.as_ref().unwrap_or(&config.xml.output);
    let summary = reporting.summarize()?;
    let total = reporting.write(output, "XML report", |out| xml::write(&summary, &options, out))?;
    reporting.judge(total, &args.fail_under, reporting.precision(None)?)
}
