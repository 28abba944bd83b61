//! `pulpcov annotate`

use std::path::{Path, PathBuf};

use pulpcov_core::output::WholeFile;
use pulpcov_core::report::annotate;
use pulpcov_core::summarize::{Detail, FileSummary};

use super::reporting::{Reporting, finish};
use crate::args::AnnotateArgs;
use crate::exit::{Exit, Failure};

pub(crate) fn run(args: &AnnotateArgs) -> Result<Exit, Failure> {
    finish(report(args))
}

fn report(args: &AnnotateArgs) -> Result<Exit, Failure> {
    let reporting = Reporting::new(&args.reporting, false)?;
    let summary = reporting.summarize(Detail::Lines)?;
    for file in summary.files() {
        let target = target(file, args.directory.as_deref());
        WholeFile::at(&target).write(|out| annotate::write(&summary, file, out))?;
    }
    Ok(Exit::Success)
}

/// In the folder, or beside the source.
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
