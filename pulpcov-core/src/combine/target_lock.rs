//! A lock on the data file that a result replaces.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::folder::Entry;
use crate::formats::FileIdentity;
use crate::formats::sqlite::{WriterLockout, has_changes_beside};
use crate::output::may_be_planted;

/// Keeps writers out of the file at the result's path until it is dropped.
pub(super) struct TargetLock {
    _lockout: Option<WriterLockout>,
}

impl TargetLock {
    /// Waits until no other process is writing `target`. If `target` was `read` before, it must not have
    /// changed since.
    ///
    /// Locks only regular files. A file that another user may have put there is not locked either: its owner
    /// could hold the lock and keep everyone from combining.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`] if a process does not stop writing the target or has its write-ahead log open, or
    /// if the target has changed.
    pub(super) fn new(target: &Path, read: Option<&FileIdentity>) -> Result<Self> {
        let lockout = lock(target).map_err(|err| err.with_path(target))?;
        refuse_changed(target, read)?;
        Ok(Self { _lockout: lockout })
    }
}

fn lock(target: &Path) -> Result<Option<WriterLockout>> {
    let Ok(metadata) = target.symlink_metadata() else { return Ok(None) };
    if !metadata.is_file() || may_be_planted(&metadata, target)? {
        return Ok(None);
    }
    let Ok(entry) = Entry::at_path(target) else { return Ok(None) };
    // Only a file that is open for writing can be locked.
    let Ok(file) = entry.open_to_write().or_else(|_| entry.open_anything()) else {
        return Ok(None);
    };
    WriterLockout::after_waiting(file, open_shm(&entry)).map(Some)
}

/// Opens the shared memory of the write-ahead log, unless another user may have put it there.
fn open_shm(entry: &Entry) -> Option<File> {
    let shm = entry.beside("-shm");
    let file = shm.open_anything().ok()?;
    let is_foreign = may_be_planted(&file.metadata().ok()?, shm.path()).ok()?;
    (!is_foreign).then_some(file)
}

/// Returns an error if the target has changed since its rows were read into the result.
fn refuse_changed(target: &Path, read: Option<&FileIdentity>) -> Result<()> {
    let Some(read) = read else { return Ok(()) };
    if FileIdentity::of_path(target).is_ok_and(|now| now == *read) {
        return Ok(());
    }
    let message =
        "another process has changed it since it was read; nothing was written; combine again";
    Err(Error::new(ErrorKind::Busy, message).with_path(target))
}

/// Returns an error if `target` cannot be overwritten in place: it has changed since it was `read`, a process
/// has it open, or a file beside it holds changes that belong to it.
///
/// The caller must hold the write lock on `target`. A file beside it must not be removed, because `target` is
/// not complete without it.
pub(super) fn refuse_unsettled(target: &Path, read: Option<&FileIdentity>) -> Result<()> {
    refuse_changed(target, read)?;
    let entry = Entry::at_path(target)?;
    if open_shm(&entry).is_some_and(|shm| WriterLockout::has_open_log(&shm)) {
        return Err(Error::new(ErrorKind::Busy, "another process has it open"));
    }
    if has_changes_beside(&entry)? {
        let message = "it has a journal or log that SQLite must take in first, as `sqlite3 FILE .tables` does if it may write beside the file";
        return Err(Error::new(ErrorKind::Busy, message));
    }
    Ok(())
}
