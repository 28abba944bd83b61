//! Replacing all rows of a database in its own file.
//!
//! A new file usually takes the place of an old one by a rename. That is impossible for a mount point, and in a folder that
//! is not writable. Then the new tables are written behind the old ones. One write of the first page makes the new
//! tables the database's, and the old pages free. So the file holds all old rows or all new rows at every instant.
//! If there is room in front, the tables are then written there in the same way, and the file is cut short.

use std::fs::File;
use std::io::{self, Read, Seek};

use super::lock::WriteLock;
use super::pages::{
    FreeList, Header, PAGE_SIZE, Written, number16, number32, write_at, write_free_list, write_from,
};
use super::write::{RowSource, refuse_if_said_twice};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::FileKind;

/// The length of the header.
const HEADER: u64 = 100;

/// Where the header has the application's number (fileformat.html, section 1.3.15).
const APPLICATION: usize = 68;

/// Where it has the count of changes.
const CHANGES: usize = 24;

/// The application's number of a marked database, less the count of its changes.
const MARK: u32 = u32::from_be_bytes(*b"pulp");

/// A database whose rows were replaced in place. It may be marked as [unfinished](is_marked).
pub(crate) struct Rewritten(WriteLock);

impl Rewritten {
    /// Replaces what `file` holds by `rows`. The file is empty, or a database. The change is durable.
    ///
    /// # Errors
    ///
    /// The file then holds what it held before; or all of `rows`, if only the last sync failed.
    pub(crate) fn new(rows: &dyn RowSource, file: File, marked: bool) -> Result<Self> {
        refuse_if_said_twice(rows)?;
        let lock = WriteLock::acquire(file)?;
        let old = State::of(lock.file())?;
        let start = old.pages.max(1) + 1;
        let written = write_from(rows, lock.file(), start)?;
        let (free, end) = write_free_list(2..start, lock.file(), written.end)?;
        let new = old.changed(end - 1);
        switch(&lock, &written, &new.header(free, marked))?;
        // The rows are safe. That the file is larger than it need be is no failure.
        let _ = compact(rows, &lock, &new, written.end - start, start, marked);
        Ok(Self(lock))
    }

    /// Takes the mark away.
    pub(crate) fn unmark(&self) -> Result<()> {
        write_at(self.0.file(), &[0; 4], APPLICATION as u64)?;
        Ok(self.0.file().sync_all()?)
    }
}

/// Is the database marked, and unchanged since?
pub(crate) fn is_marked(file: &File) -> bool {
    let Ok(head) = head(file) else { return false };
    FileKind::of(&head) == FileKind::Sqlite
        && number(&head, APPLICATION) == MARK.wrapping_add(number(&head, CHANGES))
}

/// Writes the tables once more, to the pages in front that are free now, if they fit there.
fn compact(
    rows: &dyn RowSource,
    lock: &WriteLock,
    old: &State,
    count: u32,
    start: u32,
    marked: bool,
) -> Result<()> {
    // One page more, for the page of locks may be passed over.
    if 2 + count + 1 > start {
        return Ok(());
    }
    let written = write_from(rows, lock.file(), 2)?;
    let new = old.changed(written.end - 1);
    switch(lock, &written, &new.header(FreeList::default(), marked))?;
    lock.alone(|file| Ok(file.set_len(u64::from(new.pages) * PAGE_SIZE as u64)?))?;
    Ok(lock.file().sync_all()?)
}

/// Makes these tables those of the database.
fn switch(lock: &WriteLock, written: &Written, header: &Header) -> Result<()> {
    lock.file().sync_all()?;
    lock.alone(|file| Ok(written.write_first(file, header)?))?;
    Ok(lock.file().sync_all()?)
}

/// What the header of a database says.
struct State {
    pages: u32,
    changes: u32,
    schema_changes: u32,
}

impl State {
    fn of(file: &File) -> Result<Self> {
        let size = file.metadata()?.len();
        let head = head(file)?;
        // An empty file, or one that was empty before a killed rewrite: the first page comes last.
        if head.iter().all(|byte| *byte == 0) {
            return Ok(Self { pages: 0, changes: 0, schema_changes: 0 });
        }
        let page_size = number16(&head, 16).unwrap_or_default();
        if FileKind::of(&head) != FileKind::Sqlite || usize::from(page_size) != PAGE_SIZE {
            let message = "this is a mount point, or its folder is not writable; only an empty file or an SQLite database \
                           with pages of 4096 bytes can be overwritten; write the result elsewhere";
            return Err(Error::new(ErrorKind::Io, message));
        }
        let number = |at| number(&head, at);
        let present = size.div_ceil(PAGE_SIZE as u64);
        // The count of pages holds if the last to write also wrote it. Behind them is what a killed rewrite left.
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

/// The header, or what there is of it.
fn head(mut file: &File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.rewind()?;
    file.take(HEADER).read_to_end(&mut head)?;
    Ok(head)
}

/// A number of the header; 0 if the header is too short for it.
fn number(head: &[u8], at: usize) -> u32 {
    number32(head, at).unwrap_or_default()
}
