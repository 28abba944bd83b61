//! Where a file is, archive by archive, and what its name says.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::discover::is_archive_name;

/// The endings of compressed files. The name without it is that of what is in the file.
const COMPRESSED: [&str; 2] = [".gz", ".zst"];

/// The endings of the files that SQLite keeps beside a database.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// How many characters of a name are shown.
const SHOWN: usize = 300;

/// A file, which may be in an archive, which may be in another.
#[derive(Debug)]
pub(super) struct Place {
    /// For messages only: `shard-3.zip!/.coverage.web`.
    path: PathBuf,
    /// The name without folders.
    name: String,
    /// Whether the user means this file, whatever its name is.
    is_named: bool,
    /// How many archives and compressed files this file is in.
    pub(super) depth: usize,
}

impl Place {
    /// Returns the place of a file that is in no archive.
    pub(super) fn named(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { path: path.into(), name, is_named: true, depth: 0 }
    }

    /// Returns the place of a file in this archive.
    pub(super) fn inside(&self, name: &[u8]) -> Self {
        let name = String::from_utf8_lossy(name);
        let mut path = self.path.clone().into_os_string();
        path.push("!/");
        path.push(&*shortened(name.strip_prefix("./").unwrap_or(&name)));
        // Some programs on Windows write their own separator.
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        Self { path: path.into(), name: last.into(), is_named: false, depth: self.depth + 1 }
    }

    /// Returns the place of what is compressed in this file.
    pub(super) fn unpacked(&self) -> Self {
        let stem = COMPRESSED.iter().find_map(|ending| self.name.strip_suffix(ending));
        let name = stem.unwrap_or(&self.name).to_owned();
        let (path, is_named) = (self.path.clone(), self.is_named);
        Self { path, name, is_named, depth: self.depth + 1 }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether this is to be combined if it is a data file: its name is that of the data file, or this and a suffix.
    pub(super) fn is_wanted(&self, base: &str) -> bool {
        let rest = self.name.strip_prefix(base);
        self.is_named || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Returns whether this is looked into if it is an archive or a compressed file.
    pub(super) fn is_searched(&self, base: &str) -> bool {
        self.is_wanted(base) || is_archive_name(&self.name)
    }

    /// Returns whether this may be a subunit stream, though its first bytes do not tell.
    pub(super) fn may_be_stream(&self) -> bool {
        self.is_named || self.name.ends_with(".subunit")
    }

    /// Returns whether the name is that of a file that SQLite keeps beside a database.
    pub(super) fn is_companion(&self) -> bool {
        COMPANIONS.iter().any(|ending| self.name.ends_with(ending))
    }
}

fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or_default()).into(),
        None => name.into(),
    }
}
