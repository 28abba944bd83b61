//! A patch as a code quality report of GitLab.

use std::io::Write;

use super::{Options, Patch};
use crate::Result;
use crate::report::code_quality::{Issues, Severity};

/// Writes a patch as a [code quality report] of GitLab: one issue for each range of lines that did not run, and for
/// each branch that was not taken.
///
/// A fingerprint depends on the file, the kind, and the text of the lines, so an issue stays the same while lines above it
/// are added or removed.
///
/// [code quality report]: https://docs.gitlab.com/ci/testing/code_quality/
///
/// # Errors
///
/// - [`ErrorKind::NoSource`](crate::ErrorKind::NoSource) if a source can no longer be read;
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_gitlab(patch: &Patch<'_>, _: &Options, out: impl Write) -> Result<()> {
    let mut issues = Issues::new();
    for (file, findings) in patch.files().iter().zip(patch.findings()?) {
        issues.add_findings(&findings)?;
        let check_name = match file {
            file if file.is_missing_from_data() => "not-measured",
            file if file.is_of_other_version() => "changed-after-measuring",
            _ => continue,
        };
        if let Some(remark) = file.remark() {
            issues.add_file(check_name, Severity::Critical, findings.name, remark);
        }
    }
    issues.write(out)
}
