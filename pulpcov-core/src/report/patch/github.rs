//! A patch as workflow commands of GitHub Actions, which become annotations of the changed lines.

use std::io::Write;

use super::{Options, Patch};
use crate::Result;
use crate::report::workflow_commands::{Command, notice, write_findings, write_limited};

/// Writes a patch as workflow commands of GitHub Actions: warnings for lines that did not run and for branches that
/// were not taken, the largest gaps first, errors for [failures](Options::failure) and for files that were not measured,
/// and a notice with the total.
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
    write_findings(&patch.findings()?, &mut out)?;
    let failures =
        options.failures.iter().map(|reason| Command::new("Patch coverage", reason.clone()));
    let unmeasured = patch.unmeasured().chain(patch.of_other_versions()).map(|file| {
        let remark = file.remark().unwrap_or_default();
        Command::new("Not measured", remark).file(file.name())
    });
    let errors: Vec<Command> = failures.chain(unmeasured).collect();
    write_limited("error", "Not measured", "error", &errors, &mut out)?;
    notice("Patch coverage", &patch.total(options), &mut out)
}
