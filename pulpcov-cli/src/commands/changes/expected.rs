//! Which files should have been measured.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use pulpcov_core::CoverageData;
use pulpcov_core::paths::WorkingFolder;
use pulpcov_core::summarize::FileSummary;

use super::super::choice::Choice;
use super::super::reporting::Reporting;
use super::places::{Places, is_same_below};
use crate::exit::Failure;

/// Which files should have been measured: those in folders with measured files, at any depth below the top folder,
/// and those in the source folders of the settings. The settings can leave files out of that.
pub(super) struct Expected<'a> {
    top: &'a Path,
    data: &'a CoverageData,
    folders: HashSet<PathBuf>,
    sources: Vec<PathBuf>,
    choice: Choice,
}

impl<'a> Expected<'a> {
    pub(super) fn new(reporting: &'a Reporting, places: &'a Places) -> Result<Self, Failure> {
        let run = &reporting.config.run;
        let measured = reporting.data().files().filter(|file| file.has_rows());
        let folders =
            measured.filter_map(|file| Some(Path::new(file.path().as_str()).parent()?.to_owned()));
        // A name of a package is not a folder.
        let sources = run.source.iter().flatten().chain(&run.source_dirs);
        let sources = sources.filter_map(|name| Path::new(name).canonicalize().ok());
        Ok(Self {
            top: &places.top,
            data: reporting.data(),
            folders: folders.collect(),
            sources: sources.collect(),
            choice: Choice::new(&WorkingFolder::new(&places.folder), &run.include, &run.omit)?,
        })
    }

    pub(super) fn has(&self, file: &FileSummary) -> bool {
        let path = file.path().canonicalize().unwrap_or_else(|_| file.path().to_owned());
        let is_expected =
            self.is_beside(file) || self.is_in_source(&path) || self.is_elsewhere(&path);
        self.choice.has(&path) && is_expected
    }

    fn is_beside(&self, file: &FileSummary) -> bool {
        let recorded = Path::new(file.recorded_path().as_str());
        let above = |folder: &&Path| *folder != self.top && *folder != Path::new("");
        let is_direct = recorded.parent().is_some_and(|folder| self.folders.contains(folder));
        is_direct
            || recorded
                .ancestors()
                .skip(1)
                .take_while(above)
                .any(|folder| self.folders.contains(folder))
    }

    /// Returns whether the data may have the file under a path of another place.
    fn is_elsewhere(&self, path: &Path) -> bool {
        let name = path.strip_prefix(self.top).unwrap_or(path).to_string_lossy();
        self.data.files().any(|file| is_same_below(file.path().as_str(), &name))
    }

    fn is_in_source(&self, path: &Path) -> bool {
        self.sources.iter().any(|source| path.starts_with(source))
    }
}
