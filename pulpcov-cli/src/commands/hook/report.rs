//! `pulpcov hook report`

use std::collections::BTreeSet;
use std::path::PathBuf;

use pulpcov_core::combine::Combined;
use pulpcov_core::discover::{self, Found};
use pulpcov_core::output::WholeFile;
use pulpcov_core::report::text::{self, Options};
use pulpcov_core::summarize::Detail;

use super::contents::BASE;
use super::data_root::NO_FOLDER;
use super::{HOW_TO_NAME_ONE, Hooks, python_options, refusal_about};
use crate::args::{HookReportArgs, Mixed};
use crate::commands::combine;
use crate::commands::reporting::{Reporting, print_failure, to_stdout};
use crate::commands::{html, xml};
use crate::exit::{Exit, Failure};
use crate::plan::{DataPlan, ReportPlan};
use crate::{settings, trust, ui};

pub(super) fn run(args: &HookReportArgs) -> Result<Exit, Failure> {
    let hooks = Hooks::of(&args.pythons)?;
    let roots = hooks.data_roots(args.data_root.as_deref());
    check_places(args, &roots)?;
    let shown = [args.show_source.clone(), hooks.sources()?].concat();
    // The combine locks this folder, so that two reports do not add to it at once. So it has to exist first.
    std::fs::create_dir_all(&args.folder).map_err(|err| refusal_about(&args.folder, err))?;
    let combined = combine_roots(args, &roots)?;
    combine::report(&combined, false);
    let exit = print_failure(write_reports(args, shown))?;
    Ok(match exit {
        Exit::Success if !combined.left_out.is_empty() && !args.ignore_errors => Exit::LeftOut,
        Exit::LeftOut if args.ignore_errors => Exit::Success,
        exit => exit,
    })
}

/// Checks that there is something to report, and that the report can be written.
fn check_places(args: &HookReportArgs, roots: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    if let Some(root) = roots.iter().find(|root| !root.is_dir()) {
        return Err(refusal_about(
            root,
            format!("{NO_FOLDER}; with --data-root, {HOW_TO_NAME_ONE}"),
        ));
    }
    trust::check_output(&args.folder)?;
    if args.folder.exists() && !args.folder.is_dir() {
        return Err(refusal_about(
            &args.folder,
            "is a file; name a folder to write the report into",
        ));
    }
    let places: Vec<PathBuf> = roots.iter().cloned().collect();
    let Found { files, left_out, .. } = discover::find(&places, BASE.as_ref())?;
    // The combine names folders and files that cannot be read.
    if files.is_empty() && left_out.is_empty() { Err(no_data(args, &places)) } else { Ok(()) }
}

fn no_data(args: &HookReportArgs, roots: &[PathBuf]) -> Failure {
    let names: Vec<String> = roots.iter().map(|root| ui::name(root)).collect();
    Failure::Refused(format!(
        "No data to combine in {}\nRestart the service, use it, and see whom the hook measures: pulpcov hook status{}",
        names.join(", "),
        python_options(&args.pythons)
    ))
}

/// Combines the data roots and the data of earlier reports into one data file.
fn combine_roots(args: &HookReportArgs, roots: &BTreeSet<PathBuf>) -> Result<Combined, Failure> {
    let config = settings::load(&args.config)?;
    let combined = combine::combiner(&args.folder.join(BASE), settings::aliases(&config)?)
        .places(roots)
        // The data of earlier reports is added to: with `--erase`, it exists nowhere else.
        .append(true)
        .keep(!args.erase)
        .mixed_as_lines(args.mixed == Some(Mixed::Lines))
        .run()?;
    Ok(combined)
}

fn write_reports(args: &HookReportArgs, shown: Vec<PathBuf>) -> Result<Exit, Failure> {
    let data = DataPlan {
        file: Some(args.folder.join(BASE)),
        keep_combined: true,
        ..DataPlan::new(&args.config)
    };
    let plan =
        ReportPlan { ignore_errors: args.ignore_errors, ..ReportPlan::of_services(data, shown) };
    let reporting = Reporting::new(plan, true)?;
    let (summary, problems) = reporting.summarize_and_list(Detail::Everything)?;
    let precision = reporting.precision(None)?;
    let path = args.folder.join("coverage.xml");
    WholeFile::at(&path).write(|out| xml::render(&reporting, &summary, out))?;
    let html = args.folder.join("html");
    html::write_plain(&reporting, &summary, &html, false, problems)?;
    to_stdout(|out| text::write(&summary, &Options::new().precision(precision), out))?;
    ui::message(&format!("Wrote {} and {}", ui::name(&path), ui::name(&html.join("index.html"))));
    Ok(reporting.exit_code())
}
