//! One combine at a time in a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

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
    /// Lock each of `folders`, in one order for everybody, so that nobody waits for each other.
    pub(super) fn acquire(
        folders: impl IntoIterator<Item = PathBuf>,
        waiting: impl Fn(&Path),
    ) -> Result<Self> {
        let by_real_path =
            |folder: PathBuf| (folder.canonicalize().unwrap_or_else(|_| folder.clone()), folder);
        let folders: BTreeSet<PathBuf> = folders.into_iter().collect();
        let folders: BTreeMap<PathBuf, PathBuf> = folders.into_iter().map(by_real_path).collect();
        let deadline = Instant::now() + PATIENCE;
        let locks = folders
            .values()
            .map(|folder| lock(folder, deadline, &waiting))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { _folders: locks.into_iter().flatten().collect() })
    }
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
                let message =
                    "another combine is at work in this folder, and has been for a minute";
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
