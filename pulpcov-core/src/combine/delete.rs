//! Deleting inputs whose rows are safe elsewhere.

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::folder::{Entry, Folder};
use crate::formats::sqlite::WritersOut;
use crate::formats::{FileIdentity, companions_of};

/// Delete each input that is still what was read; what stays is returned, with the reason.
pub(super) fn delete_inputs(inputs: &[(&Entry, &FileIdentity)]) -> Vec<Error> {
    let mut kept = Vec::new();
    let mut folders = Vec::<&Arc<Folder>>::new();
    for (entry, identity) in inputs {
        match delete_if_same(entry, identity) {
            Ok(()) => {
                // Files of a folder come one after the other.
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
    // What has taken its place is not even opened.
    is_same()?;
    let file = open_to_lock(entry).map_err(refused)?;
    let _writers =
        WritersOut::new(file, entry.beside("-shm").open_anything().ok()).map_err(kept)?;
    // By its name: what is locked may no longer be there.
    is_same()?;
    entry.remove().map_err(refused)?;
    if entry.is_followed() {
        // The link is gone, and the file is not.
        return Ok(());
    }
    // Without their file the companions mean nothing, and their rows are in the result.
    for companion in companions_of(entry) {
        let _ = companion.remove();
    }
    Ok(())
}

/// Only a file that is open for writing can be locked against writers.
fn open_to_lock(entry: &Entry) -> io::Result<File> {
    entry.open_to_write().or_else(|_| entry.open_anything())
}
