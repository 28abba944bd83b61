//! What SQLite keeps beside a database: its rollback journal, its write-ahead log, and that log's shared memory.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::detect::{FileKind, HEAD_LEN};
use crate::folder::Entry;

const SUFFIXES: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The companions of the data file at `path` that exist.
///
/// A data file with such a name (somebody chose the suffix `unit-wal`) is no companion: its rows are its own.
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
    let found = Entry::named(path).into_iter().flat_map(|entry| companions_of(&entry));
    found.map(|companion| companion.path().to_owned())
}

/// The companions of a data file in an open folder that exist.
pub fn companions_of(entry: &Entry) -> impl Iterator<Item = Entry> + use<> {
    let companions = SUFFIXES.map(|suffix| entry.beside(suffix)).into_iter();
    companions.filter(|companion| companion.status().is_ok() && !holds_data(companion))
}

/// Is this, by its content, a data file? Neither links nor FIFOs are opened.
pub(crate) fn holds_data(entry: &Entry) -> bool {
    let Ok(file) = entry.open() else { return false };
    let mut head = Vec::with_capacity(HEAD_LEN);
    let read = file.take(HEAD_LEN as u64).read_to_end(&mut head);
    read.is_ok() && FileKind::of(&head).is_data()
}
