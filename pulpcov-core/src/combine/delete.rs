//! Deletion of inputs after their rows are in a durable result.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::folder::{Entry, Folder};
use crate::formats::sqlite::WriterLockout;
use crate::formats::{FileIdentity, companions_of};

/// Deletes each input that has not changed since it was read. Returns an error for each input that stays, and
/// for each folder that cannot be synced.
pub(super) fn delete_inputs(inputs: &[(&Entry, &FileIdentity)]) -> Vec<Error> {
    let mut kept = Vec::new();
    let mut folders = Vec::<&Arc<Folder>>::new();
    for (entry, identity) in inputs {
        match delete_if_same(entry, identity) {
            Ok(()) => {
                // Inputs are sorted by path, so those of one folder are mostly adjacent.
                if !folders.last().is_some_and(|last| Arc::ptr_eq(last, entry.folder())) {
                    folders.push(entry.folder());
                }
            }
            Err(err) => kept.push(err.with_path(entry.path())),
        }
    }
    let synced = |folder: &Arc<Folder>| folder.sync().map_err(|err| Error::io(folder.path(), err));
    kept.extend(folders.into_iter().filter_map(|folder| synced(folder).err()));
    kept
}

fn delete_if_same(entry: &Entry, identity: &FileIdentity) -> Result<()> {
    let kept = |err: Error| Error::new(err.kind(), format!("not deleted: {}", err.reason()));
    let refused = |err| kept(Error::new(ErrorKind::Io, err));
    let is_same = || match FileIdentity::of_entry(entry).map_err(refused)? == *identity {
        true => Ok(()),
        false => Err(kept(Error::new(ErrorKind::Busy, "it has changed since it was read"))),
    };
    // The first check keeps a file that has replaced the input from being opened.
    is_same()?;
    let file = open_to_lock(entry).map_err(refused)?;
    let _lockout =
        WriterLockout::new(file, entry.beside("-shm").open_anything().ok()).map_err(kept)?;
    // The second check is by name: the locked file may no longer be at that name.
    is_same()?;
    entry.remove().map_err(refused)?;
    if entry.is_resolved_link() {
        // Only the link was removed; the file that it points to still exists.
        return Ok(());
    }
    // The companions are useless without their file, and their rows are in the result.
    for companion in companions_of(entry) {
        let _ = companion.remove();
    }
    Ok(())
}

/// Opens a file to lock it. Only a file that is open for writing can be locked against writers.
fn open_to_lock(entry: &Entry) -> io::Result<File> {
    entry.open_to_write().or_else(|_| entry.open_anything())
}
