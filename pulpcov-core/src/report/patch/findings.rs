//! The lines that a report points at, joined to ranges.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::{FileState, PatchFile};
use crate::Result;
use crate::changes::LineState;
use crate::summarize::{FileSummary, Summary};

/// Lines of a file that need attention, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) lines: RangeInclusive<i32>,
    pub(super) kind: FindingKind,
    /// What is wrong, in a sentence without a full stop.
    pub(super) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FindingKind {
    /// The lines did not run.
    Missing,
    /// The line ran, but not all of its branches were taken.
    Partial,
}

impl Finding {
    /// Returns the number of lines.
    pub(super) fn size(&self) -> i32 {
        self.lines.end() - self.lines.start() + 1
    }
}

/// Returns what needs attention in the changed lines of a file, in the order of the lines.
///
/// Changed lines that did not run are joined over changed lines between them that are no code. A file that was not
/// measured has no findings: none of its lines ran.
pub(super) fn findings(file: &PatchFile<'_>) -> Result<Vec<Finding>> {
    let FileState::Measured { file, patch } = file.state() else { return Ok(Vec::new()) };
    let (facts, analysis) = (file.facts()?, file.analysis()?);
    let mut findings: Vec<Finding> =
        missing_ranges(patch.lines()).into_iter().map(missing).collect();
    // A statement that changed only because lines were removed from it has no changed line.
    let shown: HashSet<i32> =
        patch.lines().iter().map(|&(line, _)| facts.first_line(line)).collect();
    let hidden = patch.missing().iter().copied().filter(|line| !shown.contains(line));
    findings.extend(hidden.map(|line| missing(line..=line)));
    for &(from, to) in patch.missing_branches() {
        // The branches of a line that did not run are missing because of the line.
        if analysis.missing().binary_search(&from).is_err() {
            let message = facts.missing_arc_description(from, to);
            findings.push(Finding { lines: from..=from, kind: FindingKind::Partial, message });
        }
    }
    findings.sort_by_key(|finding| *finding.lines.start());
    Ok(findings)
}

/// Returns the ranges of changed lines that did not run.
fn missing_ranges(lines: &[(i32, LineState)]) -> Vec<RangeInclusive<i32>> {
    let mut ranges: Vec<RangeInclusive<i32>> = Vec::new();
    // The changed line before this one, if the range can go on after it.
    let mut last = None;
    for &(line, state) in lines {
        let goes_on = last.is_some_and(|last: i32| last + 1 == line);
        match (state, ranges.last_mut()) {
            (LineState::Missing, Some(range)) if goes_on => *range = *range.start()..=line,
            (LineState::Missing, _) => ranges.push(line..=line),
            _ => {}
        }
        last = match state {
            LineState::Missing => Some(line),
            LineState::NoCode if goes_on => Some(line),
            _ => None,
        };
    }
    ranges
}

fn missing(lines: RangeInclusive<i32>) -> Finding {
    let message = match lines.end() == lines.start() {
        true => format!("line {} did not run", lines.start()),
        false => format!("lines {} to {} did not run", lines.start(), lines.end()),
    };
    Finding { lines, kind: FindingKind::Missing, message }
}

/// Returns the lines of a file's source. Lines are counted from 1, so line 0 is empty.
pub(super) fn source_lines(summary: &Summary<'_>, file: &FileSummary) -> Result<Vec<String>> {
    let source = summary.source(file)?;
    let lines = source.text().split('\n').map(|line| line.trim_end().to_owned());
    Ok(std::iter::once(String::new()).chain(lines).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_did_not_run_are_joined_over_lines_without_code() {
        use LineState::{Covered, Missing, NoCode};
        let lines = [
            (1, Missing),
            (2, NoCode),
            (3, Missing),
            (4, NoCode),
            (5, Covered),
            (6, NoCode),
            (7, Missing),
            (9, Missing),
        ];
        assert_eq!(missing_ranges(&lines), [1..=3, 7..=7, 9..=9]);
    }
}
