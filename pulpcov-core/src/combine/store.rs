//! A result on disk: whole or not at all.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, PersistError};

use super::unfinished::{PREFIX, TEMPORARY};
use crate::data::CoverageData;
use crate::error::{Error, ErrorKind, Result};
use crate::folder::{Kind, Status, caller};
use crate::formats::{READERS, companions, json, sqlite};

/// The formats that can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFormat {
    /// SQLite, schema 7: coverage.py 5.0 and later.
    #[default]
    Sqlite,
    /// JSON: coverage.py 4.x.
    Json4,
}

/// Replace the file at `target` by `data`, in one step and durably.
///
/// At every instant the target is either what it was or all of `data`: it is written to a
/// temporary file beside it, synced, renamed, and the folder is synced.
///
/// # Errors
///
/// [`ErrorKind::Io`], and then the target is as it was, or complete if only the syncing of its
/// folder failed; [`ErrorKind::NotRepresentable`] if
/// the format cannot hold the data.
pub fn store(data: &CoverageData, target: impl AsRef<Path>, format: StoreFormat) -> Result<()> {
    store_with(target.as_ref(), READERS, write_as(data, format), |_| Ok(()), NamedTempFile::persist)
}

/// Write `data` to a new file at `target`, in one step and durably, as [`store()`] does.
///
/// # Errors
///
/// As from [`store()`]; [`ErrorKind::Io`] if there is anything at `target`, be it only since the last moment: nothing is
/// overwritten.
///
/// # Examples
///
/// ```
/// use pulpcov_core::CoverageData;
/// use pulpcov_core::combine::{StoreFormat, store_new};
///
/// let folder = tempfile::tempdir()?;
/// let target = folder.path().join(".coverage");
/// store_new(&CoverageData::new(), &target, StoreFormat::Json4)?;
/// assert!(store_new(&CoverageData::new(), &target, StoreFormat::Sqlite).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn store_new(data: &CoverageData, target: impl AsRef<Path>, format: StoreFormat) -> Result<()> {
    let target = target.as_ref();
    if target.symlink_metadata().is_ok() {
        return Err(in_the_way(target));
    }
    store_with(
        target,
        READERS,
        write_as(data, format),
        |_| Ok(()),
        NamedTempFile::persist_noclobber,
    )
}

fn write_as(
    data: &CoverageData,
    format: StoreFormat,
) -> impl FnOnce(&mut NamedTempFile) -> Result<()> {
    move |temporary| match format {
        StoreFormat::Sqlite => sqlite::write_rows(data, temporary.as_file()),
        StoreFormat::Json4 => json::write(data, temporary),
    }
}

/// [`store()`] what `write` writes, for these `readers` at most, do `last` with the complete file, and `persist` it: give it its name.
pub(super) fn store_with<'t, T>(
    target: &'t Path,
    readers: u32,
    write: impl FnOnce(&mut NamedTempFile) -> Result<()>,
    last: impl FnOnce(&File) -> io::Result<T>,
    persist: impl FnOnce(NamedTempFile, &'t Path) -> std::result::Result<File, PersistError>,
) -> Result<T> {
    if target.is_dir() && !target.is_symlink() {
        return Err(Error::new(ErrorKind::Io, "the result cannot be written: this is a folder")
            .with_path(target));
    }
    let folder = folder_of(target);
    let mut temporary =
        temporary(&folder, target, readers).map_err(|err| unwritable(target, &err))?;
    write(&mut temporary).map_err(|err| {
        Error::new(err.kind(), format!("the result cannot be written: {}", err.reason()))
            .with_path(target)
    })?;
    temporary.flush().map_err(|err| unwritable(target, &err))?;
    temporary.as_file().sync_all().map_err(|err| unwritable(target, &err))?;
    let done = last(temporary.as_file()).map_err(|err| unwritable(target, &err))?;
    remove_companions(target)?;
    persist(temporary, target).map_err(|err| match err.error.kind() {
        io::ErrorKind::AlreadyExists => in_the_way(target),
        _ => unwritable(target, &err.error),
    })?;
    sync_folder(&folder).map_err(|err| {
        let message = format!("the result is there, but may not be durable: {}", err.reason());
        Error::new(ErrorKind::Io, message).with_path(target)
    })?;
    Ok(done)
}

fn in_the_way(target: &Path) -> Error {
    Error::new(ErrorKind::Io, "this exists already, and is not overwritten").with_path(target)
}

fn unwritable(target: &Path, err: &io::Error) -> Error {
    let reason = without_path(err);
    let message = format!("the result cannot be written: {reason}");
    Error::new(ErrorKind::Io, message).with_path(target)
}

/// The system's reason alone: `tempfile` adds the name of a temporary file, which means nothing to anybody.
pub(super) fn without_path(err: &io::Error) -> String {
    let text = err.to_string();
    text.rsplit_once(" at path ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}

/// The folder that a file is in: `.` for a bare name.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        _ => PathBuf::from("."),
    }
}

/// An empty file beside the target. Those `readers` may read it who may read the target, if that is there.
fn temporary(folder: &Path, target: &Path, readers: u32) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(TEMPORARY);
    #[cfg(unix)]
    let new_file = {
        use std::os::unix::fs::PermissionsExt;
        // Less the process's umask, as for any new file.
        Permissions::from_mode(0o666)
    };
    #[cfg(unix)]
    builder.permissions(new_file);
    let file = builder.tempfile_in(folder)?;
    let old = target.symlink_metadata().ok().filter(is_callers_file);
    if old.is_some() || readers != READERS {
        let permissions = old.map_or_else(|| file.as_file().metadata(), Ok)?.permissions();
        file.as_file().set_permissions(plain(permissions, readers))?;
    }
    Ok(file)
}

/// Did the caller choose who may read the file? Another user may have laid it there, for everybody to read.
fn is_callers_file(file: &Metadata) -> bool {
    let status = Status::from(file);
    status.kind == Kind::File && status.owner.is_none_or(|owner| owner == caller())
}

/// Who may read and write, and nothing else: the old file may be anybody's, and set-user-ID. Who may not read may
/// not write.
fn plain(permissions: Permissions, readers: u32) -> Permissions {
    #[cfg(unix)]
    let permissions = {
        use std::os::unix::fs::PermissionsExt;
        Permissions::from_mode(permissions.mode() & (0o600 | readers | readers >> 1))
    };
    #[cfg(not(unix))]
    let _ = readers;
    permissions
}

/// A journal or log of the replaced file would be taken for the new one's.
fn remove_companions(target: &Path) -> Result<()> {
    for path in companions(target) {
        match std::fs::remove_file(&path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(path, err));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Make a rename or a deletion durable.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    match File::open(folder).and_then(|handle| handle.sync_all()) {
        // A file system, mostly of a network, that does not sync folders.
        Err(err) if err.kind() == io::ErrorKind::InvalidInput => {}
        synced => synced.map_err(|err| Error::io(folder, err))?,
    }
    Ok(())
}
