//! One combine at a time in a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::folder::Folder;

/// How long a combine waits for another one.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Advisory locks on folders, given back when dropped.
///
/// The folder itself is locked, so no lock file is left behind, and none can be mistaken for a data file.
#[derive(Debug)]
pub(super) struct FolderLocks {
    _folders: Vec<File>,
}

impl FolderLocks {
    /// Lock the folders of the `inputs` and that of the `target`, in one order for everybody, so that nobody waits for
    /// each other.
    ///
    /// Whoever can read a folder can lock it, for ever. So a folder of inputs that others can write to is not locked:
    /// two combines that delete the same inputs lose nothing as long as their targets are not the same.
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
        let deadline = Instant::now() + PATIENCE;
        let locks = folders
            .values()
            .map(|folder| lock(folder, deadline, &waiting))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { _folders: locks.into_iter().flatten().collect() })
    }
}

/// Can others than the caller, and root, write to the folder?
fn is_shared(folder: &Path) -> bool {
    let status = Folder::named(folder).and_then(|folder| folder.status());
    status.is_ok_and(|status| status.everybody_may_write() || !status.is_of_caller_or_root())
}

/// `None` where folders cannot be opened or locked: not on Windows, not on every file system.
fn lock(folder: &Path, deadline: Instant, waiting: &impl Fn(&Path)) -> Result<Option<File>> {
    let Ok(handle) = File::open(folder) else { return Ok(None) };
    let mut told = false;
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
                if !told {
                    waiting(folder);
                    told = true;
                }
                std::thread::sleep(PAUSE);
            }
        }
    }
}
