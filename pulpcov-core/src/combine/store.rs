//! Writes a result to disk: completely or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::durable::sync_folder;
use super::target_lock::{TargetLock, refuse_unsettled};
use super::unfinished::{PREFIX, TEMPORARY};
use crate::data::CoverageData;
use crate::error::{Error, ErrorKind, Result};
use crate::formats::sqlite::{ReplacedInPlace, RowSource};
use crate::formats::{FileIdentity, READ_BITS, companions, json, sqlite};
use crate::links::{Destination, folder_of};
use crate::output::{Replacement, forbids_replacing, is_mount_point, limit_readers, open_in_place};

/// The formats of a data file that can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFormat {
    /// SQLite, schema 7: coverage.py 5.0 and later.
    #[default]
    Sqlite,
    /// JSON: coverage.py 4.x.
    Json4,
}

/// Writes `data` to `target`, and replaces an existing file in one durable step.
///
/// At every moment the target holds either its old content or all of `data`. The data is written to a
/// temporary file beside the target and synced. Then the file is renamed, and the folder is synced.
///
/// A symbolic link is followed, unless another user may have made it; such a link is replaced. A target
/// cannot be replaced if it is a mount point or lies in a folder that is not writable. An SQLite database at
/// such a place is overwritten if `format` is SQLite, with the same guarantee.
///
/// # Errors
///
/// - [`ErrorKind::Io`] if the target cannot be written. The target is unchanged, or complete if only the sync
///   of its folder failed.
/// - [`ErrorKind::NotRepresentable`] if the format cannot hold the data.
///
/// # Examples
///
/// ```
/// use pulpcov_core::combine::{StoreFormat, store};
/// use pulpcov_core::formats::DataFile;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join(".coverage");
/// let mut data = CoverageData::new();
/// data.add_lines("app.py", "", &Numbits::from_iter([1, 2]))?;
/// store(&data, &path, StoreFormat::Json4)?;
/// assert_eq!(DataFile::open(&path)?.read()?.data, data);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn store(data: &CoverageData, target: impl AsRef<Path>, format: StoreFormat) -> Result<()> {
    let target = resolve_target(target.as_ref())?;
    let write = write_as(data, format);
    match store_with(&target, None, READ_BITS, write, |_| Ok(()), Replacement::persist) {
        Err(reason) if format == StoreFormat::Sqlite => {
            replace_in_place(data, &target, None, READ_BITS, false, reason).map(drop)
        }
        stored => stored,
    }
}

/// Follows the links at `path` to the file that a result is written to.
///
/// A link that another user may have made is not followed, and a FIFO or a device is not opened. The result
/// replaces it. Otherwise anyone who can write to the folder could keep other users from combining.
pub(super) fn resolve_target(path: &Path) -> Result<PathBuf> {
    match Destination::of(path) {
        Ok(Destination::File(target)) => Ok(target),
        Ok(Destination::Special) => Ok(path.into()),
        Err(err) if err.kind() == io::ErrorKind::PermissionDenied => Ok(path.into()),
        Err(err) => Err(unwritable(err, path)),
    }
}

/// Replaces the rows of `target` in place if `reason` says that no new file can replace it; otherwise returns
/// `reason`. If the target was `read`, it must not have changed since.
pub(super) fn replace_in_place(
    rows: &dyn RowSource,
    target: &Path,
    read: Option<&FileIdentity>,
    read_bits: u32,
    marked: bool,
    reason: Error,
) -> Result<ReplacedInPlace> {
    if !reason.io_kind().is_some_and(forbids_replacing) {
        return Err(reason);
    }
    let Ok(file) = open_in_place(target) else { return Err(reason) };
    let check = |file: &File| {
        refuse_unsettled(target, read)?;
        limit_readers(file, read_bits).map_err(|err| {
            let message = format!("others may read it who may not read every input, and its mode cannot be changed: {err}");
            Error::new(ErrorKind::Io, message)
        })
    };
    ReplacedInPlace::new(rows, file, marked, check).map_err(|err| unwritable(err, target))
}

/// Writes `data` to a new file at `target`, in one durable step, as [`store()`] does.
///
/// # Errors
///
/// The errors of [`store()`], and [`ErrorKind::Io`] if `target` exists, even if it appeared at the last
/// moment. Nothing is overwritten.
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
        None,
        READ_BITS,
        write_as(data, format),
        |_| Ok(()),
        Replacement::persist_new,
    )
}

fn write_as(
    data: &CoverageData,
    format: StoreFormat,
) -> impl FnOnce(&mut NamedTempFile) -> Result<()> {
    move |temporary| match format {
        StoreFormat::Sqlite => sqlite::write_rows(data, temporary.as_file()),
        StoreFormat::Json4 => json::write(data, temporary.as_file()),
    }
}

/// Writes a result as [`store()`] does. `write` writes the content, and `read_bits` limits who may read it.
/// `last` receives the complete file, and `persist` gives it its name. If the target was `read`, it must not
/// have changed since.
pub(super) fn store_with<T>(
    target: &Path,
    read: Option<&FileIdentity>,
    read_bits: u32,
    write: impl FnOnce(&mut NamedTempFile) -> Result<()>,
    last: impl FnOnce(&File) -> io::Result<T>,
    persist: impl FnOnce(Replacement) -> io::Result<()>,
) -> Result<T> {
    let unwritable = |err: io::Error| unwritable(err, target);
    if is_mount_point(target) {
        return Err(unwritable(io::ErrorKind::ResourceBusy.into()));
    }
    let mut new = Replacement::new(target, PREFIX, TEMPORARY).map_err(unwritable)?;
    limit_readers(new.file.as_file(), read_bits).map_err(unwritable)?;
    write(&mut new.file).map_err(|err| self::unwritable(err, target))?;
    new.file.flush().map_err(unwritable)?;
    new.file.as_file().sync_all().map_err(unwritable)?;
    let done = last(new.file.as_file()).map_err(unwritable)?;
    let _target_lock = TargetLock::new(target, read)?;
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

/// Removes journals and logs of the replaced file: SQLite would apply them to the new file.
fn remove_companions(target: &Path) -> Result<()> {
    for path in companions(target) {
        // Another user can put an empty folder there, so that SQLite cannot read the database.
        let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
        let removed =
            if is_folder { std::fs::remove_dir(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(err) if err.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(path, err));
            }
            _ => {}
        }
    }
    Ok(())
}
