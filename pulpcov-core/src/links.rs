//! Symbolic links, followed only if no other user can have made them.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The maximum number of symbolic links that are followed, as on Linux.
const MOST_LINKS: usize = 40;

/// The destination of a path.
pub(crate) enum Destination {
    /// A regular file, or a file that does not exist yet. The last component of the path is not a link.
    File(PathBuf),
    /// A FIFO, a device, or a file that a process has open.
    Special,
}

impl Destination {
    /// Follows the symbolic links at `path`.
    ///
    /// # Errors
    ///
    /// If the destination is a folder, or if another user may have made one of the links.
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
                return Ok(Self::Special);
            }
            refuse_strangers_link(&metadata, &folder)?;
            path = folder.join(fs::read_link(&path)?);
        }
        Err(io::Error::other("there are too many symbolic links, or they lead to each other"))
    }
}

/// Returns whether the links in a folder stand for the open files of a process. `/dev/stdout` leads to such a
/// link.
fn is_of_open_files(folder: &Path) -> io::Result<bool> {
    let folder = folder.canonicalize()?;
    Ok(folder.starts_with("/proc") || folder.starts_with("/dev/fd"))
}

/// Returns an error if another user may have put the link there, to make this user read or overwrite any
/// file.
///
/// The owner of a folder can put any link into it. So can everybody, if they may write to the folder and it
/// is not sticky. In a sticky folder, a user can make a hard link to another user's symbolic link.
#[cfg(unix)]
fn refuse_strangers_link(link: &Metadata, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let folder = folder.metadata()?;
    let others_may_rename = folder.mode() & 0o002 != 0 && folder.mode() & 0o1000 == 0;
    let is_of_caller = is_of_caller_or_root(link) && is_of_caller_or_root(&folder);
    if is_of_caller && link.nlink() == 1 && !others_may_rename {
        return Ok(());
    }
    let message = "this is a symbolic link that another user may have made; it is not followed";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

#[cfg(not(unix))]
fn refuse_strangers_link(_: &Metadata, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(crate) fn is_of_caller_or_root(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    [0, nix::unistd::geteuid().as_raw()].contains(&file.uid())
}

/// Returns the folder of a file, or `.` for a bare file name.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        _ => PathBuf::from("."),
    }
}
