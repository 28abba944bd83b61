//! Checks for files and links that another user may have planted.
//!
//! In a folder that everybody can write to, a name that a command is about to use may exist already: as a
//! link to somebody's file, or as a folder whose owner can exchange it during a write.

use std::path::Path;

use pulpcov_core::folder::{Entry, Kind, Status};

use crate::exit::Failure;
use crate::ui;

/// Refuses to write to a path that an untrusted user may have planted.
pub(crate) fn check_output(path: &Path) -> Result<(), Failure> {
    match untrusted_status(path) {
        None => Ok(()),
        Some(_) => Err(Failure::Refused(format!(
            "{}: this belongs to another user, in a folder that everybody can write to; nothing is written there. \
             Write to another place",
            ui::name(path)
        ))),
    }
}

/// Returns whether the path is a link that an untrusted user may have planted.
pub(crate) fn is_untrusted_link(path: &Path) -> bool {
    untrusted_status(path).is_some_and(|status| status.kind == Kind::Link)
}

/// Returns what exists at the path if its owner is not trusted.
///
/// Only in a folder that everybody can write to are owners checked. The caller, root, and the folder's owner
/// are trusted.
fn untrusted_status(path: &Path) -> Option<Status> {
    let entry = Entry::at_path(path).ok()?;
    let folder = entry.folder().status().ok().filter(Status::everybody_may_write)?;
    let status = entry.status().ok()?;
    (!status.is_of_caller_or_root() && status.owner != folder.owner).then_some(status)
}
