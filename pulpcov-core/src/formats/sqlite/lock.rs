//! SQLite's file locks, taken without SQLite.
//!
//! The lock bytes are those of SQLite's Unix VFS (`os_unix.c`, and "File Locking And Concurrency In SQLite
//! Version 3"): a pending byte, a reserved byte, and a range that readers share. On Linux, these are
//! open-file-description locks. They conflict with the process locks that SQLite takes, but are not dropped
//! when another descriptor of the same file is closed.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::folder::WaitBudget;

const PENDING_BYTE: i64 = 0x4000_0000;
const RESERVED_BYTE: i64 = PENDING_BYTE + 1;
const SHARED_FIRST: i64 = PENDING_BYTE + 2;
const SHARED_SIZE: i64 = 510;
/// The byte of the `-shm` file that every connection to a write-ahead log locks (`os_unix.c`,
/// `UNIX_SHM_DMS`).
const WAL_CONNECTION_BYTE: i64 = 128;
/// The byte of the `-shm` file that a checkpoint locks (walformat.html, section 2.3).
const WAL_CHECKPOINT_BYTE: i64 = 121;

/// The longest time to wait for another process, the same as the default of Python's sqlite3.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);

/// SQLite's read lock on an open database. Dropping it releases the lock.
pub(super) struct SharedLock(Arc<File>);

impl SharedLock {
    /// Waits until no writer is changing the file, and then keeps writers from changing it. Waits only while
    /// there is time in `budget`.
    ///
    /// On a file system without locks, the file counts as unlocked. Callers therefore also check whether the
    /// file has changed.
    pub(super) fn acquire(file: Arc<File>, budget: &WaitBudget) -> Result<Self> {
        wait_for(budget, WRITING, || try_shared(&file))?;
        Ok(Self(file))
    }

    /// Returns whether a transaction is running that has not begun to change the file.
    pub(super) fn writer_is_active(&self) -> bool {
        os::is_locked(&self.0, RESERVED_BYTE)
    }
}

impl Drop for SharedLock {
    fn drop(&mut self) {
        os::unlock(&self.0, SHARED_FIRST, SHARED_SIZE);
    }
}

/// Tries to take the read lock. Takes the pending byte first, as SQLite does, because a waiting writer holds
/// that byte.
fn try_shared(file: &File) -> Result<bool> {
    if !os::try_read_lock(file, PENDING_BYTE, 1)? {
        return Ok(false);
    }
    let shared = os::try_read_lock(file, SHARED_FIRST, SHARED_SIZE);
    os::unlock(file, PENDING_BYTE, 1);
    shared
}

/// A lock that keeps transactions from beginning on a database that is to be deleted or replaced.
pub(crate) struct WriterLockout {
    // Closing the file releases the lock.
    _file: File,
}

impl WriterLockout {
    /// Locks `file` against writers. `shm` is the open `-shm` file beside it, if there is one.
    ///
    /// A running transaction must be refused. SQLite checks that its file still has its name only when a
    /// transaction begins, so the transaction would succeed and its changes would be in a deleted file.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Busy`] if a transaction is running, or if a process has the write-ahead log open.
    /// Such a process would not notice the deletion at all.
    pub(crate) fn new(file: File, shm: Option<File>) -> Result<Self> {
        if shm.is_some_and(|shm| Self::has_open_log(&shm)) {
            return Err(Error::new(ErrorKind::Busy, "another process has it open"));
        }
        if !os::try_write_lock(&file, RESERVED_BYTE)? {
            return Err(Error::new(ErrorKind::Busy, "another process is writing it"));
        }
        Ok(Self { _file: file })
    }

    /// Locks `file` as [`new`](Self::new) does, but first waits for a running transaction to end.
    pub(crate) fn after_waiting(file: File, shm: Option<File>) -> Result<Self> {
        if shm.is_some_and(|shm| Self::has_open_log(&shm)) {
            return Err(Error::new(ErrorKind::Busy, "another process has it open"));
        }
        // A writer holds a write lock. Whoever may only read the file can hold a read lock for ever.
        wait_for(&WaitBudget::new(LONGEST_WAIT), WRITING, || {
            let is_locked = os::try_write_lock(&file, RESERVED_BYTE)?;
            Ok(is_locked || !os::is_write_locked(&file, RESERVED_BYTE))
        })?;
        Ok(Self { _file: file })
    }

    /// Returns whether a process has the write-ahead log open that this `-shm` file belongs to.
    pub(crate) fn has_open_log(shm: &File) -> bool {
        os::is_locked(shm, WAL_CONNECTION_BYTE)
    }
}

/// SQLite's write lock on an open database. Dropping it closes the file and releases the lock.
pub(super) struct WriteLock(File);

impl WriteLock {
    /// Waits until no other process is writing. Readers are not affected.
    pub(super) fn acquire(file: File) -> Result<Self> {
        wait_for(&WaitBudget::new(LONGEST_WAIT), WRITING, || {
            os::try_write_lock(&file, RESERVED_BYTE)
        })?;
        Ok(Self(file))
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }

    /// Waits for readers to finish, keeps new ones out, and calls `change`.
    pub(super) fn while_unread<T>(&self, change: impl FnOnce(&File) -> Result<T>) -> Result<T> {
        let budget = WaitBudget::new(LONGEST_WAIT);
        let locked = wait_for(&budget, READING, || os::try_write_lock(&self.0, PENDING_BYTE))
            .and_then(|()| {
                wait_for(&budget, READING, || {
                    os::try_write_lock_on(&self.0, SHARED_FIRST, SHARED_SIZE)
                })
            });
        let done = locked.and_then(|()| change(&self.0));
        os::unlock(&self.0, SHARED_FIRST, SHARED_SIZE);
        os::unlock(&self.0, PENDING_BYTE, 1);
        done
    }
}

/// Keeps checkpoints from running while a write-ahead log is copied. Takes a read lock on the checkpoint
/// byte, which is dropped with the file.
pub(super) fn hold_off_checkpoints(shm: &File, budget: &WaitBudget) -> Result<()> {
    wait_for(budget, WRITING, || os::try_read_lock(shm, WAL_CHECKPOINT_BYTE, 1))
}

/// What the other process is doing, for the error message.
const WRITING: &str = "writing";
const READING: &str = "reading";

fn wait_for(
    budget: &WaitBudget,
    doing: &str,
    mut lock: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let deadline = Instant::now() + LONGEST_WAIT;
    while !lock()? {
        if Instant::now() > deadline {
            let message = format!("another process is {doing} it, and has been for 5 seconds");
            return Err(Error::new(ErrorKind::Busy, message));
        }
        if !budget.wait(PAUSE) {
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

    /// Tries to take a write lock. For a file that is open only for reading, which cannot be locked, returns
    /// whether the lock is free.
    pub(super) fn try_write_lock(file: &File, byte: i64) -> Result<bool> {
        match fcntl(file, FcntlArg::F_OFD_SETLK(&range(libc::F_WRLCK, byte, 1))) {
            Err(Errno::EBADF) => Ok(!is_locked(file, byte)),
            _ => try_write_lock_on(file, byte, 1),
        }
    }

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
        // If this fails, nothing else can be done. Closing the file releases the lock, too.
        let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&range(libc::F_UNLCK, start, len)));
    }

    /// Returns whether another process has a lock of any kind.
    pub(super) fn is_locked(file: &File, byte: i64) -> bool {
        conflicts(file, range(libc::F_WRLCK, byte, 1))
    }

    pub(super) fn is_write_locked(file: &File, byte: i64) -> bool {
        conflicts(file, range(libc::F_RDLCK, byte, 1))
    }

    fn conflicts(file: &File, mut probe: libc::flock) -> bool {
        fcntl(file, FcntlArg::F_OFD_GETLK(&mut probe)).is_ok()
            && i32::from(probe.l_type) != libc::F_UNLCK
    }
}

/// No locks, for systems other than Linux. There, the check that the file did not change while it was read
/// has to be enough.
#[cfg(not(target_os = "linux"))]
mod os {
    use std::fs::File;

    use crate::error::Result;

    pub(super) fn try_read_lock(_: &File, _: i64, _: i64) -> Result<bool> {
        Ok(true)
    }

    pub(super) fn try_write_lock(_: &File, _: i64) -> Result<bool> {
        Ok(true)
    }

    pub(super) fn try_write_lock_on(_: &File, _: i64, _: i64) -> Result<bool> {
        Ok(true)
    }

    pub(super) fn unlock(_: &File, _: i64, _: i64) {}

    pub(super) fn is_locked(_: &File, _: i64) -> bool {
        false
    }

    pub(super) fn is_write_locked(_: &File, _: i64) -> bool {
        false
    }
}
