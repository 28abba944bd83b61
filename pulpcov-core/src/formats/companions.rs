//! What SQLite keeps beside a database: its rollback journal, its write-ahead log, and that log's shared memory.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::data_file::identity::beside;
use super::data_file::input::open_no_follow;
use super::detect::{FileKind, HEAD_LEN};

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
    SUFFIXES
        .map(|suffix| beside(path, suffix))
        .into_iter()
        .filter(|companion| companion.symlink_metadata().is_ok() && !holds_data(companion))
}

/// Is this, by its content, a data file? Neither links nor FIFOs are opened.
pub(crate) fn holds_data(path: &Path) -> bool {
    let mut head = Vec::with_capacity(HEAD_LEN);
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
        && open_no_follow(path)
            .and_then(|file| file.take(HEAD_LEN as u64).read_to_end(&mut head))
            .is_ok()
        && FileKind::of(&head).is_data()
}
