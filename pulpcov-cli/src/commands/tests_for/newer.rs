//! Files and tests of which the data does not know what they run now.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use pulpcov_core::changes::Diff;
use pulpcov_core::impact::{Change, Project};
use pulpcov_core::python::SourceChange;
use rayon::prelude::*;

use super::super::git;
use super::super::reporting::named_in_part;
use super::data::{Data, dotted};
use super::worktree::{Worktree, changes, contents, edited};
use crate::args::TestsForArgs;
use crate::exit::Failure;
use crate::ui;

/// Returns the files that changed after they were measured, and those with tests that the data does not have.
pub(super) fn files(
    args: &TestsForArgs,
    worktree: &Worktree,
    data: &Data,
    project: &Project,
    changed: &[Change],
    test_files: &BTreeSet<String>,
) -> Result<Vec<String>, Failure> {
    let mut files = changed_after_measuring(args, worktree, data, changed)?;
    files.extend(with_unknown_tests(worktree, data, project, changed, test_files));
    Ok(files)
}

/// Returns the Python files that are newer than the data: those that changed between the measured version and the base, and
/// those of which lines ran that have no code at the base.
fn changed_after_measuring(
    args: &TestsForArgs,
    worktree: &Worktree,
    data: &Data,
    changed: &[Change],
) -> Result<Vec<String>, Failure> {
    let mut newer = Vec::new();
    if let Some(revision) = &args.data_rev {
        let (measured, base) = (git::commit_of(revision)?, &worktree.base.commit);
        let diff = Diff::parse(&git::between(&measured, Some(base))?)?;
        let edited = edited(&diff);
        let (old, new) = (contents(&measured, &edited)?, contents(base, &edited)?);
        let before = changes(&diff, &old, |path| new.get(path).cloned().unwrap_or_default());
        newer.extend(before.into_iter().filter_map(|change| match change {
            Change::Edited(_, SourceChange::Nothing) | Change::Other(_) => None,
            Change::Edited(path, _) | Change::Added(path) | Change::Deleted(path) => Some(path),
            _ => None,
        }));
    }
    let known: HashSet<String> = newer.iter().cloned().collect();
    let mut others = Vec::new();
    for change in changed {
        let Change::Edited(path, SourceChange::Functions(_)) = change else { continue };
        let source = worktree.old.get(Path::new(path)).filter(|_| !known.contains(path));
        if source.is_some_and(|source| data.is_of_another_version(path, source)) {
            others.push(path.clone());
        }
    }
    if !others.is_empty() {
        let names: Vec<PathBuf> = others.iter().map(PathBuf::from).collect();
        ui::warning(&format!(
            "measured on another version than {}: {}; --data-rev=REV names the version, and more tests are selected",
            ui::name(Path::new(&worktree.base.name)),
            named_in_part(&names)
        ));
    }
    newer.extend(others);
    Ok(newer)
}

/// Returns the files that import a changed file, and have tests that the data does not have: tests that were not run, or that
/// ran nothing that is measured.
fn with_unknown_tests(
    worktree: &Worktree,
    data: &Data,
    project: &Project,
    changes: &[Change],
    test_files: &BTreeSet<String>,
) -> Vec<String> {
    let edited = changes.iter().filter_map(|change| match change {
        Change::Edited(path, SourceChange::Functions(_)) => Some(path),
        _ => None,
    });
    let importers: BTreeSet<&str> = edited.flat_map(|path| project.importers(path)).collect();
    let files: Vec<&str> =
        importers.into_iter().filter(|file| test_files.contains(*file)).collect();
    if files.is_empty() {
        return Vec::new();
    }
    let known = data.test_names();
    let is_known = |file: &str, test: &str| {
        // pytest may have run in a folder above or below.
        let starts = file.match_indices('/').map(|(at, _)| at + 1);
        let mut names = [0].into_iter().chain(starts).filter_map(|at| file.get(at..));
        names.any(|file| known.contains(&dotted(file, test)))
    };
    let has_unknown = |file: &&str| {
        if !data.has_tests_of(file) {
            return true;
        }
        let tests = worktree.definitions(file).tests();
        tests.is_empty() || !tests.iter().all(|test| is_known(file, test))
    };
    files.into_par_iter().filter(has_unknown).map(str::to_owned).collect()
}
