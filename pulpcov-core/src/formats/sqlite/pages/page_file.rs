//! The pages of a database, and the header that describes them (fileformat.html, section 1.3).

use std::sync::atomic::{AtomicU64, Ordering};

use super::{NeedsSqlite, PlainResult};
use crate::error::Result;
use crate::formats::sqlite::snapshot::{InPlace, Snapshot};

/// The length of the database header in bytes.
const HEADER: usize = 100;

/// The offset of the bytes that SQLite locks. The page that holds them is never used.
const LOCK_BYTES: u64 = 0x4000_0000;

/// The number of bytes that are read at a time if the file is not in memory.
const WINDOW: u64 = 64 << 10;

/// A database whose header is ordinary.
pub(in super::super) struct PageFile {
    source: ByteSource,
    page_size: usize,
    /// The number of pages. The first page has the number 1.
    count: u32,
    /// One bit per page: whether a use of the page has been found. No page may have two uses.
    seen: Vec<AtomicU64>,
}

/// Where the bytes of a database are.
pub(in super::super) enum ByteSource {
    Memory(Vec<u8>),
    File(Box<InPlace>),
}

impl ByteSource {
    fn header(&self) -> PlainResult<(Vec<u8>, u64)> {
        match self {
            Self::Memory(bytes) => {
                let header = bytes.get(..HEADER).ok_or(NeedsSqlite)?;
                Ok((header.to_vec(), bytes.len() as u64))
            }
            Self::File(file) => {
                let mut header = vec![0; HEADER];
                file.read_at(&mut header, 0).map_err(|_| NeedsSqlite)?;
                Ok((header, file.size()))
            }
        }
    }

    /// Returns the memory that holds the bytes. Returns an empty vector if the file is not in memory.
    pub(in super::super) fn into_memory(self) -> Vec<u8> {
        match self {
            Self::Memory(bytes) => bytes,
            Self::File(_) => Vec::new(),
        }
    }

    /// Returns all bytes, for SQLite.
    pub(in super::super) fn into_snapshot(self) -> Result<Snapshot> {
        match self {
            Self::Memory(bytes) => Ok(Snapshot { bytes, companion: None }),
            Self::File(file) => file.snapshot(),
        }
    }

    /// Returns whether the file is unchanged since it was opened.
    pub(in super::super) fn is_unchanged(&self) -> Result<bool> {
        match self {
            Self::Memory(_) => Ok(true),
            Self::File(file) => file.is_unchanged(),
        }
    }
}

/// The bytes that were read last, if the file is not in memory.
#[derive(Default)]
pub(super) struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl PageFile {
    /// Opens a database whose header is ordinary. Returns the store of any other database.
    pub(in super::super) fn new(source: ByteSource) -> std::result::Result<Self, ByteSource> {
        let ordinary = source.header().and_then(|(header, size)| ordinary(&header, size));
        match ordinary {
            Ok((page_size, count)) => {
                let seen = (0..=count / 64).map(|_| AtomicU64::new(0)).collect();
                Ok(Self { source, page_size, count, seen })
            }
            Err(NeedsSqlite) => Err(source),
        }
    }

    pub(in super::super) fn source(&self) -> &ByteSource {
        &self.source
    }

    pub(in super::super) fn into_source(self) -> ByteSource {
        self.source
    }

    pub(super) fn page_size(&self) -> usize {
        self.page_size
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Returns the bytes of a page. The page must exist.
    pub(super) fn page<'a>(&'a self, number: u32, window: &'a mut Window) -> PlainResult<&'a [u8]> {
        let start = u64::from(number.checked_sub(1).ok_or(NeedsSqlite)?) * self.page_size as u64;
        let (bytes, first) = match &self.source {
            ByteSource::Memory(bytes) => (bytes, 0),
            ByteSource::File(file) => {
                window.move_over(start, file)?;
                (&window.bytes, window.start)
            }
        };
        let start = usize::try_from(start - first).map_err(|_| NeedsSqlite)?;
        bytes.get(start..start + self.page_size).ok_or(NeedsSqlite)
    }

    /// Marks a page as used. The page must exist, must not be the lock-byte page, and must not be used
    /// already.
    pub(super) fn claim(&self, number: u32) -> PlainResult<()> {
        let holds_locks = u64::from(number) == LOCK_BYTES / self.page_size as u64 + 1;
        if number == 0 || number > self.count || holds_locks {
            return Err(NeedsSqlite);
        }
        let (word, bit) =
            (self.seen.get(number as usize / 64).ok_or(NeedsSqlite)?, 1 << (number % 64));
        match word.fetch_or(bit, Ordering::Relaxed) & bit {
            0 => Ok(()),
            _ => Err(NeedsSqlite),
        }
    }
}

impl Window {
    fn move_over(&mut self, at: u64, file: &InPlace) -> PlainResult<()> {
        let start = at / WINDOW * WINDOW;
        if self.start != start || self.bytes.is_empty() {
            let len = file.size().checked_sub(start).ok_or(NeedsSqlite)?.min(WINDOW);
            // The window stays empty if the read fails.
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.resize(len as usize, 0);
            file.read_at(&mut bytes, start).map_err(|_| NeedsSqlite)?;
            *self = Self { start, bytes };
        }
        Ok(())
    }
}

/// Returns the page size and the number of pages, if the database is as SQLite makes it by default.
fn ordinary(head: &[u8], size: u64) -> PlainResult<(usize, u32)> {
    let head: &[u8; HEADER] = head.first_chunk().ok_or(NeedsSqlite)?;
    let page_size = match number16(head, 16)? {
        1 => 65_536,
        size @ 512.. if size.is_power_of_two() => u64::from(size),
        _ => return Err(NeedsSqlite),
    };
    let count = u32::try_from(size / page_size).map_err(|_| NeedsSqlite)?;
    let changes = number32(head, 24)?;
    let ordinary = head.starts_with(b"SQLite format 3\0")
        // Version 1 means a rollback journal, version 2 a write-ahead log. There is no log with rows here:
        // SQLite reads a database that has one.
        && matches!(head.get(18..20), Some([1, 1] | [2, 2]))
        // No bytes of a page are reserved.
        && head.get(20..24) == Some(&[0, 64, 32, 32])
        && size.is_multiple_of(page_size)
        // The page count is valid only if the last writer also wrote it.
        && changes == number32(head, 92)?
        && number32(head, 28)? == count
        // Schema format 4, no auto-vacuum, UTF-8.
        && number32(head, 44)? == 4
        && number32(head, 52)? == 0
        && number32(head, 56)? == 1;
    if ordinary { Ok((page_size as usize, count)) } else { Err(NeedsSqlite) }
}

pub(in super::super) fn number16(bytes: &[u8], at: usize) -> PlainResult<u16> {
    let number = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(NeedsSqlite)?;
    Ok(u16::from_be_bytes(*number))
}

pub(in super::super) fn number32(bytes: &[u8], at: usize) -> PlainResult<u32> {
    let number = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or(NeedsSqlite)?;
    Ok(u32::from_be_bytes(*number))
}
