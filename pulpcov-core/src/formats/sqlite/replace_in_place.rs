//! Replacing all rows of a database in its own file.
//!
//! A new file usually takes the place of the old one by a rename. A mount point, or a file in a folder that
//! is not writable, cannot be replaced that way. Then the new tables are written after the old ones. One
//! write of the first page makes the new tables the database's and the old pages free, so at every instant
//! the file holds either all old rows or all new rows.
//!
//! If there is room before the new tables, they are then written there in the same way, and the file is
//! truncated.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};

use super::lock::WriteLock;
use super::pages::{
    FreeList, Header, PAGE_SIZE, WrittenTables, number16, number32, write_at, write_blank,
    write_free_list, write_from,
};
use super::row_source::RowSource;
use crate::error::{Error, ErrorKind, Result};
use crate::formats::FileKind;

/// The length of the database header in bytes.
const HEADER: u64 = 100;

/// The offset of the application id in the header (fileformat.html, section 1.3.15).
const APPLICATION: usize = 68;

/// The offset of the file change counter in the header.
const CHANGES: usize = 24;

/// The application id of a marked database, minus its file change counter.
const MARK: u32 = u32::from_be_bytes(*b"pulp");

/// A database whose rows were replaced in place. It may be marked as [unfinished](is_marked).
pub(crate) struct ReplacedInPlace(WriteLock);

impl ReplacedInPlace {
    /// Replaces the content of `file`, which is empty or a database, by `rows`. The change is durable. If
    /// `marked` is true, the database gets the mark of an unfinished result. `check` runs while no other
    /// process can write the file, before anything is changed, and may refuse.
    ///
    /// # Errors
    ///
    /// After an error, the file holds what it held before, or all of `rows` if only the last sync failed.
    pub(crate) fn new(
        rows: &dyn RowSource,
        file: File,
        marked: bool,
        check: impl FnOnce(&File) -> Result<()>,
    ) -> Result<Self> {
        let lock = WriteLock::acquire(file)?;
        let old = HeaderFields::of(lock.file())?;
        let before = lock.file().metadata()?;
        let mut has_switched = false;
        let replaced =
            check(lock.file()).and_then(|()| replace(rows, &lock, &old, marked, &mut has_switched));
        if replaced.is_err() && !has_switched {
            // What cannot be taken back is only unused pages, or a mode that is too strict.
            let _ = put_back(&before, lock.file());
        }
        replaced.map(|()| Self(lock))
    }

    /// Removes the mark.
    pub(crate) fn unmark(&self) -> Result<()> {
        write_at(self.0.file(), &[0; 4], APPLICATION as u64)?;
        Ok(self.0.file().sync_all()?)
    }
}

/// Returns whether the database is marked and has not changed since.
pub(crate) fn is_marked(file: &File) -> bool {
    let Ok(head) = head(file) else { return false };
    FileKind::of(&head) == FileKind::Sqlite
        && number(&head, APPLICATION) == MARK.wrapping_add(number(&head, CHANGES))
}

/// Gives a file its length and permissions again. The new rows must be gone before other users may read the file.
fn put_back(before: &Metadata, file: &File) -> io::Result<()> {
    let now = file.metadata()?;
    if now.len() != before.len() {
        file.set_len(before.len())?;
    }
    if now.permissions() != before.permissions() {
        file.set_permissions(before.permissions())?;
    }
    Ok(())
}

/// Writes the tables after the old pages, and switches to them.
fn replace(
    rows: &dyn RowSource,
    lock: &WriteLock,
    old: &HeaderFields,
    marked: bool,
    has_switched: &mut bool,
) -> Result<()> {
    if old.pages == 0 {
        // If the process died while the rows are written, a file without a first page would be
        // unreadable. A blank first page makes it a database without tables.
        write_blank(lock.file())?;
        lock.file().sync_all()?;
    }
    let start = old.pages.max(1) + 1;
    let written = write_from(rows, lock.file(), start)?;
    let (free, end) = write_free_list(2..start, lock.file(), written.end)?;
    let new = old.changed(end - 1);
    switch(lock, &written, &new.header(free, marked), has_switched)?;
    // The rows are safe by now. A file that is larger than necessary is not a failure.
    let _ = compact(rows, lock, &new, written.end - start, start, marked);
    Ok(())
}

/// Writes the tables again, to the free pages before them, if they fit there.
fn compact(
    rows: &dyn RowSource,
    lock: &WriteLock,
    old: &HeaderFields,
    count: u32,
    start: u32,
    marked: bool,
) -> Result<()> {
    // Needs one more page, because the lock-byte page may be in between and is skipped.
    if 2 + count + 1 > start {
        return Ok(());
    }
    let written = write_from(rows, lock.file(), 2)?;
    let new = old.changed(written.end - 1);
    switch(lock, &written, &new.header(FreeList::default(), marked), &mut false)?;
    lock.while_unread(|file| Ok(file.set_len(u64::from(new.pages) * PAGE_SIZE as u64)?))?;
    Ok(lock.file().sync_all()?)
}

/// Makes the written tables those of the database.
fn switch(
    lock: &WriteLock,
    written: &WrittenTables,
    header: &Header,
    has_switched: &mut bool,
) -> Result<()> {
    lock.file().sync_all()?;
    lock.while_unread(|file| {
        *has_switched = true;
        Ok(written.write_first(file, header)?)
    })?;
    Ok(lock.file().sync_all()?)
}

/// The fields of a database header that a rewrite changes.
struct HeaderFields {
    pages: u32,
    changes: u32,
    schema_changes: u32,
}

impl HeaderFields {
    fn of(file: &File) -> Result<Self> {
        let size = file.metadata()?.len();
        let head = head(file)?;
        if head.is_empty() {
            return Ok(Self { pages: 0, changes: 0, schema_changes: 0 });
        }
        let page_size = number16(&head, 16).unwrap_or_default();
        if FileKind::of(&head) != FileKind::Sqlite || usize::from(page_size) != PAGE_SIZE {
            let message = "this is a mount point, or its folder is not writable; only an empty file or an SQLite database \
                           with pages of 4096 bytes can be overwritten";
            return Err(Error::new(ErrorKind::Io, io::Error::other(message)));
        }
        let number = |at| number(&head, at);
        let present = size.div_ceil(PAGE_SIZE as u64);
        // The page count is valid only if the last writer also wrote it. Pages after that count are what a
        // killed rewrite left.
        let counted = u64::from(number(28));
        let is_counted = number(CHANGES) == number(92) && (1..=present).contains(&counted);
        let pages = if is_counted { counted } else { present };
        let pages = u32::try_from(pages).map_err(|err| Error::new(ErrorKind::TooLarge, err))?;
        Ok(Self { pages, changes: number(CHANGES), schema_changes: number(40) })
    }

    fn changed(&self, pages: u32) -> Self {
        let next = |number: u32| number.wrapping_add(1);
        Self { pages, changes: next(self.changes), schema_changes: next(self.schema_changes) }
    }

    fn header(&self, free: FreeList, marked: bool) -> Header {
        Header {
            count: self.pages,
            changes: self.changes,
            schema_changes: self.schema_changes,
            free,
            application: if marked { MARK.wrapping_add(self.changes) } else { 0 },
        }
    }
}

/// Reads the header, or as much of it as the file has.
fn head(mut file: &File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.rewind()?;
    file.take(HEADER).read_to_end(&mut head)?;
    Ok(head)
}

/// Returns a number of the header, or 0 if the header is too short.
fn number(head: &[u8], at: usize) -> u32 {
    number32(head, at).unwrap_or_default()
}
