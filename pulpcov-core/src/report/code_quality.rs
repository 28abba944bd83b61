//! Code quality reports of GitLab.
//!
//! A [report](https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format) is a list of issues. GitLab compares the
//! fingerprints of two reports to find out which issues are new.

use std::collections::HashMap;
use std::io::Write;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::findings::{FileFindings, FindingKind};
use crate::Result;

/// The issues of a report.
pub(super) struct Issues {
    all: Vec<Issue>,
    /// How often each fingerprint was asked for.
    seen: HashMap<String, usize>,
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: Severity,
    location: Location,
}

/// How bad an issue is.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Minor,
    Major,
    Critical,
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

impl Issues {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), seen: HashMap::new() }
    }

    /// Adds an issue for each finding of a file.
    pub(super) fn add_findings(&mut self, file: &FileFindings<'_>) -> Result<()> {
        for (finding, text) in file.findings.iter().zip(file.texts()?) {
            let (check_name, severity) = match finding.kind {
                FindingKind::Missing => ("missing-lines", Severity::Major),
                FindingKind::Partial => ("missing-branch", Severity::Minor),
            };
            let fingerprint = self.fingerprint(&[check_name, &file.name, &text]);
            self.all.push(Issue {
                description: finding.message.clone(),
                check_name,
                fingerprint,
                severity,
                location: Location::new(file.name.clone(), &finding.lines),
            });
        }
        Ok(())
    }

    /// Adds an issue of a whole file.
    pub(super) fn add_file(
        &mut self,
        check_name: &'static str,
        severity: Severity,
        path: String,
        description: String,
    ) {
        let fingerprint = self.fingerprint(&[check_name, &path]);
        let location = Location::new(path, &(1..=1));
        self.all.push(Issue { description, check_name, fingerprint, severity, location });
    }

    /// Returns a name for an issue that no other issue has. Of several with the same parts, each also has its number.
    fn fingerprint(&mut self, parts: &[&str]) -> String {
        let parts = parts.join("\0");
        let number = self.seen.entry(parts.clone()).or_default();
        *number += 1;
        blake3::hash(format!("{parts}\0{number}").as_bytes()).to_hex().to_string()
    }

    /// Writes the issues as JSON, on one line.
    pub(super) fn write(&self, mut out: impl Write) -> Result<()> {
        serde_json::to_writer(&mut out, &self.all).map_err(std::io::Error::from)?;
        Ok(writeln!(out)?)
    }
}

impl Location {
    fn new(path: String, lines: &RangeInclusive<i32>) -> Self {
        Self { path, lines: Lines { begin: *lines.start(), end: *lines.end() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_issues_have_fingerprints_of_their_own() {
        let mut issues = Issues::new();
        let first = issues.fingerprint(&["missing-lines", "a.py", "return 1"]);
        assert_ne!(first, issues.fingerprint(&["missing-lines", "a.py", "return 1"]));
        assert_ne!(first, issues.fingerprint(&["missing-lines", "b.py", "return 1"]));
        assert_eq!(first, Issues::new().fingerprint(&["missing-lines", "a.py", "return 1"]));
    }
}
