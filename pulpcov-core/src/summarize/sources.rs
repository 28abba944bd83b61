//! Where source text comes from.

use std::fmt;
use std::io;
use std::path::Path;

use crate::paths::{WorkingDir, from_os};
use crate::{Error, Result};

/// Gives the sources of measured files: a disk, an archive, a map in memory.
///
/// Any function from a path to bytes is one. It is called from several threads at once.
///
/// If the summary has a [`folder`](super::Summarizer::folder), the path is a path of this machine. Otherwise it is the
/// path in the data, which may come from another operating system (`C:\app\views.py`).
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::summarize::Sources;
///
/// let sources = |path: &Path| Ok((path == "a.py").then(|| b"x = 1\n".to_vec()));
/// assert!(sources.read(Path::new("a.py"))?.is_some());
/// assert!(sources.read(Path::new("b.py"))?.is_none());
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub trait Sources: Sync {
    /// The bytes of the file at `path`; `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// Why a file that is there cannot be read.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>>;
}

impl<F: Fn(&Path) -> Result<Option<Vec<u8>>> + Sync> Sources for F {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        self(path)
    }
}

/// The files of this machine.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::paths::WorkingDir;
/// use pulpcov_core::summarize::{DiskSources, Sources};
///
/// let sources = DiskSources::new(WorkingDir::new(env!("CARGO_MANIFEST_DIR")));
/// assert!(sources.read(Path::new("Cargo.toml"))?.is_some());
/// assert!(sources.read(Path::new("no-such-file"))?.is_none());
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DiskSources {
    folder: WorkingDir,
}

impl DiskSources {
    /// Relative paths start at `folder`.
    pub fn new(folder: WorkingDir) -> Self {
        Self { folder }
    }
}

impl Sources for DiskSources {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        let local = self.folder.local_path(&from_os(path));
        match std::fs::read(&local) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(err) if is_absence(&err) => Ok(None),
            Err(err) => {
                Err(Error::new(crate::ErrorKind::Io, PyOsError::new(err, path)).with_path(local))
            }
        }
    }
}

/// Whether the file is not there; a name that no file can have is not there either.
fn is_absence(err: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        err.kind(),
        Kind::NotFound | Kind::NotADirectory | Kind::InvalidInput | Kind::InvalidFilename
    )
}

/// An operating system's error in Python's words: `[Errno 13] Permission denied: '/srv/a.py'`.
#[derive(Debug)]
struct PyOsError {
    cause: io::Error,
    path: String,
}

impl PyOsError {
    fn new(cause: io::Error, path: &Path) -> Self {
        Self { cause, path: crate::text::py_repr(&path.to_string_lossy()) }
    }
}

impl fmt::Display for PyOsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.cause.to_string();
        match self.cause.raw_os_error() {
            Some(code) => {
                let words = text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text);
                write!(f, "[Errno {code}] {words}: {}", self.path)
            }
            None => f.write_str(&text),
        }
    }
}

impl std::error::Error for PyOsError {}
