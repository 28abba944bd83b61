//! A new file in the folder of the file that it replaces.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, PersistError};

use crate::links::folder_of;

/// A temporary file that replaces `target` once it is complete. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Replacement {
    pub(crate) file: NamedTempFile,
    target: PathBuf,
}

impl Replacement {
    /// Creates an empty file beside `target`, with a random name between `prefix` and `suffix`.
    ///
    /// If `target` is a regular file, the new file gets its permissions, except set-user-ID, set-group-ID and
    /// the sticky bit.
    pub(crate) fn new(target: &Path, prefix: &str, suffix: &str) -> io::Result<Self> {
        let old = target.symlink_metadata().ok().filter(Metadata::is_file);
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix).suffix(suffix);
        // The umask applies to these permissions, which are those of a new file. The mode of an old file is
        // set below.
        #[cfg(unix)]
        builder.permissions(of_new_files());
        let file = builder.tempfile_in(folder_of(target)).map_err(without_path)?;
        if let Some(old) = old {
            let permissions =
                replacing(&old, &folder_of(target), file.as_file().metadata()?.permissions());
            file.as_file().set_permissions(permissions)?;
        }
        Ok(Self { file, target: target.to_owned() })
    }

    /// Renames the file to the target, and replaces an existing file.
    pub(crate) fn persist(self) -> io::Result<()> {
        self.persist_with(NamedTempFile::persist)
    }

    /// Renames the file to the target, which must not exist.
    pub(crate) fn persist_new(self) -> io::Result<()> {
        self.persist_with(NamedTempFile::persist_noclobber)
    }

    fn persist_with(
        self,
        persist: impl FnOnce(NamedTempFile, PathBuf) -> Result<File, PersistError>,
    ) -> io::Result<()> {
        persist(self.file, self.target).map(drop).map_err(|err| without_path(err.error))
    }
}

#[cfg(unix)]
fn of_new_files() -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    Permissions::from_mode(0o666)
}

/// Returns the permissions of a file that replaces `old`: the read, write and execute bits of `old`. In a
/// folder that everybody can write to, another user may have put the old file there. The new file is then
/// open to no more users than any other new file.
#[cfg(unix)]
fn replacing(old: &Metadata, folder: &Path, new: Permissions) -> Permissions {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let is_shared = folder.metadata().is_ok_and(|folder| folder.mode() & 0o002 != 0);
    let is_strangers = is_shared && old.uid() != nix::unistd::geteuid().as_raw();
    let open_to = if is_strangers { new.mode() } else { 0o777 };
    Permissions::from_mode(old.permissions().mode() & open_to & 0o777)
}

#[cfg(not(unix))]
fn replacing(old: &Metadata, _: &Path, _: Permissions) -> Permissions {
    old.permissions()
}

/// Restricts read access of the group and others to `read_bits`. Users who may not read the file
/// may not write or execute it either.
pub(crate) fn limit_readers(file: &File, read_bits: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata()?.permissions().mode();
        let limited = mode & (0o700 | read_bits | read_bits >> 1 | read_bits >> 2);
        if limited != mode & 0o777 {
            file.set_permissions(Permissions::from_mode(limited))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (file, read_bits);
    Ok(())
}

/// Removes the path of the temporary file, which `tempfile` appends to the system's message.
pub(crate) fn without_path(err: io::Error) -> io::Error {
    let text = err.to_string();
    match text.rsplit_once(" at path ") {
        Some((reason, _)) => io::Error::new(err.kind(), reason.to_owned()),
        None => err,
    }
}
