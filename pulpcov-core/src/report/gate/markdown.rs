//! A gate as Markdown, for a comment or a step summary.

use std::io::Write;

use super::GateReport;
use super::words::{flapping, region};
use crate::Result;
use crate::report::markdown_text::{code, escape};

/// Writes a gate as Markdown: a sentence with the total, and tables of what fails, of what became of files since the
/// baseline, and of what only some runs reach.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_markdown(report: &GateReport<'_>, mut out: impl Write) -> Result<()> {
    writeln!(out, "{}.", escape(&report.total()))?;
    if let Some(note) = report.note() {
        writeln!(out, "\n{}.", note.replace('|', "\\|"))?;
    }
    let problems = report.problems();
    if !problems.is_empty() {
        write!(out, "\n| Fails | Missing | To pass |\n| --- | --- | --- |\n")?;
        for problem in &problems {
            let (about, what) = (code(&problem.about), escape(&problem.what));
            writeln!(out, "| {about} | {what} | {} |", escape(&problem.remedy))?;
        }
    }
    let changes = report.changes();
    if !changes.is_empty() {
        write!(out, "\n| File | Since the baseline | Functions |\n| --- | --- | --- |\n")?;
        for (file, change) in &changes {
            let regions: Vec<String> =
                file.regions().iter().map(|fallen| escape(&region(fallen))).collect();
            writeln!(
                out,
                "| {} | {} | {} |",
                code(file.name()),
                escape(change),
                regions.join(", ")
            )?;
        }
    }
    if let Some(found) = report.flapping.filter(|found| !found.files().is_empty()) {
        write!(out, "\n| File | Reached by some runs only |\n| --- | --- |\n")?;
        for file in found.files() {
            let all: Vec<String> =
                flapping(found, file).iter().map(|(_, what)| escape(what)).collect();
            writeln!(out, "| {} | {} |", code(file.name()), all.join(", "))?;
        }
    }
    Ok(())
}
