//! One consistent state of a database file that other processes may be writing.
//!
//! Nothing is written or deleted beside the data file. SQLite itself would roll back a hot journal in place,
//! and would delete any file that the journal names as its super-journal. A database that needs its journal
//! or log is therefore copied with it into a private folder, and SQLite works there.

use std::fs::File;

use super::lock::{self, SharedLock};
use crate::error::{Error, ErrorKind, Result};
use crate::folder::Entry;
use crate::folder::{Kind, Status};
use crate::formats::data_file::identity::FileIdentity;
use crate::formats::data_file::input::Input;
use crate::formats::detect::FileKind;
use crate::formats::holds_data;
use crate::formats::limits::read_file;

/// The magic number at the start of a rollback journal. A journal that names a super-journal also ends with
/// it.
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// The size of a write-ahead log's header in bytes. A log that is not longer holds nothing.
const WAL_HEADER: u64 = 32;

/// The bytes of a database, and of the companion that is needed to read it.
pub(super) struct Snapshot {
    pub(super) bytes: Vec<u8>,
    pub(super) companion: Option<Companion>,
}

/// A hot journal or a write-ahead log.
pub(super) struct Companion {
    pub(super) suffix: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl Snapshot {
    /// Reads `input`, and the companion that it needs, under SQLite's read lock.
    pub(super) fn take(input: &mut Input) -> Result<Self> {
        input.consistently(|input| {
            let lock = SharedLock::acquire(input.file().clone(), input.wait_budget())?;
            let size = input.rewind()?;
            let _checkpoints_wait = hold_off_checkpoints(input)?;
            let bytes = input.read(size)?;
            let companion = if is_wal(&bytes) {
                read_companion(input, "-wal")?
            } else {
                hot_journal(input, &lock)?
            };
            Ok(Self { bytes, companion })
        })
    }
}

/// A database that is read in place. It holds SQLite's read lock until it is dropped.
pub(super) struct InPlace {
    input: Input,
    size: u64,
    _lock: SharedLock,
}

impl InPlace {
    /// Locks a database that can be read without its companions. Returns the input if it cannot.
    pub(super) fn lock(mut input: Input) -> Result<std::result::Result<Self, Input>> {
        let lock = SharedLock::acquire(input.file().clone(), input.wait_budget())?;
        let size = input.rewind()?;
        // A process that has a write-ahead log open may write to the database at any time.
        if !cfg!(unix) || is_wal(input.head()?) || hot_journal(&input, &lock)?.is_some() {
            return Ok(Err(input));
        }
        Ok(Ok(Self { input, size, _lock: lock }))
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the state of the file when it was locked.
    pub(super) fn identity(&self) -> &FileIdentity {
        self.input.identity()
    }

    /// Fills `buffer` with the bytes at offset `at`.
    pub(super) fn read_at(&self, buffer: &mut [u8], at: u64) -> std::io::Result<()> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_exact_at(&**self.input.file(), buffer, at);
        #[cfg(not(unix))]
        return Err(std::io::Error::from(std::io::ErrorKind::Unsupported));
    }

    /// Returns whether the file is unchanged. A process that ignores the lock may have changed it.
    pub(super) fn is_unchanged(&self) -> Result<bool> {
        self.input.is_itself_unchanged()
    }

    /// Reads all bytes, in the state that was locked.
    pub(super) fn snapshot(mut self) -> Result<Snapshot> {
        let before = self.input.identity().clone();
        let snapshot = Snapshot::take(&mut self.input)?;
        if self.input.identity().is_same_file(&before) {
            Ok(snapshot)
        } else {
            Err(Error::new(ErrorKind::Busy, "the file changed while it was read"))
        }
    }
}

/// Returns the journal of a writer that died. The journal of a running transaction is not hot, because its
/// writer has not changed the file yet.
fn hot_journal(input: &Input, lock: &SharedLock) -> Result<Option<Companion>> {
    // A journal that appears right now is not hot either: its writer has to wait for our lock.
    if !input.identity().has_companion("-journal") || lock.writer_is_active() {
        return Ok(None);
    }
    read_companion(input, "-journal")
}

/// Returns whether the header names a write-ahead log. Its bytes 18 and 19 are the versions needed to write
/// and to read the file; 2 means a write-ahead log.
pub(super) fn is_wal(database: &[u8]) -> bool {
    database.get(18..20).is_some_and(|versions| versions.contains(&2))
}

/// Keeps checkpoints from running, if another process may be using the log. Returns the open `-shm` file that
/// holds the lock.
fn hold_off_checkpoints(input: &Input) -> Result<Option<File>> {
    // Without a log, there is nothing to checkpoint. A log that appears right now changes the file's
    // identity, which is noticed.
    if !input.identity().has_companion("-wal") {
        return Ok(None);
    }
    let Ok(shm) = input.entry().beside("-shm").open_anything() else { return Ok(None) };
    lock::hold_off_checkpoints(&shm, input.wait_budget())?;
    Ok(Some(shm))
}

/// Reads a companion. Returns `None` unless it exists and `matters(size, first byte)` returns `true`.
fn read_companion(input: &Input, suffix: &'static str) -> Result<Option<Companion>> {
    let companion = input.entry().beside(suffix);
    let named = |err| Error::io(companion.path(), err);
    let file = match companion.open_anything() {
        Ok(file) => file,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(named(err)),
    };
    let status = Status::from(&file.metadata().map_err(named)?);
    if status.kind != Kind::File {
        return Err(refused(suffix, "is not a regular file"));
    }
    let bytes = read_file(&file, status.size, Vec::new())?;
    if FileKind::of(&bytes).is_data() {
        // This has the name of a companion, but is a data file of its own.
        return Ok(None);
    }
    if !bytes.first().is_some_and(|&first| matters(suffix, bytes.len() as u64, first)) {
        return Ok(None);
    }
    refuse_foreign_companion(input, &status, suffix)?;
    if bytes.ends_with(&JOURNAL_MAGIC) {
        return Err(refused(suffix, "names a super-journal, so it was not made by coverage.py"));
    }
    Ok(Some(Companion { suffix, bytes }))
}

/// Returns whether a log or journal of this size and first byte holds changes of its database.
fn matters(suffix: &str, size: u64, first: u8) -> bool {
    match suffix {
        "-wal" => size > WAL_HEADER,
        _ => first != 0,
    }
}

/// Returns whether a journal or log beside a database holds changes of it. Without them, the database is not complete.
pub(crate) fn has_changes_beside(database: &Entry) -> Result<bool> {
    for suffix in ["-wal", "-journal"] {
        let companion = database.beside(suffix);
        let named = |err| Error::io(companion.path(), err);
        let file = match companion.open_anything() {
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => continue,
            file => file.map_err(named)?,
        };
        let status = Status::from(&file.metadata().map_err(named)?);
        if status.kind != Kind::File {
            return Err(refused(suffix, "is not a regular file"));
        }
        let mut first = [0; 1];
        std::io::Read::read(&mut &file, &mut first).map_err(named)?;
        if matters(suffix, status.size, first[0]) && !holds_data(&companion) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses a companion that belongs to another user, or that may be a hard link to another user's file. In a
/// folder that everybody can write to, such a journal could change the rows of the data file.
fn refuse_foreign_companion(input: &Input, companion: &Status, suffix: &str) -> Result<()> {
    let metadata = input.file().metadata().map_err(|err| Error::io(input.entry().path(), err))?;
    if companion.owner != Status::from(&metadata).owner && companion.owner != Some(0) {
        return Err(refused(suffix, "belongs to another user than the file itself"));
    }
    input
        .entry()
        .folder_of_file()
        .refuse_others_files(companion)
        .map_err(|_| refused(suffix, "may be a hard link to a file of somebody else"))
}

fn refused(suffix: &str, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the file beside it that ends in {suffix} {why}"))
}
