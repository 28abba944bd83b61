//! Replacing all rows of a database in its own file.
//!
//! A new file usually takes the place of an old one by a rename. That is impossible for a mount point, and in a folder that
//! is not writable. Then the new tables are written behind the old ones. One write of the first page makes the new
//! tables the database's, and the old pages free. So the file holds all old rows or all new rows at every instant.
//! If there is room in front, the tables are then written there in the same way, and the file is cut short.

use std::fs::File;
use std::io::Write;

use super::lock::WriteLock;
use super::pages::{FreeList, Header, PAGE_SIZE, Written, write_free_list, write_from};
use super::write::{RowSource, refuse_if_said_twice};
use crate::error::{Error, ErrorKind, Result};

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The length of the header.
const HEADER: usize = 100;

/// Where the header has the application's number (fileformat.html, section 1.3.15).
const APPLICATION: u64 = 68;

/// The application's number of a marked database, less the count of its changes.
const MARK: u32 = u32::from_be_bytes(*b"pulp");

/// A database whose rows were replaced in place. It may be marked as [unfinished](is_marked).
pub(crate) struct Rewritten(WriteLock);

impl Rewritten {
    /// Replaces what `file` holds by `rows`. The file is empty, or a database. The change is durable.
    ///
    /// # Errors
    ///
    /// The file then holds what it held before.
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
        write_at(self.0.file(), &[0; 4], APPLICATION)?;
        Ok(self.0.file().sync_all()?)
    }
}

/// Is the database marked, and unchanged since?
pub(crate) fn is_marked(head: &[u8]) -> bool {
    let number = |at| number(head, at);
    head.starts_with(MAGIC)
        && number(24)
            .zip(number(APPLICATION as usize))
            .is_some_and(|(changes, application)| application == MARK.wrapping_add(changes))
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
        let page_size = head.get(16..18).unwrap_or_default();
        if !head.starts_with(MAGIC) || page_size != (PAGE_SIZE as u16).to_be_bytes() {
            let message = "this cannot be replaced, only overwritten, and it is not an SQLite database of \
                           the usual page size; write the result elsewhere";
            return Err(Error::new(ErrorKind::Io, message));
        }
        let number = |at| number(&head, at).unwrap_or_default();
        let present = size.div_ceil(PAGE_SIZE as u64);
        // The count of pages holds if the last to write also wrote it. Behind them is what a killed rewrite left.
        let counted = u64::from(number(28));
        let is_counted = number(24) == number(92) && (1..=present).contains(&counted);
        let pages = if is_counted { counted } else { present };
        let pages = u32::try_from(pages).map_err(|err| Error::new(ErrorKind::TooLarge, err))?;
        Ok(Self { pages, changes: number(24), schema_changes: number(40) })
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
pub(crate) fn head(mut file: &File) -> std::io::Result<Vec<u8>> {
    use std::io::{Read, Seek};
    let mut head = Vec::with_capacity(HEADER);
    file.rewind()?;
    file.take(HEADER as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn number(head: &[u8], at: usize) -> Option<u32> {
    head.get(at..)?.first_chunk().map(|number| u32::from_be_bytes(*number))
}

fn write_at(mut file: &File, bytes: &[u8], at: u64) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom};
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}
