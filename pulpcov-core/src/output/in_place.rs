//! Overwriting a file in place when no new file can replace it.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

#[cfg(unix)]
use crate::links::{folder_of, is_of_caller_or_root};

/// Returns whether an error means that no new file can replace the old one: their folder is not writable, or
/// the old file is a mount point, as files of a container often are.
pub(crate) fn forbids_replacing(err: io::ErrorKind) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(err, PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// Opens a regular file for reading and for overwriting in place. Does not follow a link.
///
/// # Errors
///
/// If the file does not exist or is not a regular file, or if it belongs to another user and everybody can
/// write to its folder. That user may have put the file there.
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
    if may_be_planted(&metadata, path)? {
        let message = "this belongs to another user, in a folder that everybody can write to";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    Ok(file)
}

/// Returns whether another user may have put the file at this path, because everybody can write to its
/// folder.
#[cfg(unix)]
pub(crate) fn may_be_planted(file: &Metadata, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let is_shared = folder_of(path).metadata()?.mode() & 0o002 != 0;
    Ok(is_shared && !is_of_caller_or_root(file))
}

#[cfg(not(unix))]
pub(crate) fn may_be_planted(_: &Metadata, _: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Returns whether a file system or a file is mounted at `path`. A rename to a mount point fails, but only
/// after the new file has been written.
#[cfg(target_os = "linux")]
pub(crate) fn is_mount_point(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .is_ok_and(|status| status.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_mount_point(_: &Path) -> bool {
    false
}
