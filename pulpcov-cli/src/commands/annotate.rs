//! `pulpcov annotate`

use std::path::{Path, PathBuf};

use pulpcov_core::Authors;
use pulpcov_core::output::WholeFile;
use pulpcov_core::report::annotate;
use pulpcov_core::summarize::{Detail, FileSummary};

use super::reporting::{Reporting, print_failure};
use crate::args::AnnotateArgs;
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;
use crate::{trust, ui};

pub(crate) fn run(args: &AnnotateArgs) -> Result<Exit, Failure> {
    print_failure(report(args))
}

fn report(args: &AnnotateArgs) -> Result<Exit, Failure> {
    let reporting = Reporting::new(ReportPlan::try_from(&args.reporting)?, false)?;
    if reporting.has_sources_elsewhere() && args.directory.is_none() {
        let reason = "copies go beside the sources, and these are elsewhere: --directory names a folder for them";
        return Err(Failure::Refused(reason.to_owned()));
    }
    let summary = reporting.summarize(Detail::Lines)?;
    args.directory.as_deref().map_or(Ok(()), trust::check_output)?;
    for file in summary.files() {
        if args.directory.is_none() && *file.authors() != Authors::Caller {
            ui::warning(&format!(
                "{} is not annotated: only data files of other users name it, and they may have \
                 chosen where its copy would be written; --directory writes it into a folder of yours",
                ui::name(file.path())
            ));
            continue;
        }
        let target = target(file, args.directory.as_deref());
        WholeFile::at(&target).write(|out| annotate::write(&summary, file, out))?;
    }
    Ok(reporting.exit_code())
}

/// Returns where the annotated copy is written: into the folder, or beside the source.
fn target(file: &FileSummary, folder: Option<&Path>) -> PathBuf {
    match folder.filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => folder.join(annotate::file_name(file)),
        None => {
            let mut name = file.path().as_os_str().to_owned();
            name.push(",cover");
            name.into()
        }
    }
}
