//! Marks and temporary files that a killed combine leaves in the target's folder.
//!
//! A combine that is killed while it deletes leaves some of its inputs, and a result that holds the rows of
//! all of them. Without a mark, a second combine of the remaining inputs would replace that result and lose
//! the other rows. So a combine writes a mark before it renames the result into place, and removes the mark
//! after it has deleted the last input. The next combine appends to a marked target.
//!
//! The mark is a file beside the result that records the state of the result. A result that was written in
//! place carries the mark inside itself, because its folder may not accept a new file.

use std::fs::{File, Metadata};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::durable::sync_folder;
use crate::error::{Error, Result};
use crate::folder::Entry;
use crate::formats::sqlite::{ReplacedInPlace, is_marked};

/// The prefix of all temporary file names. No data file's name can begin with it.
pub(super) const PREFIX: &str = ".pulpcov-";
/// The suffix of a temporary file that holds a result or spilled rows.
pub(super) const TEMPORARY: &str = ".tmp";
const MARK: &str = ".mark";
/// The most bytes read from a mark. Every mark is shorter.
const MAX_MARK: u64 = 200;

/// The mark of a result whose inputs are not all deleted yet.
pub(super) enum Mark {
    /// A file in the result's folder. Dropping it removes the file.
    Beside(TempPath),
    /// A mark inside the result.
    Within(ReplacedInPlace),
}

impl Mark {
    /// Marks `result`, which will be renamed to a name in `folder`. The mark is durable once the folder is
    /// synced.
    pub(super) fn beside(folder: &Path, result: &File) -> std::io::Result<Self> {
        let mut file = tempfile::Builder::new().prefix(PREFIX).suffix(MARK).tempfile_in(folder)?;
        file.write_all(state(&result.metadata()?).as_bytes())?;
        file.as_file().sync_all()?;
        Ok(Self::Beside(NamedTempFile::into_temp_path(file)))
    }

    /// Removes the mark after the inputs were deleted.
    pub(super) fn clear(self, folder: &Path) -> Result<()> {
        match self {
            Self::Beside(file) => {
                file.close().map_err(|err| Error::io(folder, err))?;
                sync_folder(folder)
            }
            Self::Within(result) => result.unmark(),
        }
    }
}

/// Marks of combines that were killed while they deleted inputs.
pub(super) struct Unfinished {
    beside: Vec<PathBuf>,
    within: bool,
}

impl Unfinished {
    /// Removes what killed combines left in `folder`, and returns the marks that match the current `target`.
    /// The caller must hold the lock on the folder.
    pub(super) fn clean_up_and_find_marks(folder: &Path, target: &Path) -> Self {
        let within = is_marked_within(target);
        let target = target.symlink_metadata().ok().filter(Metadata::is_file);
        let mut marks = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(rest) = name.as_encoded_bytes().strip_prefix(PREFIX.as_bytes()) else {
                continue;
            };
            let path = folder.join(&name);
            let is_mark = rest.ends_with(MARK.as_bytes());
            if is_mark && target.as_ref().is_some_and(|target| marks_it(&path, target)) {
                marks.push(path);
            } else if is_mark || rest.ends_with(TEMPORARY.as_bytes()) {
                // In a shared folder, another user's leftover cannot be removed and stays.
                let _ = std::fs::remove_file(path);
            }
        }
        Self { beside: marks, within }
    }

    /// Returns whether the target may hold rows of inputs that are already deleted.
    pub(super) fn any(&self) -> bool {
        self.within || !self.beside.is_empty()
    }

    /// Removes the marks after a result that holds these rows has replaced the target.
    pub(super) fn clear(self) {
        for path in self.beside {
            // A mark that stays is harmless: it does not match the new target.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn is_marked_within(target: &Path) -> bool {
    let Ok(file) = Entry::at_path(target).and_then(|target| target.open_anything()) else {
        return false;
    };
    file.metadata().is_ok_and(|target| target.is_file()) && is_marked(&file)
}

/// Returns whether `mark` records the current state of the target and belongs to the target's owner.
fn marks_it(mark: &Path, target: &Metadata) -> bool {
    let Ok(file) = Entry::at_path(mark).and_then(|mark| mark.open_anything()) else { return false };
    let Ok(metadata) = file.metadata() else { return false };
    if !metadata.is_file() || !same_owner(&metadata, target) {
        return false;
    }
    let mut text = Vec::new();
    file.take(MAX_MARK).read_to_end(&mut text).is_ok() && text == state(target).as_bytes()
}

#[cfg(unix)]
fn state(file: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("{} {} {}.{:09}\n", file.ino(), file.size(), file.mtime(), file.mtime_nsec())
}

#[cfg(unix)]
fn same_owner(mark: &Metadata, target: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    mark.uid() == target.uid()
}

#[cfg(not(unix))]
fn state(file: &Metadata) -> String {
    format!("{} {:?}\n", file.len(), file.modified().ok())
}

#[cfg(not(unix))]
fn same_owner(_: &Metadata, _: &Metadata) -> bool {
    true
}
