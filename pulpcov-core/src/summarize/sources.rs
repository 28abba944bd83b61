//! Where the text of sources comes from.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

#[cfg(unix)]
use super::permission::{self, Inode, Opened, Opener};
use crate::paths::{WorkingFolder, from_os};
use crate::text::printable;
use crate::{Authors, Error, ErrorKind, Result};

/// The maximum size of a source in bytes. No source written by hand is larger, but a data file can
/// name any file.
pub(super) const LARGEST_SOURCE: u64 = 64 << 20;

/// The maximum size of a source that only data files of other users name. Facts take up to a
/// hundred times the memory of a source, so other users could otherwise fill the memory.
const LARGEST_SOURCE_OF_OTHERS: u64 = 4 << 20;

/// Provides the sources of measured files: from a disk, an archive, or a map in memory.
///
/// Any function from a path to bytes implements this trait. It is called from several threads at
/// once.
///
/// If the summary has a [`folder`](super::Summarizer::folder), the path is a path of this machine.
/// Otherwise it is the path in the data, which may come from another operating system
/// (`C:\app\views.py`).
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
    /// Returns the bytes of the file at `path`, or `None` if the file does not exist.
    ///
    /// # Errors
    ///
    /// Any error, if the file exists but cannot be read.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>>;

    /// Returns the bytes of the file at `path`, which data files of `authors` name.
    ///
    /// The default implementation [reads](Self::read) any file for any author. That is right if all
    /// sources may be shown: if they come from an archive, a revision, or memory. It is wrong if a
    /// path can lead to any file of a machine.
    ///
    /// # Errors
    ///
    /// The same as for [`read`](Self::read), and
    /// [`ErrorKind::Withheld`](crate::ErrorKind::Withheld) if no author may read the file.
    fn read_for(&self, path: &Path, authors: &Authors) -> Result<Option<Vec<u8>>> {
        let _ = authors;
        self.read(path)
    }
}

impl<F: Fn(&Path) -> Result<Option<Vec<u8>>> + Sync> Sources for F {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        self(path)
    }
}

/// Returns the bytes of a source. If it is missing, returns an error with coverage.py's message.
pub(super) fn read_source(
    sources: &dyn Sources,
    path: &Path,
    authors: &Authors,
) -> Result<Vec<u8>> {
    let error = |message: String| Error::new(ErrorKind::NoSource, message).with_path(path);
    match sources.read_for(path, authors) {
        Ok(Some(bytes)) => Ok(bytes),
        Err(err) if err.kind() == ErrorKind::Withheld => Err(err),
        Ok(None) => Err(error(format!("No source for code: '{}'.", shown(path)))),
        Err(err) => Err(error(format!("No source for code: '{}': {}", shown(path), err.reason()))),
    }
}

/// Returns a path in the form in which messages show it.
pub(super) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// The files on the disk of this machine.
///
/// If only data files of other users name a source, it is read only if one of these users could
/// read it: see [`Authors`](crate::Authors).
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::paths::WorkingFolder;
/// use pulpcov_core::summarize::{DiskSources, Sources};
///
/// let sources = DiskSources::new(WorkingFolder::new(env!("CARGO_MANIFEST_DIR")));
/// assert!(sources.read(Path::new("Cargo.toml"))?.is_some());
/// assert!(sources.read(Path::new("no-such-file"))?.is_none());
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct DiskSources {
    folder: WorkingFolder,
    #[cfg(unix)]
    opener: Opener,
    #[cfg(unix)]
    shown: Vec<Inode>,
}

impl DiskSources {
    /// Creates sources on the disk. Relative paths start at `folder`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::paths::WorkingFolder;
    /// use pulpcov_core::summarize::{DiskSources, Sources};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("app.py"), "x = 1\n")?;
    /// let sources = DiskSources::new(WorkingFolder::new(folder.path()));
    /// assert_eq!(sources.read(Path::new("app.py"))?, Some(b"x = 1\n".to_vec()));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new(folder: WorkingFolder) -> Self {
        Self {
            folder,
            #[cfg(unix)]
            opener: Opener::default(),
            #[cfg(unix)]
            shown: Vec::new(),
        }
    }

    /// Allows this file, or all files in this folder, to be read no matter whose data files name
    /// them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the path does not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::paths::WorkingFolder;
    /// use pulpcov_core::summarize::DiskSources;
    ///
    /// let sources = DiskSources::new(WorkingFolder::new("/")).allow(env!("CARGO_MANIFEST_DIR"))?;
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn allow(self, path: impl AsRef<Path>) -> Result<Self> {
        #[cfg(unix)]
        let mut sources = self;
        #[cfg(unix)]
        sources
            .shown
            .push(permission::inode(path.as_ref()).map_err(|err| Error::io(path.as_ref(), err))?);
        #[cfg(not(unix))]
        let sources = self;
        Ok(sources)
    }

    /// Opens the file at `path`, which data files of `authors` name. Returns `None` if the file
    /// does not exist.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Withheld`](crate::ErrorKind::Withheld) if no author may read the file;
    /// - [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be opened, or is not a regular file.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// # use std::fs::Permissions;
    /// # use std::os::unix::fs::PermissionsExt;
    /// # use pulpcov_core::paths::WorkingFolder;
    /// # use pulpcov_core::summarize::DiskSources;
    /// # use pulpcov_core::{Author, Authors, ErrorKind};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("app.py");
    /// std::fs::write(&path, "x = 1\n")?;
    /// std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    /// let sources = DiskSources::new(WorkingFolder::new(folder.path()));
    /// assert!(sources.open(&path, &Authors::Caller)?.is_some());
    /// let err = sources.open(&path, &Author::Anybody.into()).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::Withheld);
    /// # }
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn open(&self, path: &Path, authors: &Authors) -> Result<Option<File>> {
        let local = self.folder.local_path(&from_os(path));
        let opened = match authors {
            Authors::Caller => open_regular(&local).map(Some),
            #[cfg(unix)]
            Authors::Others(_) => match self.opener.open(&local, authors, &self.shown) {
                Ok(Opened::File(file)) => Ok(Some(file)),
                Ok(Opened::Missing) => Ok(None),
                Ok(Opened::Withheld) => return Err(withheld(authors).with_path(local)),
                Err(err) => Err(err),
            },
            #[cfg(not(unix))]
            Authors::Others(_) => return Err(withheld(authors).with_path(local)),
        };
        match opened {
            Err(err) if is_absence(&err) => Ok(None),
            Err(err) => Err(failed(err, path, local)),
            Ok(opened) => Ok(opened),
        }
    }
}

impl Sources for DiskSources {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        self.read_for(path, &Authors::Caller)
    }

    fn read_for(&self, path: &Path, authors: &Authors) -> Result<Option<Vec<u8>>> {
        let Some(file) = self.open(path, authors)? else { return Ok(None) };
        let read = read_bounded(
            file,
            match authors {
                Authors::Caller => LARGEST_SOURCE,
                Authors::Others(_) => LARGEST_SOURCE_OF_OTHERS,
            },
        );
        read.map(Some).map_err(|err| failed(err, path, self.folder.local_path(&from_os(path))))
    }
}

/// Opens a file without blocking: a data file can name a FIFO or a device.
fn open_regular(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY);
    }
    let file = options.open(path)?;
    let kind = file.metadata()?.file_type();
    // Folders pass, because reading one fails with a clearer error.
    if kind.is_file() || kind.is_dir() {
        Ok(file)
    } else {
        Err(io::Error::other("it is a device, a socket or a FIFO"))
    }
}

pub(super) fn read_bounded(file: File, most: u64) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(size.min(most) as usize);
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it is larger than {most} bytes")));
    }
    Ok(bytes)
}

fn withheld(authors: &Authors) -> Error {
    let message = format!("none of those whose data files name it may read it: user {authors}");
    Error::new(ErrorKind::Withheld, message)
}

fn failed(err: io::Error, path: &Path, local: PathBuf) -> Error {
    Error::new(ErrorKind::Io, PyOsError::new(err, path)).with_path(local)
}

/// Returns whether the file does not exist. This includes names that no file can have.
fn is_absence(err: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        err.kind(),
        Kind::NotFound | Kind::NotADirectory | Kind::InvalidInput | Kind::InvalidFilename
    )
}

/// An error of the operating system with Python's message, such as
/// `[Errno 13] Permission denied: '/srv/a.py'`.
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
