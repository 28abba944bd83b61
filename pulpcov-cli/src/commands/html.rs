//! `pulpcov html`

use std::io::Write;
use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use pulpcov_core::config::{Config, OwnSettings, PatchSettings};
use pulpcov_core::report::gate::GateReport;
use pulpcov_core::report::html::{self, Options};
use pulpcov_core::results::Precision;
use pulpcov_core::summarize::{Detail, Summary};

use super::changes::Changes;
use super::reporting::{Reporting, print_failure};
use super::{forge, gate, git, own};
use crate::args::HtmlArgs;
use crate::exit::{Exit, Failure};
use crate::{trust, ui};

pub(crate) fn run(args: &HtmlArgs) -> Result<Exit, Failure> {
    print_failure(report(args))
}

fn report(args: &HtmlArgs) -> Result<Exit, Failure> {
    let shows = |config: &Config| args.show_contexts || config.html.show_contexts;
    let contexts = args.contexts.as_deref();
    let mut reporting =
        Reporting::with_contexts((&args.reporting).try_into()?, args.quiet, contexts, shows)?;
    let precision = reporting.precision(args.precision)?;
    if args.show_contexts || reporting.config.html.show_contexts {
        reporting.warn_without_contexts();
    }
    let own = own::load(&args.reporting.data.config)?;
    let changes = match args.patch || args.changes.are_asked_for() {
        true => Some(changes(args, &own.patch, &mut reporting, precision)?),
        false => None,
    };
    let (summary, problems) = reporting.summarize_and_list(Detail::Everything)?;
    if summary.files().is_empty() {
        writeln!(anstream::stdout(), "No data to report.").map_err(Failure::Output)?;
        return Ok(Exit::Error);
    }
    let options = options(args, &reporting, precision)?.problems(problems);
    let mut options = options.origin(origin(&reporting));
    if let Some(template) = &args.source_url {
        let template = forge::source_url(template, &reporting)?;
        options = options.source_url(&template, &forge::folder_in_repository(&reporting))?;
    }
    if let Some(changes) = changes {
        options = options.changes(changes);
    }
    if let Some(judgement) = judgement(args, &own, &reporting, &summary) {
        options = options.gate(judgement);
    }
    let total = match &args.single_file {
        Some(output) => reporting
            .write(output, "HTML report", |out| html::write_single_file(&summary, &options, out))?,
        None => write_folder(args, &reporting, &summary, &options)?,
    };
    reporting.exit_code_for_total(total, &args.fail_under, precision)
}

/// Returns where the report is from, for a reader who finds it later.
fn origin(reporting: &Reporting) -> Vec<String> {
    let mut parts = vec![format!("pulpcov {}", env!("CARGO_PKG_VERSION"))];
    match reporting.plan.sources.revision() {
        Some(revision) => parts.push(format!("sources of {revision}")),
        None if reporting.has_sources_elsewhere() => {}
        None => parts.extend(git::description().map(|name| match name.strip_suffix("-dirty") {
            Some(commit) => format!("sources of commit {commit} with changes"),
            None => format!("sources of commit {name}"),
        })),
    }
    let file = reporting.data_file();
    let written = file.metadata().and_then(|status| status.modified()).ok();
    let written = written.and_then(|time| Timestamp::try_from(time).ok());
    let of = written.map_or_else(String::new, |time| {
        format!(" of {}", time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M %z"))
    });
    parts.push(format!("data {}{of}", ui::name(&file)));
    parts
}

/// Returns the changes that the report shows.
fn changes(
    args: &HtmlArgs,
    own: &PatchSettings,
    reporting: &mut Reporting,
    precision: Precision,
) -> Result<html::Changes, Failure> {
    let changes = Changes::read(&args.changes, reporting.plan.sources.revision(), None, own)?;
    changes.compare(reporting, None, |_, patch| {
        Ok(html::Changes::new(patch, &changes.options(precision))?)
    })
}

/// Returns what the gate says of the files, if the settings ask for something and the report is of all files.
fn judgement(
    args: &HtmlArgs,
    own: &OwnSettings,
    reporting: &Reporting,
    summary: &Summary<'_>,
) -> Option<html::Judgement> {
    let plan = &reporting.plan;
    if !plan.files.is_empty() || plan.include.is_some() || plan.omit.is_some() {
        return None;
    }
    let base = args.changes.base.as_deref();
    match gate::judge_all(base, own, reporting, summary) {
        Ok(verdict) => verdict.map(|verdict| html::Judgement::new(&GateReport::new(&verdict))),
        Err(err) => {
            ui::warning(&format!("the gate is left out: {err}"));
            None
        }
    }
}

/// Writes the report into a folder, as the settings say, without options.
pub(super) fn write_plain(
    reporting: &Reporting,
    summary: &Summary<'_>,
    folder: &Path,
    live: bool,
    problems: Vec<String>,
) -> Result<f64, Failure> {
    let options = of_settings(reporting, reporting.precision(None)?).problems(problems);
    let options = with_style(options, None, reporting)?;
    let options = match live {
        true => {
            options.timestamp(Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string()).live(true)
        }
        false => options,
    };
    trust::check_output(folder)?;
    Ok(html::write(summary, &options, folder)?)
}

/// Returns the options of the report. An option of the command overrides coverage.py's setting.
fn options(
    args: &HtmlArgs,
    reporting: &Reporting,
    precision: Precision,
) -> Result<Options, Failure> {
    let mut options = of_settings(reporting, precision);
    if let Some(title) = &args.title {
        options = options.title(title);
    }
    if args.show_contexts {
        options = options.show_contexts(true);
    }
    if args.skip_covered || args.no_skip_covered {
        options = options.skip_covered(args.skip_covered);
    }
    if args.skip_empty {
        options = options.skip_empty(true);
    }
    with_style(options, args.extra_css.as_ref(), reporting)
}

/// Returns the options of the report that the settings ask for, but for the style sheet.
fn of_settings(reporting: &Reporting, precision: Precision) -> Options {
    let settings = &reporting.config.html;
    let report = &reporting.config.report;
    Options::new()
        .title(&settings.title)
        .timestamp(Zoned::now().strftime("%Y-%m-%d %H:%M %z").to_string())
        .precision(precision)
        .show_contexts(settings.show_contexts)
        .skip_covered(settings.skip_covered.unwrap_or(report.skip_covered))
        .skip_empty(settings.skip_empty.unwrap_or(report.skip_empty))
}

/// Adds the style sheet that is named, or else the setting's. An empty name stands for none.
fn with_style(
    options: Options,
    named: Option<&String>,
    reporting: &Reporting,
) -> Result<Options, Failure> {
    let path = named.or(reporting.config.html.extra_css.as_ref());
    let Some(path) = path.filter(|path| !path.is_empty()).map(Path::new) else {
        return Ok(options);
    };
    let css = std::fs::read(path).map_err(|err| Failure::reading(path, &err))?;
    Ok(options.extra_css(css))
}

fn write_folder(
    args: &HtmlArgs,
    reporting: &Reporting,
    summary: &Summary<'_>,
    options: &Options,
) -> Result<f64, Failure> {
    let setting = Path::new(&reporting.config.html.directory);
    let folder = args.directory.as_deref().unwrap_or(setting);
    trust::check_output(folder)?;
    let total = html::write(summary, options, folder)?;
    if !args.quiet {
        let index = folder.join("index.html");
        ui::message(&format!("Wrote HTML report to {}", index.display()));
    }
    Ok(total)
}
