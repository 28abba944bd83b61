//! A patch as workflow commands of GitHub Actions, which become annotations of the changed lines.

use std::io::Write;

use super::findings::{Finding, FindingKind, findings};
use super::{Options, Patch};
use crate::Result;
use crate::report::workflow_commands::{data, property, write_limited};

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
