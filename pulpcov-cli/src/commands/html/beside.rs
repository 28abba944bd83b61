//! What is written beside the report: a badge and a summary for other pages, and the line of the history.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pulpcov_core::Error;
use pulpcov_core::output::WholeFile;
use pulpcov_core::report::badge;
use pulpcov_core::report::html::{History, Run};
use pulpcov_core::report::text::{self, Format};
use pulpcov_core::results::{Precision, display_covered};
use pulpcov_core::summarize::Summary;

use super::super::git;
use super::super::reporting::Reporting;
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
    let totals = summary.totals();
    if args.badge {
        let options = badge::Options::new().precision(precision);
        write_file(&folder.join(BADGE), |out| badge::write_svg(totals, &options, out))?;
    }
    if args.summary {
        let title =
            format!("# {}% covered\n\n", display_covered(totals.percent_covered(), precision));
        let options = text::Options::new()
            .format(Format::Markdown)
            .precision(precision)
            .max_bytes(LONGEST_SUMMARY - title.len());
        write_file(&folder.join(SUMMARY), |out| {
            out.write_all(title.as_bytes())?;
            text::write(summary, &options, out).map(drop)
        })?;
    }
    Ok(())
}

fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Failure> {
    trust::check_output(path)?;
    Ok(WholeFile::at(path).write(write)?)
}

/// A history, and the run that is not yet in its file.
pub(super) struct NewRun {
    path: PathBuf,
    line: String,
}

impl NewRun {
    /// Reads the history, and adds this run. A file that does not exist has no runs.
    pub(super) fn read(
        path: &Path,
        reporting: &Reporting,
        summary: &Summary<'_>,
    ) -> Result<(Self, History), Failure> {
        let bytes = match std::fs::read(path) {
            Err(err) if err.kind() == ErrorKind::NotFound => Vec::new(),
            bytes => bytes.map_err(|err| Failure::reading(path, &err))?,
        };
        let unreadable = |err: Error| Failure::Refused(err.with_path(path).to_string());
        let mut history = History::parse(&bytes).map_err(unreadable)?;
        let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let revision = match reporting.plan.sources.revision() {
            Some(revision) => revision.to_owned(),
            None => git::description().unwrap_or_default(),
        };
        let run = Run::new(summary, time, revision);
        let line = run.to_line();
        history.push(run);
        Ok((Self { path: path.to_owned(), line }, history))
    }

    /// Appends the run to the file. One write appends it, so that two runs at once do not mix.
    pub(super) fn append(&self) -> Result<(), Failure> {
        trust::check_output(&self.path)?;
        let append = || {
            let mut file =
                OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
            // An editor may have left out the last newline.
            let mut last = [b'\n'];
            if file.metadata()?.len() > 0 {
                file.seek(SeekFrom::End(-1))?;
                file.read_exact(&mut last)?;
            }
            let start = if last == [b'\n'] { "" } else { "\n" };
            file.write_all(format!("{start}{}", self.line).as_bytes())
        };
        append().map_err(|err| {
            Failure::Refused(format!("{}: the run cannot be added: {err}", ui::name(&self.path)))
        })
    }
}
