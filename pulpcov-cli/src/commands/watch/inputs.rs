//! The data files of folders that processes write to, each read again when it changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pulpcov_core::discover::{self, Found};
use pulpcov_core::folder::Entry;
use pulpcov_core::formats::{DataFile, FileIdentity};
use pulpcov_core::paths::PathAliases;
use pulpcov_core::{CoverageData, Error};

use crate::exit::Failure;

/// What the data files are called.
const BASE: &str = ".coverage";

/// What was read so far.
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
    /// In which state it could not be read.
    failed: Option<FileIdentity>,
}

/// What a look at the folders found.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Data files that were read.
    pub(super) read: usize,
    /// Data files that are there no more.
    pub(super) gone: usize,
    /// Folders that cannot be looked into, and data files that could not be read twice in the same state: not because
    /// somebody writes them.
    pub(super) failed: Vec<Error>,
}

impl Inputs {
    pub(super) fn new(folders: BTreeSet<PathBuf>, aliases: PathAliases) -> Self {
        Self { folders: folders.into_iter().collect(), aliases, files: BTreeMap::new() }
    }

    /// How many data files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Read what changed.
    pub(super) fn refresh(&mut self) -> Result<Changes, Failure> {
        let Found { files, left_out, .. } = self.find()?;
        let mut changes = Changes { failed: left_out, ..Changes::default() };
        let before = self.files.len();
        let found: BTreeSet<&Path> = files.iter().map(Entry::path).collect();
        self.files.retain(|path, _| found.contains(&**path));
        changes.gone = before - self.files.len();
        for file in &files {
            // One that is gone again is found to be gone the next time.
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
                // What was read of it before still holds. It is tried again the next time.
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

    /// The rows of all of them. Data with branches and data without cannot be merged, unless both become lines.
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

    /// A combine moves rows from the other files to the one without a suffix.
    fn find(&self) -> Result<Found, Failure> {
        let mut found = discover::find(&self.folders, BASE.as_ref())?;
        let combined =
            self.folders.iter().filter_map(|folder| Entry::named(folder.join(BASE)).ok());
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
