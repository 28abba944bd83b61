//! Detection of a file's kind by its first bytes.

use std::fmt;
use std::io::Read;
use std::path::Path;

use crate::folder::Entry;
use crate::subunit::looks_like_subunit;

/// The sentence before the JSON in data files of coverage.py 4.x.
pub(crate) const JSON_SENTINEL: &[u8] =
    b"!coverage.py: This is a private format, don't read it directly!";

/// The first bytes of a SQLite database.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// The number of bytes at the start of a file that are enough to detect its kind.
pub(crate) const HEAD_LEN: usize = 512;

/// The kind of a file, detected by its first bytes.
///
/// # Examples
///
/// ```
/// use pulpcov_core::formats::FileKind;
///
/// assert_eq!(FileKind::of(b"SQLite format 3\0..."), FileKind::Sqlite);
/// assert_eq!(FileKind::of(b"<!DOCTYPE html>"), FileKind::Html);
/// assert_eq!(FileKind::of(b"").to_string(), "an empty file");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A SQLite database: a data file of coverage.py 5.0 or later, or any other database.
    Sqlite,
    /// A data file of coverage.py 4.x.
    Json4,
    /// A data file of coverage.py 3.x: a pickle. Only Python can read it, and even Python cannot read it
    /// safely.
    Pickle,
    /// A rollback journal of SQLite.
    SqliteJournal,
    /// A write-ahead log of SQLite.
    SqliteWal,
    /// The shared memory of a write-ahead log.
    SqliteShm,
    /// An HTML page.
    Html,
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
    /// Anything that is compressed with gzip.
    Gzip,
    /// Anything that is compressed with zstd.
    Zstd,
    /// Anything that is compressed with bzip2, which this crate cannot read.
    Bzip2,
    /// Anything that is compressed with xz, which this crate cannot read.
    Xz,
    /// A subunit stream, which tells of itself in its first 512 bytes.
    Subunit,
    /// An empty file.
    Empty,
    /// Any other file.
    Unknown,
}

impl FileKind {
    /// Returns whether a file of this kind can hold rows. Files of other kinds are not data files.
    pub(crate) fn is_data(self) -> bool {
        matches!(self, Self::Sqlite | Self::Json4)
    }

    /// Returns whether a file that starts with `head` may be a data file. It may have to be told by more bytes.
    pub(crate) fn may_be_data(head: &[u8]) -> bool {
        Self::of(head).is_data()
            || SQLITE_MAGIC.starts_with(head)
            || JSON_SENTINEL.starts_with(head)
    }

    /// Returns whether data files can be in a file of this kind. A combine looks into it.
    pub(crate) fn is_container(self) -> bool {
        cfg!(feature = "archives")
            && matches!(self, Self::Zip | Self::Tar | Self::Gzip | Self::Zstd | Self::Subunit)
    }

    /// Returns the kind of a file that starts with `head`. 512 bytes are enough.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::formats::FileKind;
    ///
    /// let json = b"!coverage.py: This is a private format, don't read it directly!{}";
    /// assert_eq!(FileKind::of(json), FileKind::Json4);
    /// assert_eq!(FileKind::of(b"SQLite format 3\0"), FileKind::Sqlite);
    /// ```
    pub fn of(head: &[u8]) -> Self {
        // The magic numbers are from SQLite's fileformat.html, sections 1.3 (header), 3 (journal) and 4.1
        // (WAL), from walformat.html, section 2.1 (shm), from PKWARE's APPNOTE.TXT, sections 4.3.7 and 4.3.16
        // (zip; the second is an archive without files), and from RFC 1952 (gzip) and RFC 8878 (zstd).
        match head {
            [] => Self::Empty,
            _ if head.starts_with(SQLITE_MAGIC) => Self::Sqlite,
            _ if head.starts_with(JSON_SENTINEL) => Self::Json4,
            [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7, ..] => Self::SqliteJournal,
            [0x37, 0x7f, 0x06, 0x82 | 0x83, ..] => Self::SqliteWal,
            [0x18, 0xe2, 0x2d, 0x00, ..] | [0x00, 0x2d, 0xe2, 0x18, ..] => Self::SqliteShm,
            // A dictionary in pickle protocol 2, or in the text protocol 0.
            [0x80, 0x02, b'}', ..] | [b'(', b'd', b'p', ..] => Self::Pickle,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A frame, or a frame to skip.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ if looks_like_html(head) => Self::Html,
            _ if looks_like_tar(head) => Self::Tar,
            _ if looks_like_subunit(head) => Self::Subunit,
            _ => Self::Unknown,
        }
    }
}

/// Returns whether the file at `path` is empty or a database without tables. coverage.py treats both as a
/// data file without rows.
///
/// # Examples
///
/// ```
/// use pulpcov_core::formats::is_blank;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join(".coverage");
/// std::fs::write(&path, "")?;
/// assert!(is_blank(&path));
/// std::fs::write(&path, "rows")?;
/// assert!(!is_blank(&path));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn is_blank(path: impl AsRef<Path>) -> bool {
    let Ok(entry) = Entry::at_path(path.as_ref()) else { return false };
    let Some(head) = head(&entry) else { return false };
    // The schema table, on the first page, is a leaf without cells (fileformat.html, sections 1.3 and 1.6). A
    // database with a write-ahead log does not count, because the log may hold tables.
    let has_no_tables = || {
        head.get(18..20) == Some(&[1, 1])
            && head.get(100) == Some(&13)
            && head.get(103..105) == Some(&[0, 0])
    };
    match FileKind::of(&head) {
        FileKind::Empty => true,
        FileKind::Sqlite => has_no_tables(),
        _ => false,
    }
}

/// Returns the first bytes of a file, or `None` if it cannot be read. Does not open links or FIFOs.
pub(super) fn head(entry: &Entry) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_LEN);
    entry.open().ok()?.take(HEAD_LEN as u64).read_to_end(&mut head).ok()?;
    Some(head)
}

fn looks_like_html(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let starts =
        |tag: &[u8]| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    starts(b"<!doctype html") || starts(b"<html")
}

/// Returns whether the first block is the header of a tar archive. Its checksum tells, because the oldest archives have no magic
/// number: the sum of all bytes, with spaces in place of the checksum itself (POSIX, pax, "ustar Interchange Format").
fn looks_like_tar(head: &[u8]) -> bool {
    let Some((block, field)) = head.get(..512).zip(head.get(148..156)) else { return false };
    let digits = field.trim_ascii_start().split(|byte| matches!(byte, b' ' | 0)).next();
    let stored = digits.and_then(|digits| str::from_utf8(digits).ok());
    let stored = stored.and_then(|digits| u64::from_str_radix(digits, 8).ok());
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    stored == Some(sum(block) - sum(field) + 8 * u64::from(b' '))
}

/// Completes the sentence "this is …".
impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "a SQLite database",
            Self::Json4 => "a data file of coverage.py 4.x",
            Self::Pickle => {
                "a data file of coverage.py 3.x (a pickle), which cannot be read without Python"
            }
            Self::SqliteJournal => "a SQLite rollback journal",
            Self::SqliteWal => "a SQLite write-ahead log",
            Self::SqliteShm => "a SQLite shared-memory file",
            Self::Html => "an HTML page",
            Self::Zip => "a zip archive",
            Self::Tar => "a tar archive",
            Self::Gzip => "compressed with gzip",
            Self::Zstd => "compressed with zstd",
            Self::Bzip2 => "compressed with bzip2: unpack it first",
            Self::Subunit => "a subunit stream",
            Self::Xz => "compressed with xz: unpack it first",
            Self::Empty => "an empty file",
            Self::Unknown => "not in any format that coverage.py wrote",
        })
    }
}
