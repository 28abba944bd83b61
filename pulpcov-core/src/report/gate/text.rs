//! A gate as text for a terminal.

use std::io::Write;

use super::GateReport;
use super::words::{flapping, region};
use crate::Result;
use crate::text::printable;

/// Writes a gate as text: what fails, each with what makes it pass, what became of files since the baseline, and the total.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_text(report: &GateReport<'_>, mut out: impl Write) -> Result<()> {
    let problems = report.problems();
    for problem in &problems {
        writeln!(out, "{}", printable(&format!("{}: {}", problem.about, problem.what.plain())))?;
        writeln!(out, "    {}", printable(&problem.remedy))?;
    }
    if !problems.is_empty() {
        writeln!(out)?;
    }
    let changes = report.changes();
    if !changes.is_empty() {
        writeln!(out, "Since the baseline:")?;
        for (file, change) in &changes {
            writeln!(out, "{}", printable(&format!("  {}: {}", file.name(), change.plain())))?;
            for fallen in file.regions() {
                writeln!(out, "{}", printable(&format!("      {}", region(fallen))))?;
            }
        }
        writeln!(out)?;
    }
    if let Some(found) = report.flapping.filter(|found| !found.files().is_empty()) {
        writeln!(out, "Reached by some runs only, and not counted as missing:")?;
        for file in found.files() {
            for (_, what) in flapping(found, file) {
                writeln!(out, "{}", printable(&format!("  {}: {}", file.name(), what.plain())))?;
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", report.total())?;
    if let Some(note) = report.note() {
        writeln!(out, "{note}")?;
    }
    Ok(())
}
