//! Maps lines from one version of a file to the other.

use std::borrow::Cow;
use std::ops::Range;

use super::{Content, FileChange};

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
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::Diff;
    ///
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n a = 1\n-b = 2\n+b = 3\n+c = 4\n")?;
    /// assert_eq!(diff.files()[0].added_lines().collect::<Vec<_>>(), [2, 3]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn added_lines(&self) -> impl Iterator<Item = i32> + '_ {
        self.edits().iter().flat_map(|edit| edit.new.clone())
    }

    /// Returns the numbers of the removed lines, in the old version.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::Diff;
    ///
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n a = 1\n-b = 2\n+b = 3\n+c = 4\n")?;
    /// assert_eq!(diff.files()[0].removed_lines().collect::<Vec<_>>(), [2]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn removed_lines(&self) -> impl Iterator<Item = i32> + '_ {
        self.edits().iter().flat_map(|edit| edit.old.clone())
    }

    /// Returns the number in the new version of a line of the old version. `None` if the line is gone.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::Diff;
    ///
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n-a = 1\n+a = 2\n+b = 3\n c = 4\n")?;
    /// let change = &diff.files()[0];
    /// assert_eq!(change.new_line(1), None);
    /// assert_eq!(change.new_line(2), Some(3));
    /// assert_eq!(change.new_line(100), Some(101));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new_line(&self, old: i32) -> Option<i32> {
        mapped(self.edits(), old, |edit| (&edit.old, &edit.new))
    }

    /// Returns the number in the old version of a line of the new version. `None` if the line is new.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::Diff;
    ///
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n-a = 1\n+a = 2\n+b = 3\n c = 4\n")?;
    /// let change = &diff.files()[0];
    /// assert_eq!(change.old_line(2), None);
    /// assert_eq!(change.old_line(3), Some(2));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn old_line(&self, new: i32) -> Option<i32> {
        mapped(self.edits(), new, |edit| (&edit.new, &edit.old))
    }
}

impl FileChange {
    /// Returns the change with the line numbers that Python has in the new version, whose bytes are `source`.
    ///
    /// A diff counts line feeds. Python also ends a line at a carriage return that stands alone (Python reference,
    /// section 2.1.2).
    #[must_use]
    pub fn with_python_lines(&self, source: &[u8]) -> Cow<'_, Self> {
        let returns = lone_returns(source);
        if returns.is_empty() {
            return Cow::Borrowed(self);
        }
        let number = |line: i32| {
            let before = returns.partition_point(|&of_return| of_return < line);
            line.saturating_add(i32::try_from(before).unwrap_or(i32::MAX))
        };
        let mut change = self.clone();
        if let Content::Text(edits) = &mut change.content {
            for edit in edits {
                edit.new = number(edit.new.start)..number(edit.new.end);
            }
        }
        Cow::Owned(change)
    }
}

/// Returns the line of the diff in which each carriage return stands that has no line feed after it.
fn lone_returns(source: &[u8]) -> Vec<i32> {
    let mut found = Vec::new();
    // Nearly all sources have none, and searching for a byte is much faster.
    if memchr::memchr(b'\r', source).is_none() {
        return found;
    }
    let mut line = 1;
    for (at, byte) in source.iter().enumerate() {
        match byte {
            b'\n' => line = i32::saturating_add(line, 1),
            b'\r' if source.get(at + 1) != Some(&b'\n') => found.push(line),
            _ => {}
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use crate::changes::Diff;

    #[test]
    fn a_lone_carriage_return_ends_a_line_for_python_only() {
        let text =
            b"--- a/x.py\n+++ b/x.py\n@@ -2 +2 @@\n-old\n+new\n@@ -4 +4 @@\n-old\n+one\rtwo\n";
        let diff = Diff::parse(text).unwrap();
        let lines = |source: &[u8]| -> Vec<i32> {
            diff.files()[0].with_python_lines(source).added_lines().collect()
        };
        assert_eq!(lines(b"1\n2\n3\none two\n"), [2, 4]);
        assert_eq!(lines(b"1\r\n2\r\n3\r\none two\r\n"), [2, 4]);
        assert_eq!(lines(b"1\r1\n2\n3\none\rtwo\n"), [3, 5, 6]);
    }
}
