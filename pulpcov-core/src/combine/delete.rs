//! Deleting inputs whose rows are safe elsewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::store::{folder_of, sync_folder};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::{FileIdentity, beside};

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
    let now = FileIdentity::of_path(path)
        .map_err(|err| Error::new(ErrorKind::Io, format!("not deleted: {err}")))?;
    if now != *identity {
        return Err(Error::new(ErrorKind::Busy, "not deleted: it has changed since it was read"));
    }
    std::fs::remove_file(path)
        .map_err(|err| Error::new(ErrorKind::Io, format!("not deleted: {err}")))?;
    // Without their file the companions mean nothing, and their rows are in the result.
    for suffix in ["-journal", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(path, suffix));
    }
    Ok(())
}
