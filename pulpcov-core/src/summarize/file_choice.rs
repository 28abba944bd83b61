//! The choice of the files of a report.

use super::naming::{Candidate, Naming};
use super::outcome::Task;
use crate::paths::{GlobMatcher, TreeMatcher, WorkingFolder, from_os, prep_patterns};
use crate::{Authors, CoverageData, Error, ErrorKind, FilePath, Result};

/// The number of files that one thread names in a row. Adjacent files are often in the same folder,
/// which the thread then resolves only once.
const FILES_NAMED_TOGETHER: usize = 64;

/// Which files to report on, and how to name them.
#[derive(Default)]
pub(super) struct FileChoice {
    pub(super) folder: Option<WorkingFolder>,
    pub(super) relative_files: bool,
    pub(super) files: Vec<FilePath>,
    pub(super) folders: Vec<FilePath>,
    pub(super) include: Vec<String>,
    pub(super) omit: Vec<String>,
}

impl FileChoice {
    /// Returns the files to report on, in coverage.py's order.
    pub(super) fn tasks(&self, data: &CoverageData) -> Result<Vec<Task>> {
        let include = self.matcher(&self.include)?;
        let omit = self.matcher(&self.omit)?;
        let is_wanted = |task: &Task| {
            let path = from_os(&task.candidate.path);
            include.as_ref().is_none_or(|include| include.is_match(&path))
                && omit.as_ref().is_none_or(|omit| !omit.is_match(&path))
        };
        let mut tasks = self.named(data, &self.requested(data));
        tasks.retain(is_wanted);
        if tasks.is_empty() {
            return Err(Error::new(ErrorKind::NoData, "No data to report."));
        }
        tasks.sort_by(|a, b| {
            let (a, b) = (&a.candidate, &b.candidate);
            // `Path` compares components; coverage.py compares strings.
            (a.path.as_os_str(), &a.requested).cmp(&(b.path.as_os_str(), &b.requested))
        });
        Ok(tasks)
    }

    /// Names files. Naming looks up links on the disk, so it runs in parallel.
    fn named(&self, data: &CoverageData, requested: &[FilePath]) -> Vec<Task> {
        use rayon::prelude::*;
        requested
            .par_chunks(FILES_NAMED_TOGETHER)
            .flat_map_iter(|requested| self.name(data, requested))
            .collect()
    }

    fn name(&self, data: &CoverageData, requested: &[FilePath]) -> Vec<Task> {
        let mut naming = Naming::new(self.folder.clone(), self.relative_files);
        let task = |requested| {
            let candidate = naming.name(requested);
            let tracer = data.file_tracer(naming.data_path(&candidate)).unwrap_or_default();
            Task { tracer: tracer.to_owned(), authors: authors(data, &candidate), candidate }
        };
        requested.iter().map(task).collect()
    }

    /// Returns the files that the caller asked for, and the measured files in the folders that the
    /// caller asked for. If the caller asked for nothing, returns all measured files.
    fn requested(&self, data: &CoverageData) -> Vec<FilePath> {
        let measured = data.files().map(|file| file.path().clone());
        if self.folders.is_empty() {
            return if self.files.is_empty() { measured.collect() } else { self.files.clone() };
        }
        let folders = self.folders.iter().map(FilePath::as_bytes);
        let trees = TreeMatcher::new(self.folder_or_root(), folders);
        let inside = measured.filter(|path| trees.is_match(path.as_bytes()));
        self.files.iter().cloned().chain(inside).collect()
    }

    fn folder_or_root(&self) -> WorkingFolder {
        self.folder.clone().unwrap_or_else(|| WorkingFolder::new("/"))
    }

    fn matcher(&self, patterns: &[String]) -> Result<Option<GlobMatcher>> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let prepared = prep_patterns(&self.folder_or_root(), patterns);
        GlobMatcher::new(prepared).map(Some)
    }
}

/// Returns whose data files name the file. The data file may name the path that was asked for, or
/// what its links lead to.
fn authors(data: &CoverageData, candidate: &Candidate) -> Authors {
    let file = data.file(&candidate.requested).or_else(|| data.file(&candidate.recorded));
    file.map(|file| file.authors().clone()).unwrap_or_default()
}
