//! A patch as workflow commands of GitHub Actions, which become annotations of the changed lines.

use std::io::Write;

use super::findings::{Finding, Kind, findings};
use super::{Options, Patch, counts};
use crate::Result;

/// The number of annotations of one type that GitHub shows of one step.
const SHOWN: usize = 10;

/// Writes a patch as workflow commands of GitHub Actions: warnings for lines that did not run and for branches that
/// were not taken, the largest gaps first, and a notice with the total.
///
/// GitHub shows ten warnings of a step. If there are more, the tenth counts the others.
///
/// The rules are those of [workflow commands] and of `actions/toolkit`, which escapes `%`, line ends, and in
/// properties also `:` and `,`.
///
/// [workflow commands]: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_github(patch: &Patch<'_>, options: &Options, mut out: impl Write) -> Result<()> {
    let mut gaps: Vec<(String, Finding)> = Vec::new();
    for file in patch.files() {
        gaps.extend(findings(file)?.into_iter().map(|finding| (file.name(), finding)));
    }
    // The sort is stable, so equal gaps stay in the order of the diff.
    gaps.sort_by_key(|(_, finding)| (finding.kind == Kind::Partial, -finding.size()));
    let shown = if gaps.len() > SHOWN { SHOWN - 1 } else { gaps.len() };
    for (name, finding) in gaps.iter().take(shown) {
        let title = match finding.kind {
            Kind::Missing => "Not covered",
            Kind::Partial => "Partly covered",
        };
        writeln!(
            out,
            "::warning file={},line={},endLine={},title={title}::{}",
            property(name),
            finding.lines.start(),
            finding.lines.end(),
            data(&finding.message)
        )?;
    }
    let rest = gaps.get(shown..).unwrap_or_default();
    if let Some((first, _)) = rest.first() {
        let elsewhere =
            if rest.iter().all(|(name, _)| name == first) { "" } else { " and other files" };
        let message = format!("{} more in {first}{elsewhere}", rest.len());
        writeln!(out, "::warning title=Not covered::{}", data(&message))?;
    }
    for file in patch.unmeasured().chain(patch.of_other_versions()) {
        let name = file.name();
        let remark = file.remark().unwrap_or_default();
        writeln!(out, "::error file={},title=Coverage::{}", property(&name), data(&remark))?;
    }
    let totals = patch.totals();
    let message = match totals.statements {
        0 => "no statement that was measured changed".to_owned(),
        _ => format!("{} of the changes are covered: {}", options.percent(totals), counts(totals)),
    };
    Ok(writeln!(out, "::notice title=Patch coverage::{}", data(&message))?)
}

/// Escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_start_a_command() {
        assert_eq!(
            property("a,b:c%\n::error::x"),
            "a%2Cb%3Cc%25%0A%3A%3Aerror%3A%3Ax".replace("%3Cc", "%3Ac")
        );
        assert_eq!(data("100%\r\n::x"), "100%25%0D%0A::x");
    }
}
