//! Translates the regular expressions of coverage.py into the syntax of the `regex` crate.
//! coverage.py builds them from patterns.
//!
//! coverage.py copies the brackets of a pattern into its expression unchanged. They then mean what
//! Python's `re` makes of them: `[!a]` is `!` or `a`, `[]x[a]` is one set, `&&` is two characters.
//! This module translates the finished expression, not the pattern, so these meanings are kept.
//!
//! Only the syntax that coverage.py emits is understood: escaped and plain characters, sets, `.`,
//! `*`, `?`, `^`, `|` and groups.

use std::str::Chars;

use regex::{Regex, RegexBuilder};

use super::error::PatternError;

/// The limit on the compiled size of an expression, in bytes. Patterns of real config files need a
/// few kilobytes.
const SIZE_LIMIT: usize = 10 << 20;

/// The limit on the length of an expression, in bytes. The parser takes some hundred times that
/// much memory before the compiled size is known.
const LENGTH_LIMIT: usize = 1 << 20;

/// Letters that Python takes for one another when case is ignored. By Unicode's folding, only `I`
/// and `i` are alike.
///
/// Python and Unicode's folding agree on all other letters, except in alphabets that are newer than
/// that Python's version of Unicode.
const ALIKE_TO_I: [char; 4] = ['I', 'i', '\u{130}', '\u{131}'];

/// How an expression matches.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    /// Ignore the difference between upper and lower case.
    pub(super) ignore_case: bool,
    /// Match a text if its start matches.
    pub(super) prefix: bool,
}

/// Compiles an expression in Python's syntax. The match begins at the start of a text.
pub(super) fn compile(python: &str, flags: Flags) -> Result<Regex, PatternError> {
    if python.len() > LENGTH_LIMIT {
        return Err(PatternError::TooLarge);
    }
    let body = Translator { flags, rust: String::with_capacity(2 * python.len()) }.run(python)?;
    let end = if flags.prefix { "" } else { r"\z" };
    RegexBuilder::new(&format!(r"\A(?:{body}){end}"))
        .case_insensitive(flags.ignore_case)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|cause| PatternError::Regex(Box::new(cause)))
}

/// Escapes `text` as `re.escape` of Python 3.7 and later does.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

struct Translator {
    flags: Flags,
    rust: String,
}

impl Translator {
    fn run(mut self, python: &str) -> Result<String, PatternError> {
        let mut chars = python.chars();
        while let Some(c) = chars.next() {
            match c {
                '[' => self.set(&mut chars)?,
                '\\' => chars.next().into_iter().for_each(|c| self.literal(c)),
                '(' | ')' | '|' | '?' | '*' | '.' | '^' | ':' => self.rust.push(c),
                c => self.literal(c),
            }
        }
        Ok(self.rust)
    }

    fn literal(&mut self, c: char) {
        if self.flags.ignore_case && ALIKE_TO_I.contains(&c) {
            self.rust.push('[');
            self.rust.extend(ALIKE_TO_I);
            self.rust.push(']');
        } else {
            self.rust.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        }
    }

    /// Translates a set whose `[` was already read. As in Python, a `]` that is the first member
    /// does not end the set.
    fn set(&mut self, chars: &mut Chars<'_>) -> Result<(), PatternError> {
        let unfinished = || PatternError::UnfinishedSet(format!("[{}", chars.as_str()));
        let mut rest = chars.clone();
        self.rust.push('[');
        if rest.as_str().starts_with('^') {
            rest.next();
            self.rust.push('^');
        }
        let mut empty = true;
        loop {
            let first = match rest.next().ok_or_else(unfinished)? {
                ']' if !empty => break,
                c => unescaped(c, &mut rest).ok_or_else(unfinished)?,
            };
            empty = false;
            let last = range_end(&mut rest).ok_or_else(unfinished)?.unwrap_or(first);
            self.range(first, last)?;
        }
        self.rust.push(']');
        *chars = rest;
        Ok(())
    }

    fn range(&mut self, first: char, last: char) -> Result<(), PatternError> {
        if last < first {
            return Err(PatternError::BadRange(first, last));
        }
        let mut member = |a: char, b: char| {
            self.rust.push_str(&format!(r"\x{{{:x}}}-\x{{{:x}}}", u32::from(a), u32::from(b)));
        };
        member(first, last);
        if self.flags.ignore_case && ALIKE_TO_I.iter().any(|i| (first..=last).contains(i)) {
            ALIKE_TO_I.iter().for_each(|&i| member(i, i));
        }
        Ok(())
    }
}

/// Returns the character that a set's member `c` stands for, or `None` at the end of the text.
fn unescaped(c: char, rest: &mut Chars<'_>) -> Option<char> {
    if c == '\\' { rest.next() } else { Some(c) }
}

/// Returns the end of a range, or `Some(None)` if no range follows: there is no `-`, or it is the
/// last member of the set. Returns `None` at the end of the text.
fn range_end(rest: &mut Chars<'_>) -> Option<Option<char>> {
    let mut ahead = rest.clone();
    if ahead.next() != Some('-') {
        return Some(None);
    }
    let end = match ahead.next()? {
        ']' => return Some(None),
        c => unescaped(c, &mut ahead)?,
    };
    *rest = ahead;
    Some(Some(end))
}
