//! The data and the sources of a gate, of now and of the baseline, and the files that the user asks for.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use pulpcov_core::CoverageData;
use pulpcov_core::config::Config;
use pulpcov_core::gates::{Flapping, Run};
use pulpcov_core::results::Numbers;
use pulpcov_core::summarize::{Detail, FileSummary, Summary};

use super::super::data;
use super::super::git::{self, NameChanges, seen_from};
use super::super::origin::Origin;
use super::super::reporting::Reporting;
use super::super::repository::Folders;
use crate::args::{BaselineArgs, GateArgs};
use crate::exit::Failure;
use crate::plan::{ReportPlan, SourcePlace};
use crate::{settings, ui};

/// Several data files of the same code.
pub(super) struct Runs {
    /// Each with its name, and with the paths that the report has.
    runs: Vec<(String, CoverageData)>,
    /// The same data with the paths that were measured.
    measured: Vec<CoverageData>,
}

impl Runs {
    pub(super) fn read(
        args: &GateArgs,
        plan: &ReportPlan,
        config: &Config,
    ) -> Result<Option<Self>, Failure> {
        if args.runs.is_empty() {
            return Ok(None);
        }
        let (mut runs, mut measured) = (Vec::new(), Vec::new());
        for path in &args.runs {
            let data = data::read_named(path, config)?;
            let (_, renamed) = Origin::of(plan, config, data.clone())?;
            runs.push((path.to_string_lossy().into_owned(), renamed));
            measured.push(data);
        }
        Ok(Some(Self { runs, measured }))
    }

    /// Returns the data of all runs together.
    pub(super) fn all_data(&self) -> Result<CoverageData, Failure> {
        let mut all = CoverageData::new();
        for data in &self.measured {
            all.merge(data.clone())?;
        }
        Ok(all)
    }

    pub(super) fn compare(&self, summary: &Summary<'_>) -> Result<Flapping, Failure> {
        let runs: Vec<Run<'_>> = self.runs.iter().map(|(name, data)| Run { name, data }).collect();
        Ok(Flapping::new(summary, &runs)?)
    }
}

/// Returns how the baseline is reported on: as the data of now, on the sources of its revision.
fn baseline_plan(revision: Option<&str>, plan: &ReportPlan) -> ReportPlan {
    // What other tools measured is of now.
    let mut plan = ReportPlan { with: None, ..plan.clone().for_all_files() };
    if let Some(revision) = revision {
        plan.sources = SourcePlace::Revision(revision.to_owned());
    }
    plan
}

/// Reads the data of another version. Says if its sources are those of now.
pub(in crate::commands) fn baseline_reporting(
    path: &Path,
    revision: Option<&str>,
    plan: &ReportPlan,
) -> Result<Reporting, Failure> {
    let config = settings::load(&plan.data.config)?;
    let data = data::read_named(path, &config)?;
    if revision.is_none() {
        ui::message(
            "The baseline is compared with the sources of now; --baseline-rev names the revision that it was measured on",
        );
    }
    Reporting::of_data(baseline_plan(revision, plan), config, data)
}

/// Returns the total of the data of another version, if the options name some.
pub(in crate::commands) fn baseline_totals(
    args: &BaselineArgs,
    plan: &ReportPlan,
) -> Result<Option<Numbers>, Failure> {
    let Some(path) = &args.baseline else { return Ok(None) };
    let reporting = baseline_reporting(path, args.baseline_rev.as_deref(), plan)?;
    let summary = reporting.summarize(Detail::Numbers)?;
    Ok(Some(summary.totals()))
}

/// The data of another version.
pub(super) struct Baseline {
    reporting: Reporting,
    renamed: BTreeMap<String, String>,
}

impl Baseline {
    pub(super) fn read(
        args: &BaselineArgs,
        plan: &ReportPlan,
        names: &Names,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.baseline else { return Ok(None) };
        let reporting = baseline_reporting(path, args.baseline_rev.as_deref(), plan)?;
        let mut renamed = BTreeMap::new();
        if let Some(revision) = &args.baseline_rev {
            renamed.extend(names.renamed(&git::names_since(revision, plan.sources.revision())?));
        }
        Ok(Some(Self { reporting, renamed }))
    }

    pub(super) fn summarize(&self) -> Result<ManuallyDrop<Summary<'_>>, Failure> {
        self.reporting.summarize(Detail::Everything)
    }

    /// Returns the new names of files that were renamed since, by their old names.
    pub(super) fn renamed(&self) -> &BTreeMap<String, String> {
        &self.renamed
    }
}

/// The names of files in the report.
pub(in crate::commands) struct Names(Folders);

impl Names {
    pub(in crate::commands) fn new(reporting: &Reporting) -> Self {
        Self(Folders::new(reporting))
    }

    pub(super) fn folders(&self) -> &Folders {
        &self.0
    }

    /// Returns the path of a file by its name in the report.
    pub(super) fn on_disk(&self, name: &str) -> PathBuf {
        self.0.report.join(name)
    }

    /// Returns the name in the report of a file that git names.
    pub(in crate::commands) fn of_repository(&self, path: &Path) -> String {
        seen_from(&self.0.report, &self.0.top.join(path)).to_string_lossy().into_owned()
    }

    /// Returns the name in the report of a file or a folder that the user names.
    pub(super) fn of_argument(&self, path: &Path) -> String {
        let absolute = path.canonicalize().or_else(|_| std::path::absolute(path));
        let absolute = absolute.unwrap_or_else(|_| path.to_owned());
        let inside = absolute.strip_prefix(&self.0.report).unwrap_or(&absolute);
        inside.to_string_lossy().into_owned()
    }

    /// Returns the old and the new names in the report of renamed files.
    pub(in crate::commands) fn renamed(&self, changes: &NameChanges) -> Vec<(String, String)> {
        let pair =
            |(old, new): &(PathBuf, PathBuf)| (self.of_repository(old), self.of_repository(new));
        changes.renamed.iter().map(pair).collect()
    }
}

/// The files and folders that the user asks for. Empty if the user asks for everything.
pub(super) struct Selection(Vec<String>);

impl Selection {
    pub(super) fn new(
        paths: &[PathBuf],
        names: &Names,
        summary: &Summary<'_>,
    ) -> Result<Self, Failure> {
        let selection = Self(paths.iter().map(|path| names.of_argument(path)).collect());
        let is_measured = |wanted: &&String| {
            summary.files().iter().map(FileSummary::name).any(|name| is_in(name, wanted))
        };
        match selection.0.iter().find(|wanted| !is_measured(wanted)) {
            None => Ok(selection),
            Some(wanted) => Err(Failure::Refused(format!(
                "{}: no file of this name was measured, and none in a folder of this name",
                ui::name(Path::new(wanted))
            ))),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| is_in(name, wanted))
    }
}

/// Returns whether a file is this file, or in this folder.
fn is_in(name: &str, wanted: &str) -> bool {
    Path::new(name).starts_with(wanted)
}
