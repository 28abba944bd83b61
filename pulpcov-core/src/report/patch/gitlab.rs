//! A patch as a code quality report of GitLab.

use std::io::Write;

use serde::Serialize;

use super::findings::{FindingKind, findings};
use super::{Options, Patch};
use crate::Result;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: i32,
    end: i32,
}

/// Writes a patch as a [code quality report] of GitLab: one issue for each range of lines that did not run, and for
/// each branch that was not taken.
///
/// A fingerprint depends on the file, the kind, and the place among the issues of the same kind in the file, so an
/// issue stays the same while lines above it are added.
///
/// [code quality report]: https://docs.gitlab.com/ci/testing/code_quality/
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_gitlab(patch: &Patch<'_>, _: &Options, mut out: impl Write) -> Result<()> {
    let mut issues = Vec::new();
    for file in patch.files() {
        let path = file.name();
        let mut seen = [0_usize; 2];
        for finding in findings(file)? {
            let (check_name, severity, number) = match finding.kind {
                FindingKind::Missing => ("missing-lines", "major", &mut seen[0]),
                FindingKind::Partial => ("missing-branch", "minor", &mut seen[1]),
            };
            *number += 1;
            issues.push(Issue {
                description: finding.message,
                check_name,
                fingerprint: fingerprint(&[check_name, &path, &number.to_string()]),
                severity,
                location: Location {
                    path: path.clone(),
                    lines: Lines { begin: *finding.lines.start(), end: *finding.lines.end() },
                },
            });
        }
        let check_name = match file {
            file if file.is_missing_from_data() => "not-measured",
            file if file.is_of_other_version() => "changed-after-measuring",
            _ => continue,
        };
        if let Some(remark) = file.remark() {
            issues.push(Issue {
                description: remark,
                check_name,
                fingerprint: fingerprint(&[check_name, &path]),
                severity: "critical",
                location: Location { path, lines: Lines { begin: 1, end: 1 } },
            });
        }
    }
    serde_json::to_writer(&mut out, &issues).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

/// Returns a name for an issue that no other issue has.
fn fingerprint(parts: &[&str]) -> String {
    blake3::hash(parts.join("\0").as_bytes()).to_hex().to_string()
}
