//! Regular expressions in the syntax of Python's `re`, run by the `fancy-regex` crate.
//!
//! The two dialects look alike and differ in detail. So a pattern is parsed as Python parses it,
//! and then translated for `fancy-regex`. If Python would refuse the pattern, the error has
//! Python's message and, in most cases, its position.
//!
//! Of the patterns that Python 3.11 accepts, these are refused:
//!
//! - a pattern with more than 200 nested groups;
//! - a pattern with the flag `t`, which has no effect in Python;
//! - a pattern whose repetitions make the engine's program too large. Only [`Pattern`] refuses it.
//!
//! Three rare patterns match differently:
//!
//! - A condition on a group that is still open, as in `(a|b(?(1)c))`, is true in the engine and
//!   false in Python.
//! - A repeated item that prefers to match nothing, as in `(?:|x)+`, is not repeated when the match
//!   backtracks into it. Python repeats it.
//! - A pattern that begins with `\W`, `\S` or `\D` in a group with the flag `a`, as in `(?a:\W)`, also
//!   matches where the first character is a letter, a space or a digit beyond ASCII. Python's search
//!   ignores the flag there, and its result changes if an assertion that is always true comes first.
//!
//! The private modules:
//!
//! - `case` finds the characters that are alike when case is ignored.
//! - `cursor` reads a pattern token by token.
//! - `defaults` has coverage.py's default patterns.
//! - `escape` parses and translates escapes and character classes.
//! - `modes` are the flags that change the meaning of a pattern.
//! - `parser` parses and translates everything else.
//! - `required` finds the places in a text that can have a match.

mod case;
mod cursor;
mod defaults;
mod escape;
mod modes;
mod parser;
mod required;

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

pub(crate) use cursor::PatternError;
pub use defaults::{DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS};

use crate::{Error, ErrorKind, Result};
use modes::Modes;

/// The limit on backtracking steps in one search. It bounds the time, and is far above what usual
/// patterns need. A search with look-around takes steps for every character that it passes.
const BACKTRACK_LIMIT: usize = 100_000_000;

/// A regular expression with the meaning that Python's `re` gives it.
///
/// # Examples
///
/// ```
/// use pulpcov_core::pyre::Pattern;
///
/// let pattern = Pattern::multi_line(r"^\s*if (?P<quote>['\x22])x(?P=quote):\Z")?;
/// assert_eq!(pattern.find_iter("a\nif 'x':").collect::<Result<Vec<_>, _>>()?, [2..9]);
///
/// let error = Pattern::new("foo(").unwrap_err();
/// assert_eq!(error.reason(), "missing ), unterminated subpattern at position 3");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Pattern {
    regex: fancy_regex::Regex,
    /// A search for a few words of which every match contains one.
    required: Option<required::Required>,
    /// The pattern without an empty match at the start of the search. It is compiled when a search
    /// first finds an empty match, because few patterns have one.
    not_empty: OnceLock<fancy_regex::Regex>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.regex.as_str()).finish()
    }
}

impl Pattern {
    /// Compiles a pattern, as Python's `re.compile(pattern)` does.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Pattern`] if Python refuses the pattern, or if the pattern is too large
    /// for the engine.
    pub fn new(pattern: &str) -> Result<Self> {
        Self::with_modes(pattern, Modes::default())
    }

    /// Compiles a pattern, as Python's `re.compile(pattern, re.MULTILINE)` does: `^` and `$` match
    /// at every line.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`new`](Self::new).
    pub fn multi_line(pattern: &str) -> Result<Self> {
        Self::with_modes(pattern, Modes { multi_line: true, ..Modes::default() })
    }

    fn with_modes(pattern: &str, modes: Modes) -> Result<Self> {
        let translated = parser::translate(pattern, modes)
            .map_err(|error| Error::new(ErrorKind::Pattern, error))?;
        let required = required::Required::of(&translated);
        Ok(Self { regex: compile(&translated)?, required, not_empty: OnceLock::new() })
    }

    /// Returns the byte ranges of the matches in `text`, from left to right, as Python's
    /// `re.finditer` does.
    ///
    /// # Errors
    ///
    /// Yields [`ErrorKind::Pattern`] if a search takes too many steps.
    pub fn find_iter<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Result<Range<usize>>> {
        let everywhere = self.required.is_none().then_some(0..text.len());
        let places = self.required.as_ref().map(|required| required.places(text));
        let places = everywhere.into_iter().chain(places.into_iter().flatten());
        places.flat_map(|range| self.find_in_range(text, range))
    }

    /// Returns the matches in `range`. No match goes beyond it.
    fn find_in_range<'t>(
        &'t self,
        text: &'t str,
        range: Range<usize>,
    ) -> impl Iterator<Item = Result<Range<usize>>> {
        let text = text.get(..range.end).unwrap_or(text);
        let mut from = Some(range.start);
        let mut was_empty = false;
        std::iter::from_fn(move || {
            let found = self.find_from(text, from?, was_empty).transpose()?;
            from = found.as_ref().ok().map(|found| found.end);
            was_empty = found.as_ref().is_ok_and(Range::is_empty);
            Some(found)
        })
    }

    /// Returns the next match from `from` on. `was_empty` says that the match before was empty.
    /// Python then looks at the same position for a match that is not empty.
    fn find_from(&self, text: &str, from: usize, was_empty: bool) -> Result<Option<Range<usize>>> {
        let regex = if was_empty { self.not_empty()? } else { &self.regex };
        let found = regex.find_from_pos(text, from).map_err(refused_by_engine)?;
        Ok(found.map(|found| found.start()..found.end()))
    }

    /// Returns the pattern without an empty match at the start of the search.
    fn not_empty(&self) -> Result<&fancy_regex::Regex> {
        if let Some(regex) = self.not_empty.get() {
            return Ok(regex);
        }
        let regex = compile(&format!(r"(?:{})(?!\G)", self.regex.as_str()))?;
        Ok(self.not_empty.get_or_init(|| regex))
    }

    /// Returns whether the pattern matches anywhere in `text`, as Python's `re.search` does.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Pattern`] if the search takes too many steps.
    pub fn is_match(&self, text: &str) -> Result<bool> {
        self.regex.is_match(text).map_err(refused_by_engine)
    }
}

fn compile(translated: &str) -> Result<fancy_regex::Regex> {
    fancy_regex::RegexBuilder::new(translated)
        .backtrack_limit(BACKTRACK_LIMIT)
        .build()
        .map_err(refused_by_engine)
}

/// Returns an error with only the engine's message, because the engine's error type is not part of
/// this crate's API.
fn refused_by_engine(error: fancy_regex::Error) -> Error {
    let message = match error {
        fancy_regex::Error::CompileError(_) => {
            format!("too large, because of its repetitions or its character sets: {error}")
        }
        _ => error.to_string(),
    };
    Error::new(ErrorKind::Pattern, message)
}

/// Returns an error if Python would refuse `pattern`.
///
/// The engine does not compile the pattern. So a config file with a pattern that only the engine
/// refuses is still useful if nothing needs that pattern.
pub(crate) fn check(pattern: &str) -> Result<(), PatternError> {
    parser::translate(pattern, Modes::default()).map(drop)
}

/// Returns one pattern that matches whatever one of `patterns` matches: coverage.py's
/// `misc.join_regex`.
pub(crate) fn join<S: AsRef<str>>(patterns: &[S]) -> String {
    match patterns {
        [one] => one.as_ref().to_owned(),
        many => many.iter().map(|p| format!("(?:{})", p.as_ref())).collect::<Vec<_>>().join("|"),
    }
}
