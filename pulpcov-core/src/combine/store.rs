//! A result on disk: whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::unfinished::{PREFIX, TEMPORARY};
use crate::data::CoverageData;
use crate::error::{Error, ErrorKind, Result};
use crate::formats::sqlite::{Rewritten, RowSource};
use crate::formats::{READERS, companions, json, sqlite};
use crate::links::Place;
pub(super) use crate::links::folder_of;
use crate::output::{Beside, forbids_replacing, limit_readers, open_in_place};

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
/// A symbolic link is followed, unless another user may have made it; such a link is replaced. A target that is a mount point, or
/// lies in a folder that is not writable, cannot be replaced. If it is an SQLite database, and `format` is SQLite, it is overwritten
/// in a way that keeps the promise above.
///
/// # Errors
///
/// [`ErrorKind::Io`], and then the target is as it was, or complete if only the syncing of its
/// folder failed; [`ErrorKind::NotRepresentable`] if
/// the format cannot hold the data.
pub fn store(data: &CoverageData, target: impl AsRef<Path>, format: StoreFormat) -> Result<()> {
    let target = file_at(target.as_ref())?;
    let write = write_as(data, format);
    match store_with(&target, READERS, write, |_| Ok(()), Beside::persist) {
        Err(reason) if format == StoreFormat::Sqlite => {
            rewrite(data, &target, READERS, false, reason).map(drop)
        }
        stored => stored,
    }
}

/// Follow the links at `path` to the file that a result is written to.
///
/// A link that another user may have made is not followed, and a FIFO or a device is not opened: the result replaces it. Else
/// anybody who can write to the folder could keep the others from combining.
pub(super) fn file_at(path: &Path) -> Result<PathBuf> {
    match Place::of(path) {
        Ok(Place::File(target)) => Ok(target),
        Ok(Place::Other) => Ok(path.into()),
        Err(err) if err.kind() == io::ErrorKind::PermissionDenied => Ok(path.into()),
        Err(err) => Err(unwritable(err, path)),
    }
}

/// Replace the rows of `target` in its own file if `reason` is that nothing can take its place.
pub(super) fn rewrite(
    rows: &dyn RowSource,
    target: &Path,
    readers: u32,
    marked: bool,
    reason: Error,
) -> Result<Rewritten> {
    if !reason.io_kind().is_some_and(forbids_replacing) {
        return Err(reason);
    }
    let Ok(file) = open_in_place(target) else { return Err(reason) };
    remove_companions(target)?;
    limit_readers(&file, readers).map_err(|err| unwritable(err, target))?;
    Rewritten::new(rows, file, marked).map_err(|err| unwritable(err, target))
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
    store_with(target, READERS, write_as(data, format), |_| Ok(()), Beside::persist_new)
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
pub(super) fn store_with<T>(
    target: &Path,
    readers: u32,
    write: impl FnOnce(&mut NamedTempFile) -> Result<()>,
    last: impl FnOnce(&File) -> io::Result<T>,
    persist: impl FnOnce(Beside) -> io::Result<()>,
) -> Result<T> {
    let unwritable = |err: io::Error| unwritable(err, target);
    let mut new = Beside::new(target, PREFIX, TEMPORARY).map_err(unwritable)?;
    limit_readers(new.file.as_file(), readers).map_err(unwritable)?;
    write(&mut new.file).map_err(|err| self::unwritable(err, target))?;
    new.file.flush().map_err(unwritable)?;
    new.file.as_file().sync_all().map_err(unwritable)?;
    let done = last(new.file.as_file()).map_err(unwritable)?;
    remove_companions(target)?;
    persist(new).map_err(|err| match err.kind() {
        io::ErrorKind::AlreadyExists => in_the_way(target),
        _ => unwritable(err),
    })?;
    sync_folder(&folder_of(target)).map_err(|err| {
        let message = format!("the result is there, but may not be durable: {}", err.reason());
        Error::new(ErrorKind::Io, message).with_path(target)
    })?;
    Ok(done)
}

fn unwritable(err: impl Into<Error>, target: &Path) -> Error {
    let err = err.into();
    let kind = if err.kind() == ErrorKind::Output { ErrorKind::Io } else { err.kind() };
    let message = format!("the result cannot be written: {}", err.reason());
    let new = match err.io_kind() {
        Some(of_system) => Error::new(kind, io::Error::new(of_system, message)),
        None => Error::new(kind, message),
    };
    new.with_path(target)
}

fn in_the_way(target: &Path) -> Error {
    Error::new(ErrorKind::Io, "this exists already, and is not overwritten").with_path(target)
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
