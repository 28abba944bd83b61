//! The files of the repository, and what changed in them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pulpcov_core::changes::{ChangeKind, Diff, FileChange};
use pulpcov_core::config::OwnSettings;
use pulpcov_core::impact::{Change, Project};
use pulpcov_core::python::{Definitions, SourceChange};
use pulpcov_core::summarize::FactsCache;
use rayon::prelude::*;

use super::super::git::{self, Base};
use super::super::reporting::{self, is_python};
use crate::args::TestsForArgs;
use crate::exit::Failure;
use crate::plan::DataPlan;
use crate::settings;

/// The files of the repository as they are now, and what changed in them.
pub(super) struct Worktree {
    pub(super) top: PathBuf,
    pub(super) cwd: PathBuf,
    pub(super) base: Base,
    /// The changes since the base.
    diff: Diff,
    /// The edited Python files as they were at the base.
    pub(super) old: HashMap<PathBuf, Vec<u8>>,
    /// The files that git tracks and those that it does not ignore, from the top folder.
    pub(super) files: Vec<String>,
    /// The files that are links to others, each with the file that it leads to.
    links: Vec<(String, String)>,
    cache: FactsCache,
    /// What was asked for already.
    definitions: Mutex<HashMap<String, Arc<Definitions>>>,
}

impl Worktree {
    pub(super) fn open(args: &TestsForArgs, own: &OwnSettings) -> Result<Self, Failure> {
        let base = args.base.as_deref().or(own.patch.base.as_deref());
        let others =
            || (git::untracked(), git::tracked(), reporting::cache(&DataPlan::from(&args.data)));
        let (changes, (untracked, tracked, cache)) =
            git::beside(|| git::changes(base, None, None), others);
        let ((text, base), untracked) = (changes?, untracked?);
        let mut diff = Diff::parse(&text)?;
        untracked.iter().for_each(|path| diff.add_new_file(path, 1));
        let old = contents(&base.commit, &edited(&diff))?;
        let canonical = |path: PathBuf| path.canonicalize().unwrap_or(path);
        let top = canonical(git::top_folder().map_or_else(settings::cwd, Ok)?);
        let exists = |path: &PathBuf| top.join(path).is_file();
        let files = tracked?.into_par_iter().chain(untracked).filter(exists);
        let files: Vec<String> =
            files.filter_map(|path| path.to_str().map(str::to_owned)).collect();
        let links = links(&top, &files);
        let cwd = canonical(settings::cwd()?);
        let cache = cache?.unwrap_or_else(FactsCache::in_memory);
        Ok(Self { top, cwd, base, diff, old, files, links, cache, definitions: Mutex::default() })
    }

    /// Returns what changed, as Python sees it.
    pub(super) fn changes(&self) -> Vec<Change> {
        changes(&self.diff, &self.old, |path| {
            std::fs::read(self.top.join(path)).unwrap_or_default()
        })
    }

    /// Returns the Python files, with those that are gone: others may still import them.
    pub(super) fn project(&self) -> Project {
        let gone = self.diff.files().iter().filter_map(FileChange::old_path);
        let gone = gone.filter_map(|path| path.to_str().map(str::to_owned));
        let files = self.files.iter().cloned().chain(gone);
        let paths: BTreeSet<String> = files.filter(|path| is_python(Path::new(path))).collect();
        let read = |path: &str| std::fs::read(self.top.join(path)).ok();
        let paths = paths.into_iter().collect();
        Project::read(paths, read, Some(&self.cache)).links(self.links.iter().cloned())
    }

    /// Keeps what was found in sources for the next run.
    pub(super) fn save_cache(&self) {
        // In a folder that cannot be written to, there is no cache, and the next run is slower.
        let _ = self.cache.save();
    }

    /// Returns a path of the repository and the links that lead to it.
    pub(super) fn names_of<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        let links = self.links.iter().filter(move |(_, file)| file == path);
        std::iter::once(path).chain(links.map(|(link, _)| link.as_str()))
    }

    /// Returns the functions and classes of a file. There are none if it is not Python.
    pub(super) fn definitions(&self, path: &str) -> Arc<Definitions> {
        if let Some(known) = self.known_definitions().get(path) {
            return Arc::clone(known);
        }
        let bytes = std::fs::read(self.top.join(path)).unwrap_or_default();
        let found = Arc::new(self.cache.definitions(&bytes));
        self.known_definitions().insert(path.to_owned(), Arc::clone(&found));
        found
    }

    fn known_definitions(&self) -> MutexGuard<'_, HashMap<String, Arc<Definitions>>> {
        self.definitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the files that are links to others, each with the file that it leads to.
fn links(top: &Path, files: &[String]) -> Vec<(String, String)> {
    let link = |path: &String| {
        let whole = top.join(path);
        if !whole.is_symlink() {
            return None;
        }
        let target = whole.canonicalize().ok()?;
        Some((path.clone(), target.strip_prefix(top).ok()?.to_str()?.to_owned()))
    };
    files.par_iter().filter_map(link).collect()
}

/// Returns what a diff changed, as Python sees it. `old` has the edited files, and `new` reads them.
pub(super) fn changes(
    diff: &Diff,
    old: &HashMap<PathBuf, Vec<u8>>,
    new: impl Fn(&Path) -> Vec<u8>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for change in diff.files() {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let (before, after) = (change.old_path(), change.new_path());
        if let Some((path, old)) = before.and_then(|path| Some((path, old.get(path)?))) {
            changes.push(Change::Edited(text(path), SourceChange::between(old, &new(path))));
            continue;
        }
        let before = before.filter(|_| change.kind() != ChangeKind::Copied);
        let after = after.filter(|path| Some(*path) != before);
        changes.extend(before.map(|path| match is_python(path) {
            true => Change::Deleted(text(path)),
            false => Change::Other(text(path)),
        }));
        changes.extend(after.map(|path| match is_python(path) {
            true => Change::Added(text(path)),
            false => Change::Other(text(path)),
        }));
    }
    changes
}

/// Returns the Python files that have another text at the same place.
pub(super) fn edited(diff: &Diff) -> Vec<&Path> {
    let is_edit = |change: &&FileChange| {
        change.kind() == ChangeKind::Modified && change.old_path() == change.new_path()
    };
    let paths = diff.files().iter().filter(is_edit).filter_map(FileChange::old_path);
    paths.filter(|path| is_python(path)).collect()
}

pub(super) fn contents(
    revision: &str,
    paths: &[&Path],
) -> Result<HashMap<PathBuf, Vec<u8>>, Failure> {
    let contents = git::contents(revision, paths)?;
    Ok(paths.iter().map(|path| path.to_path_buf()).zip(contents).collect())
}
