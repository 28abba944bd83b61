//! `pulpcov gate`
//!
//! - `inputs`: the data and the sources, of now and of the baseline, and the files that the user asks for.
//! - `ratchet_file`: the file of the ratchet, and the merge driver.

mod inputs;
mod ratchet_file;

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use pulpcov_core::changes::lines_of_another_version;
use pulpcov_core::config::{GateSettings, OwnSettings};
use pulpcov_core::gates::{Comparison, Flapping, Gate, GateFile, Ratchet, Verdict, gate_files};
use pulpcov_core::report::gate::{
    GateReport, write_github, write_json, write_markdown, write_text,
};
use pulpcov_core::summarize::{Detail, Summary};

use super::reporting::{Reporting, check_max_bytes, measure_again, named_in_part};
use super::repository::{self, Folders};
use super::{git, own, with};
use crate::args::{GateArgs, GateFormat};
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;
use crate::{settings, ui};

use inputs::{Baseline, Runs, Selection};
pub(super) use inputs::{Names, baseline_reporting, baseline_totals};
use ratchet_file::RatchetFile;

/// Returns the path of the ratchet, from the current folder.
pub(super) fn ratchet_path(settings: &GateSettings) -> PathBuf {
    ratchet_file::path_of(settings)
}

pub(crate) fn run(args: &GateArgs) -> Result<Exit, Failure> {
    if let [base, ours, theirs] = &*args.merge_driver {
        return ratchet_file::merge(base, ours, theirs);
    }
    check_max_bytes(args.max_bytes, args.format == GateFormat::Markdown)?;
    with::check_that_nothing_is_compared(&args.with, args.baseline.baseline.as_deref())?;
    let own = own::load(&args.reporting.data.config)?;
    let file = RatchetFile::new(&own.gate)?;
    let old = if args.baseline.baseline.is_some() { None } else { file.read()? };
    check_that_there_is_something_to_compare_with(args, &own, old.as_ref())?;
    // A rule can judge all its files together, so the report is of all files.
    let all_files = ReportPlan::try_from(&args.reporting)?.with(&args.with).for_all_files();
    let config = settings::load(&args.reporting.data.config)?;
    let runs = Runs::read(args, &all_files, &config)?;
    let reporting = match &runs {
        Some(runs) => Reporting::of_data(all_files, config, runs.all_data()?)?,
        None => Reporting::new(all_files, true)?,
    };
    reporting.check_that_there_is_data()?;
    let summary = reporting.summarize(Detail::Everything)?;
    repository::check_that_files_are_one(&reporting, &summary)?;
    let flapping = runs.as_ref().map(|runs| runs.compare(&summary)).transpose()?;
    let names = Names::new(&reporting);
    let selection = Selection::new(&args.reporting.files, &names, &summary)?;
    if let Some(message) = changed_after_measuring(&summary, &selection)? {
        ui::error(&message);
        return Ok(Exit::OtherVersion);
    }

    let baseline = Baseline::read(&args.baseline, &reporting.plan, &names)?;
    let before = baseline.as_ref().map(Baseline::summarize).transpose()?;
    if let Some(before) = &before
        && let Some(message) = baseline_of_other_sources(before)?
    {
        ui::error(&message);
        return Ok(Exit::OtherVersion);
    }
    let mut comparison = match (&baseline, &before) {
        (Some(baseline), Some(before)) => {
            Some(Comparison::new(before, &summary, baseline.renamed())?)
        }
        _ => None,
    };
    let judge = Judge {
        gate: own.gate.gate().has_branches(summary.has_arcs()),
        files: files(
            args.base.as_deref(),
            &own,
            &names,
            &summary,
            flapping.as_ref(),
            comparison.as_ref(),
        )?,
        reporting: &reporting,
        names: &names,
        selection: &selection,
    };
    check_branches(&judge.gate, old.as_ref(), &summary)?;
    let verdict = match &comparison {
        Some(comparison) => judge.judge(Some(&comparison.allowed()))?,
        None => with_ratchet(args, &file, old, &judge)?,
    };
    if let Some(comparison) = &mut comparison {
        comparison.retain(|name| selection.has(name));
    }
    let report = report(&verdict, comparison.as_ref(), flapping.as_ref());
    match args.format {
        // Services and readers of comments know files by their names in the repository.
        GateFormat::Github | GateFormat::Markdown => {
            let Folders { top, report: folder } = names.folders();
            write(args, &reporting, &report.named_from(top, folder))?;
        }
        GateFormat::Text | GateFormat::Json => write(args, &reporting, &report)?,
    }
    Ok(exit_code(&verdict, &reporting))
}

/// Returns the message that files changed after they were measured, so that no number about them is right.
fn changed_after_measuring(
    summary: &Summary<'_>,
    selection: &Selection,
) -> Result<Option<String>, Failure> {
    let mut others = files_of_other_versions(summary)?;
    others.retain(|name| selection.has(&name.to_string_lossy()));
    Ok((!others.is_empty()).then(|| measure_again(&others)))
}

/// Says which files of a report changed after they were measured, if some did.
pub(super) fn stale(summary: &Summary<'_>) -> Result<Option<String>, Failure> {
    let others = files_of_other_versions(summary)?;
    Ok((!others.is_empty()).then(|| measure_again(&others)))
}

/// Says that a baseline was measured on other sources, if it was.
pub(super) fn baseline_of_other_sources(before: &Summary<'_>) -> Result<Option<String>, Failure> {
    let others = files_of_other_versions(before)?;
    Ok((!others.is_empty()).then(|| {
        format!(
            "the baseline was measured on other sources of {}; --baseline-rev=REV names the revision that it was measured on",
            named_in_part(&others)
        )
    }))
}

/// Returns the files of which the data has lines that their sources do not have.
fn files_of_other_versions(summary: &Summary<'_>) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for file in summary.files().iter().filter(|file| file.is_python()) {
        let ran = summary.lines_that_ran(file);
        if !lines_of_another_version(file.facts()?, ran).is_empty() {
            files.push(file.name().into());
        }
    }
    Ok(files)
}

/// What judges files, and which of them the user asks for.
struct Judge<'a> {
    gate: Gate,
    files: Vec<GateFile>,
    reporting: &'a Reporting,
    names: &'a Names,
    selection: &'a Selection,
}

impl Judge<'_> {
    fn judge(&self, allowed: Option<&Ratchet>) -> Result<Verdict, Failure> {
        let exists = |name: &str| self.exists(name);
        let mut verdict = self.gate.judge(self.files.iter().cloned(), allowed, exists)?;
        verdict.retain(|name| self.selection.has(name));
        Ok(verdict)
    }

    /// Returns whether a file that was not measured is on disk or among the sources.
    fn exists(&self, name: &str) -> bool {
        self.names.on_disk(name).is_file() || self.reporting.has_source(name)
    }

    /// Returns the names of the measured files.
    fn measured(&self) -> HashSet<&str> {
        self.files.iter().map(|file| file.name.as_str()).collect()
    }
}

/// Judges with the ratchet, and first updates it if asked to.
fn with_ratchet(
    args: &GateArgs,
    file: &RatchetFile,
    old: Option<Ratchet>,
    judge: &Judge<'_>,
) -> Result<Verdict, Failure> {
    let mut ratchet = old;
    if let Some(ratchet) = &mut ratchet {
        follow_renames(ratchet, file, judge);
    }
    if !args.update {
        return judge.judge(ratchet.as_ref());
    }
    let verdict = judge.judge(Some(ratchet.as_ref().unwrap_or(&Ratchet::new())))?;
    let add = args.add.iter().map(|path| judge.names.of_argument(path)).collect::<Vec<_>>();
    let measured = judge.measured();
    if let Some(unknown) = add.iter().find(|name| !measured.contains(name.as_str())) {
        return Err(Failure::Refused(format!(
            "{}: this file was not measured, so it cannot be added to the ratchet",
            ui::name(Path::new(unknown))
        )));
    }
    let updated = verdict.updated(ratchet.as_ref(), &add);
    file.write(&updated)?;
    judge.judge(Some(&updated))
}

/// Gives entries of files that were renamed since the ratchet was last changed their new names.
///
/// After a merge, the last change may be the merge, which came after a rename on one of the branches. So the changes before
/// are looked at, too, as long as there are entries of files that are gone.
fn follow_renames(ratchet: &mut Ratchet, file: &RatchetFile, judge: &Judge<'_>) {
    let measured = judge.measured();
    let is_lost = |name: &str| !measured.contains(name) && !judge.exists(name);
    let has_lost = |ratchet: &Ratchet| ratchet.files().any(|(name, _)| is_lost(name));
    if !has_lost(ratchet) {
        return;
    }
    // Without git, or if the ratchet was never committed, names are what they are.
    for commit in git::last_changes(file.path()) {
        let Ok(changes) = git::names_since(&commit, None) else { return };
        for (old, new) in judge.names.renamed(&changes) {
            if is_lost(&old) && measured.contains(new.as_str()) {
                ratchet.rename(&old, &new);
            }
        }
        if !has_lost(ratchet) {
            return;
        }
    }
    if git::is_shallow() {
        ui::warning(
            "this clone is shallow, so files that were renamed before its first commit are not recognized: fetch the whole history. In GitHub Actions, `fetch-depth: 0` of actions/checkout does that",
        );
    }
}

/// Returns the files for the gate, with those that are new.
fn files(
    base: Option<&str>,
    own: &OwnSettings,
    names: &Names,
    summary: &Summary<'_>,
    flapping: Option<&Flapping>,
    comparison: Option<&Comparison>,
) -> Result<Vec<GateFile>, Failure> {
    let mut files = gate_files(summary, flapping);
    if own.gate.new_files.is_none() {
        return Ok(files);
    }
    let new: HashSet<String> = match comparison {
        Some(comparison) => comparison.added().map(|file| file.name().to_owned()).collect(),
        None => {
            let base = base.or(own.patch.base.as_deref());
            let changes = git::files_since_base(base).map_err(|err| {
                Failure::Refused(format!(
                    "the setting `new_files` needs to know which files are new: {err}"
                ))
            })?;
            changes.added.iter().map(|path| names.of_repository(path)).collect()
        }
    };
    files.iter_mut().for_each(|file| file.is_new = new.contains(&file.name));
    Ok(files)
}

fn check_that_there_is_something_to_compare_with(
    args: &GateArgs,
    own: &OwnSettings,
    ratchet: Option<&Ratchet>,
) -> Result<(), Failure> {
    let is_asked_for = args.update || args.baseline.baseline.is_some() || !args.runs.is_empty();
    if is_asked_for || ratchet.is_some() || !own.gate.gate().is_empty() {
        return Ok(());
    }
    Err(Failure::Refused(
        "there is nothing to compare with: set `floor` in [tool.pulpcov.gate] of pyproject.toml, make a ratchet with --update, or name the data of another version with --baseline".to_owned(),
    ))
}

/// Refuses to compare branches with data that has none: everything would pass.
fn check_branches(
    gate: &Gate,
    ratchet: Option<&Ratchet>,
    summary: &Summary<'_>,
) -> Result<(), Failure> {
    let counts_branches = |ratchet: &Ratchet| {
        ratchet.files().any(|(_, debt)| debt.branches.is_some_and(|count| count > 0))
    };
    let asks = match (gate.need_branches(), ratchet.is_some_and(counts_branches)) {
        _ if summary.has_arcs() => return Ok(()),
        (true, _) => "a limit counts branches",
        (_, true) => "the ratchet counts branches",
        _ => return Ok(()),
    };
    Err(Failure::Refused(format!(
        "{asks}, but the data has none: measure them, with `branch = true` in coverage.py's section [run]"
    )))
}

fn report<'a>(
    verdict: &'a Verdict,
    comparison: Option<&'a Comparison>,
    flapping: Option<&'a Flapping>,
) -> GateReport<'a> {
    let report = GateReport::new(verdict);
    let report = comparison.map_or(report, |comparison| report.comparison(comparison));
    flapping.map_or(report, |flapping| report.flapping(flapping))
}

/// What a gate can say of a report of all files.
pub(super) enum Judged {
    /// The settings ask for nothing, and there is no ratchet.
    NotAsked,
    /// Files changed after they were measured, as this message says.
    Stale(String),
    /// The files were judged.
    Verdict(Verdict),
}

/// Judges a report of all files by the settings and the ratchet.
pub(super) fn judge_all(
    base: Option<&str>,
    own: &OwnSettings,
    reporting: &Reporting,
    summary: &Summary<'_>,
) -> Result<Judged, Failure> {
    let file = RatchetFile::new(&own.gate)?;
    let mut ratchet = file.read()?;
    if ratchet.is_none() && own.gate.gate().is_empty() {
        return Ok(Judged::NotAsked);
    }
    let names = Names::new(reporting);
    let selection = Selection::new(&[], &names, summary)?;
    if let Some(message) = changed_after_measuring(summary, &selection)? {
        return Ok(Judged::Stale(message));
    }
    let judge = Judge {
        gate: own.gate.gate().has_branches(summary.has_arcs()),
        files: files(base, own, &names, summary, None, None)?,
        reporting,
        names: &names,
        selection: &selection,
    };
    check_branches(&judge.gate, ratchet.as_ref(), summary)?;
    if let Some(ratchet) = &mut ratchet {
        follow_renames(ratchet, &file, &judge);
    }
    judge.judge(ratchet.as_ref()).map(Judged::Verdict)
}

fn write(args: &GateArgs, reporting: &Reporting, report: &GateReport<'_>) -> Result<(), Failure> {
    let output = args.output.as_deref().unwrap_or("-");
    let report = &args.max_bytes.map_or(*report, |bytes| report.max_bytes(bytes));
    reporting.write(output, "gate report", |out: &mut dyn Write| {
        match args.format {
            GateFormat::Text => write_text(report, out),
            GateFormat::Markdown => write_markdown(report, out),
            GateFormat::Json => write_json(report, out),
            GateFormat::Github => write_github(report, out),
        }?;
        Ok(0.0)
    })?;
    Ok(())
}

/// Returns the exit code. Says on standard error why the command fails.
fn exit_code(verdict: &Verdict, reporting: &Reporting) -> Exit {
    if verdict.passes() {
        return reporting.exit_code();
    }
    let files: Vec<PathBuf> = verdict.failing_files().map(|file| file.name().into()).collect();
    let rules: Vec<PathBuf> = verdict.failing_groups().map(|group| group.name().into()).collect();
    let unmeasured: Vec<PathBuf> = verdict.unmeasured().iter().map(PathBuf::from).collect();
    for (what, names) in [
        ("too little is covered of", files),
        ("too little is covered of all files together of the rule", rules),
        ("these files were not measured, though they were before:", unmeasured),
    ] {
        if !names.is_empty() {
            ui::error(&format!("{what} {}", named_in_part(&names)));
        }
    }
    Exit::FailUnder
}
