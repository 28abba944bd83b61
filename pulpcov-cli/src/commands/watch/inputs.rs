//! The data files of folders that processes write to. Each is read again when it has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pulpcov_core::discover::{self, Found};
use pulpcov_core::folder::Entry;
use pulpcov_core::formats::{DataFile, FileIdentity};
use pulpcov_core::paths::PathAliases;
use pulpcov_core::{CoverageData, Error};

use crate::exit::Failure;

/// The name that all data files begin with.
const BASE: &str = ".coverage";

/// The data files that were read so far.
pub(super) struct Inputs {
    folders: Vec<PathBuf>,
    aliases: PathAliases,
    files: BTreeMap<PathBuf, Input>,
}

/// A data file, as it was when it was read.
#[derive(Default)]
struct Input {
    identity: Option<FileIdentity>,
    data: CoverageData,
    /// The state in which the last attempt to read it failed.
    failed: Option<FileIdentity>,
}

/// What has changed in the folders since the last refresh.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// How many data files were read.
    pub(super) read: usize,
    /// How many data files have disappeared.
    pub(super) gone: usize,
    /// Errors of folders and data files that cannot be read.
    ///
    /// A data file is reported only if it failed twice in the same state: the first time, a process may have
    /// been writing it.
    pub(super) failed: Vec<Error>,
}

impl Inputs {
    pub(super) fn new(folders: BTreeSet<PathBuf>, aliases: PathAliases) -> Self {
        Self { folders: folders.into_iter().collect(), aliases, files: BTreeMap::new() }
    }

    /// Returns the number of data files.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Reads the data files that are new or have changed.
    pub(super) fn refresh(&mut self) -> Result<Changes, Failure> {
        let Found { files, left_out, .. } = self.find()?;
        let mut changes = Changes { failed: left_out, ..Changes::default() };
        let before = self.files.len();
        let found: BTreeSet<&Path> = files.iter().map(Entry::path).collect();
        self.files.retain(|path, _| found.contains(&**path));
        changes.gone = before - self.files.len();
        for file in &files {
            // The next refresh removes a file that disappears meanwhile.
            let Ok(identity) = FileIdentity::of_entry(file) else { continue };
            let input = self.files.entry(file.path().to_owned()).or_default();
            if input.identity.as_ref() == Some(&identity) {
                continue;
            }
            match read(file, &mut self.aliases) {
                Ok((identity, data)) => {
                    *input = Input { identity: Some(identity), data, failed: None };
                    changes.read += 1;
                }
                // The rows that were read earlier still count. The next refresh tries again.
                Err(err) => {
                    if input.failed.as_ref() == Some(&identity) {
                        changes.failed.push(err);
                    }
                    input.failed = Some(identity);
                }
            }
        }
        Ok(changes)
    }

    /// Merges the rows of all data files.
    ///
    /// # Errors
    ///
    /// Line data and branch data cannot be merged, unless `mixed_as_lines` reduces both to lines.
    pub(super) fn merged(&self, mixed_as_lines: bool) -> Result<CoverageData, Error> {
        let as_lines = mixed_as_lines && self.are_mixed();
        let mut all = CoverageData::new();
        for input in self.files.values() {
            let mut data = input.data.clone();
            if as_lines {
                data.arcs_to_lines();
            }
            all.merge(data)?;
        }
        Ok(all)
    }

    fn are_mixed(&self) -> bool {
        let kinds = self.files.values().filter_map(|input| input.data.measurement());
        kinds.collect::<BTreeSet<_>>().len() > 1
    }

    /// Finds the data files, including the one without a suffix: a combine moves rows of the others there.
    fn find(&self) -> Result<Found, Failure> {
        let mut found = discover::find(&self.folders, BASE.as_ref())?;
        let combined =
            self.folders.iter().filter_map(|folder| Entry::at_path(folder.join(BASE)).ok());
        found.files.extend(combined.filter(|combined| combined.status().is_ok()));
        Ok(found)
    }
}

fn read(file: &Entry, aliases: &mut PathAliases) -> Result<(FileIdentity, CoverageData), Error> {
    let file = DataFile::open_entry(file)?;
    let identity = file.identity().clone();
    let data = file.read()?.data;
    let data = data.map_paths(|path| aliases.map_file(path))?;
    Ok((identity, data))
}
