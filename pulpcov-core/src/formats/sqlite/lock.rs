//! SQLite's file locks, taken without SQLite.
//!
//! The lock bytes are those of SQLite's Unix VFS (`os_unix.c`, and "File Locking And
//! Concurrency In SQLite Version 3"): a pending byte, a reserved byte, and a range that
//! readers share. Linux's open-file-description locks conflict with the process locks that
//! SQLite takes, but closing another descriptor of the same file does not drop them.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::folder::Patience;

const PENDING_BYTE: i64 = 0x4000_0000;
const RESERVED_BYTE: i64 = PENDING_BYTE + 1;
const SHARED_FIRST: i64 = PENDING_BYTE + 2;
const SHARED_SIZE: i64 = 510;
/// The byte of the `-shm` file that every connection to a write-ahead log holds (`os_unix.c`, `UNIX_SHM_DMS`).
#[cfg(all(feature = "json", feature = "paths"))]
const WAL_CONNECTION_BYTE: i64 = 128;
/// The checkpointer's byte in the `-shm` file (walformat.html, section 2.3).
const WAL_CHECKPOINT_BYTE: i64 = 121;

/// How long to wait for a writer at most: as long as Python's sqlite3 does by default.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// SQLite's read lock on an open database; dropping it gives the lock back.
pub(super) struct SharedLock(Arc<File>);

impl SharedLock {
    /// Wait until no writer is changing the file, if there is `patience`, and keep writers from changing it.
    ///
    /// A file system without locks is taken as unlocked: the caller also looks whether the file changed.
    pub(super) fn acquire(file: Arc<File>, patience: &Patience) -> Result<Self> {
        wait_for(patience, || try_shared(&file))?;
        Ok(Self(file))
    }

    /// Is a transaction under way that has not begun to change the file?
    pub(super) fn writer_is_active(&self) -> bool {
        os::is_locked(&self.0, RESERVED_BYTE)
    }
}

impl Drop for SharedLock {
    fn drop(&mut self) {
        os::unlock(&self.0, SHARED_FIRST, SHARED_SIZE);
    }
}

/// The pending byte first, as SQLite does: a writer that waits for its turn holds it.
fn try_shared(file: &File) -> Result<bool> {
    if !os::try_read_lock(file, PENDING_BYTE, 1)? {
        return Ok(false);
    }
    let shared = os::try_read_lock(file, SHARED_FIRST, SHARED_SIZE);
    os::unlock(file, PENDING_BYTE, 1);
    shared
}

/// Keeps transactions from beginning on a database that is going to be deleted.
#[cfg(all(feature = "json", feature = "paths"))]
pub(crate) struct WritersOut {
    // Closing the file gives the lock back.
    _file: File,
}

#[cfg(all(feature = "json", feature = "paths"))]
impl WritersOut {
    /// Lock `file` against writers; `shm` is the open `-shm` file beside it, if there is one.
    ///
    /// SQLite's own check that its file is still at its name is made when a transaction begins, so
    /// one that has begun would end well, and in a file that is no more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`] if a transaction is under way, or a process has a write-ahead log open:
    /// that one would not notice at all.
    pub(crate) fn new(file: File, shm: Option<File>) -> Result<Self> {
        if shm.is_some_and(|shm| os::is_locked(&shm, WAL_CONNECTION_BYTE)) {
            return Err(Error::new(ErrorKind::Busy, "another process has it open"));
        }
        if !os::try_write_lock(&file, RESERVED_BYTE)? {
            return Err(Error::new(ErrorKind::Busy, "another process is writing it"));
        }
        Ok(Self { _file: file })
    }
}

/// SQLite's write lock on an open database. Dropping it closes the file, and gives the lock back.
#[cfg(all(feature = "json", feature = "paths"))]
pub(super) struct WriteLock(File);

#[cfg(all(feature = "json", feature = "paths"))]
impl WriteLock {
    /// Waits until no other writer is at work. Others go on reading.
    pub(super) fn acquire(file: File) -> Result<Self> {
        wait_for(&Patience::new(LONGEST_WAIT), || os::try_write_lock(&file, RESERVED_BYTE))?;
        Ok(Self(file))
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }

    /// Calls `change` while nobody reads. Waits for readers first, and keeps new ones out.
    pub(super) fn alone<T>(&self, change: impl FnOnce(&File) -> Result<T>) -> Result<T> {
        let patience = Patience::new(LONGEST_WAIT);
        let locked =
            wait_for(&patience, || os::try_write_lock(&self.0, PENDING_BYTE)).and_then(|()| {
                wait_for(&patience, || os::try_write_lock_on(&self.0, SHARED_FIRST, SHARED_SIZE))
            });
        let done = locked.and_then(|()| change(&self.0));
        os::unlock(&self.0, SHARED_FIRST, SHARED_SIZE);
        os::unlock(&self.0, PENDING_BYTE, 1);
        done
    }
}

/// Keep checkpoints away while a write-ahead log is copied: a read lock on the checkpointer's byte.
pub(super) fn hold_off_checkpoints(shm: &File, patience: &Patience) -> Result<()> {
    wait_for(patience, || os::try_read_lock(shm, WAL_CHECKPOINT_BYTE, 1))
}

fn wait_for(patience: &Patience, mut lock: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + LONGEST_WAIT;
    while !lock()? {
        if Instant::now() > deadline {
            let message = "another process is writing it, and has been for 5 seconds";
            return Err(Error::new(ErrorKind::Busy, message));
        }
        if !patience.wait(PAUSE) {
            return Err(Error::new(ErrorKind::Busy, "another process has it locked"));
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
mod os {
    use std::fs::File;

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    use crate::error::{Error, ErrorKind, Result};

    fn range(kind: i32, start: i64, len: i64) -> libc::flock {
        libc::flock {
            l_type: kind as i16,
            l_whence: libc::SEEK_SET as i16,
            l_start: start,
            l_len: len,
            l_pid: 0,
        }
    }

    pub(super) fn try_read_lock(file: &File, start: i64, len: i64) -> Result<bool> {
        try_lock(file, range(libc::F_RDLCK, start, len))
    }

    /// A file that is open for reading only is not locked, but it is said whether it could be.
    #[cfg(all(feature = "json", feature = "paths"))]
    pub(super) fn try_write_lock(file: &File, byte: i64) -> Result<bool> {
        match fcntl(file, FcntlArg::F_OFD_SETLK(&range(libc::F_WRLCK, byte, 1))) {
            Err(Errno::EBADF) => Ok(!is_locked(file, byte)),
            _ => try_write_lock_on(file, byte, 1),
        }
    }

    #[cfg(all(feature = "json", feature = "paths"))]
    pub(super) fn try_write_lock_on(file: &File, start: i64, len: i64) -> Result<bool> {
        try_lock(file, range(libc::F_WRLCK, start, len))
    }

    fn try_lock(file: &File, range: libc::flock) -> Result<bool> {
        match fcntl(file, FcntlArg::F_OFD_SETLK(&range)) {
            Ok(_) | Err(Errno::ENOLCK | Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => {
                Ok(true)
            }
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(errno) => Err(Error::new(ErrorKind::Io, std::io::Error::from(errno))),
        }
    }

    pub(super) fn unlock(file: &File, start: i64, len: i64) {
        // Nothing is left to do if this fails: closing the file gives the lock back too.
        let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&range(libc::F_UNLCK, start, len)));
    }

    pub(super) fn is_locked(file: &File, byte: i64) -> bool {
        let mut probe = range(libc::F_WRLCK, byte, 1);
        fcntl(file, FcntlArg::F_OFD_GETLK(&mut probe)).is_ok()
            && i32::from(probe.l_type) != libc::F_UNLCK
    }
}

/// Elsewhere there are no such locks; that the file did not change while it was read must do.
#[cfg(not(target_os = "linux"))]
mod os {
    use std::fs::File;

    use crate::error::Result;

    pub(super) fn try_read_lock(_: &File, _: i64, _: i64) -> Result<bool> {
        Ok(true)
    }

    #[cfg(all(feature = "json", feature = "paths"))]
    pub(super) fn try_write_lock(_: &File, _: i64) -> Result<bool> {
        Ok(true)
    }

    #[cfg(all(feature = "json", feature = "paths"))]
    pub(super) fn try_write_lock_on(_: &File, _: i64, _: i64) -> Result<bool> {
        Ok(true)
    }

    pub(super) fn unlock(_: &File, _: i64, _: i64) {}

    pub(super) fn is_locked(_: &File, _: i64) -> bool {
        false
    }
}
