//! Writing a file that the user names.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::beside::{Beside, folder_of};
use crate::error::{ErrorKind, Result};

/// How the names of temporary files begin.
const PREFIX: &str = ".pulpcov_";

/// The size of the buffer, in bytes.
const BUFFER: usize = 1 << 16;

/// How many symbolic links are followed at most: as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Writes a file as a whole: complete, or not at all.
///
/// - The file is written in its folder under a temporary name, and renamed when it is complete.
/// - A new file gets the permissions that the umask leaves. A file that is replaced keeps its permissions, except
///   set-user-ID and set-group-ID, and its owner if the process may set it.
/// - A symbolic link is followed, unless another user can have made it.
/// - A FIFO or a device, `/dev/stdout` for example, is written to directly.
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
    /// Names the file. Its folder is created if it does not exist.
    pub fn at(path: &'p Path) -> Self {
        Self { path, mode: None, durable: false }
    }

    /// Sets the permissions of the file, as a mode for `chmod`. Does nothing on other systems than Unix.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Syncs the file to the disk before it replaces the old one.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Calls `write` to write the content.
    ///
    /// # Errors
    ///
    /// The errors of `write`, and [`ErrorKind::Output`] with the path if the file cannot be written. A regular file is then
    /// as it was before. A FIFO or a device may have received a part.
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

    /// Creates the folder, and finds out what to write to.
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

    /// Writes to a FIFO, a device or an open file. Appending keeps what an open file holds.
    fn write_into<T>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let file = OpenOptions::new().append(true).open(self.path)?;
        let mut out = BufWriter::with_capacity(BUFFER, file);
        let done = write(&mut out)?;
        out.flush()?;
        Ok(done)
    }
}

/// What a path leads to.
enum Place {
    /// A regular file, or a file that does not exist yet.
    File(PathBuf),
    /// A FIFO, a device, or a file that a process has open.
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

/// Links in these folders stand for the open files of a process. `/dev/stdout` leads to one of them.
fn is_of_open_files(folder: &Path) -> io::Result<bool> {
    let folder = folder.canonicalize()?;
    Ok(folder.starts_with("/proc") || folder.starts_with("/dev/fd"))
}

/// Refuses to follow a link that another user can have put there, to have any file of this user overwritten.
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

/// Replaces the file at `target` in one step. Does not follow a link.
pub(crate) fn replace(target: &Path, content: &[u8]) -> io::Result<()> {
    replace_with(target, |out| out.write_all(content))
}

/// [`replace`], with a function that writes the content.
pub(crate) fn replace_with(
    target: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let (new, ()) = written(target, write)?;
    new.persist()
}

/// Creates a file beside `target`, and calls `write` to write its content.
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

/// Gives the new file the owner of the old one, if the process may: root can replace a file of another user.
#[cfg(unix)]
fn keep_owner(new: &Beside, target: &Path) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let file = new.file.as_file();
    if let (Ok(old), Ok(own)) = (target.symlink_metadata(), file.metadata())
        && (old.uid(), old.gid()) != (own.uid(), own.gid())
    {
        // Without the permission, the new file belongs to this user, as if the old one had been deleted.
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
