//! What a combine leaves in the target's folder when it is killed.
//!
//! Killed while it deletes, it leaves some of the inputs, and a result that holds the rows
//! of all. Whoever then runs it again would replace that result by what the remaining inputs
//! hold. So from before the result gets its name until the last input is gone a mark lies beside
//! it, which says for which state of the target it is; the next combine adds to a marked target. A result that was written over
//! the old one is marked itself: there may be no room for a file beside it.

use std::fs::{File, Metadata};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::store::sync_folder;
use crate::error::{Error, Result};
use crate::folder::Entry;
use crate::formats::sqlite::{Rewritten, is_marked};

/// No data file's name can begin like it.
pub(super) const PREFIX: &str = ".pulpcov-";
/// A result that is being written.
pub(super) const TEMPORARY: &str = ".tmp";
const MARK: &str = ".mark";
/// Longer than any mark.
const MAX_MARK: u64 = 200;

/// The mark of a result whose inputs are not all deleted yet.
pub(super) enum Mark {
    /// A file in the result's folder. Dropping removes it.
    Beside(TempPath),
    /// In the result.
    Within(Rewritten),
}

impl Mark {
    /// Mark `result`, which will be renamed to a name in `folder`. Syncing the folder makes it durable.
    pub(super) fn beside(folder: &Path, result: &File) -> std::io::Result<Self> {
        let mut file = tempfile::Builder::new().prefix(PREFIX).suffix(MARK).tempfile_in(folder)?;
        file.write_all(state(&result.metadata()?).as_bytes())?;
        file.as_file().sync_all()?;
        Ok(Self::Beside(NamedTempFile::into_temp_path(file)))
    }

    /// The inputs are gone for good.
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

/// Marks of combines that were killed while they deleted.
pub(super) struct Unfinished {
    beside: Vec<PathBuf>,
    within: bool,
}

impl Unfinished {
    /// Remove what killed combines left in `folder`, but for marks of `target` as it is now. The folder must be locked.
    pub(super) fn find(folder: &Path, target: &Path) -> Self {
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
                // Another user's leftover in a shared folder stays: it is theirs to remove.
                let _ = std::fs::remove_file(path);
            }
        }
        Self { beside: marks, within }
    }

    /// Does the target hold rows whose inputs may be gone?
    pub(super) fn any(&self) -> bool {
        self.within || !self.beside.is_empty()
    }

    /// The target has been replaced by a result that holds those rows.
    pub(super) fn clear(self) {
        for path in self.beside {
            // It is for another file than the target now, and does no harm.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn is_marked_within(target: &Path) -> bool {
    let Ok(file) = Entry::named(target).and_then(|target| target.open_anything()) else {
        return false;
    };
    file.metadata().is_ok_and(|target| target.is_file()) && is_marked(&file)
}

/// Is there, by the target's owner, a mark for the target as it is?
fn marks_it(mark: &Path, target: &Metadata) -> bool {
    let Ok(file) = Entry::named(mark).and_then(|mark| mark.open_anything()) else { return false };
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
