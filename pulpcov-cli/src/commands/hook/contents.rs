//! The files that processes have left in the data root.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use pulpcov_core::discover::{self, Found, UserFolder};
use pulpcov_core::folder::{Entry, Folder};
use pulpcov_core::formats::DataFile;
use pulpcov_core::{Error, Measurement};

/// The names of data files begin with this.
pub(super) const BASE: &str = ".coverage";
/// The names of the hook's files, other than data files, begin with this.
const OWN: &str = ".pulpcov_hook.";
/// The names of notes end with this.
const NOTE: &str = ".note";
/// How many bytes of a note are read.
const LONGEST_NOTE: u64 = 4096;

/// The files of the hook, in the data root and in the users' folders below it.
pub(super) struct Contents {
    pub(super) root: Arc<Folder>,
    pub(super) users: Vec<UserFolder>,
    pub(super) data_files: Vec<Entry>,
    /// Temporary files of processes that are writing now, or were killed while they wrote.
    pub(super) unfinished: Vec<Entry>,
    pub(super) notes: Vec<Entry>,
    /// Errors of folders that could not be listed.
    pub(super) left_out: Vec<Error>,
}

impl Contents {
    pub(super) fn of(root: &Path) -> Result<Self, Error> {
        let Found { files, left_out, .. } = discover::find(&[root.into()], BASE.as_ref())?;
        let root = Folder::open(root)?;
        let users = discover::user_folders(&root)?;
        let (mut notes, mut unfinished) = (Vec::new(), Vec::new());
        let of_users = users.iter().filter_map(|user| user.folder.as_ref().ok());
        for folder in std::iter::once(&root).chain(of_users) {
            // If a folder cannot be listed, `left_out` has its error already.
            let mut names = folder.names().unwrap_or_default();
            names.sort();
            names.retain(|name| name.as_encoded_bytes().starts_with(OWN.as_bytes()));
            for name in names {
                let is_note = name.as_encoded_bytes().ends_with(NOTE.as_bytes());
                let kind = if is_note { &mut notes } else { &mut unfinished };
                kind.push(folder.entry(name));
            }
        }
        Ok(Self { root, users, data_files: files, unfinished, notes, left_out })
    }

    /// Returns whether there is a data file with this kind of data.
    pub(super) fn has(&self, measurement: Measurement) -> bool {
        let is_so = |file: &Entry| {
            let read = DataFile::open_entry(file).and_then(DataFile::read);
            read.is_ok_and(|read| read.data.measurement() == Some(measurement))
        };
        self.data_files.iter().any(is_so)
    }
}

/// A note that a process left: why it is not measured, or what is wrong with its measurement.
pub(super) struct Note {
    pub(super) host: String,
    pub(super) pid: u32,
    pub(super) text: String,
}

impl Note {
    /// Reads a note. Returns `None` if the file is not named after a process, or cannot be read.
    pub(super) fn read(entry: &Entry) -> Option<Self> {
        let name = entry.name().to_str()?.strip_prefix(OWN)?.strip_suffix(NOTE)?;
        let (host, pid) = name.rsplit_once(".pid")?;
        let mut bytes = Vec::new();
        entry.open().ok()?.take(LONGEST_NOTE).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.lines().next().unwrap_or_default().trim().to_owned();
        Some(Self { host: host.to_owned(), pid: pid.parse().ok()?, text })
    }
}
