//! `pulpcov html`

mod beside;
mod history;
mod parts;

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use pulpcov_core::config::Config;
use pulpcov_core::report::html::{self, Options};
use pulpcov_core::results::Precision;
use pulpcov_core::summarize::{Detail, Summary};

use super::reporting::{Reporting, is_standard_output, print_failure};
use super::{forge, gate, own};
use crate::args::HtmlArgs;
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;
use crate::{trust, ui};
use history::NewRun;

pub(crate) fn run(args: &HtmlArgs) -> Result<Exit, Failure> {
    print_failure(report(args))
}

fn report(args: &HtmlArgs) -> Result<Exit, Failure> {
    let shows = |config: &Config| args.show_contexts || config.html.show_contexts;
    let contexts = args.contexts.as_deref();
    let mut reporting = Reporting::with_contexts(
        ReportPlan::try_from(&args.reporting)?.with(&args.with),
        args.quiet,
        contexts,
        shows,
    )?;
    let precision = reporting.precision(args.precision)?;
    if args.show_contexts || reporting.config.html.show_contexts {
        reporting.warn_without_contexts();
    }
    let own = own::load(&args.reporting.data.config)?;
    check_what_needs_everything(args, &reporting)?;
    let changes = match args.patch || args.changes.are_asked_for() {
        true => Some(parts::changes(args, &own.patch, &mut reporting, precision)?),
        false => None,
    };
    let summary = reporting.summarize_and_list(Detail::Everything);
    let (summary, mut problems) = reporting.explain_if_empty(summary)?;
    if summary.all_files().next().is_none() {
        writeln!(anstream::stdout(), "No data to report.").map_err(Failure::Output)?;
        ui::warning(&reporting.why_there_is_nothing());
        return Ok(Exit::Error);
    }
    let stale = gate::stale(&summary)?;
    if let Some(message) = &stale {
        ui::warning(message);
        problems.push(message.clone());
    }
    let revision = parts::revision(args, &reporting);
    let origin = parts::origin(&reporting, revision.as_deref());
    let mut options =
        options(args, &reporting, precision)?.origin(origin).one_total(args.one_total.one_total);
    if let Some(template) = &args.source_url {
        let template = forge::source_url(template, &reporting)?;
        options = options.source_url(&template, &forge::folder_in_repository(&reporting))?;
    }
    let base = match changes {
        Some((changes, base)) => {
            options = options.changes(changes);
            base
        }
        None => None,
    };
    if let Some(baseline) = parts::baseline(args, base.as_ref(), &reporting, &summary)? {
        options = options.baseline(baseline);
    }
    match parts::verdict(args, &own, &reporting, &summary) {
        Ok(Some(gate)) => options = options.gate(gate),
        Ok(None) => {}
        Err(why) => {
            ui::warning(&why);
            problems.push(why);
        }
    }
    options = options.problems(problems);
    let run = match &args.history {
        // Its numbers are those of no version.
        Some(_) if stale.is_some() => {
            ui::warning(
                "the run is not added to the history, because files changed after measuring",
            );
            None
        }
        Some(path) => {
            let (run, history) = NewRun::read(path, revision, &reporting, &summary)?;
            options = options.history(history);
            Some(run)
        }
        None => None,
    };
    let folder = folder(args, &reporting)?;
    beside::check(args, &folder)?;
    let total = match &args.single_file {
        Some(output) => reporting
            .write(output, "HTML report", |out| html::write_single_file(&summary, &options, out))?,
        None => write_folder(args, &summary, &options, &folder)?,
    };
    beside::write(args, &summary, precision, &folder)?;
    run.map_or(Ok(()), |run| run.append())?;
    let total = reporting.total(total, &summary, args.one_total);
    reporting.exit_code_for_total(total, &args.fail_under, precision)
}

/// Refuses options that compare with other data if the report counts only a part of its own.
fn check_what_needs_everything(args: &HtmlArgs, reporting: &Reporting) -> Result<(), Failure> {
    let asked = [(args.baseline.is_some(), "--baseline"), (args.history.is_some(), "--history")];
    match asked.iter().find(|(is_asked, _)| *is_asked && reporting.is_of_part()) {
        None => Ok(()),
        Some((_, option)) => Err(Failure::Refused(format!(
            "{option} needs a report of all files and contexts: leave out FILE, --include, --omit, --contexts and the setting `contexts`"
        ))),
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

/// Returns the folder that the report is written into.
fn folder(args: &HtmlArgs, reporting: &Reporting) -> Result<PathBuf, Failure> {
    let Some(file) = args.single_file.as_deref().map(Path::new) else {
        let setting = || PathBuf::from(&reporting.config.html.directory);
        return Ok(args.directory.clone().unwrap_or_else(setting));
    };
    if is_standard_output(file) && (args.badge || args.summary) {
        let message =
            "--badge and --summary write beside the report, and standard output has no folder";
        return Err(Failure::Refused(message.to_owned()));
    }
    Ok(file.parent().unwrap_or(Path::new("")).to_owned())
}

fn write_folder(
    args: &HtmlArgs,
    summary: &Summary<'_>,
    options: &Options,
    folder: &Path,
) -> Result<f64, Failure> {
    trust::check_output(folder)?;
    let total = html::write(summary, options, folder)?;
    if !args.quiet {
        let index = folder.join("index.html");
        ui::message(&format!("Wrote HTML report to {}", index.display()));
    }
    Ok(total)
}
