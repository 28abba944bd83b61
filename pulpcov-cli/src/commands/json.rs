//! `pulpcov json`

use jiff::Zoned;
use pulpcov_core::config::Config;
use pulpcov_core::report::codecov;
use pulpcov_core::report::json::{self, Options};
use pulpcov_core::summarize::Detail;

use super::reporting::{Reporting, print_failure, print_failure_beside_output};
use super::repository;
use crate::args::JsonArgs;
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;
use crate::ui;

/// A report with this many bytes of contexts is announced as large.
const LARGE: u64 = 500_000_000;

pub(crate) fn run(args: &JsonArgs) -> Result<Exit, Failure> {
    match args.codecov {
        true => print_failure_beside_output(codecov(args)),
        false => print_failure(report(args)),
    }
}

fn report(args: &JsonArgs) -> Result<Exit, Failure> {
    let shows =
        |config: &Config| args.show_contexts || args.contexts_once || config.json.show_contexts;
    let contexts = args.contexts.as_deref();
    let reporting = Reporting::with_contexts(
        ReportPlan::try_from(&args.reporting)?.with(&args.with),
        args.quiet,
        contexts,
        shows,
    )?;
    let settings = &reporting.config.json;
    let precision = reporting.precision(None)?;
    let options = Options::new()
        .precision(precision)
        .pretty_print(args.pretty_print || settings.pretty_print)
        .show_contexts(shows(&reporting.config))
        .contexts_once(args.contexts_once)
        .timestamp(local_time());
    let output = args.output.as_ref().unwrap_or(&settings.output);
    let summary = reporting.summarize(Detail::Everything)?;
    announce_size(json::size_of_contexts(&summary, &options), args.contexts_once);
    let total =
        reporting.write(output, "JSON report", |out| json::write(&summary, &options, out))?;
    let total = reporting.total(total, &summary, args.one_total);
    reporting.exit_code_for_total(total, &args.fail_under, precision)
}

/// Writes Codecov's own format.
fn codecov(args: &JsonArgs) -> Result<Exit, Failure> {
    let contexts = args.contexts.as_deref();
    let reporting = Reporting::with_contexts(
        ReportPlan::try_from(&args.reporting)?.with(&args.with),
        args.quiet,
        contexts,
        |_| false,
    )?;
    let output = args.output.as_deref().unwrap_or("codecov.json");
    reporting.check_that_sources_are_clear()?;
    let summary = reporting.summarize(Detail::Lines)?;
    let files = repository::files(&reporting, &summary)?;
    let total = reporting.write(output, "JSON report", |out| {
        codecov::write(&files, out)?;
        Ok(summary.totals().percent_covered())
    })?;
    let total = reporting.total(total, &summary, args.one_total);
    reporting.exit_code_beside_output(total, &args.fail_under, reporting.precision(None)?)
}

/// Warns of the size of a very large report, before it fills a disk.
fn announce_size(bytes: u64, once: bool) {
    if bytes >= LARGE {
        let way_out = if once { "" } else { "; --contexts-once writes each name once" };
        let size = bytes as f64 / 1e9;
        ui::warning(&format!("the report will have about {size:.1} GB of contexts{way_out}"));
    }
}

/// Returns the local time as Python's `datetime.now().isoformat()` writes it.
pub(super) fn local_time() -> String {
    let now = Zoned::now().datetime();
    let seconds = now.strftime("%Y-%m-%dT%H:%M:%S");
    match now.subsec_nanosecond() / 1000 {
        0 => seconds.to_string(),
        microseconds => format!("{seconds}.{microseconds:06}"),
    }
}
