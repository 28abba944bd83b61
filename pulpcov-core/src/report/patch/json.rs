//! A patch as JSON, for programs.

use std::io::Write;

use serde::Serialize;

use super::{FileState, Options, Patch, PatchFile};
use crate::changes::{ChangeKind, FilePatch, LineState};
use crate::results::Numbers;
use crate::{LineArc, Result};

/// The version of the shape. It grows when something is removed or changes its meaning.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_base: Option<&'a str>,
    files: Vec<File>,
    totals: Counts,
}

#[derive(Serialize)]
struct File {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_path: Option<String>,
    change: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<bool>,
    #[serde(flatten)]
    lines: Option<Lines>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_of_this_source: Option<Vec<i32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
}

#[derive(Serialize)]
struct Lines {
    statements: Vec<i32>,
    missing_statements: Vec<i32>,
    missing_branches: Vec<LineArc>,
    covered_lines: Vec<i32>,
    partial_lines: Vec<i32>,
    missing_lines: Vec<i32>,
    excluded_lines: Vec<i32>,
    lines_without_code: Vec<i32>,
}

#[derive(Serialize)]
struct Counts {
    statements: usize,
    missing_statements: usize,
    branches: usize,
    missing_branches: usize,
    percent_covered: Option<f64>,
}

/// Writes a patch as JSON, on one line.
///
/// ```text
/// {"format": 1,                            the version of this shape
///  "base": "origin/main",                  what the diff is from, if known
///  "merge_base": "1f0c...",                the commit where the branch left it
///  "files": [
///   {"path": "src/a.py",                   the name in the new version, or in the old one if the file is gone
///    "old_path": "src/b.py",               the name in the old version, if it is another
///    "change": "renamed",                  added, deleted, modified, renamed, copied or unchanged
///    "state": "measured",                  or unmeasured, other_version, no_statements, no_source, left_out
///    "expected": true,                     with unmeasured: whether it should have been measured
///    "statements": [3, 4],                 the first lines of the changed statements
///    "missing_statements": [4],            those that did not run
///    "missing_branches": [[3, 4]],         branches from or to a changed statement that were not taken
///    "covered_lines": [], "partial_lines": [3], "missing_lines": [4], "excluded_lines": [],
///    "lines_without_code": [],             each changed line is in one of these five lists
///    "not_of_this_source": [12],           with other_version: lines that ran, and are no statements of this source
///    "counts": {...}}],                    as "totals", if the file was measured or should have been
///  "totals": {"statements": 2, "missing_statements": 1, "branches": 2, "missing_branches": 1,
///             "percent_covered": 50.0}}    null if no statement counts
/// ```
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_json(patch: &Patch<'_>, options: &Options, mut out: impl Write) -> Result<()> {
    let document = Document {
        format: FORMAT,
        base: options.base.as_ref().map(|base| base.name.as_str()),
        merge_base: options.base.as_ref().map(|base| base.commit.as_str()),
        files: patch.files().iter().map(File::new).collect(),
        totals: Counts::new(patch.totals()),
    };
    serde_json::to_writer(&mut out, &document).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

impl File {
    fn new(file: &PatchFile<'_>) -> Self {
        let change = file.change();
        let path = file.name();
        let old_path = change.old_path().map(|old| old.to_string_lossy().into_owned());
        let (state, lines) = match file.state() {
            FileState::Measured { patch, .. } => ("measured", Some(Lines::new(patch))),
            FileState::Unmeasured { patch, .. } => ("unmeasured", Some(Lines::new(patch))),
            FileState::OtherVersion { .. } => ("other_version", None),
            FileState::NoStatements => ("no_statements", None),
            FileState::NoSource => ("no_source", None),
            FileState::LeftOut => ("left_out", None),
        };
        let not_of_this_source = match file.state() {
            FileState::OtherVersion { lines, .. } => Some(lines.clone()),
            _ => None,
        };
        let expected = match file.state() {
            FileState::Unmeasured { is_expected, .. } => Some(*is_expected),
            _ => None,
        };
        Self {
            old_path: old_path.filter(|old| *old != path),
            path,
            change: match change.kind() {
                ChangeKind::Added => "added",
                ChangeKind::Deleted => "deleted",
                ChangeKind::Modified => "modified",
                ChangeKind::Renamed => "renamed",
                ChangeKind::Copied => "copied",
                ChangeKind::Unchanged => "unchanged",
            },
            state,
            expected,
            lines,
            not_of_this_source,
            counts: file.numbers().map(Counts::new),
        }
    }
}

impl Lines {
    fn new(patch: &FilePatch) -> Self {
        let with = |wanted: LineState| {
            patch
                .lines()
                .iter()
                .filter(|(_, state)| *state == wanted)
                .map(|(line, _)| *line)
                .collect()
        };
        Self {
            statements: patch.statements().to_vec(),
            missing_statements: patch.missing().to_vec(),
            missing_branches: patch.missing_branches().to_vec(),
            covered_lines: with(LineState::Covered),
            partial_lines: with(LineState::Partial),
            missing_lines: with(LineState::Missing),
            excluded_lines: with(LineState::Excluded),
            lines_without_code: with(LineState::NoCode),
        }
    }
}

impl Counts {
    fn new(numbers: Numbers) -> Self {
        Self {
            statements: numbers.statements,
            missing_statements: numbers.missing,
            branches: numbers.branches,
            missing_branches: numbers.missing_branches,
            percent_covered: (numbers.statements > 0).then(|| numbers.percent_covered()),
        }
    }
}
