//! Finds lines that match a pattern, for exclusions and partial branches.
//!
//! This is coverage.py's `PythonParser.lines_matching` (parser.py).

use std::ops::Range;

use memchr::memchr_iter;

use super::line_set::LineSet;
use super::multiline::MultilineMap;
use crate::Result;
use crate::pyre::{self, Pattern};

/// Patterns in the syntax of Python's `re` that select lines. Without any pattern, no line matches.
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
    /// Compiles patterns into one, as coverage.py joins them.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Pattern`](crate::ErrorKind::Pattern) if `re` refuses a pattern, or if a
    /// pattern needs a feature that only Python's engine has.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::python::{LinePatterns, PythonSource};
    ///
    /// let patterns = LinePatterns::new(&["# TODO", "# FIXME"])?;
    /// let source = PythonSource::decode(b"x = 1\ny = 2  # FIXME\n")?;
    /// assert_eq!(source.matching_lines(&patterns)?, [2]);
    ///
    /// let err = LinePatterns::new(&["(unclosed"]).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::Pattern);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self> {
        match pyre::join(patterns) {
            empty if empty.is_empty() => Ok(Self(None)),
            joined => Ok(Self(Some(Pattern::multi_line(&joined)?))),
        }
    }

    /// Returns the lines whose branches may be partial. Without any pattern, these are all lines,
    /// because coverage.py then searches for the empty pattern, which matches everywhere.
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

    /// Returns each line that a match touches, as the first line of its statement.
    ///
    /// A match that ends with a newline touches the line after it.
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
