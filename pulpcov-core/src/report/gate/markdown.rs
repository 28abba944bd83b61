//! A gate as Markdown, for a comment or a step summary.

use std::io::Write;

use super::GateReport;
use super::words::{flapping, region};
use crate::Result;
use crate::report::fitted::{Fitted, Row, Table};
use crate::report::markdown_text::{code, escape};
use crate::text::plural;

/// Writes a gate as Markdown: a sentence with the total, and tables of what fails, of what became of files since the
/// baseline, and of what only some runs reach.
///
/// # Errors
///
/// - [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if [`GateReport::max_bytes`] is too little even
///   without tables;
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_markdown(report: &GateReport<'_>, out: impl Write) -> Result<()> {
    let mut text = Fitted::new();
    text.blank_line();
    text.text(format!("{}.\n", escape(&report.total())));
    if let Some(note) = report.note() {
        text.text(format!("\n{}.\n", note.replace('|', "\\|")));
    }
    text.table(problems(report, 0));
    text.table(changes(report, 1));
    text.table(found(report, 2));
    text.blank_line();
    text.write(report.max_bytes, out)
}

/// Returns the table of what fails.
pub(in crate::report) fn problems(report: &GateReport<'_>, level: u8) -> Table {
    let head = "\n| Fails | Missing | To pass |\n| --- | --- | --- |\n";
    let mut table = Table::new(head, "failure", level);
    for problem in report.problems() {
        let (about, what) = (code(&problem.about), problem.what.markdown());
        let row = format!("| {about} | {what} | {} |\n", escape(&problem.remedy));
        table.row(problem.weight, row);
    }
    table
}

/// Returns the table of what became of files since the baseline.
fn changes(report: &GateReport<'_>, level: u8) -> Table {
    let head = "\n| File | Since the baseline | Functions |\n| --- | --- | --- |\n";
    let mut table = Table::new(head, "changed file", level);
    for (file, change) in report.changes() {
        let row = |regions: &str| {
            let name = code(&report.shown(file.name()));
            format!("| {name} | {} | {regions} |\n", change.markdown())
        };
        let regions: Vec<String> =
            file.regions().iter().map(|fallen| escape(&region(fallen))).collect();
        let (lines, branches) = file.more_missing();
        table.rows.push(Row {
            text: row(&regions.join(", ")),
            short: Some(row(&plural(regions.len(), "function"))),
            weight: lines.saturating_add(branches),
        });
    }
    table
}

/// Returns the table of what only some runs reach.
fn found(report: &GateReport<'_>, level: u8) -> Table {
    let head = "\n| File | Reached by some runs only |\n| --- | --- |\n";
    let mut table = Table::new(head, "file with lines that only some runs reach", level);
    let Some(found) = report.flapping else { return table };
    for file in found.files() {
        let all: Vec<String> =
            flapping(found, file).iter().map(|(_, what)| what.markdown()).collect();
        let row = |what: &str| format!("| {} | {what} |\n", code(&report.shown(file.name())));
        table.rows.push(Row {
            text: row(&all.join(", ")),
            short: Some(row(&plural(all.len(), "place"))),
            weight: all.len(),
        });
    }
    table
}
