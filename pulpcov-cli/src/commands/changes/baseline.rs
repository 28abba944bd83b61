//! What ran before the changes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use pulpcov_core::changes::{ChangeKind, Diff, FileChange, RanBefore, lines_of_another_version};
use pulpcov_core::python::{AnalyzeOptions, Facts, PythonSource};
use pulpcov_core::report::patch::{FileState, Patch, PatchFile};
use pulpcov_core::{CoverageData, FileData, FilePath};

use super::super::data;
use super::super::git::{self, Base};
use super::super::origin::Origin;
use super::super::reporting::Reporting;
use super::places::Places;
use crate::exit::Failure;
use crate::ui;

/// What ran before the changes.
pub(in crate::commands) struct Baseline {
    data: CoverageData,
    /// The paths in the data of each file, by its path in the repository.
    paths: BTreeMap<PathBuf, Vec<FilePath>>,
}

impl Baseline {
    pub(super) fn read(
        file: &Path,
        reporting: &Reporting,
        places: &Places,
    ) -> Result<Self, Failure> {
        let data = data::read_named(file, &reporting.config)?;
        let (_, data) = Origin::of(&reporting.plan, &reporting.config, data)?;
        let mut paths = BTreeMap::<PathBuf, Vec<FilePath>>::new();
        for file in data.files().filter(FileData::has_rows) {
            if let Some(path) = places.in_repository(file.path()) {
                paths.entry(path).or_default().push(file.path().clone());
            }
        }
        if paths.is_empty() {
            return Err(Failure::Refused(format!(
                "{}: the baseline has no file of this repository: --source-root=. finds files that were measured in another place, and [paths] maps them",
                ui::name(file)
            )));
        }
        Ok(Self { data, paths })
    }

    /// Adds the files that were measured, before or now, and did not change.
    pub(super) fn add_unchanged_files(&self, diff: &mut Diff, places: &Places, now: &CoverageData) {
        let changed: HashSet<PathBuf> = diff
            .files()
            .iter()
            .flat_map(|change| [change.old_path(), change.new_path()])
            .flatten()
            .map(Path::to_owned)
            .collect();
        let measured = now.files().filter(FileData::has_rows);
        let mut paths: BTreeSet<PathBuf> =
            measured.filter_map(|file| places.in_repository(file.path())).collect();
        paths.extend(self.paths.keys().cloned());
        paths.into_iter().filter(|path| !changed.contains(path)).for_each(|path| {
            diff.add_unchanged_file(path);
        });
    }

    /// Returns the files of which lines ran before that had no code then. `base` is what the changes are from; without it,
    /// only files that did not change are looked at.
    pub(in crate::commands) fn of_other_versions(
        &self,
        patch: &Patch<'_>,
        base: Option<&Base>,
    ) -> Result<Vec<PathBuf>, Failure> {
        let measured = patch.files().iter().filter_map(|file| match file.state() {
            FileState::Measured { file: summary, .. } if summary.is_python() => {
                Some((file, *summary))
            }
            _ => None,
        });
        let (unchanged, changed): (Vec<_>, Vec<_>) =
            measured.partition(|(file, _)| file.change().kind() == ChangeKind::Unchanged);
        let is_other = |file: &PatchFile<'_>, facts: &Facts| {
            let before = self.ran_before(file.change());
            !lines_of_another_version(facts, before.lines.iter()).is_empty()
        };
        let mut others = Vec::new();
        for (file, summary) in unchanged {
            if is_other(file, summary.facts()?) {
                others.push(file.name().into());
            }
        }
        let Some(base) = base else { return Ok(others) };
        let changed =
            changed.into_iter().filter_map(|(file, _)| Some((file, file.change().old_path()?)));
        let (changed, paths): (Vec<_>, Vec<_>) = changed.unzip();
        let options = AnalyzeOptions::new()?.branches(false);
        for (file, source) in changed.into_iter().zip(git::contents(&base.commit, &paths)?) {
            // A source that is not Python tells nothing.
            let facts = PythonSource::decode(source).and_then(|source| source.analyze(&options));
            if facts.is_ok_and(|facts| is_other(file, &facts)) {
                others.push(file.name().into());
            }
        }
        Ok(others)
    }

    pub(super) fn ran_before(&self, change: &FileChange) -> RanBefore {
        let mut before = RanBefore::default();
        let paths = change.old_path().and_then(|path| self.paths.get(path));
        for path in paths.into_iter().flatten() {
            self.data.lines(path).into_iter().for_each(|lines| before.lines.union_with(&lines));
            self.data.arcs(path).into_iter().for_each(|arcs| before.arcs.union_with(&arcs));
        }
        before
    }
}
