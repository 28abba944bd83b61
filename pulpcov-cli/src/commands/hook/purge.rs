//! Removes what processes have left in the data root.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use pulpcov_core::discover::UserFolder;
use pulpcov_core::folder::{Entry, Kind};
use pulpcov_core::formats::companions_of;

use super::contents::Contents;
use super::processes;
use crate::exit::Failure;
use crate::ui;

/// The outcome of a purge.
#[derive(Debug, Default)]
pub(super) struct Purged {
    /// How many files were removed.
    pub(super) removed: usize,
    /// The files and folders that stayed, and why.
    pub(super) left: Vec<String>,
    /// The processes that had data files and still run.
    pub(super) live: BTreeSet<u32>,
}

impl Purged {
    fn leave(&mut self, path: &Path, why: impl std::fmt::Display) {
        self.left.push(format!("not removed: {}: {why}", ui::name(path)));
    }

    /// Removes a file, which may be gone already.
    fn remove(&mut self, file: &Entry) {
        match (file.status().map(|status| status.kind), file.remove()) {
            (_, Ok(())) => self.removed += 1,
            (Ok(Kind::Folder), _) => self.leave(file.path(), "this is a folder"),
            (_, Err(err)) if err.kind() == io::ErrorKind::NotFound => {}
            (_, Err(err)) => self.leave(file.path(), err),
        }
    }

    fn remove_folder(&mut self, root: &Contents, user: &UserFolder) {
        if user.kind != Kind::Folder {
            return self.leave(&user.path, "this is no folder");
        }
        match root.root.remove_folder(&user.name) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => self.leave(&user.path, err),
            _ => {}
        }
    }
}

/// Removes the files that processes have left, and their folders.
///
/// With `remove_folder`, removes the data root too if it is empty then.
pub(super) fn purge(root: &Path, remove_folder: bool) -> Result<Purged, Failure> {
    let contents = Contents::of(root)?;
    let mut purged = Purged { live: processes::live(&contents), ..Purged::default() };
    for file in &contents.data_files {
        purged.remove(file);
        // Companions have no meaning without their data file.
        companions_of(file).for_each(|companion| drop(companion.remove()));
    }
    for file in contents.unfinished.iter().chain(&contents.notes) {
        purged.remove(file);
    }
    for user in &contents.users {
        purged.remove_folder(&contents, user);
    }
    if remove_folder {
        // The folder stays if it has files of somebody else.
        let _ = fs::remove_dir(root);
    }
    Ok(purged)
}
