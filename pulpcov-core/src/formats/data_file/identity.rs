//! Telling one state of a file from another.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::folder::{Entry, Status};

/// The companions in which SQLite keeps rows that are not in the database file itself.
const COMPANIONS: [&str; 2] = ["-wal", "-journal"];

/// Which file it was and in what state: inode, size and time of change, of the file and
/// of SQLite's journal and write-ahead log beside it.
///
/// # Examples
///
/// ```
/// use pulpcov_core::formats::FileIdentity;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join(".coverage");
/// std::fs::write(&path, "rows")?;
/// let before = FileIdentity::of_path(&path)?;
/// assert_eq!(FileIdentity::of_path(&path)?, before);
/// std::fs::write(&path, "more rows")?;
/// assert_ne!(FileIdentity::of_path(&path)?, before);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    file: FileState,
    companions: [Option<FileState>; COMPANIONS.len()],
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FileState {
    inode: Option<(u64, u64)>,
    size: u64,
    modified: Option<SystemTime>,
}

impl FileState {
    fn of(status: &Status) -> Self {
        Self { inode: status.inode, size: status.size, modified: status.modified }
    }
}

impl FileIdentity {
    /// The identity of the file at `path`; a symbolic link is not followed.
    ///
    /// # Errors
    ///
    /// What the operating system says, if there is no such file.
    pub fn of_path(path: impl AsRef<Path>) -> std::io::Result<Self> {
        Self::of_entry(&Entry::named(path)?)
    }

    /// The identity of the file in an open folder; a symbolic link is not followed.
    ///
    /// # Errors
    ///
    /// What the operating system says, if there is no such file.
    pub fn of_entry(entry: &Entry) -> std::io::Result<Self> {
        Ok(Self::new(&entry.status()?, entry))
    }

    /// The identity of an open file, and of what is beside its name.
    pub(crate) fn new(file: &Status, entry: &Entry) -> Self {
        let state =
            |suffix| entry.beside(suffix).status().ok().map(|status| FileState::of(&status));
        Self { file: FileState::of(file), companions: COMPANIONS.map(state) }
    }

    /// The identity of an open file, as if nothing were beside it.
    pub(crate) fn of_file_alone(file: &Status) -> Self {
        Self { file: FileState::of(file), companions: Default::default() }
    }

    /// How long ago the last change was, unless the clock was set back since.
    pub(crate) fn age(&self) -> Option<Duration> {
        let states = self.companions.iter().flatten().chain([&self.file]);
        states.filter_map(|state| state.modified?.elapsed().ok()).min()
    }

    /// Is the file the same, whatever is beside it?
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        self.file == other.file
    }

    /// Was this companion, of the suffix `-wal` or `-journal`, there?
    #[cfg(feature = "sqlite")]
    pub(crate) fn has_companion(&self, suffix: &str) -> bool {
        COMPANIONS
            .iter()
            .zip(&self.companions)
            .any(|(known, state)| *known == suffix && state.is_some())
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.file.size
    }
}
