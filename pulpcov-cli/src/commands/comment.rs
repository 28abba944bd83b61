//! `pulpcov comment`

use std::io::Write;

use pulpcov_core::config::PatchSettings;
use pulpcov_core::gates::Verdict;
use pulpcov_core::report::comment::Comment;
use pulpcov_core::report::gate::GateReport;
use pulpcov_core::results::Numbers;
use pulpcov_core::summarize::Detail;

use super::patch::Changes;
use super::reporting::Reporting;
use super::{gate, own};
use crate::args::{CommentArgs, PatchArgs, PatchFormat};
use crate::exit::{Exit, Failure};
use crate::ui;

pub(crate) fn run(args: &CommentArgs) -> Result<Exit, Failure> {
    if !args.reporting.files.is_empty() {
        return Err(Failure::Refused(
            "a comment is about the whole project; --include and --omit choose its files"
                .to_owned(),
        ));
    }
    let own = own::load(&args.reporting.data.config)?;
    let of_changes = patch_args(args);
    let changes = changes(args, &of_changes, &own.patch)?;
    let mut reporting = Reporting::new(&args.reporting, true)?;
    reporting.check_that_there_is_data()?;
    let (totals, verdict) = {
        let summary = reporting.summarize(Detail::Numbers)?;
        let base = args.base.as_deref();
        (summary.totals(), gate::judge_all(base, &own, &reporting, &summary)?)
    };
    let before = gate::baseline_totals(&args.baseline, &args.reporting)?;
    let comment = comment(args, &reporting, totals, before, verdict.as_ref())?;
    let Some(changes) = changes else {
        write(args, &reporting, &comment)?;
        return Ok(reporting.exit_code());
    };
    let options = changes.options(reporting.precision(args.precision)?);
    changes.compare(&of_changes, &mut reporting, None, |reporting, patch| {
        write(args, reporting, &comment.changes(patch, options))?;
        Ok(reporting.exit_code())
    })
}

/// Returns the changes. Without git or a base there are none, unless the user asked for them.
fn changes(
    args: &CommentArgs,
    of_changes: &PatchArgs,
    own: &PatchSettings,
) -> Result<Option<Changes>, Failure> {
    let is_asked_for = args.base.is_some() || args.diff.is_some() || own.base.is_some();
    match Changes::read(of_changes, own) {
        Err(err) if !is_asked_for => {
            ui::warning(&format!("the comment is not about changes: {err}"));
            Ok(None)
        }
        changes => changes.map(Some),
    }
}

/// Returns the arguments with which `patch` would report on the same changes.
fn patch_args(args: &CommentArgs) -> PatchArgs {
    PatchArgs {
        base: args.base.clone(),
        diff: args.diff.clone(),
        fail_under: None,
        max_missing: None,
        allow_unmeasured: args.allow_unmeasured,
        format: PatchFormat::Markdown,
        max_bytes: None,
        output: None,
        only_new_misses: false,
        baseline: None,
        baseline_rev: None,
        precision: args.precision,
        reporting: args.reporting.clone(),
    }
}

/// Returns the comment without the changes.
fn comment<'a>(
    args: &CommentArgs,
    reporting: &Reporting<'_>,
    totals: Numbers,
    before: Option<Numbers>,
    verdict: Option<&'a Verdict>,
) -> Result<Comment<'a>, Failure> {
    let mut comment = Comment::new(totals)
        .name(&args.name)?
        .max_bytes(args.max_bytes)
        .precision(reporting.precision(args.precision)?);
    if let Some(before) = before {
        comment = comment.baseline(before);
    }
    if let Some(verdict) = verdict {
        comment = comment.gate(GateReport::new(verdict));
    }
    for link in &args.link {
        let (text, address) = link.split_once('=').ok_or_else(|| {
            Failure::Refused(format!("{link:?} is no link: write TEXT=URL after --link"))
        })?;
        comment = comment.link(text, address)?;
    }
    Ok(comment)
}

fn write(
    args: &CommentArgs,
    reporting: &Reporting<'_>,
    comment: &Comment<'_>,
) -> Result<(), Failure> {
    let output = args.output.as_deref().unwrap_or("-");
    reporting.write(output, "comment", |out: &mut dyn Write| {
        comment.write(out)?;
        Ok(0.0)
    })?;
    Ok(())
}
