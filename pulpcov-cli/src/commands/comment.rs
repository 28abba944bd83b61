//! `pulpcov comment`

use std::io::Write;

use pulpcov_core::config::PatchSettings;
use pulpcov_core::report::comment::Comment;
use pulpcov_core::report::gate::GateReport;
use pulpcov_core::results::Numbers;
use pulpcov_core::summarize::Detail;

use super::changes::Changes;
use super::gate::{self, Judged};
use super::own;
use super::reporting::Reporting;
use super::repository::{self, Folders};
use crate::args::CommentArgs;
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;
use crate::ui;

pub(crate) fn run(args: &CommentArgs) -> Result<Exit, Failure> {
    if !args.reporting.files.is_empty() {
        return Err(Failure::Refused(
            "a comment is about the whole project; --include and --omit choose its files"
                .to_owned(),
        ));
    }
    let own = own::load(&args.reporting.data.config)?;
    let plan = ReportPlan::try_from(&args.reporting)?.with(&args.with);
    let changes = changes(args, &plan, &own.patch)?;
    let mut reporting = Reporting::new(plan, true)?;
    reporting.check_that_there_is_data()?;
    let (totals, verdict) = {
        let summary = reporting.summarize(Detail::Everything)?;
        let base = args.changes.base.as_deref();
        repository::check_that_files_are_one(&reporting, &summary)?;
        let verdict = match gate::judge_all(base, &own, &reporting, &summary)? {
            Judged::NotAsked => None,
            Judged::Verdict(verdict) => Some(verdict),
            Judged::Stale(message) => {
                ui::warning(&format!("the gate is left out: {message}"));
                None
            }
        };
        (summary.totals(), verdict)
    };
    let before = gate::baseline_totals(&args.baseline, &reporting.plan)?;
    let folders = Folders::new(&reporting);
    let gate = verdict
        .as_ref()
        .map(|verdict| GateReport::new(verdict).named_from(&folders.top, &folders.report));
    let comment = comment(args, &reporting, totals, before, gate)?;
    let Some(changes) = changes else {
        write(args, &reporting, &comment)?;
        return Ok(reporting.exit_code());
    };
    let options = changes.options(reporting.precision(args.precision)?);
    changes.compare(&mut reporting, None, |reporting, patch| {
        write(args, reporting, &comment.changes(patch, options))?;
        Ok(reporting.exit_code())
    })
}

/// Returns the changes. Without git or a base there are none, unless the user asked for them.
fn changes(
    args: &CommentArgs,
    plan: &ReportPlan,
    own: &PatchSettings,
) -> Result<Option<Changes>, Failure> {
    let is_asked_for = args.changes.are_asked_for() || own.base.is_some();
    match Changes::read(&args.changes, plan.sources.revision(), None, own) {
        Err(err) if !is_asked_for => {
            ui::warning(&format!("the comment is not about changes: {err}"));
            Ok(None)
        }
        changes => changes.map(Some),
    }
}

/// Returns the comment without the changes.
fn comment<'a>(
    args: &CommentArgs,
    reporting: &Reporting,
    totals: Numbers,
    before: Option<Numbers>,
    gate: Option<GateReport<'a>>,
) -> Result<Comment<'a>, Failure> {
    let mut comment = Comment::new(totals)
        .name(&args.name)?
        .max_bytes(args.max_bytes)
        .precision(reporting.precision(args.precision)?);
    if let Some(before) = before {
        comment = comment.baseline(before);
    }
    if let Some(gate) = gate {
        comment = comment.gate(gate);
    }
    for link in &args.link {
        let (text, address) = link.split_once('=').ok_or_else(|| {
            Failure::Refused(format!("{link:?} is no link: write TEXT=URL after --link"))
        })?;
        comment = comment.link(text, address)?;
    }
    Ok(comment)
}

fn write(args: &CommentArgs, reporting: &Reporting, comment: &Comment<'_>) -> Result<(), Failure> {
    let output = args.output.as_deref().unwrap_or("-");
    reporting.write(output, "comment", |out: &mut dyn Write| {
        comment.write(out)?;
        Ok(0.0)
    })?;
    Ok(())
}
