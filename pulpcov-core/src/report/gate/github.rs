//! A gate as workflow commands of GitHub Actions, which become annotations.

use std::io::Write;

use super::GateReport;
use super::words::{flapping, region};
use crate::Result;
use crate::report::workflow_commands::{Command, notice, write_limited};

/// Writes a gate as [workflow commands] of GitHub Actions: errors for what fails, warnings for functions of which more is
/// missing than in the baseline and for lines that only some runs reach, and a notice with the total.
///
/// GitHub shows ten warnings and ten errors of a step. If there are more, the tenth counts the others.
///
/// [workflow commands]: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_github(report: &GateReport<'_>, mut out: impl Write) -> Result<()> {
    let errors = report.problems().into_iter().map(|problem| {
        let message = format!("{}: {}: {}", problem.about, problem.what.plain(), problem.remedy);
        let command = Command::new("Coverage gate", message);
        match problem.file {
            Some(file) => command.file(file),
            None => command,
        }
    });
    write_limited("error", "Coverage gate", "failure", &errors.collect::<Vec<_>>(), &mut out)?;
    let changes = report.changes();
    let fallen = changes.iter().flat_map(|(file, _)| {
        let fallen =
            |fallen| Command::new("Less covered", region(fallen)).file(report.shown(file.name()));
        file.regions().iter().map(fallen)
    });
    let found = report.flapping.iter().flat_map(|found| {
        found.files().iter().flat_map(|file| {
            flapping(found, file).into_iter().map(|(lines, what)| {
                Command::new("Not in every run", what.plain())
                    .file(report.shown(file.name()))
                    .lines(lines)
            })
        })
    });
    let warnings: Vec<Command> = fallen.chain(found).collect();
    write_limited("warning", "Coverage gate", "finding", &warnings, &mut out)?;
    notice("Coverage gate", &report.total(), &mut out)?;
    report.note().map_or(Ok(()), |note| notice("Coverage gate", &note, &mut out))
}
