//! Writing a file at a path that the user chose.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

use super::in_place::{forbids_replacing, open_in_place};
use super::replacement::Replacement;
use crate::error::{ErrorKind, Result};
use crate::links::Destination;

/// The prefix of the names of temporary files.
const PREFIX: &str = ".pulpcov_";

/// The size of the buffer, in bytes.
const BUFFER: usize = 1 << 16;

/// Writes a file completely or not at all.
///
/// - The file is written to a temporary file in the same folder, and renamed once it is complete.
/// - A new file gets the permissions that the umask leaves. A replaced file keeps its permissions, except
///   set-user-ID and set-group-ID, and its owner if the process may set it.
/// - A symbolic link is followed, unless another user may have made it.
/// - A file cannot be replaced if its folder is not writable or if it is a mount point. It is overwritten
///   once the new content is complete. Only in this case can a crash leave part of the content.
/// - A FIFO or a device, such as `/dev/stdout`, is written to directly.
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
    /// Creates a writer for the file at `path`. The folder is created if it does not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::output::WholeFile;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("reports/coverage.txt");
    /// WholeFile::at(&path).write(|out| Ok(out.write_all(b"90%")?))?;
    /// assert_eq!(std::fs::read(&path)?, b"90%");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn at(path: &'p Path) -> Self {
        Self { path, mode: None, durable: false }
    }

    /// Sets the permissions of the file, as a mode for `chmod`. Has no effect except on Unix.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use std::os::unix::fs::PermissionsExt;
    ///
    /// use pulpcov_core::output::WholeFile;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("coverage.txt");
    /// WholeFile::at(&path).mode(0o600).write(|out| Ok(out.write_all(b"90%")?))?;
    /// assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    /// # }
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Syncs the file to disk before it replaces the old one.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Calls `write` to write the content.
    ///
    /// # Errors
    ///
    /// The errors of `write`, and [`ErrorKind::Output`] with the path if the file cannot be written. A
    /// regular file is then unchanged. A FIFO or a device may have received part of the content.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::output::WholeFile;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("coverage.txt");
    /// let written = WholeFile::at(&path).write(|out| {
    ///     out.write_all(b"90%")?;
    ///     Ok(3)
    /// })?;
    /// assert_eq!(std::fs::metadata(&path)?.len(), written);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn write<T>(self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let path = self.path;
        let written = match self.resolve() {
            Ok(Destination::File(target)) => self.replace(&target, write),
            Ok(Destination::Special) => self.write_into(write),
            Err(err) => Err(err.into()),
        };
        written
            .map_err(|err| if err.kind() == ErrorKind::Output { err.with_path(path) } else { err })
    }

    /// Creates the folder, and follows the links at the path.
    fn resolve(&self) -> io::Result<Destination> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        Destination::of(self.path)
    }

    fn replace<T>(
        &self,
        target: &Path,
        write: impl FnOnce(&mut dyn Write) -> Result<T>,
    ) -> Result<T> {
        let new = match Replacement::new(target, PREFIX, "") {
            Err(err) if forbids_replacing(err.kind()) => {
                let file = open_in_place(target).map_err(|_| err)?;
                return self.overwrite(file, write);
            }
            new => new?,
        };
        let done = fill(&new, target, |out| write(out))?;
        if let Some(mode) = self.mode {
            set_mode(new.file.as_file(), mode)?;
        }
        if self.durable {
            new.file.as_file().sync_all()?;
        }
        let mut content = new.file.reopen()?;
        match new.persist() {
            Err(err) if forbids_replacing(err.kind()) => {
                let file = open_in_place(target).map_err(|_| err)?;
                self.copy_over(file, &mut content)?;
            }
            persisted => persisted?,
        }
        Ok(done)
    }

    /// Overwrites a file whose folder accepts no temporary file, once the content is complete.
    fn overwrite<T>(
        &self,
        file: File,
        write: impl FnOnce(&mut dyn Write) -> Result<T>,
    ) -> Result<T> {
        let mut content = tempfile::tempfile()?;
        let mut out = BufWriter::with_capacity(BUFFER, &content);
        let done = write(&mut out)?;
        out.flush()?;
        drop(out);
        content.rewind()?;
        self.copy_over(file, &mut content)?;
        Ok(done)
    }

    fn copy_over(&self, mut file: File, content: &mut File) -> io::Result<()> {
        reserve(&file, content.metadata()?.len())?;
        let size = io::copy(content, &mut file)?;
        file.set_len(size)?;
        if self.durable { file.sync_all() } else { Ok(()) }
    }

    /// Writes to a FIFO, a device or an open file. Appends, so that the existing content of an open file
    /// stays.
    fn write_into<T>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let file = OpenOptions::new().append(true).open(self.path)?;
        let mut out = BufWriter::with_capacity(BUFFER, file);
        let done = write(&mut out)?;
        out.flush()?;
        Ok(done)
    }
}

/// Reserves disk space, so that a full disk is noticed before the file is overwritten.
#[cfg(target_os = "linux")]
fn reserve(file: &File, size: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    if size == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, size) {
        // The file system does not support reservations. A full disk is then noticed only while writing.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::NODEV) => Ok(()),
        reserved => Ok(reserved?),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(_: &File, _: u64) -> io::Result<()> {
    Ok(())
}

/// Replaces the file at `target` in one step. Does not follow a link.
#[cfg(feature = "report")]
pub(crate) fn replace(target: &Path, content: &[u8]) -> io::Result<()> {
    replace_with(target, |out| out.write_all(content))
}

/// Replaces the file like [`replace`], with a function that writes the content.
#[cfg(feature = "report")]
pub(crate) fn replace_with(
    target: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let new = Replacement::new(target, PREFIX, "")?;
    fill(&new, target, write)?;
    new.persist()
}

/// Calls `write` to write the content of a file beside `target`.
fn fill<T, E: From<io::Error>>(
    new: &Replacement,
    target: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    keep_owner(new, target);
    let mut out = BufWriter::with_capacity(BUFFER, new.file.as_file());
    let done = write(&mut out)?;
    out.flush()?;
    Ok(done)
}

/// Gives the new file the owner of the old one if the process may do so, because root can replace another
/// user's file.
#[cfg(unix)]
fn keep_owner(new: &Replacement, target: &Path) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let file = new.file.as_file();
    if let (Ok(old), Ok(own)) = (target.symlink_metadata(), file.metadata())
        && (old.uid(), old.gid()) != (own.uid(), own.gid())
    {
        // Without the permission, the new file belongs to this user, as if the old file had been deleted
        // first.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &Replacement, _: &Path) {}

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
