//! `pulpcov merge`

use std::path::{Component, Path, PathBuf};

use pulpcov_core::foreign::{self, Merged, cobertura, codecov, coverage_json, lcov};
use pulpcov_core::paths::WorkingFolder;

use super::choice::Choice;
use super::json::local_time;
use super::reporting::to_output;
use super::with::{renamed, stripped, warn_of_differing_lines, without_steps_up};
use super::xml::now;
use crate::args::{MergeArgs, MergeFormat};
use crate::exit::{Exit, Failure};
use crate::plan::patterns;
use crate::{settings, ui};

pub(crate) fn run(args: &MergeArgs) -> Result<Exit, Failure> {
    let config = settings::load(&args.config)?;
    let mut aliases = settings::aliases(&config)?;
    let wanted = |option: &Option<String>| patterns(option.as_deref()).unwrap_or_default();
    let folder = WorkingFolder::new(settings::cwd()?);
    let choice = Choice::new(&folder, &wanted(&args.include), &wanted(&args.omit))?;
    check_that_the_output_is_no_input(args)?;
    let Merged { report, left_out, .. } = foreign::merge_files(&args.files);
    for err in &left_out {
        ui::warning(&format!("left out: {err}"));
    }
    if left_out.len() == args.files.len() {
        return Err(Failure::Refused("no report could be read".to_owned()));
    }
    let absolute = |name: &String| std::path::absolute(name).unwrap_or_else(|_| name.into());
    let is_wanted = |name: &String| choice.has(&without_steps_up(&absolute(name)));
    let report = report.rename(|name| {
        let name = stripped(renamed(name, &mut aliases), args.strip);
        Some(one_spelling(name)).filter(is_wanted)
    });
    if report.files().len() == 0 {
        let message = "nothing is left: --include and --omit leave out all files";
        return Err(Failure::Refused(message.to_owned()));
    }
    warn_of_differing_lines(&report);
    to_output(Some(&args.output), |mut out| match args.format {
        MergeFormat::Lcov => lcov::write(&report, &mut out),
        MergeFormat::Cobertura => cobertura::write(&report, now(), &mut out),
        MergeFormat::Json => coverage_json::write(&report, &local_time(), &mut out),
        MergeFormat::Codecov => codecov::write(&report, &mut out),
    })?;
    Ok(if left_out.is_empty() || args.ignore_errors { Exit::Success } else { Exit::LeftOut })
}

/// Returns the plain spelling of a name with `.` or `..`. What `..` leads out of may be a link, so that is only left out if the file is
/// here, and both names lead to it.
fn one_spelling(name: String) -> String {
    let (path, is_step) = (Path::new(&name), |part: Component<'_>| part != Component::CurDir);
    let mut plain: PathBuf = path.components().filter(|part| is_step(*part)).collect();
    if plain.components().any(|part| part == Component::ParentDir) {
        let without = without_steps_up(&plain);
        let leads_to = |path: &Path| path.canonicalize().ok();
        if leads_to(&plain).is_some() && leads_to(&plain) == leads_to(&without) {
            plain = without;
        }
    }
    plain.into_os_string().into_string().unwrap_or(name)
}

/// Refuses to write over a report that is read: it would count again the next time, and if it cannot be read, it would be lost.
fn check_that_the_output_is_no_input(args: &MergeArgs) -> Result<(), Failure> {
    let Ok(output) = Path::new(&args.output).canonicalize() else { return Ok(()) };
    let is_output = |input: &&PathBuf| input.canonicalize().is_ok_and(|input| input == output);
    match args.files.iter().find(is_output) {
        None => Ok(()),
        Some(input) => Err(Failure::Refused(format!(
            "{}: this is one of the reports that are read; write another file with -o",
            ui::name(input)
        ))),
    }
}
