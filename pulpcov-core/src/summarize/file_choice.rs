//! The choice of the files of a report.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::naming::{Candidate, Naming};
use super::outcome::Task;
use crate::foreign::{self, Report};
use crate::paths::{GlobMatcher, TreeMatcher, WorkingFolder, from_os, prep_patterns};
use crate::{Authors, CoverageData, FilePath, Result};

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
    pub(super) fn tasks(&self, data: &CoverageData, patterns: &Patterns) -> Vec<Task> {
        let mut tasks = self.named(data, &self.requested(data));
        tasks.retain(|task| patterns.want(&task.candidate.path));
        tasks.sort_by(|a, b| {
            let (a, b) = (&a.candidate, &b.candidate);
            // `Path` compares components; coverage.py compares strings.
            (a.path.as_os_str(), &a.requested).cmp(&(b.path.as_os_str(), &b.requested))
        });
        tasks
    }

    /// Returns the patterns that files must match.
    pub(super) fn patterns(&self) -> Result<Patterns> {
        Ok(Patterns { include: self.matcher(&self.include)?, omit: self.matcher(&self.omit)? })
    }

    /// Returns the files of a report of other tools that are to be shown, with their names. They come in the order of the report.
    pub(super) fn others<'r>(
        &self,
        report: &'r Report,
        patterns: &Patterns,
    ) -> Vec<(Candidate, &'r foreign::File)> {
        let mut naming = Naming::new(self.folder.clone(), self.relative_files);
        let asked = self.files.iter().map(|file| (naming.name(file).path, file));
        let asked: HashMap<PathBuf, &FilePath> = asked.collect();
        let folders = self.folders.iter().map(FilePath::as_bytes);
        let trees = TreeMatcher::new(self.folder_or_root(), folders);
        let is_of_all = self.files.is_empty() && self.folders.is_empty();
        let named = report.files().filter_map(|(name, file)| {
            let mut candidate = naming.name(&FilePath::try_from(name).ok()?);
            let asked = asked.get(&candidate.path);
            if let Some(asked) = asked {
                candidate.requested = (*asked).clone();
            }
            let is_wanted =
                is_of_all || asked.is_some() || trees.is_match(candidate.recorded.as_bytes());
            (is_wanted && patterns.want(&candidate.path)).then_some((candidate, file))
        });
        named.collect()
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

/// The patterns that the files of a report match.
pub(super) struct Patterns {
    include: Option<GlobMatcher>,
    omit: Option<GlobMatcher>,
}

impl Patterns {
    fn want(&self, path: &Path) -> bool {
        let path = from_os(path);
        self.include.as_ref().is_none_or(|include| include.is_match(&path))
            && self.omit.as_ref().is_none_or(|omit| !omit.is_match(&path))
    }
}

/// Returns whose data files name the file. The data file may name the path that was asked for, or
/// what its links lead to.
fn authors(data: &CoverageData, candidate: &Candidate) -> Authors {
    let file = data.file(&candidate.requested).or_else(|| data.file(&candidate.recorded));
    file.map(|file| file.authors().clone()).unwrap_or_default()
}
