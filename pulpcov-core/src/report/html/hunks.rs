//! The changed lines that are not covered, each with the lines around it.

use std::ops::RangeInclusive;

use super::changes::{ChangedFile, Gap};
use super::page_text::PageText;
use super::pages::{Page, Report};
use super::source::excerpts;
use crate::Result;

/// How many lines are shown before and after what is not covered.
const AROUND: i32 = 3;

/// How many lines a hunk shows. A link leads to the others.
const LONGEST: i32 = 40;

/// A part of a source page.
pub(super) struct Hunk {
    pub(super) first: i32,
    pub(super) last: i32,
    /// How many lines of this part are not shown.
    pub(super) more: i32,
    /// The lines, as list items.
    pub(super) html: String,
}

/// Returns the parts of a file with changes that are not covered.
pub(super) fn hunks(report: &Report<'_>, page: &Page<'_>, file: &ChangedFile) -> Result<Vec<Hunk>> {
    if file.gaps.is_empty() {
        return Ok(Vec::new());
    }
    let text = PageText::read(report.summary, page.file)?;
    let ranges = ranges(&file.gaps, i32::try_from(text.lines().count()).unwrap_or(i32::MAX));
    let shown: Vec<RangeInclusive<i32>> = ranges.iter().map(shortened).collect();
    let parts = excerpts(page, &text, &shown);
    let hunk = |((all, shown), html): ((RangeInclusive<i32>, RangeInclusive<i32>), String)| Hunk {
        first: *shown.start(),
        last: *shown.end(),
        more: (all.end() - shown.end()).max(0),
        html,
    };
    Ok(ranges.into_iter().zip(shown).zip(parts).map(hunk).collect())
}

/// Returns the lines of the gaps and around them. Ranges that meet are one, unless it would be too long to be shown.
fn ranges(gaps: &[Gap], lines: i32) -> Vec<RangeInclusive<i32>> {
    let mut ranges: Vec<RangeInclusive<i32>> = Vec::new();
    for gap in gaps {
        let first = gap.first.saturating_sub(AROUND).max(1);
        let last = gap.last.saturating_add(AROUND).min(lines);
        let after = ranges.last().map_or(1, |before| before.end().saturating_add(1));
        match ranges.last_mut() {
            Some(before) if last < after => _ = before,
            Some(before) if first <= after && last.saturating_sub(*before.start()) < LONGEST => {
                *before = *before.start()..=last;
            }
            _ => ranges.push(first.max(after)..=last),
        }
    }
    ranges
}

fn shortened(range: &RangeInclusive<i32>) -> RangeInclusive<i32> {
    *range.start()..=(*range.end()).min(range.start().saturating_add(LONGEST - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_gaps_share_a_hunk() {
        let gap = |first, last| Gap { first, last, message: String::new() };
        let gaps = [gap(1, 1), gap(8, 9), gap(16, 16), gap(30, 90), gap(92, 92)];
        let found = ranges(&gaps, 94);
        assert_eq!(found, [1..=19, 27..=93, 94..=94]);
        assert_eq!(found.iter().map(shortened).collect::<Vec<_>>(), [1..=19, 27..=66, 94..=94]);
    }
}
