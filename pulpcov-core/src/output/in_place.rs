//! Writing over a file that no other file can take the place of.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

#[cfg(unix)]
use crate::links::{folder_of, is_of_caller_or_root};

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
    Ok(is_shared && !is_of_caller_or_root(file))
}

#[cfg(not(unix))]
fn may_be_laid_by_others(_: &Metadata, _: &Path) -> io::Result<bool> {
    Ok(false)
}
