//! The history of runs: reads it, and adds this run.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pulpcov_core::Error;
use pulpcov_core::report::html::{History, Run};
use pulpcov_core::summarize::{FileSummary, Summary};

use super::super::gate::Names;
use super::super::reporting::Reporting;
use super::super::{git, plain_file};
use crate::exit::Failure;
use crate::{trust, ui};

/// How many revisions git is asked about, the newest. Of files that are gone for long, it would be asked in vain in each report.
const REVISIONS: usize = 10;

/// A history, and the run that is not yet in its file.
pub(super) struct NewRun {
    path: PathBuf,
    line: String,
}

impl NewRun {
    /// Reads the history, and adds this run, whose sources have this revision. A file that does not exist has no runs.
    pub(super) fn read(
        path: &Path,
        revision: Option<String>,
        reporting: &Reporting,
        summary: &Summary<'_>,
    ) -> Result<(Self, History), Failure> {
        plain_file::check(path)?;
        trust::check_output(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) || path.as_os_str() == "-" {
            let name = ui::name(path);
            let message = format!("{name}: --history needs a file, in a folder that exists");
            return Err(Failure::Refused(message));
        }
        let bytes = plain_file::read_if_there(path)?.unwrap_or_default();
        let unreadable = |err: Error| Failure::Refused(err.with_path(path).to_string());
        let mut history = History::parse(&bytes).map_err(unreadable)?;
        let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        follow_renames(&mut history, reporting, summary);
        let revision = revision.unwrap_or_default();
        let run = Run::new(summary, time, revision);
        let line = run.to_line();
        history.push(run);
        Ok((Self { path: path.to_owned(), line }, history))
    }

    /// Appends the run to the file. One write appends it, so that two runs at once do not mix.
    pub(super) fn append(&self) -> Result<(), Failure> {
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

/// Gives files that were renamed since a run their names of now, so that their curves go on. The file keeps the old names.
///
/// Without git, or if git does not have the revision of a run, names are what they are.
fn follow_renames(history: &mut History, reporting: &Reporting, summary: &Summary<'_>) {
    let known: HashSet<&str> = summary.files().iter().map(FileSummary::name).collect();
    let names = Names::new(reporting);
    for (revision, gone) in history.gone(|name| known.contains(name)).into_iter().take(REVISIONS) {
        let commit = revision.strip_suffix("-dirty").unwrap_or(&revision);
        let changes = git::commit_of(commit)
            .and_then(|commit| git::names_since(&commit, reporting.plan.sources.revision()));
        let renamed = names.renamed(&changes.unwrap_or_default());
        for (old, new) in renamed {
            if gone.contains(&old) && known.contains(new.as_str()) {
                history.rename(&old, &new);
            }
        }
    }
}
