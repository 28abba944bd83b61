//! `pulpcov badge`

use std::io::Write;

use pulpcov_core::report::badge::{Options, write_json, write_svg};
use pulpcov_core::summarize::Detail;

use super::reporting::Reporting;
use crate::args::{BadgeArgs, BadgeFormat};
use crate::exit::{Exit, Failure};

pub(crate) fn run(args: &BadgeArgs) -> Result<Exit, Failure> {
    let reporting = Reporting::new(&args.reporting, true)?;
    let summary = reporting.summarize(Detail::Numbers)?;
    let totals = summary.totals();
    let mut options = Options::new().precision(reporting.precision(args.precision)?);
    if let Some(label) = &args.label {
        options = options.label(label);
    }
    reporting.write(args.output.as_deref().unwrap_or("-"), "badge", |out: &mut dyn Write| {
        match args.format {
            BadgeFormat::Json => write_json(totals, &options, out),
            BadgeFormat::Svg => write_svg(totals, &options, out),
        }?;
        Ok(totals.percent_covered())
    })?;
    Ok(reporting.exit_code())
}
