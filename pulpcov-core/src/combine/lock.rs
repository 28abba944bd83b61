//! Locks that allow one combine at a time in a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::folder::Folder;

/// How long a combine waits for another one.
const MAX_WAIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Advisory locks on folders. Dropping it releases them.
///
/// The lock is on the folder itself, so there is no lock file to leave behind or to mistake for a data file.
#[derive(Debug)]
pub(super) struct FolderLocks {
    _folders: Vec<File>,
}

impl FolderLocks {
    /// Locks the folders of the `inputs` and of the `target`. All processes lock folders in the same order,
    /// so there is no deadlock.
    ///
    /// Any user who can read a folder can lock it forever. For this reason a folder of inputs that other
    /// users can write to is not locked. Two combines may then delete the same inputs, but no rows are lost
    /// unless both have the same target.
    pub(super) fn acquire(
        inputs: impl IntoIterator<Item = PathBuf>,
        target: PathBuf,
        waiting: impl Fn(&Path),
    ) -> Result<Self> {
        let by_real_path =
            |folder: PathBuf| (folder.canonicalize().unwrap_or_else(|_| folder.clone()), folder);
        let inputs = inputs.into_iter().filter(|folder| !is_shared(folder));
        let folders: BTreeSet<PathBuf> = inputs.chain([target]).collect();
        let folders: BTreeMap<PathBuf, PathBuf> = folders.into_iter().map(by_real_path).collect();
        let deadline = Instant::now() + MAX_WAIT;
        let locks = folders
            .values()
            .map(|folder| lock(folder, deadline, &waiting))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { _folders: locks.into_iter().flatten().collect() })
    }
}

/// Returns whether users other than the caller and root can write to the folder.
fn is_shared(folder: &Path) -> bool {
    let status = Folder::open(folder).and_then(|folder| folder.status());
    status.is_ok_and(|status| status.everybody_may_write() || !status.is_of_caller_or_root())
}

/// Locks a folder. Returns `None` where folders cannot be opened or locked: on Windows, and on some file
/// systems.
fn lock(folder: &Path, deadline: Instant, waiting: &impl Fn(&Path)) -> Result<Option<File>> {
    let Ok(handle) = File::open(folder) else { return Ok(None) };
    let mut has_reported = false;
    loop {
        match handle.try_lock() {
            Ok(()) => return Ok(Some(handle)),
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) if Instant::now() > deadline => {
                let message = "another combine is at work in this folder, and has been for a minute, \
                     or somebody else who can read the folder has locked it";
                return Err(Error::new(ErrorKind::Busy, message).with_path(folder));
            }
            Err(TryLockError::WouldBlock) => {
                if !has_reported {
                    waiting(folder);
                    has_reported = true;
                }
                std::thread::sleep(PAUSE);
            }
        }
    }
}
