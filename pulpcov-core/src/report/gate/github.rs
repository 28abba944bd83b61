//! A gate as workflow commands of GitHub Actions, which become annotations.

use std::io::Write;

use super::GateReport;
use super::words::{flapping, region};
use crate::Result;
use crate::report::workflow_commands::{data, property, write_limited};

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
        let message = data(&format!("{}: {}: {}", problem.about, problem.what, problem.remedy));
        let place = problem.file.map(|file| format!("file={},", property(&file)));
        let command = format!("{}title=Coverage gate::{message}", place.unwrap_or_default());
        (problem.about, command)
    });
    write_limited("error", "Coverage gate", "failure", errors.collect(), &mut out)?;
    let changes = report.changes();
    let fallen = changes.iter().flat_map(|(file, _)| {
        file.regions().iter().map(|fallen| {
            let (name, message) = (file.name(), data(&region(fallen)));
            (name.to_owned(), format!("file={},title=Less covered::{message}", property(name)))
        })
    });
    let found = report.flapping.iter().flat_map(|found| {
        found.files().iter().flat_map(|file| {
            flapping(found, file).into_iter().map(|(line, what)| {
                let place = format!("file={},line={line}", property(file.name()));
                (file.name().to_owned(), format!("{place},title=Not in every run::{}", data(&what)))
            })
        })
    });
    write_limited("warning", "Coverage gate", "finding", fallen.chain(found).collect(), &mut out)?;
    let total = data(&report.total());
    writeln!(out, "::notice title=Coverage gate::{total}")?;
    if let Some(note) = report.note() {
        writeln!(out, "::notice title=Coverage gate::{}", data(&note))?;
    }
    Ok(())
}
