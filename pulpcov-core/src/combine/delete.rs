//! Deleting inputs whose rows are safe elsewhere.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use super::store::{folder_of, sync_folder};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::sqlite::WritersOut;
use crate::formats::{FileIdentity, beside, companions, open_no_follow, open_with};

/// Delete each input that is still what was read; what stays is returned, with the reason.
pub(super) fn delete_inputs(inputs: &[(&Path, &FileIdentity)]) -> Vec<Error> {
    let mut kept = Vec::new();
    let mut folders = BTreeSet::<PathBuf>::new();
    for (path, identity) in inputs {
        match delete_if_same(path, identity) {
            Ok(()) => drop(folders.insert(folder_of(path))),
            Err(err) => kept.push(err.with_path(*path)),
        }
    }
    kept.extend(folders.iter().filter_map(|folder| sync_folder(folder).err()));
    kept
}

fn delete_if_same(path: &Path, identity: &FileIdentity) -> Result<()> {
    let kept = |err: Error| Error::new(err.kind(), format!("not deleted: {}", err.reason()));
    let refused = |err| kept(Error::new(ErrorKind::Io, err));
    let file = open_to_lock(path).map_err(refused)?;
    let _writers =
        WritersOut::new(file, open_no_follow(&beside(path, "-shm")).ok()).map_err(kept)?;
    // By its name: what is locked may no longer be there.
    if FileIdentity::of_path(path).map_err(refused)? != *identity {
        let changed = Error::new(ErrorKind::Busy, "it has changed since it was read");
        return Err(kept(changed));
    }
    std::fs::remove_file(path).map_err(refused)?;
    // Without their file the companions mean nothing, and their rows are in the result.
    for companion in companions(path) {
        let _ = std::fs::remove_file(companion);
    }
    Ok(())
}

/// Only a file that is open for writing can be locked against writers.
fn open_to_lock(path: &Path) -> std::io::Result<File> {
    open_with(OpenOptions::new().read(true).write(true), path).or_else(|_| open_no_follow(path))
}
