//! One consistent state of a database file that others may be writing.
//!
//! Nothing is written beside the input, and nothing there is deleted: SQLite itself would
//! roll back a hot journal in place, and delete whatever file that journal names as its
//! super-journal. So a database that needs its journal or its log is copied with it into
//! a private folder, and SQLite does its work there.

use std::fs::File;

use super::lock::{self, SharedLock};
use crate::error::{Error, ErrorKind, Result};
use crate::folder::{Kind, Status};
use crate::formats::data_file::identity::FileIdentity;
use crate::formats::data_file::input::Input;
use crate::formats::detect::FileKind;
use crate::formats::limits::read_file;

/// The magic that begins a rollback journal, and ends one that names a super-journal.
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// The size of a write-ahead log's header: a shorter log holds nothing.
const WAL_HEADER: u64 = 32;

/// The bytes of a database, and of the companion that is needed to make sense of them.
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
    /// Read `input` and what belongs to it while SQLite's read lock is held.
    pub(super) fn take(input: &mut Input) -> Result<Self> {
        input.consistently(|input| {
            let lock = SharedLock::acquire(input.file().clone(), input.patience())?;
            let size = input.rewind()?;
            let _checkpoints_wait = hold_off_checkpoints(input)?;
            let bytes = input.read(size)?;
            let companion = if is_wal(&bytes) {
                read_companion(input, "-wal", |size, _| size > WAL_HEADER)?
            } else {
                hot_journal(input, &lock)?
            };
            Ok(Self { bytes, companion })
        })
    }
}

/// A database that is read where it is: its read lock is held as long as this lives.
pub(super) struct InPlace {
    input: Input,
    size: u64,
    _lock: SharedLock,
}

impl InPlace {
    /// Lock a database that can be read without its companions, or give it back.
    pub(super) fn lock(mut input: Input) -> Result<std::result::Result<Self, Input>> {
        let lock = SharedLock::acquire(input.file().clone(), input.patience())?;
        let size = input.rewind()?;
        // Whoever has a write-ahead log open may write into the database at any time.
        if !cfg!(unix) || is_wal(input.head()?) || hot_journal(&input, &lock)?.is_some() {
            return Ok(Err(input));
        }
        Ok(Ok(Self { input, size, _lock: lock }))
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The state of the file that was locked.
    pub(super) fn identity(&self) -> &FileIdentity {
        self.input.identity()
    }

    /// Fill `buffer` from that place of the file.
    pub(super) fn read_at(&self, buffer: &mut [u8], at: u64) -> std::io::Result<()> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_exact_at(&**self.input.file(), buffer, at);
        #[cfg(not(unix))]
        return Err(std::io::Error::from(std::io::ErrorKind::Unsupported));
    }

    /// Whoever does not care for the lock may have changed the file.
    pub(super) fn is_unchanged(&self) -> Result<bool> {
        self.input.is_itself_unchanged()
    }

    /// All bytes, in the state that was locked.
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

/// The journal of a writer that died. One of a transaction under way is not: that has not touched the file yet.
fn hot_journal(input: &Input, lock: &SharedLock) -> Result<Option<Companion>> {
    // One that begins just now is not hot: its writer must wait for our lock.
    if !input.identity().has_companion("-journal") || lock.writer_is_active() {
        return Ok(None);
    }
    read_companion(input, "-journal", |_, first| first != 0)
}

/// Bytes 18 and 19 of the header: the versions needed to write and to read the file, 2 for WAL.
pub(super) fn is_wal(database: &[u8]) -> bool {
    database.get(18..20).is_some_and(|versions| versions.contains(&2))
}

/// The open `-shm` file whose lock keeps checkpoints away, if some process uses the log just now.
fn hold_off_checkpoints(input: &Input) -> Result<Option<File>> {
    // Without a log there is nothing to check in. One that begins just now changes the file, and that is noticed.
    if !input.identity().has_companion("-wal") {
        return Ok(None);
    }
    let Ok(shm) = input.entry().beside("-shm").open_anything() else { return Ok(None) };
    lock::hold_off_checkpoints(&shm, input.patience())?;
    Ok(Some(shm))
}

/// The companion's bytes if it matters: `matters(size, first byte)`.
fn read_companion(
    input: &Input,
    suffix: &'static str,
    matters: impl Fn(u64, u8) -> bool,
) -> Result<Option<Companion>> {
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
        // Named like a companion, but a data file of its own.
        return Ok(None);
    }
    if !bytes.first().is_some_and(|&first| matters(bytes.len() as u64, first)) {
        return Ok(None);
    }
    refuse_strangers_companion(input, &status, suffix)?;
    if bytes.ends_with(&JOURNAL_MAGIC) {
        return Err(refused(suffix, "names a super-journal, so it was not made by coverage.py"));
    }
    Ok(Some(Companion { suffix, bytes }))
}

/// In a folder that all may write to, a journal that another user put beside a data file could change its rows.
fn refuse_strangers_companion(input: &Input, companion: &Status, suffix: &str) -> Result<()> {
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
