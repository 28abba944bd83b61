//! What a path that is written to leads to.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::beside::folder_of;

/// How many symbolic links are followed at most: as many as Linux follows.
const MOST_LINKS: usize = 40;

/// What a path leads to.
pub(crate) enum Place {
    /// A regular file, or a file that does not exist yet. No link is in the last component of this path.
    File(PathBuf),
    /// A FIFO, a device, or a file that a process has open.
    Other,
}

impl Place {
    /// Follows the symbolic links at `path`.
    ///
    /// # Errors
    ///
    /// If this is a folder, or a link that another user may have made.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
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
    let mode = folder.metadata()?.mode();
    let others_may_rename = mode & 0o002 != 0 && mode & 0o1000 == 0;
    if is_of_caller_or_root(link.uid()) && !others_may_rename {
        return Ok(());
    }
    let message = "this is a symbolic link that another user may have made; it is not followed";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

#[cfg(not(unix))]
fn refuse_strangers_link(_: &Metadata, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Does this error say that no new file can take the place of an old one: their folder is not writable, or the old one is a
/// mount point, as files of a container often are?
pub(crate) fn forbids_replacing(err: io::ErrorKind) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(err, PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// Opens a regular file to read and overwrite it where it is. Does not follow a link.
///
/// # Errors
///
/// If the file does not exist, is not a regular file, or lies in a folder that everybody can write to and belongs to another user:
/// that user may have laid it there.
pub(crate) fn open_in_place(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("this is not a regular file"));
    }
    if may_be_laid_by_others(&metadata, path)? {
        let message = "this belongs to another user, in a folder that everybody can write to";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    Ok(file)
}

#[cfg(unix)]
fn may_be_laid_by_others(file: &Metadata, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let is_shared = folder_of(path).metadata()?.mode() & 0o002 != 0;
    Ok(is_shared && !is_of_caller_or_root(file.uid()))
}

#[cfg(not(unix))]
fn may_be_laid_by_others(_: &Metadata, _: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn is_of_caller_or_root(user: u32) -> bool {
    [0, nix::unistd::geteuid().as_raw()].contains(&user)
}
