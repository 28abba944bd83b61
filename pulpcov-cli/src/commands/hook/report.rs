//! `pulpcov hook report`

use std::path::PathBuf;

use pulpcov_core::combine::Combined;
use pulpcov_core::output::WholeFile;
use pulpcov_core::report::text::{self, Options};
use pulpcov_core::summarize::Detail;

use super::about;
use super::data_root::BASE;
use super::installed::{self, Places, State};
use super::interpreter::Interpreter;
use crate::args::{HookReportArgs, ReportingArgs};
use crate::commands::combine;
use crate::commands::reporting::{Reporting, finish, to_stdout};
use crate::commands::{html, xml};
use crate::exit::{Exit, Failure};
use crate::{settings, trust, ui};

pub(super) fn run(args: &HookReportArgs) -> Result<Exit, Failure> {
    if !args.data_root.is_dir() {
        return Err(about(&args.data_root, "there is no such folder; is the hook installed?"));
    }
    trust::check_output(&args.folder)?;
    let shown = shown_sources(args)?;
    std::fs::create_dir_all(&args.folder).map_err(|err| about(&args.folder, err))?;
    let combined = combine_root(args)?;
    combine::report(&combined, false);
    let exit = finish(write_reports(args, shown))?;
    let is_complete = combined.left_out.is_empty() || args.ignore_errors;
    Ok(if exit == Exit::Success && !is_complete { Exit::LeftOut } else { exit })
}

/// What is in the data root now, as one data file; an earlier one is replaced.
fn combine_root(args: &HookReportArgs) -> Result<Combined, Failure> {
    let config = settings::load(&args.config)?;
    let combined = combine::combiner(&args.folder.join(BASE), settings::aliases(&config)?)
        .places([&args.data_root])
        .keep(!args.erase)
        .run()?;
    Ok(combined)
}

/// What is shown whoever measured it: what was chosen when the hook was installed, and what is chosen now.
fn shown_sources(args: &HookReportArgs) -> Result<Vec<PathBuf>, Failure> {
    let mut shown = args.show_source.clone();
    for python in &args.pythons {
        let interpreter = Interpreter::ask(python)?;
        let settings = match installed::look(&Places::new(&interpreter.site))? {
            State::Whole(settings) => settings,
            State::Changed(path, how) => return Err(about(&path, how)),
            State::Absent => return Err(about(python, "the hook is not installed in it")),
        };
        shown.extend(settings.all("folder").map(PathBuf::from));
        let packages: Vec<&str> = settings.all("package").collect();
        shown.extend(interpreter.find_packages(&packages)?);
    }
    Ok(shown)
}

fn write_reports(args: &HookReportArgs, shown: Vec<PathBuf>) -> Result<Exit, Failure> {
    let plain = ReportingArgs {
        data_file: Some(args.folder.join(BASE)),
        keep_combined: true,
        ignore_errors: args.ignore_errors,
        show_source: shown,
        ..ReportingArgs::plain(&args.config)
    };
    let reporting = Reporting::new(&plain, true)?;
    let (summary, problems) = reporting.summarize_and_list(Detail::Everything)?;
    let precision = reporting.precision(None)?;
    let path = args.folder.join("coverage.xml");
    WholeFile::at(&path).write(|out| xml::render(&reporting, &summary, out))?;
    let html = args.folder.join("html");
    html::write_plain(&reporting, &summary, &html, false, problems)?;
    to_stdout(|out| text::write(&summary, &Options::new().precision(precision), out))?;
    ui::message(&format!("Wrote {} and {}", ui::name(&path), ui::name(&html.join("index.html"))));
    Ok(Exit::Success)
}
