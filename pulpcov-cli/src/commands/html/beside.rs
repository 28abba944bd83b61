//! What is written beside the report: a badge and a summary for other pages.

use std::io::Write;
use std::path::Path;

use pulpcov_core::Error;
use pulpcov_core::output::WholeFile;
use pulpcov_core::report::badge;
use pulpcov_core::report::text::{self, Format};
use pulpcov_core::results::{Precision, display_covered};
use pulpcov_core::summarize::Summary;

use crate::args::HtmlArgs;
use crate::exit::Failure;
use crate::{trust, ui};

const BADGE: &str = "badge.svg";
const SUMMARY: &str = "summary.md";

/// How long a summary may be: what a step summary of GitHub may have.
const LONGEST_SUMMARY: usize = 1 << 20;

/// Writes the badge and the summary into a folder, if the options ask for them.
pub(super) fn write(
    args: &HtmlArgs,
    summary: &Summary<'_>,
    precision: Precision,
    folder: &Path,
) -> Result<(), Failure> {
    let totals = summary.headline(args.one_total.one_total);
    if args.badge {
        let options = badge::Options::new().precision(precision);
        write_file(args, "badge", &folder.join(BADGE), |out| {
            badge::write_svg(totals, &options, out)
        })?;
    }
    if args.summary {
        let title =
            format!("# {}% covered\n\n", display_covered(totals.percent_covered(), precision));
        let options = text::Options::new()
            .format(Format::Markdown)
            .precision(precision)
            .one_total(args.one_total.one_total)
            .max_bytes(LONGEST_SUMMARY - title.len());
        write_file(args, "summary", &folder.join(SUMMARY), |out| {
            out.write_all(title.as_bytes())?;
            text::write(summary, &options, out).map(drop)
        })?;
    }
    Ok(())
}

/// Refuses to begin a report if what is written beside it cannot be written there.
pub(super) fn check(args: &HtmlArgs, folder: &Path) -> Result<(), Failure> {
    for (_, name) in
        [(args.badge, BADGE), (args.summary, SUMMARY)].into_iter().filter(|(is, _)| *is)
    {
        let path = folder.join(name);
        trust::check_output(&path)?;
        if path.is_dir() {
            return Err(Failure::Refused(format!("{}: this is a folder", ui::name(&path))));
        }
    }
    Ok(())
}

fn write_file(
    args: &HtmlArgs,
    what: &str,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Failure> {
    WholeFile::at(path).write(write)?;
    if !args.quiet {
        ui::message(&format!("Wrote {what} to {}", path.display()));
    }
    Ok(())
}
