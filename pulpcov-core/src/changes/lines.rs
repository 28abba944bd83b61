//! Maps lines from one version of a file to the other.

use std::ops::Range;

use super::FileChange;

/// Consecutive lines of the old version that were replaced by lines of the new version. Lines are counted
/// from 1. One of the two ranges can be empty: then it starts at the line before which lines were added or
/// removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The lines that are gone.
    pub old: Range<i32>,
    /// The lines that are new.
    pub new: Range<i32>,
}

impl FileChange {
    /// Returns the numbers of the added lines, in the new version.
    pub fn added_lines(&self) -> impl Iterator<Item = i32> + '_ {
        self.edits().iter().flat_map(|edit| edit.new.clone())
    }

    /// Returns the numbers of the removed lines, in the old version.
    pub fn removed_lines(&self) -> impl Iterator<Item = i32> + '_ {
        self.edits().iter().flat_map(|edit| edit.old.clone())
    }

    /// Returns the number in the new version of a line of the old version. `None` if the line is gone.
    pub fn new_line(&self, old: i32) -> Option<i32> {
        mapped(self.edits(), old, |edit| (&edit.old, &edit.new))
    }

    /// Returns the number in the old version of a line of the new version. `None` if the line is new.
    pub fn old_line(&self, new: i32) -> Option<i32> {
        mapped(self.edits(), new, |edit| (&edit.new, &edit.old))
    }
}

/// Maps a line between two versions. `sides` returns the ranges of an edit in the line's version and in the
/// other one.
fn mapped(
    edits: &[Edit],
    line: i32,
    sides: impl Fn(&Edit) -> (&Range<i32>, &Range<i32>),
) -> Option<i32> {
    let before = edits.partition_point(|edit| sides(edit).0.end <= line);
    if edits.get(before).is_some_and(|edit| sides(edit).0.contains(&line)) {
        return None;
    }
    // After an edit, both versions go on with the same line.
    let Some(last) = before.checked_sub(1).and_then(|at| edits.get(at)) else { return Some(line) };
    let (from, to) = sides(last);
    to.end.checked_add(line - from.end)
}
