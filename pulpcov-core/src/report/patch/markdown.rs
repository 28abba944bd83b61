//! A patch as Markdown, for a comment or a step summary.

use std::io::Write;
use std::ops::RangeInclusive;

use super::{Options, Patch, PatchFile};
use crate::Result;
use crate::report::findings::{Finding, FindingKind};
use crate::report::fitted::{Fitted, Row, Table};
use crate::report::markdown_text::{code, escape};
use crate::text::plural;

const HEAD: &str = "\n| File | Covered | Not covered |\n| --- | ---: | --- |\n";

/// Writes a patch as Markdown: a sentence with the total, and a table of the files.
///
/// # Errors
///
/// - [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if [`Options::max_bytes`] is too little even
///   without files;
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_markdown(patch: &Patch<'_>, options: &Options, out: impl Write) -> Result<()> {
    let mut text = Fitted::new();
    text.blank_line();
    text.text(sentence(patch, options));
    text.table(table(patch, options, HEAD, 0)?);
    text.blank_line();
    text.write(options.max_bytes, out)
}

/// Returns the sentence with the total.
pub(in crate::report) fn sentence(patch: &Patch<'_>, options: &Options) -> String {
    let since = match &options.base {
        Some(base) => format!(" since {}", code(&base.name)),
        None => String::new(),
    };
    let what = if patch.is_of_new_misses { "What ran before the changes" } else { "Changes" };
    format!("{what}{since}: {}.\n", patch.total(options))
}

/// Returns the table of the files.
pub(in crate::report) fn table(
    patch: &Patch<'_>,
    options: &Options,
    head: &str,
    level: u8,
) -> Result<Table> {
    let mut table = Table::new(head, "file", level);
    for file in patch.files().iter().filter(|file| patch.shows(file)) {
        table.rows.extend(row(file, options)?);
    }
    Ok(table)
}

/// Returns the row of a file. `None` if there is nothing to say about the file.
fn row(file: &PatchFile<'_>, options: &Options) -> Result<Option<Row>> {
    let name = code(&file.name());
    let line = |covered: &str, remark: &str| format!("| {name} | {covered} | {remark} |\n");
    let numbers = file.numbers();
    let covered = numbers.map(|numbers| options.percent(numbers)).unwrap_or_default();
    Ok(match (numbers, file.remark()) {
        (Some(numbers), None) if numbers.statements == 0 && numbers.excluded == 0 => None,
        (Some(numbers), None) => {
            let findings = file.findings()?;
            let covered = if numbers.statements == 0 { String::new() } else { covered };
            let short = plural(findings.len(), "gap");
            Some(Row {
                text: line(&covered, &gaps(&findings, &file.excluded())),
                short: Some(line(&covered, &short)),
                weight: numbers.missing + numbers.missing_branches,
            })
        }
        (None, Some(_)) if file.has_no_statements() => None,
        (_, Some(remark)) => {
            let is_serious = file.is_missing_from_data() || file.is_of_other_version();
            let weight = if is_serious { usize::MAX } else { 1 };
            Some(Row { text: line(&covered, &escape(&remark)), short: None, weight })
        }
        (None, None) => None,
    })
}

/// Returns the lines that need attention, as a list.
fn gaps(findings: &[Finding], excluded: &[RangeInclusive<i32>]) -> String {
    let shown = findings.iter().map(|finding| match finding.kind {
        FindingKind::Missing => range(&finding.lines),
        // The sentence begins with the line.
        FindingKind::Partial => escape(finding.message.trim_start_matches("line ")),
    });
    let excluded = excluded.iter().map(|lines| format!("{} excluded", range(lines)));
    shown.chain(excluded).collect::<Vec<_>>().join("; ")
}

fn range(lines: &RangeInclusive<i32>) -> String {
    match lines.start() == lines.end() {
        true => lines.start().to_string(),
        false => format!("{}-{}", lines.start(), lines.end()),
    }
}
