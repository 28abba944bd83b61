//! What the report shows beside coverage: where it is from, changes, what was covered before, and what the gate says.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pulpcov_core::changes::{Diff, FileChange};
use pulpcov_core::config::{OwnSettings, PatchSettings};
use pulpcov_core::report::gate::GateReport;
use pulpcov_core::report::html;
use pulpcov_core::results::Precision;
use pulpcov_core::summarize::{Detail, Summary};

use super::super::changes::Changes;
use super::super::reporting::Reporting;
use super::super::{gate, git};
use crate::args::HtmlArgs;
use crate::exit::Failure;
use crate::ui;

/// Returns where the report is from, for a reader who finds it later.
pub(super) fn origin(reporting: &Reporting) -> Vec<String> {
    let mut parts = vec![format!("pulpcov {}", env!("CARGO_PKG_VERSION"))];
    match reporting.plan.sources.revision() {
        Some(revision) => parts.push(format!("sources of {revision}")),
        None if reporting.has_sources_elsewhere() => {}
        None => parts.extend(git::description().map(|name| match name.strip_suffix("-dirty") {
            Some(commit) => format!("sources of commit {commit} with changes"),
            None => format!("sources of commit {name}"),
        })),
    }
    let file = reporting.data_file();
    let written = file.metadata().and_then(|status| status.modified()).ok();
    let written = written.and_then(|time| Timestamp::try_from(time).ok());
    let of = written.map_or_else(String::new, |time| {
        format!(" of {}", time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M %z"))
    });
    parts.push(format!("data {}{of}", ui::name(&file)));
    parts
}

/// Returns the changes that the report shows.
pub(super) fn changes(
    args: &HtmlArgs,
    own: &PatchSettings,
    reporting: &mut Reporting,
    precision: Precision,
) -> Result<html::Changes, Failure> {
    let changes = Changes::read(&args.changes, reporting.plan.sources.revision(), None, own)?;
    changes.compare(reporting, None, |_, patch| {
        Ok(html::Changes::new(patch, &changes.options(precision))?)
    })
}

/// Returns what was covered before, if the options name data of another version.
pub(super) fn baseline(
    args: &HtmlArgs,
    reporting: &Reporting,
    summary: &Summary<'_>,
) -> Result<Option<html::Baseline>, Failure> {
    let Some(path) = &args.baseline else { return Ok(None) };
    let revision = args.baseline_rev.as_deref();
    let before = gate::baseline_reporting(path, revision, &reporting.plan)?;
    let before = before.summarize(Detail::Everything)?;
    if let Some(message) = gate::baseline_of_other_sources(&before)? {
        ui::warning(&message);
    }
    let names = gate::Names::new(reporting);
    let (mut renamed, mut diff) = (BTreeMap::new(), Diff::default());
    if let Some(revision) = revision {
        let commit = git::commit_of(revision)?;
        renamed.extend(names.renamed(&git::names_since(&commit)?));
        diff = Diff::parse(&git::between(&commit, reporting.plan.sources.revision())?)?;
    }
    let changes: HashMap<String, &FileChange> = diff
        .files()
        .iter()
        .filter_map(|change| Some((names.of_repository(change.new_path()?), change)))
        .collect();
    let change_of = |name: &str| changes.get(name).copied();
    Ok(Some(html::Baseline::new(&before, summary, &renamed, change_of)?))
}

/// Returns what the gate says of the files, if the settings ask for something and the report is of all files.
pub(super) fn judgement(
    args: &HtmlArgs,
    own: &OwnSettings,
    reporting: &Reporting,
    summary: &Summary<'_>,
) -> Option<html::Judgement> {
    let plan = &reporting.plan;
    if !plan.files.is_empty() || plan.include.is_some() || plan.omit.is_some() {
        return None;
    }
    let base = args.changes.base.as_deref();
    match gate::judge_all(base, own, reporting, summary) {
        Ok(verdict) => verdict.map(|verdict| html::Judgement::new(&GateReport::new(&verdict))),
        Err(err) => {
            ui::warning(&format!("the gate is left out: {err}"));
            None
        }
    }
}
