//! The companions of a database: the files that SQLite keeps beside it. These are its rollback journal, its
//! write-ahead log, and the log's shared memory.

use std::path::{Path, PathBuf};

use super::detect::{FileKind, head};
use crate::folder::Entry;

const SUFFIXES: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Returns the companions that the data file at `path` has.
///
/// A data file with the name of a companion is not a companion, because its rows are its own. A user may have
/// chosen the suffix `unit-wal`, for example.
///
/// # Examples
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join(".coverage");
/// std::fs::write(folder.path().join(".coverage-shm"), [0; 100])?;
/// std::fs::write(folder.path().join(".coverage-wal"), b"SQLite format 3\0")?;
/// let found: Vec<_> = pulpcov_core::formats::companions(&path).collect();
/// assert_eq!(found, [folder.path().join(".coverage-shm")]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn companions(path: &Path) -> impl Iterator<Item = PathBuf> {
    let found = Entry::at_path(path).into_iter().flat_map(|entry| companions_of(&entry));
    found.map(|companion| companion.path().to_owned())
}

/// Returns the companions that a data file in an open folder has.
///
/// # Examples
///
/// ```
/// use pulpcov_core::folder::Entry;
/// use pulpcov_core::formats::companions_of;
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join(".coverage-journal"), [0; 512])?;
/// let entry = Entry::at_path(folder.path().join(".coverage"))?;
/// let names: Vec<_> = companions_of(&entry).map(|found| found.name().to_owned()).collect();
/// assert_eq!(names, [".coverage-journal"]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn companions_of(entry: &Entry) -> impl Iterator<Item = Entry> + use<> {
    let companions = SUFFIXES.map(|suffix| entry.beside(suffix)).into_iter();
    companions.filter(|companion| companion.status().is_ok() && !holds_data(companion))
}

/// Returns whether the content of `entry` is that of a data file. Does not open links or FIFOs.
pub(crate) fn holds_data(entry: &Entry) -> bool {
    head(entry).is_some_and(|head| FileKind::of(&head).is_data())
}
