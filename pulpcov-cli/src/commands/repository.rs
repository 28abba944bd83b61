//! The names that files have in the repository, as services of CI know them.

use std::path::{Path, PathBuf};

use pulpcov_core::report::RepositoryFiles;
use pulpcov_core::summarize::Summary;

use super::git;
use super::reporting::{Reporting, named_in_part};
use crate::exit::Failure;
use crate::ui;

/// Returns the files of a report by their names in the repository. Warns of files that are not in it.
pub(super) fn files<'a>(
    reporting: &Reporting,
    summary: &'a Summary<'_>,
) -> Result<RepositoryFiles<'a>, Failure> {
    let top = top_folder(reporting.folder());
    let files = RepositoryFiles::new(summary, &top)?;
    let outside: Vec<PathBuf> = files.outside().iter().map(|file| file.path().into()).collect();
    if files.iter().len() == 0 && !outside.is_empty() {
        return Err(Failure::Refused(format!(
            "no file of the report is in {}: the data has {}",
            ui::name(&top),
            named_in_part(&outside)
        )));
    }
    if !outside.is_empty() {
        ui::warning(&format!(
            "not in {}, so not shown: {}",
            ui::name(&top),
            named_in_part(&outside)
        ));
    }
    Ok(files)
}

/// Refuses data in which a file of the repository has several names: each would count.
pub(super) fn check_that_files_are_one(
    reporting: &Reporting,
    summary: &Summary<'_>,
) -> Result<(), Failure> {
    RepositoryFiles::new(summary, top_folder(reporting.folder()))?;
    Ok(())
}

/// The folders that names start from.
pub(super) struct Folders {
    /// The top folder of the repository.
    pub(super) top: PathBuf,
    /// The folder that names of the report start from.
    pub(super) report: PathBuf,
}

impl Folders {
    pub(super) fn new(reporting: &Reporting) -> Self {
        let report = reporting.folder();
        Self { top: top_folder(report.clone()), report: report.canonicalize().unwrap_or(report) }
    }
}

/// Returns the folder that the names start from: the top folder of the repository. If the sources are in no repository, it is
/// `folder`, which the names of the report start from.
pub(super) fn top_folder(folder: PathBuf) -> PathBuf {
    // The names in an archive start from the archive.
    if !folder.is_dir() {
        return folder;
    }
    let folder = folder.canonicalize().unwrap_or(folder);
    let of_git = git::top_folder().and_then(|top| top.canonicalize().ok());
    // git may be missing, or refuse a repository of another user.
    let top = of_git
        .filter(|top| folder.starts_with(top))
        .or_else(|| git::folder_above(&folder).map(Path::to_owned));
    top.unwrap_or(folder)
}
