//! `pulpcov badge`

use std::io::Write;

use pulpcov_core::report::badge::{Options, write_json, write_svg};
use pulpcov_core::summarize::Detail;

use super::reporting::Reporting;
use crate::args::{BadgeArgs, BadgeFormat};
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;

/// Returns the format that the user asked for, with an option or by the name of the output.
fn format(args: &BadgeArgs) -> BadgeFormat {
    let is_svg = args.output.as_ref().is_some_and(|output| output.ends_with(".svg"));
    args.format.unwrap_or(if is_svg { BadgeFormat::Svg } else { BadgeFormat::Json })
}

pub(crate) fn run(args: &BadgeArgs) -> Result<Exit, Failure> {
    let reporting = Reporting::new(ReportPlan::try_from(&args.reporting)?.with(&args.with), true)?;
    let summary = reporting.summarize(Detail::Numbers)?;
    let totals = summary.headline(args.one_total.one_total);
    let mut options = Options::new().precision(reporting.precision(args.precision)?);
    if let Some(label) = &args.label {
        options = options.label(label);
    }
    reporting.write(args.output.as_deref().unwrap_or("-"), "badge", |out: &mut dyn Write| {
        match format(args) {
            BadgeFormat::Json => write_json(totals, &options, out),
            BadgeFormat::Svg => write_svg(totals, &options, out),
        }?;
        Ok(totals.percent_covered())
    })?;
    Ok(reporting.exit_code())
}
