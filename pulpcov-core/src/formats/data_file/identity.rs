//! Detection of changes to a file.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::folder::{Entry, Status};

/// The companions in which SQLite keeps rows that are not in the database file itself.
const COMPANIONS: [&str; 2] = ["-wal", "-journal"];

/// The identity and state of a file: inode, size and modification time, of the file itself and of SQLite's
/// journal and write-ahead log beside it.
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
    /// Returns the identity of the file at `path`. Does not follow a symbolic link.
    ///
    /// # Errors
    ///
    /// Returns the operating system's error if there is no such file.
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
    /// // A journal beside the file is part of its state.
    /// std::fs::write(folder.path().join(".coverage-journal"), "old rows")?;
    /// assert_ne!(FileIdentity::of_path(&path)?, before);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn of_path(path: impl AsRef<Path>) -> std::io::Result<Self> {
        Self::of_entry(&Entry::at_path(path)?)
    }

    /// Returns the identity of a file in an open folder. Does not follow a symbolic link.
    ///
    /// # Errors
    ///
    /// Returns the operating system's error if there is no such file.
    pub fn of_entry(entry: &Entry) -> std::io::Result<Self> {
        Ok(Self::new(&entry.status()?, entry))
    }

    /// Returns the identity of an open file, and of the companions of `entry`.
    pub(crate) fn new(file: &Status, entry: &Entry) -> Self {
        let state =
            |suffix| entry.beside(suffix).status().ok().map(|status| FileState::of(&status));
        Self { file: FileState::of(file), companions: COMPANIONS.map(state) }
    }

    /// Returns the identity of an open file, without companions.
    pub(crate) fn of_file_alone(file: &Status) -> Self {
        Self { file: FileState::of(file), companions: Default::default() }
    }

    /// Returns the identity of bytes that are in no file.
    #[cfg(feature = "archives")]
    pub(crate) fn of_stream() -> Self {
        let file = FileState { inode: None, size: 0, modified: None };
        Self { file, companions: Default::default() }
    }

    /// Returns how long ago the last change was, or `None` if the clock has been set back since.
    pub(crate) fn age(&self) -> Option<Duration> {
        let states = self.companions.iter().flatten().chain([&self.file]);
        states.filter_map(|state| state.modified?.elapsed().ok()).min()
    }

    /// Returns whether the file itself is the same. Ignores its companions.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        self.file == other.file
    }

    /// Returns whether the companion with `suffix`, which is `-wal` or `-journal`, existed.
    pub(crate) fn has_companion(&self, suffix: &str) -> bool {
        COMPANIONS
            .iter()
            .zip(&self.companions)
            .any(|(known, state)| *known == suffix && state.is_some())
    }

    /// Returns the size of the file in bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::formats::FileIdentity;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join(".coverage");
    /// std::fs::write(&path, "rows")?;
    /// assert_eq!(FileIdentity::of_path(&path)?.size(), 4);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn size(&self) -> u64 {
        self.file.size
    }
}
