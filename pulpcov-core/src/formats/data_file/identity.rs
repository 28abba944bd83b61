//! Telling one state of a file from another.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let inode = None;
        Self { inode, size: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl FileIdentity {
    /// The identity of the file at `path`; a symbolic link is not followed.
    ///
    /// # Errors
    ///
    /// What the operating system says, if there is no such file.
    pub fn of_path(path: impl AsRef<Path>) -> std::io::Result<Self> {
        let path = path.as_ref();
        Ok(Self::new(&std::fs::symlink_metadata(path)?, path))
    }

    /// The identity of an open file, and of what is beside its path.
    pub(crate) fn new(file: &Metadata, path: &Path) -> Self {
        let state = |suffix| {
            std::fs::symlink_metadata(beside(path, suffix)).ok().map(|m| FileState::of(&m))
        };
        Self { file: FileState::of(file), companions: COMPANIONS.map(state) }
    }

    /// The identity of an open file, as if nothing were beside it.
    pub(crate) fn of_file_alone(file: &Metadata) -> Self {
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

/// The path of a companion: the same name with a suffix.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
