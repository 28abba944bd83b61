//! Lines that match a pattern: exclusions and partial branches.
//!
//! coverage.py's `PythonParser.lines_matching` (parser.py).

use std::ops::Range;

use memchr::memchr_iter;

use super::lines::LineSet;
use super::multiline::MultilineMap;
use crate::Result;
use crate::pyre::{self, Pattern};

/// Patterns in the syntax of Python's `re` that a line can match; none match no line.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::LinePatterns;
///
/// let patterns = LinePatterns::new(&[r"# nocov$", r"(?<!el)if DEBUG:"])?;
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct LinePatterns(Option<Pattern>);

impl LinePatterns {
    /// Compile patterns to be tried together, as coverage.py joins them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`](crate::ErrorKind::Pattern) for a pattern that `re` refuses, or that needs a
    /// feature which only Python's engine has.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self> {
        match pyre::join(patterns) {
            empty if empty.is_empty() => Ok(Self(None)),
            joined => Ok(Self(Some(Pattern::multi_line(&joined)?))),
        }
    }

    /// The lines whose branches are partial. Where coverage.py has no pattern to look for, it
    /// looks for the empty one, which is everywhere.
    pub(super) fn partial_lines(
        &self,
        text: &str,
        last: i32,
        multiline: &MultilineMap,
    ) -> Result<LineSet> {
        match &self.0 {
            Some(_) => self.lines(text, last, multiline),
            None => Ok(LineSet::of(last, (1..=last).map(|line| multiline.first_line(line)))),
        }
    }

    /// Every line that a match touches, as the first line of its statement.
    ///
    /// A match that ends with a newline touches the line behind it.
    pub(super) fn lines(&self, text: &str, last: i32, multiline: &MultilineMap) -> Result<LineSet> {
        let mut lines = LineSet::new(last);
        let Some(pattern) = &self.0 else { return Ok(lines) };
        let newlines = |from: usize, to: usize| {
            memchr_iter(b'\n', text.as_bytes().get(from..to).unwrap_or_default()).count() as i32
        };
        let (mut at, mut line) = (0, 1);
        for found in pattern.find_iter(text) {
            let Range { start, end } = found?;
            line += newlines(at, start);
            at = start;
            let end_line = line + newlines(start, end);
            lines.extend((line..=end_line).map(|line| multiline.first_line(line)));
        }
        Ok(lines)
    }
}
