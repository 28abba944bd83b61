//! A file of the user's, wherever its path leads.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::beside::{Beside, folder_of};
use crate::error::{ErrorKind, Result};

/// What files that are being written are called.
const PREFIX: &str = ".pulpcov_";

/// How much is written at a time.
const BUFFER: usize = 1 << 16;

/// How many links lead to one file at most, as on Linux.
const MOST_LINKS: usize = 40;

/// A file to write as a whole.
///
/// A symbolic link is followed if nobody else can have made it. What is no regular file, such as a FIFO or a device, is
/// written to as it is. A new file gets the permissions that any new file gets; one that is replaced keeps its own, but never those
/// to run as another user, and its owner if that is allowed.
///
/// # Examples
///
/// ```
/// use std::io::Write;
///
/// use pulpcov_core::ErrorKind;
/// use pulpcov_core::output::WholeFile;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("coverage.txt");
/// WholeFile::at(&path).write(|out| Ok(out.write_all(b"90%")?))?;
///
/// let failed = WholeFile::at(&path).write(|out| {
///     out.write_all(b"91")?;
///     Err::<(), _>(std::io::Error::from(std::io::ErrorKind::StorageFull).into())
/// });
/// assert_eq!(failed.unwrap_err().kind(), ErrorKind::Output);
/// assert_eq!(std::fs::read_to_string(&path)?, "90%");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WholeFile<'p> {
    path: &'p Path,
    mode: Option<u32>,
    durable: bool,
}

impl<'p> WholeFile<'p> {
    /// The file at `path`, whose folder is made if need be.
    pub fn at(path: &'p Path) -> Self {
        Self { path, mode: None, durable: false }
    }

    /// These permissions, as `chmod` takes them, whatever others the file would have. Elsewhere than on Unix they mean nothing.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Have the disk take it before the old file is gone.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Write what `write` writes.
    ///
    /// # Errors
    ///
    /// Those of `write`, and [`ErrorKind::Output`] if the file cannot be written. Then what was there is as it was; into
    /// what is no regular file something may have been written.
    pub fn write<T>(self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let path = self.path;
        let written = match self.place() {
            Ok(Place::File(target)) => self.replace(&target, write),
            Ok(Place::Other) => self.write_into(write),
            Err(err) => Err(err.into()),
        };
        written
            .map_err(|err| if err.kind() == ErrorKind::Output { err.with_path(path) } else { err })
    }

    /// Make the folder, and find the file.
    fn place(&self) -> io::Result<Place> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        Place::of(self.path)
    }

    fn replace<T>(
        &self,
        target: &Path,
        write: impl FnOnce(&mut dyn Write) -> Result<T>,
    ) -> Result<T> {
        let (new, done) = written(target, |out| write(out))?;
        if let Some(mode) = self.mode {
            set_mode(new.file.as_file(), mode)?;
        }
        if self.durable {
            new.file.as_file().sync_all()?;
        }
        new.persist()?;
        Ok(done)
    }

    /// What others have open is not cut off.
    fn write_into<T>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let file = OpenOptions::new().append(true).open(self.path)?;
        let mut out = BufWriter::with_capacity(BUFFER, file);
        let done = write(&mut out)?;
        out.flush()?;
        Ok(done)
    }
}

/// Where a path leads.
enum Place {
    /// A regular file, or one that is not there yet.
    File(PathBuf),
    /// A FIFO, a device, or a file that is open already.
    Other,
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let metadata = match path.symlink_metadata() {
                Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Self::File(path)),
                metadata => metadata?,
            };
            if metadata.is_file() {
                return Ok(Self::File(path));
            }
            if metadata.is_dir() {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "this is a folder"));
            }
            let folder = folder_of(&path);
            if !metadata.is_symlink() || is_of_open_files(&folder)? {
                return Ok(Self::Other);
            }
            refuse_strangers_link(&metadata, &folder)?;
            path = folder.join(fs::read_link(&path)?);
        }
        Err(io::Error::other("there are too many symbolic links, or they lead to each other"))
    }
}

/// The links in these folders stand for files that a process has open: `/dev/stdout` leads to one.
fn is_of_open_files(folder: &Path) -> io::Result<bool> {
    let folder = folder.canonicalize()?;
    Ok(folder.starts_with("/proc") || folder.starts_with("/dev/fd"))
}

/// In a folder that others can write to, a link could make anybody write anywhere.
#[cfg(unix)]
fn refuse_strangers_link(link: &Metadata, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let trusted = [0, nix::unistd::geteuid().as_raw()];
    let mode = folder.metadata()?.mode();
    let others_may_rename = mode & 0o002 != 0 && mode & 0o1000 == 0;
    if trusted.contains(&link.uid()) && !others_may_rename {
        return Ok(());
    }
    let message = "this is a symbolic link that another user may have made; it is not followed";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

#[cfg(not(unix))]
fn refuse_strangers_link(_: &Metadata, _: &Path) -> io::Result<()> {
    Ok(())
}

/// A new file in place of another one, in one step; links are not followed.
pub(crate) fn replace(target: &Path, content: &[u8]) -> io::Result<()> {
    replace_with(target, |out| out.write_all(content))
}

/// [`replace`], by what is written.
pub(crate) fn replace_with(
    target: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let (new, ()) = written(target, write)?;
    new.persist()
}

/// A file beside `target` with all that `write` writes.
fn written<T, E: From<io::Error>>(
    target: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> std::result::Result<T, E>,
) -> std::result::Result<(Beside, T), E> {
    let new = Beside::new(target, PREFIX, "")?;
    keep_owner(&new, target);
    let mut out = BufWriter::with_capacity(BUFFER, new.file.as_file());
    let done = write(&mut out)?;
    out.flush()?;
    drop(out);
    Ok((new, done))
}

/// The owner keeps the file if root replaces it.
#[cfg(unix)]
fn keep_owner(new: &Beside, target: &Path) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let file = new.file.as_file();
    if let (Ok(old), Ok(own)) = (target.symlink_metadata(), file.metadata())
        && (old.uid(), old.gid()) != (own.uid(), own.gid())
    {
        // Who may not give files away has a file of their own, as if the old one had been deleted.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &Beside, _: &Path) {}

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(mode & 0o777))?;
    }
    #[cfg(not(unix))]
    let _ = (file, mode);
    Ok(())
}
