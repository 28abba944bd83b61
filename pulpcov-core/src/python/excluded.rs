//! The lines that are excluded from a report.

use std::ops::RangeInclusive;

use super::line_set::LineSet;
use super::multiline::MultilineMap;

/// The excluded lines of a file.
#[derive(Debug)]
pub(crate) struct Excluded {
    pub(crate) lines: LineSet,
    /// The first lines of statements whose code is all on excluded lines.
    ///
    /// Such a line is usually excluded too. It is not if it only has tokens without code, such as
    /// `@(` or `case (`, and the excluded decorator or pattern is on the next line.
    pub(crate) without_code: LineSet,
}

impl Excluded {
    /// Excludes `lines`, which contain all code of a statement. Only tokens without code may come
    /// before them, such as `@(`.
    pub(super) fn exclude_statement(
        &mut self,
        multiline: &MultilineMap,
        lines: RangeInclusive<i32>,
    ) {
        self.without_code.insert(multiline.first_line(*lines.start()));
        self.lines.insert_range(lines);
    }
}
