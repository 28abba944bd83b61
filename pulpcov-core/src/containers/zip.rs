//! The directory of a zip archive (PKWARE's APPNOTE.TXT, version 6.3.10).
//!
//! The `zip` crate reserves memory for as many files as the archive says that it has, keeps one of two files with the same name, and
//! its readers borrow the archive. Here the directory is read entry by entry, and a [`Packed`] can go to another thread.

use std::io::{BufReader, Read};
use std::sync::Arc;

use super::error::ContainerError;
use super::meter::Meter;
use super::packed::{Layer, Packed};
use super::shared_bytes::SharedBytes;

/// The end of the directory, without the comment that follows it (section 4.3.16).
const END: usize = 22;
/// The longest comment.
const COMMENT: u64 = 0xffff;
/// Where the end of a zip64 directory is (section 4.3.15).
const LOCATOR: usize = 20;
/// The end of a zip64 directory (section 4.3.14).
const END64: usize = 56;
/// The fixed part of a directory entry (section 4.3.12).
const ENTRY: usize = 46;
/// The fixed part of the header before a file's bytes (section 4.3.7).
const HEADER: usize = 30;

const DAMAGED_DIRECTORY: ContainerError =
    ContainerError::Damaged("its directory cannot be understood");

/// The entries of a directory, in their order.
pub(super) struct Directory {
    archive: SharedBytes,
    entries: BufReader<SharedBytes>,
    /// How many bytes of the directory are left.
    left: u64,
    /// How many entries it has, modulo 65,536.
    count: u16,
    /// How many were read, modulo 65,536.
    read: u16,
}

/// What a directory says of a file.
#[derive(Debug)]
pub(super) struct ZipEntry {
    pub(super) name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    /// Where its header is.
    header: u64,
    /// The type in the mode of a Unix file, or 0.
    file_type: u32,
}

/// Where the directory is.
struct End {
    start: u64,
    size: u64,
    /// The number of entries modulo 65,536, of which more than that many are told in this way (section 4.4.1.4).
    count: u16,
}

impl Directory {
    pub(super) fn open(archive: &SharedBytes) -> Result<Self, ContainerError> {
        let end = find_end(archive)?;
        let entries = archive.part(end.start, end.size).ok_or(DAMAGED_DIRECTORY)?;
        let (archive, left) = (archive.clone(), end.size);
        Ok(Self { archive, entries: BufReader::new(entries), left, count: end.count, read: 0 })
    }

    /// Returns the next entry, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<ZipEntry>, ContainerError> {
        if self.left == 0 {
            return if self.read == self.count { Ok(None) } else { Err(DAMAGED_DIRECTORY) };
        }
        self.read = self.read.wrapping_add(1);
        let entry: [u8; ENTRY] = self.take()?;
        if !entry.starts_with(b"PK\x01\x02") {
            return Err(DAMAGED_DIRECTORY);
        }
        let name = self.take_bytes(u16_at(&entry, 28))?;
        let extra = self.take_bytes(u16_at(&entry, 30))?;
        self.take_bytes(u16_at(&entry, 32))?;
        // Only Unix has a mode there (section 4.4.2).
        let is_unix = entry.get(5) == Some(&3);
        let mut found = ZipEntry {
            name,
            flags: u16_at(&entry, 8),
            method: u16_at(&entry, 10),
            crc: u32_at(&entry, 16),
            packed: u32_at(&entry, 20).into(),
            size: u32_at(&entry, 24).into(),
            header: u32_at(&entry, 42).into(),
            file_type: if is_unix { u32_at(&entry, 38) >> 16 & 0o170_000 } else { 0 },
        };
        found.take_large_numbers(&extra)?;
        Ok(Some(found))
    }

    /// Returns the bytes of a file.
    pub(super) fn packed(
        &self,
        entry: &ZipEntry,
        meter: &Arc<Meter>,
    ) -> Result<Packed, ContainerError> {
        if entry.flags & 1 != 0 {
            return Err(ContainerError::Encrypted);
        }
        let missing = || ContainerError::Damaged("a file is not where its directory says");
        let header: [u8; HEADER] = self.archive.array(entry.header).ok_or_else(missing)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(missing());
        }
        let names = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        let bytes = self.archive.part(entry.header + HEADER as u64 + names, entry.packed);
        let is_alone = entry.method == 0;
        let checked = Layer::Checked { size: entry.size, crc: entry.crc, is_alone };
        let layers = match entry.method {
            0 => vec![checked],
            8 => vec![Layer::Deflate, checked],
            93 => vec![Layer::Zstd, checked],
            unknown => return Err(ContainerError::UnknownMethod(unknown)),
        };
        Ok(Packed::new(bytes.ok_or_else(missing)?, layers, meter))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ContainerError> {
        let mut bytes = [0; N];
        self.left = self.left.checked_sub(N as u64).ok_or(DAMAGED_DIRECTORY)?;
        self.entries.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn take_bytes(&mut self, len: u16) -> Result<Vec<u8>, ContainerError> {
        let mut bytes = vec![0; usize::from(len)];
        self.left = self.left.checked_sub(len.into()).ok_or(DAMAGED_DIRECTORY)?;
        self.entries.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl ZipEntry {
    /// Returns whether this is a regular file: no folder, no link and no device.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.file_type, 0 | 0o100_000) && !self.name.ends_with(b"/")
    }

    /// Takes the numbers that need 64 bits from the zip64 field of `extra` (section 4.5.3).
    fn take_large_numbers(&mut self, extra: &[u8]) -> Result<(), ContainerError> {
        let mut rest = extra;
        while let Some((head, tail)) = rest.split_at_checked(4) {
            let (id, len) = (u16_at(head, 0), usize::from(u16_at(head, 2)));
            let Some((field, tail)) = tail.split_at_checked(len) else { break };
            if id == 1 {
                let mut numbers = field.chunks_exact(8).map(|bytes| u64_at(bytes, 0));
                for number in [&mut self.size, &mut self.packed, &mut self.header] {
                    if *number == u64::from(u32::MAX) {
                        *number = numbers.next().ok_or(DAMAGED_DIRECTORY)?;
                    }
                }
                break;
            }
            rest = tail;
        }
        Ok(())
    }
}

/// Finds the end of the directory, from the end of the archive.
fn find_end(archive: &SharedBytes) -> Result<End, ContainerError> {
    let len = archive.len();
    let tail_len = len.min(COMMENT + END as u64);
    let mut tail = Vec::new();
    let bytes = archive.part(len - tail_len, tail_len).ok_or(ContainerError::Truncated)?;
    bytes.take(tail_len).read_to_end(&mut tail)?;
    // The comment has to fit, because a comment may contain the magic number.
    let fits = |at: &usize| {
        let end = tail.get(*at..).unwrap_or_default();
        end.starts_with(b"PK\x05\x06")
            && end.get(..END).is_some_and(|fixed| usize::from(u16_at(fixed, 20)) + END <= end.len())
    };
    let last = tail.len().checked_sub(END).ok_or(ContainerError::Truncated)?;
    let at = (0..=last).rev().find(fits).ok_or(ContainerError::Truncated)?;
    let end = tail.get(at..).unwrap_or_default();
    let (size, start) = (u32_at(end, 12), u32_at(end, 16));
    let disk = u16_at(end, 4);
    let needs_64 =
        disk == u16::MAX || u16_at(end, 10) == u16::MAX || size == u32::MAX || start == u32::MAX;
    if let Some(end) = needs_64.then(|| find_end_64(archive, len - tail_len + at as u64)).flatten()
    {
        return Ok(end);
    }
    if disk != 0 {
        return Err(ContainerError::Split);
    }
    Ok(End { start: start.into(), size: size.into(), count: u16_at(end, 10) })
}

/// Finds the end of a zip64 directory, whose place is before the end at `position`.
fn find_end_64(archive: &SharedBytes, position: u64) -> Option<End> {
    let locator: [u8; LOCATOR] = archive.array(position.checked_sub(LOCATOR as u64)?)?;
    let end: [u8; END64] = archive.array(u64_at(&locator, 8))?;
    let is_end = locator.starts_with(b"PK\x06\x07") && end.starts_with(b"PK\x06\x06");
    is_end.then(|| End {
        start: u64_at(&end, 48),
        size: u64_at(&end, 40),
        count: (u64_at(&end, 32) & 0xffff) as u16,
    })
}

// Numbers are little-endian. What is missing counts as 0; the callers have read as many bytes as they ask for.

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    array_at(bytes, at).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    array_at(bytes, at).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    array_at(bytes, at).map_or(0, u64::from_le_bytes)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
