//! A patch as workflow commands of GitHub Actions, which become annotations of the changed lines.

use std::io::Write;

use super::findings::{Finding, FindingKind, findings};
use super::{Options, Patch};
use crate::Result;
use crate::text::{plural, printable};

/// The number of annotations of one type that GitHub shows of one step.
const SHOWN: usize = 10;

/// Writes a patch as workflow commands of GitHub Actions: warnings for lines that did not run and for branches that
/// were not taken, the largest gaps first, and a notice with the total.
///
/// GitHub shows ten warnings and ten errors of a step. If there are more, the tenth counts the others.
///
/// The rules are those of [workflow commands] and of `actions/toolkit`, which escapes `%`, and in properties also `:`
/// and `,`. Line ends and other characters that are not printable become `?`.
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
    gaps.sort_by_key(|(_, finding)| (finding.kind == FindingKind::Partial, -finding.size()));
    let warnings = gaps.iter().map(|(name, finding)| {
        let title = match finding.kind {
            FindingKind::Missing => "Not covered",
            FindingKind::Partial => "Partly covered",
        };
        let (start, end) = (finding.lines.start(), finding.lines.end());
        let place = format!("file={},line={start},endLine={end}", property(name));
        (name.clone(), format!("{place},title={title}::{}", data(&finding.message)))
    });
    write_limited("warning", "Not covered", "gap", warnings.collect(), &mut out)?;
    let errors = patch.unmeasured().chain(patch.of_other_versions()).map(|file| {
        let (name, remark) = (file.name(), file.remark().unwrap_or_default());
        let place = format!("file={}", property(&name));
        (name, format!("{place},title=Not measured::{}", data(&remark)))
    });
    write_limited("error", "Not measured", "file", errors.collect(), &mut out)?;
    let total = data(&patch.total(options));
    Ok(writeln!(out, "::notice title=Patch coverage::{total}")?)
}

/// Writes commands of one kind, each with the file that it is about, as many as GitHub shows.
fn write_limited(
    kind: &str,
    title: &str,
    what: &str,
    commands: Vec<(String, String)>,
    out: &mut impl Write,
) -> Result<()> {
    let shown = if commands.len() > SHOWN { SHOWN - 1 } else { commands.len() };
    for (_, command) in commands.iter().take(shown) {
        writeln!(out, "::{kind} {command}")?;
    }
    let rest = commands.get(shown..).unwrap_or_default();
    if let Some((first, _)) = rest.first() {
        let is_elsewhere = rest.iter().any(|(name, _)| name != first);
        let elsewhere = if is_elsewhere { " and other files" } else { "" };
        let message = format!("{} more, in {first}{elsewhere}", plural(rest.len(), what));
        writeln!(out, "::{kind} title={title}::{}", data(&message))?;
    }
    Ok(())
}

/// Escapes the message of a command. No line ends are left in printable text.
fn data(text: &str) -> String {
    printable(text).replace('%', "%25")
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
        assert_eq!(property("a,b:c%\n::error::x"), "a%2Cb%3Ac%25?%3A%3Aerror%3A%3Ax");
        assert_eq!(data("100%\r\n\x1b::x"), "100%25???::x");
    }
}
