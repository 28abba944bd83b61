//! What others may have laid in the way.
//!
//! In a folder that everybody can write to, a name that a command is going to use can be there already: as a link
//! to a file of somebody else, or as a folder whose owner exchanges it while it is written to.

use std::path::Path;

use pulpcov_core::folder::{Entry, Kind, Status};

use crate::exit::Failure;
use crate::ui;

/// Refuse to write to what a stranger has laid there.
pub(crate) fn check_output(path: &Path) -> Result<(), Failure> {
    match laid_by_stranger(path) {
        None => Ok(()),
        Some(_) => Err(Failure::Refused(format!(
            "{}: this belongs to another user, in a folder that everybody can write to; nothing is written there. \
             Write to another place",
            ui::name(path)
        ))),
    }
}

/// Is there a link that a stranger has laid?
pub(crate) fn is_strangers_link(path: &Path) -> bool {
    laid_by_stranger(path).is_some_and(|laid| laid.kind == Kind::Link)
}

/// What is there, if it may be of anybody but the caller, root, and the owner of the folder.
fn laid_by_stranger(path: &Path) -> Option<Status> {
    let entry = Entry::named(path).ok()?;
    let folder = entry.folder().status().ok().filter(Status::everybody_may_write)?;
    let laid = entry.status().ok()?;
    (!laid.is_of_caller_or_root() && laid.owner != folder.owner).then_some(laid)
}
