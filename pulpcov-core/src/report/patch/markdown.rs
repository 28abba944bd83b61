//! A patch as Markdown, for a comment or a step summary.

use std::io::Write;

use super::findings::{Finding, FindingKind, findings};
use super::{Options, Patch};
use crate::Result;
use crate::report::markdown_text::{code, escape};

/// Writes a patch as Markdown: a sentence with the total, and a table of the files.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_markdown(patch: &Patch<'_>, options: &Options, mut out: impl Write) -> Result<()> {
    let since = match &options.base {
        Some(base) => format!(" since {}", code(&base.name)),
        None => String::new(),
    };
    let what = if patch.is_of_new_misses { "What ran before the changes" } else { "Changes" };
    writeln!(out, "{what}{since}: {}.", patch.total(options))?;
    let mut rows = String::new();
    for file in patch.files().iter().filter(|file| patch.shows(file)) {
        let name = code(&file.name());
        let (covered, remark) = match (file.numbers(), file.remark()) {
            (Some(numbers), None) if numbers.statements == 0 => continue,
            (Some(numbers), None) => (options.percent(numbers), gaps(&findings(file)?)),
            (Some(numbers), Some(remark)) => (options.percent(numbers), escape(&remark)),
            (None, Some(remark)) if !file.has_no_statements() => (String::new(), escape(&remark)),
            (None, _) => continue,
        };
        rows.push_str(&format!("| {name} | {covered} | {remark} |\n"));
    }
    if !rows.is_empty() {
        write!(out, "\n| File | Covered | Not covered |\n| --- | ---: | --- |\n{rows}")?;
    }
    Ok(())
}

/// Returns the lines that need attention, as a list.
fn gaps(findings: &[Finding]) -> String {
    let shown = findings.iter().map(|finding| match finding.kind {
        FindingKind::Missing if finding.size() == 1 => finding.lines.start().to_string(),
        FindingKind::Missing => format!("{}-{}", finding.lines.start(), finding.lines.end()),
        FindingKind::Partial => escape(&finding.message),
    });
    shown.collect::<Vec<_>>().join(", ")
}
