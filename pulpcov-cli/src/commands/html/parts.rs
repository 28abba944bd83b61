//! What the report shows beside coverage: where it is from, changes, what was covered before, and what the gate says.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pulpcov_core::changes::{ChangeKind, Diff, FileChange};
use pulpcov_core::config::{OwnSettings, PatchSettings};
use pulpcov_core::discover::DataFileName;
use pulpcov_core::report::gate::GateReport;
use pulpcov_core::report::html;
use pulpcov_core::report::patch::Options;
use pulpcov_core::results::Precision;
use pulpcov_core::summarize::{Detail, Summary};
use pulpcov_core::text::{plural, printable};

use super::super::changes::Changes;
use super::super::gate::{self, Judged};
use super::super::git::{self, Base};
use super::super::reporting::Reporting;
use crate::args::HtmlArgs;
use crate::exit::Failure;
use crate::plan::ReportPlan;
use crate::ui;

/// How many hosts the report names.
const HOSTS_NAMED: usize = 5;

/// Returns the revision of the sources, if it is known: the one that an option names, or the commit that is checked out. That a
/// run was added to the history is no change of the sources.
pub(super) fn revision(args: &HtmlArgs, reporting: &Reporting) -> Option<String> {
    match reporting.plan.sources.revision() {
        Some(revision) => Some(revision.to_owned()),
        None if reporting.has_sources_elsewhere() => None,
        None => git::description(args.history.as_deref()),
    }
}

/// Returns where the report is from, for a reader who finds it later. `revision` is that of the sources.
pub(super) fn origin(reporting: &Reporting, revision: Option<&str>) -> Vec<String> {
    let mut parts = vec![format!("pulpcov {}", env!("CARGO_PKG_VERSION"))];
    let is_named = reporting.plan.sources.revision().is_some();
    parts.extend(revision.map(|name| match name.strip_suffix("-dirty") {
        _ if is_named => format!("sources of {name}"),
        Some(commit) => format!("sources of commit {commit} with changes"),
        None => format!("sources of commit {name}"),
    }));
    let file = reporting.data_file();
    let written = file.metadata().and_then(|status| status.modified()).ok();
    let written = written.and_then(|time| Timestamp::try_from(time).ok());
    let of = written.map_or_else(String::new, |time| {
        format!(" of {}", time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M %z"))
    });
    parts.push(format!("data {}{of}", ui::name(&file)));
    parts.extend(combined_from(&file, reporting.inputs()));
    parts
}

/// Returns where the parallel data files are from that were combined first.
fn combined_from(data_file: &Path, inputs: &[PathBuf]) -> Option<String> {
    if inputs.is_empty() {
        return None;
    }
    let base = data_file.file_name()?.to_str()?;
    let names = inputs.iter().filter_map(|input| {
        let name = DataFileName::parse(base, input.file_name()?.to_str()?)?;
        Some((name.host?, name.pid?))
    });
    let mut hosts = BTreeMap::<String, BTreeSet<u32>>::new();
    let mut others = inputs.len();
    for (host, pid) in names {
        hosts.entry(host).or_default().insert(pid);
        others -= 1;
    }
    let count = |pids: &BTreeSet<u32>| match pids.len() {
        1 => "1 process".to_owned(),
        count => format!("{count} processes"),
    };
    let named = hosts.iter().take(HOSTS_NAMED);
    let mut named: Vec<String> =
        named.map(|(host, pids)| format!("{} ({})", printable(host), count(pids))).collect();
    if hosts.len() > HOSTS_NAMED {
        named.push(format!("{} more", plural(hosts.len() - HOSTS_NAMED, "host")));
    }
    if others > 0 && !named.is_empty() {
        named.push(format!("{} without a host", plural(others, "file")));
    }
    let from = if named.is_empty() { String::new() } else { format!(" of {}", named.join(", ")) };
    Some(format!("combined from {}{from}", plural(inputs.len(), "data file")))
}

/// Returns the changes that the report shows, and what they are from, unless a file has them.
pub(super) fn changes(
    args: &HtmlArgs,
    own: &PatchSettings,
    reporting: &mut Reporting,
    precision: Precision,
) -> Result<(html::Changes, Option<Base>), Failure> {
    let changes = Changes::read(&args.changes, reporting.plan.sources.revision(), None, own)?;
    let options = own.fail_under.iter().copied().fold(changes.options(precision), Options::floor);
    let shown =
        changes.compare(reporting, None, |_, patch| Ok(html::Changes::new(patch, &options)?))?;
    Ok((shown, changes.into_base()))
}

/// Returns what was covered before, if the options name data of another version. Unless an option says which version, it is the
/// one that the shown changes are from.
pub(super) fn baseline(
    args: &HtmlArgs,
    base: Option<&Base>,
    reporting: &Reporting,
    summary: &Summary<'_>,
) -> Result<Option<html::Baseline>, Failure> {
    let Some(path) = &args.baseline else { return Ok(None) };
    let revision = args.baseline_rev.as_deref().or(base.map(|base| base.commit.as_str()));
    if let (None, Some(base)) = (&args.baseline_rev, base) {
        ui::message(&format!(
            "The baseline counts as measured where the branch left {}; --baseline-rev names another revision",
            printable(&base.name)
        ));
    }
    // Files that are gone may have no source any more.
    let plan = ReportPlan { leave_out_errors: true, ..reporting.plan.clone() };
    let before = gate::baseline_reporting(path, revision, &plan)?;
    let mut warnings = Vec::new();
    let before = before.summarize_with(Detail::Everything, |warning| warnings.push(warning))?;
    // The warnings would say the same.
    if let Some(message) = gate::baseline_of_other_sources(&before)? {
        return Err(Failure::Refused(message));
    }
    warnings.iter().for_each(|warning| ui::warning(&format!("of the baseline: {warning}")));
    if before.has_arcs() != summary.has_arcs() {
        ui::warning(
            "only one of the baseline and the data has branches, so their percentages count different things",
        );
    }
    let names = gate::Names::new(reporting);
    let diff = match revision {
        Some(revision) => {
            let commit = git::commit_of(revision)?;
            Diff::parse(&git::between(&commit, reporting.plan.sources.revision())?)?
        }
        None => Diff::default(),
    };
    let renamed = diff.files().iter().filter(|change| change.kind() == ChangeKind::Renamed);
    let names_of = |change: &FileChange| {
        let name = |path: &Path| names.of_repository(path);
        Some((name(change.old_path()?), name(change.new_path()?)))
    };
    let renamed: BTreeMap<String, String> = renamed.filter_map(names_of).collect();
    let changes: HashMap<String, &FileChange> = diff
        .files()
        .iter()
        .filter_map(|change| Some((names.of_repository(change.new_path()?), change)))
        .collect();
    let change_of = |name: &str| changes.get(name).copied();
    let baseline = html::Baseline::new(&before, summary, &renamed, change_of)?;
    if baseline.is_unrelated() {
        return Err(Failure::Refused(format!(
            "{}: the baseline has no file of this report: --source-root=. finds files that were measured in another place, and [paths] maps them",
            ui::name(path)
        )));
    }
    Ok(Some(baseline))
}

/// Returns what the gate says of the files, if the settings ask for something and the report is of all files. If it cannot be
/// judged, returns why.
pub(super) fn verdict(
    args: &HtmlArgs,
    own: &OwnSettings,
    reporting: &Reporting,
    summary: &Summary<'_>,
) -> Result<Option<html::Gate>, String> {
    if reporting.is_of_part() {
        return Ok(None);
    }
    let base = args.changes.base.as_deref();
    match gate::judge_all(base, own, reporting, summary) {
        Ok(Judged::NotAsked) => Ok(None),
        Ok(Judged::Verdict(verdict)) => Ok(Some(html::Gate::new(&GateReport::new(&verdict)))),
        Ok(Judged::Stale(_)) => {
            Err("the gate is left out, because files changed after measuring".to_owned())
        }
        Err(err) => Err(format!("the gate is left out: {err}")),
    }
}
