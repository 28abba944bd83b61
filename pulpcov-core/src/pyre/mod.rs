//! Regular expressions of Python's `re`, run by the `fancy-regex` crate.
//!
//! The two dialects look alike and differ in detail, so a pattern is read by Python's grammar
//! (`parser`, with `cursor` and `escape` below it) and written anew for `fancy-regex`. Reading finds
//! what Python would refuse, in Python's words and with its position.
//!
//! Of what Python 3.11 accepts, only this is refused: more than 200 groups in each other; the flag `t`, which means
//! nothing; and, by [`Pattern`], repetitions that make the engine's program too large. Two rare things match otherwise:
//! a condition on a group that is still open, `(a|b(?(1)c))`, holds in the engine and does not in Python; and what is
//! repeated and would rather match nothing, `(?:|x)+`, is not repeated where Python comes back to it.

mod case;
mod cursor;
mod defaults;
mod escape;
mod parser;
mod required;

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

#[cfg(feature = "config")]
pub(crate) use cursor::PatternError;
pub use defaults::{DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS};

use crate::{Error, ErrorKind, Result};
use parser::Modes;

/// Steps of backtracking that one search may take: a bound on time, far above what patterns need. A search
/// with look-around costs steps for every character that it passes.
const BACKTRACK_LIMIT: usize = 100_000_000;

/// A regular expression as Python's `re` understands it.
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
    /// What finds the places where matches can be.
    required: Option<required::Required>,
    /// Made when an empty match is found: few patterns have any.
    not_empty: OnceLock<fancy_regex::Regex>,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.regex.as_str()).finish()
    }
}

impl Pattern {
    /// Python's `re.compile(pattern)`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`] if Python refuses it, or if it is too large for us.
    pub fn new(pattern: &str) -> Result<Self> {
        Self::with_modes(pattern, Modes::default())
    }

    /// Python's `re.compile(pattern, re.MULTILINE)`: `^` and `$` match at every line.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn multi_line(pattern: &str) -> Result<Self> {
        Self::with_modes(pattern, Modes { multi_line: true, ..Modes::default() })
    }

    fn with_modes(pattern: &str, modes: Modes) -> Result<Self> {
        let translated = parser::translate(pattern, modes)
            .map_err(|error| Error::new(ErrorKind::Pattern, error))?;
        let required = required::Required::of(&translated);
        Ok(Self { regex: compile(&translated)?, required, not_empty: OnceLock::new() })
    }

    /// The byte ranges of `text` that match, from the left, as by Python's `re.finditer`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Pattern`] when a match would take too many steps.
    pub fn find_iter<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Result<Range<usize>>> {
        let everywhere = self.required.is_none().then_some(0..text.len());
        let places = self.required.as_ref().map(|required| required.places(text));
        let places = everywhere.into_iter().chain(places.into_iter().flatten());
        places.flat_map(|place| self.find_in(text, place))
    }

    /// The matches in a place that holds each of them as a whole.
    fn find_in<'t>(
        &'t self,
        text: &'t str,
        place: Range<usize>,
    ) -> impl Iterator<Item = Result<Range<usize>>> {
        let text = text.get(..place.end).unwrap_or(text);
        let mut from = Some(place.start);
        let mut was_empty = false;
        std::iter::from_fn(move || {
            let found = self.find_from(text, from?, was_empty).transpose()?;
            from = found.as_ref().ok().map(|found| found.end);
            was_empty = found.as_ref().is_ok_and(Range::is_empty);
            Some(found)
        })
    }

    /// The next match. Behind an empty one, Python looks at the same place for one that is not.
    fn find_from(&self, text: &str, from: usize, was_empty: bool) -> Result<Option<Range<usize>>> {
        let regex = if was_empty { self.not_empty()? } else { &self.regex };
        let found = regex.find_from_pos(text, from).map_err(refused_by_engine)?;
        Ok(found.map(|found| found.start()..found.end()))
    }

    /// The same, but for an empty match where the search starts.
    fn not_empty(&self) -> Result<&fancy_regex::Regex> {
        if let Some(regex) = self.not_empty.get() {
            return Ok(regex);
        }
        let regex = compile(&format!(r"(?:{})(?!\G)", self.regex.as_str()))?;
        Ok(self.not_empty.get_or_init(|| regex))
    }

    /// Whether it matches anywhere in `text`, as by Python's `re.search`.
    ///
    /// # Errors
    ///
    /// As [`find_iter`](Self::find_iter).
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

/// The engine's message alone: its error type stays inside.
fn refused_by_engine(error: fancy_regex::Error) -> Error {
    Error::new(ErrorKind::Pattern, error.to_string())
}

/// Whether Python would compile `pattern`.
///
/// Nothing is compiled: a config file with an exotic pattern is of use to whoever does not need
/// that pattern.
#[cfg(feature = "config")]
pub(crate) fn check(pattern: &str) -> Result<(), PatternError> {
    parser::translate(pattern, Modes::default()).map(drop)
}

/// One pattern that matches what any of `patterns` matches: coverage.py's `misc.join_regex`.
#[cfg(feature = "python")]
pub(crate) fn join<S: AsRef<str>>(patterns: &[S]) -> String {
    match patterns {
        [one] => one.as_ref().to_owned(),
        many => many.iter().map(|p| format!("(?:{})", p.as_ref())).collect::<Vec<_>>().join("|"),
    }
}
