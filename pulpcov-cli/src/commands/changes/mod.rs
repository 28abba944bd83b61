//! The changes of a branch, and what ran of them.
//!
//! - `source`: the diff that git or the user gives.
//! - `places`: where the files of the diff are.
//! - `expected`: which files should have been measured.
//! - `baseline`: what ran before the changes.

mod baseline;
mod expected;
mod places;
mod source;

use std::collections::HashSet;
use std::mem::ManuallyDrop;
use std::path::Path;

use pulpcov_core::changes::{Diff, FileChange};
use pulpcov_core::config::PatchSettings;
use pulpcov_core::report::patch::{Options, Patch};
use pulpcov_core::results::Precision;
use pulpcov_core::summarize::{Detail, FileSummary, Summary};
use pulpcov_core::{ErrorKind, FilePath};

use super::git::Base;
use super::reporting::Reporting;
use crate::args::ChangesArgs;
use crate::exit::Failure;

pub(super) use baseline::Baseline;
use expected::Expected;
use places::Places;
pub(super) use places::is_same_below;
use source::DiffSource;

/// The changes of a branch.
pub(super) struct Changes {
    source: DiffSource,
    diff: Diff,
    allow_unmeasured: bool,
}

impl Changes {
    /// Asks git for the changes, or reads them from a file. They begin at `baseline_rev` itself if it is given, and end with
    /// `revision` instead of the files as they are now.
    pub(super) fn read(
        args: &ChangesArgs,
        revision: Option<&str>,
        baseline_rev: Option<&str>,
        own: &PatchSettings,
    ) -> Result<Self, Failure> {
        let source = DiffSource::of(args, revision, baseline_rev, own)?;
        let diff = source.parse(args.diff.as_deref())?;
        Ok(Self { source, diff, allow_unmeasured: args.allow_unmeasured })
    }

    /// Reads what ran before the changes. From now on, the files that did not change belong to the changes, too.
    pub(super) fn baseline(
        &mut self,
        file: &Path,
        reporting: &Reporting,
    ) -> Result<Baseline, Failure> {
        let places = Places::new(reporting, &self.source.top);
        let baseline = Baseline::read(file, reporting, &places)?;
        baseline.add_unchanged_files(&mut self.diff, &places, reporting.data());
        Ok(baseline)
    }

    /// Returns what the changes are from, unless a file has them.
    pub(super) fn base(&self) -> Option<&Base> {
        self.source.base.as_ref()
    }

    /// Returns what the changes are from, as [`base`](Self::base) does.
    pub(super) fn into_base(self) -> Option<Base> {
        self.source.base
    }

    /// Returns how a patch is written: what it is from, and how many decimals percentages have.
    pub(super) fn options(&self, precision: Precision) -> Options {
        let options = Options::new().precision(precision);
        match self.base() {
            Some(base) => options.base(&base.name, &base.commit),
            None => options,
        }
    }

    /// Compares the changes with what ran, or what ran before them with what runs now, and passes the result to `then`.
    /// Meanwhile the report is of the changed files.
    pub(super) fn compare<T>(
        &self,
        reporting: &mut Reporting,
        baseline: Option<&Baseline>,
        then: impl FnOnce(&Reporting, &Patch<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let places = Places::new(reporting, &self.source.top);
        places.check_what_is_asked_for(&self.diff)?;
        let untracked: HashSet<&Path> = self.source.untracked().collect();
        let mut diff = self.diff.clone();
        diff.retain(|change| {
            // Files that git does not track are often outputs, such as reports. They are no change of the branch.
            let is_output = |path| !places.is_wanted(path) && untracked.contains(path);
            places.is_change_asked_for(change) && !change.new_path().is_some_and(is_output)
        });
        let changes = diff.files().iter();
        let files = changes.filter_map(|change| places.in_report(change.new_path()?));
        let all = reporting.select(files.collect());
        let done = self.compare_selected(&diff, reporting, &places, baseline, then);
        reporting.restore(all);
        done
    }

    fn compare_selected<T>(
        &self,
        diff: &Diff,
        reporting: &Reporting,
        places: &Places,
        baseline: Option<&Baseline>,
        then: impl FnOnce(&Reporting, &Patch<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let summary = if reporting.selected().is_empty() { None } else { summarize(reporting)? };
        let expected = Expected::new(reporting, places)?;
        let is_expected = |file: &FileSummary| !self.allow_unmeasured && expected.has(file);
        let path_of = |path: &Path| -> Option<FilePath> { places.in_report(path) };
        let patch = match baseline {
            Some(baseline) => {
                let before = |change: &FileChange| baseline.ran_before(change);
                Patch::of_new_misses(diff, summary.as_deref(), path_of, before)?
            }
            None => Patch::new(diff, summary.as_deref(), path_of, is_expected)?,
        };
        then(reporting, &patch)
    }
}

/// Summarizes the selected files. Returns `None` if the settings leave all of them out.
fn summarize<'r>(reporting: &'r Reporting) -> Result<Option<ManuallyDrop<Summary<'r>>>, Failure> {
    match reporting.summarize(Detail::Everything) {
        Err(Failure::Core(err)) if err.kind() == ErrorKind::NoData => Ok(None),
        summary => summary.map(Some),
    }
}
