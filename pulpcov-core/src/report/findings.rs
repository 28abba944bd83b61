//! The lines that a report points at, joined to ranges.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::Result;
use crate::changes::{FilePatch, LineState};
use crate::summarize::{FileSummary, Summary};
use crate::text::branches;

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

/// What needs attention in a file.
pub(super) struct FileFindings<'a> {
    /// The name of the file for the readers of the report.
    pub(super) name: String,
    /// The findings, in the order of the lines.
    pub(super) findings: Vec<Finding>,
    /// Where the source is.
    source: Option<(&'a Summary<'a>, &'a FileSummary)>,
}

impl<'a> FileFindings<'a> {
    /// Creates the findings of a file, whose source `summary` has.
    pub(super) fn new(
        name: String,
        findings: Vec<Finding>,
        summary: &'a Summary<'_>,
        file: &'a FileSummary,
    ) -> Self {
        Self { name, findings, source: Some((summary, file)) }
    }

    /// Creates a file without findings.
    pub(super) fn none(name: String) -> Self {
        Self { name, findings: Vec::new(), source: None }
    }

    /// Returns the findings, each with the name of the file.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &Finding)> {
        self.findings.iter().map(|finding| (self.name.as_str(), finding))
    }

    /// Returns the text of the lines of each finding.
    pub(super) fn texts(&self) -> Result<Vec<String>> {
        let Some((summary, file)) = self.source.filter(|_| !self.findings.is_empty()) else {
            return Ok(Vec::new());
        };
        let lines = source_lines(summary, file)?;
        let index = |line: i32| usize::try_from(line).unwrap_or_default();
        let text = |finding: &Finding| {
            let (start, end) = (index(*finding.lines.start()), index(*finding.lines.end()));
            lines.get(start..=end).unwrap_or_default().join("\n")
        };
        Ok(self.findings.iter().map(text).collect())
    }
}

/// Returns what needs attention in the changed lines of a file that was measured, in the order of the lines.
///
/// Changed lines that did not run are joined over changed lines between them that are no code.
pub(super) fn of_changes(file: &FileSummary, changes: &FilePatch) -> Result<Vec<Finding>> {
    let ranges = missing_ranges(changes.lines(), Unlisted::Unchanged);
    findings(file, changes, ranges)
}

/// Returns what needs attention in a whole file, in the order of the lines.
pub(super) fn of_file(file: &FileSummary) -> Result<Vec<Finding>> {
    let whole = FilePatch::whole(file.facts()?, file.analysis()?);
    let ranges = missing_ranges(whole.lines(), Unlisted::NoCode);
    findings(file, &whole, ranges)
}

fn findings(
    file: &FileSummary,
    patch: &FilePatch,
    ranges: Vec<RangeInclusive<i32>>,
) -> Result<Vec<Finding>> {
    let (facts, analysis) = (file.facts()?, file.analysis()?);
    let mut findings: Vec<Finding> = ranges.into_iter().map(missing).collect();
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
    let changed = |line: &i32| patch.statements().binary_search(line).is_ok();
    for (&line, &(all, taken)) in analysis.counted_branches() {
        if taken < all && changed(&line) && analysis.missing().binary_search(&line).is_err() {
            let message = format!("{} of {} not taken", all - taken, branches(all));
            findings.push(Finding { lines: line..=line, kind: FindingKind::Partial, message });
        }
    }
    findings.sort_by_key(|finding| *finding.lines.start());
    Ok(findings)
}

/// What lines are that a list leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unlisted {
    /// Lines that did not change. No range goes on after one.
    Unchanged,
    /// Lines without code.
    NoCode,
}

/// Returns the ranges of lines that did not run.
fn missing_ranges(lines: &[(i32, LineState)], unlisted: Unlisted) -> Vec<RangeInclusive<i32>> {
    let mut ranges: Vec<RangeInclusive<i32>> = Vec::new();
    // The listed line before this one, if the range can go on after it.
    let mut last = None;
    for &(line, state) in lines {
        let goes_on =
            last.is_some_and(|last: i32| last + 1 == line || unlisted == Unlisted::NoCode);
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

/// Returns the ranges of excluded lines.
pub(super) fn excluded_ranges(lines: &[(i32, LineState)]) -> Vec<RangeInclusive<i32>> {
    let mut ranges: Vec<RangeInclusive<i32>> = Vec::new();
    for (line, _) in lines.iter().filter(|(_, state)| *state == LineState::Excluded) {
        match ranges.last_mut() {
            Some(range) if range.end() + 1 == *line => *range = *range.start()..=*line,
            _ => ranges.push(*line..=*line),
        }
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
        assert_eq!(missing_ranges(&lines, Unlisted::Unchanged), [1..=3, 7..=7, 9..=9]);
        assert_eq!(missing_ranges(&lines, Unlisted::NoCode), [1..=3, 7..=9]);
    }
}
