//! Where the files of a diff are.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pulpcov_core::FilePath;
use pulpcov_core::changes::{Diff, FileChange};

use super::super::git::seen_from;
use super::super::reporting::{Reporting, is_python};
use crate::exit::Failure;
use crate::ui;

/// Where the files of the diff are.
pub(super) struct Places {
    /// The folder that names in the diff start from.
    pub(super) top: PathBuf,
    /// The folder that names in the report start from.
    pub(super) folder: PathBuf,
    /// The names of all measured files, without their folders.
    names: HashSet<OsString>,
    /// The files and folders that the user asked for. Empty if the user asked for everything.
    asked_for: Vec<PathBuf>,
}

impl Places {
    pub(super) fn new(reporting: &Reporting, top: &Path) -> Self {
        let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
        let absolute = |path: &PathBuf| {
            path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or(path.clone())
        };
        Self {
            top,
            folder: reporting.folder(),
            names: file_names(reporting),
            asked_for: reporting.plan.files.iter().map(absolute).collect(),
        }
    }

    /// Refuses a name that neither a file nor a change has, such as a misspelt one.
    pub(super) fn check_what_is_asked_for(&self, diff: &Diff) -> Result<(), Failure> {
        let changed = |wanted: &Path| {
            let paths =
                diff.files().iter().flat_map(|change| [change.new_path(), change.old_path()]);
            paths.flatten().any(|path| self.top.join(path).starts_with(wanted))
        };
        match self.asked_for.iter().find(|wanted| !wanted.exists() && !changed(wanted)) {
            None => Ok(()),
            Some(wanted) => Err(Failure::Refused(format!(
                "{}: no such file or folder, and no change of one",
                ui::name(wanted)
            ))),
        }
    }

    /// Returns the path in the report of a file of the diff, if somebody asks about the file.
    pub(super) fn in_report(&self, path: &Path) -> Option<FilePath> {
        if !self.is_wanted(path) {
            return None;
        }
        let seen = seen_from(&self.folder, &self.top.join(path));
        // No data has a name that is not UTF-8. The report says that this one has no source.
        FilePath::try_from(seen.to_string_lossy().as_bytes()).ok()
    }

    /// Returns the path from the top folder of a path in the data, if it is below.
    pub(super) fn in_repository(&self, recorded: &FilePath) -> Option<PathBuf> {
        let path = self.folder.join(recorded.as_str());
        let path = path.canonicalize().unwrap_or(path);
        path.strip_prefix(&self.top).ok().map(Path::to_owned)
    }

    /// Returns whether the file is Python, or may have been measured, and the user asked for it.
    pub(super) fn is_wanted(&self, path: &Path) -> bool {
        let is_named = path.file_name().is_some_and(|name| self.names.contains(name));
        (is_python(path) || is_named) && self.is_asked_for(path)
    }

    /// Returns whether the user asked for a file by its new or its old name.
    pub(super) fn is_change_asked_for(&self, change: &FileChange) -> bool {
        let names = [change.new_path(), change.old_path()];
        names.into_iter().flatten().any(|path| self.is_asked_for(path))
    }

    fn is_asked_for(&self, path: &Path) -> bool {
        let path = self.top.join(path);
        self.asked_for.is_empty() || self.asked_for.iter().any(|wanted| path.starts_with(wanted))
    }
}

/// Returns the names of all measured files, without their folders.
fn file_names(reporting: &Reporting) -> HashSet<OsString> {
    let files = reporting.data().files().map(|file| file.path().as_str());
    let others = reporting.names_of_other_tools();
    files.chain(others).filter_map(|file| Some(Path::new(file).file_name()?.to_owned())).collect()
}

/// Returns whether a path of the data ends with a path of the repository.
pub(in crate::commands) fn is_same_below(recorded: &str, name: &str) -> bool {
    Path::new(recorded).ends_with(name) || Path::new(&recorded.replace('\\', "/")).ends_with(name)
}
