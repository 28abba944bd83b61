//! `pulpcov hook report`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pulpcov_core::combine::Combined;
use pulpcov_core::discover::{self, Found};
use pulpcov_core::output::WholeFile;
use pulpcov_core::report::text::{self, Options};
use pulpcov_core::summarize::Detail;

use super::data_root::{BASE, NO_FOLDER};
use super::installed::{self, Places, Settings, State};
use super::interpreter::Interpreter;
use super::{about, python_options};
use crate::args::{DATA_ROOT, HookReportArgs, Mixed, ReportingArgs};
use crate::commands::combine;
use crate::commands::reporting::{Reporting, finish, to_stdout};
use crate::commands::{html, xml};
use crate::exit::{Exit, Failure};
use crate::{settings, trust, ui};

pub(super) fn run(args: &HookReportArgs) -> Result<Exit, Failure> {
    let hooks: Vec<Hook> =
        args.pythons.iter().map(|python| Hook::of(python)).collect::<Result<_, _>>()?;
    let roots = data_roots(args, &hooks);
    check_places(args, &roots)?;
    let shown = shown_sources(args, &hooks)?;
    // Before the combine: it locks the folder, so that two of them do not add to it at once.
    std::fs::create_dir_all(&args.folder).map_err(|err| about(&args.folder, err))?;
    let combined = combine_roots(args, &roots)?;
    combine::report(&combined, false);
    let exit = finish(write_reports(args, shown))?;
    Ok(match exit {
        Exit::Success if !combined.left_out.is_empty() && !args.ignore_errors => Exit::LeftOut,
        Exit::LeftOut if args.ignore_errors => Exit::Success,
        exit => exit,
    })
}

/// A Python with the hook in it.
struct Hook {
    interpreter: Interpreter,
    settings: Settings,
}

impl Hook {
    fn of(python: &Path) -> Result<Self, Failure> {
        let interpreter = Interpreter::ask(python)?;
        match installed::look(&Places::new(&interpreter.site))? {
            State::Whole(settings) => Ok(Self { interpreter, settings }),
            State::Changed(path, how) => Err(about(&path, how)),
            State::Absent => Err(about(python, "the hook is not installed in it")),
        }
    }
}

/// Where the data is: in the folder that was chosen, or else where the hooks write, or else where they usually do.
fn data_roots(args: &HookReportArgs, hooks: &[Hook]) -> BTreeSet<PathBuf> {
    if let Some(root) = &args.data_root {
        return [root.clone()].into();
    }
    // Whoever names no Python may have none with the hook.
    let unnamed = if hooks.is_empty() { default_hook() } else { None };
    let mut roots: BTreeSet<PathBuf> = hooks
        .iter()
        .chain(&unnamed)
        .filter_map(|hook| hook.settings.get("root"))
        .map(PathBuf::from)
        .collect();
    if roots.is_empty() {
        roots.insert(DATA_ROOT.into());
    }
    roots
}

fn default_hook() -> Option<Hook> {
    Hook::of(Path::new(HookReportArgs::DEFAULT_PYTHON)).ok()
}

/// Is there something to report, and can it be written?
fn check_places(args: &HookReportArgs, roots: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    if let Some(root) = roots.iter().find(|root| !root.is_dir()) {
        let advice = "--data-root names another one; with --python, it is the one that the hook of that Python writes into";
        return Err(about(root, format!("{NO_FOLDER}. {advice}")));
    }
    trust::check_output(&args.folder)?;
    if args.folder.exists() && !args.folder.is_dir() {
        return Err(about(&args.folder, "is a file; name a folder to write the report into"));
    }
    let places: Vec<PathBuf> = roots.iter().cloned().collect();
    let Found { files, left_out, .. } = discover::find(&places, BASE.as_ref())?;
    // Why folders and files cannot be read, the combine says.
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

/// What is in the data roots now, and what an earlier report had, as one data file.
fn combine_roots(args: &HookReportArgs, roots: &BTreeSet<PathBuf>) -> Result<Combined, Failure> {
    let config = settings::load(&args.config)?;
    let combined = combine::combiner(&args.folder.join(BASE), settings::aliases(&config)?)
        .places(roots)
        // What an earlier report has erased is nowhere else.
        .append(true)
        .keep(!args.erase)
        .mixed_as_lines(args.mixed == Some(Mixed::Lines))
        .run()?;
    Ok(combined)
}

/// What is shown whoever measured it: what was chosen when the hook was installed, and what is chosen now.
fn shown_sources(args: &HookReportArgs, hooks: &[Hook]) -> Result<Vec<PathBuf>, Failure> {
    let mut shown = args.show_source.clone();
    for Hook { interpreter, settings } in hooks {
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
    Ok(reporting.end())
}
