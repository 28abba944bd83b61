//! The glob language of coverage.py (`files._glob_to_regex`).
//!
//! | pattern | matches |
//! |---|---|
//! | `name` without a slash | that name in any folder |
//! | `/` or `\` | either slash |
//! | `*` | any run of characters within a name |
//! | `?` | one character within a name |
//! | `*/` at the start, `**/` | any folders, or none |
//! | `/*`, `/**` at the end | everything below |
//! | `[a-f]` | a set, as Python's `re` reads it |

use std::borrow::Cow;

use globset::{Glob, GlobBuilder};

use super::error::PatternError;

/// One piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'p> {
    /// `**/`, or `*/` at the start.
    AnyFolders,
    /// `/*` or `/**` at the end.
    AnythingBelow,
    Slash,
    Star,
    QuestionMark,
    /// A set, including its brackets.
    Set(&'p str),
    /// ASCII letters, digits, `_` and `-`.
    Word(&'p str),
    Other(char),
}

/// A checked pattern in coverage.py's language.
#[derive(Debug)]
pub(super) struct GlobPattern {
    /// The pattern, with `/` for every slash. It has at least one slash.
    text: String,
}

impl GlobPattern {
    pub(super) fn new(pattern: &str) -> Result<Self, PatternError> {
        let text = pattern.replace('\\', "/");
        let text = if text.contains('/') { text } else { format!("**/{text}") };
        Tokens::new(&text).try_for_each(|token| token.map(drop))?;
        Ok(Self { text })
    }

    fn tokens(&self) -> impl Iterator<Item = Token<'_>> {
        Tokens::new(&self.text).filter_map(Result::ok)
    }

    /// Returns coverage.py's regular expression for the pattern, in Python's syntax.
    pub(super) fn python_regex(&self) -> String {
        self.tokens().map(Token::python_regex).collect()
    }

    /// Returns the pattern as a [`Glob`] for paths with `/`, or `None` if the meaning would differ.
    ///
    /// The meaning differs for sets, for `?` (globset's `?` matches a byte), for newlines (Python's
    /// `**/` does not cross a newline), and for patterns of folders alone (globset's `**/` matches
    /// every path).
    pub(super) fn to_globset(&self) -> Option<Glob> {
        let mut glob = String::with_capacity(self.text.len() + 8);
        let mut folders_only = true;
        let mut last = Token::Slash;
        for token in self.tokens() {
            folders_only &= token == Token::AnyFolders;
            match token {
                Token::AnyFolders => glob.push_str("**/"),
                Token::AnythingBelow => glob.push_str("/**"),
                Token::Slash => glob.push('/'),
                // Two stars that do not stand for folders mean the same as one.
                Token::Star if last == Token::Star => {}
                Token::Star => glob.push('*'),
                Token::Word(word) => glob.push_str(word),
                Token::Other('\n') | Token::QuestionMark | Token::Set(_) => return None,
                Token::Other(c) => glob.extend(['\\', c]),
            }
            last = token;
        }
        if folders_only {
            return None;
        }
        GlobBuilder::new(&glob).literal_separator(true).backslash_escape(true).build().ok()
    }
}

/// Returns one regular expression that matches any of `patterns`: coverage.py's `misc.join_regex`.
pub(super) fn join_regex(patterns: &[GlobPattern]) -> String {
    match patterns {
        [one] => one.python_regex(),
        many => {
            let groups: Vec<_> = many.iter().map(|p| format!("(?:{})", p.python_regex())).collect();
            groups.join("|")
        }
    }
}

impl<'p> Token<'p> {
    fn python_regex(self) -> Cow<'p, str> {
        match self {
            Self::AnyFolders => r"(.*[/\\])?".into(),
            Self::AnythingBelow => r"[/\\].*".into(),
            Self::Slash => r"[/\\]".into(),
            Self::Star => r"[^/\\]*".into(),
            Self::QuestionMark => r"[^/\\]".into(),
            Self::Set(text) | Self::Word(text) => text.into(),
            Self::Other(c) => format!(r"\{c}").into(),
        }
    }
}

/// Splits a pattern into tokens. Yields an error for what coverage.py does not allow.
struct Tokens<'p> {
    pattern: &'p str,
    at: usize,
    /// There is no forbidden run of stars before this position, so each name is checked only once.
    checked: usize,
}

impl<'p> Tokens<'p> {
    fn new(pattern: &'p str) -> Self {
        Self { pattern, at: 0, checked: 0 }
    }

    fn rest(&self) -> &'p str {
        &self.pattern[self.at..]
    }

    /// Returns the token that starts with `first`, and its length.
    ///
    /// The order of the checks is coverage.py's, and it matters: `x/***` is allowed because `/***`
    /// at the end is recognized before `***` is refused.
    fn token(&mut self, first: char) -> Result<(Token<'p>, usize), PatternError> {
        self.check_stars()?;
        let rest = self.rest();
        let stars = leading_stars(rest);
        if rest[stars..].starts_with('/') && (stars > 1 || stars == 1 && self.at == 0) {
            return Ok((Token::AnyFolders, stars + 1));
        }
        if let Some(len) = anything_below(rest) {
            return Ok((Token::AnythingBelow, len));
        }
        if let Some(len) = set_len(rest) {
            return Ok((Token::Set(&rest[..len]), len));
        }
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if word > 0 {
            return Ok((Token::Word(&rest[..word]), word));
        }
        let token = match first {
            '/' => Token::Slash,
            '*' => Token::Star,
            '?' => Token::QuestionMark,
            '[' | ']' => return Err(PatternError::Forbidden(first.to_string())),
            other => Token::Other(other),
        };
        Ok((token, first.len_utf8()))
    }

    fn check_stars(&mut self) -> Result<(), PatternError> {
        if self.at < self.checked {
            return Ok(());
        }
        let rest = self.rest();
        let name = &rest[..rest.find('/').unwrap_or(rest.len())];
        self.checked = self.at + name.len();
        match forbidden_stars(rest, name) {
            Some(text) => Err(PatternError::Forbidden(text.to_owned())),
            None => Ok(()),
        }
    }
}

impl<'p> Iterator for Tokens<'p> {
    type Item = Result<Token<'p>, PatternError>;

    fn next(&mut self) -> Option<Self::Item> {
        let token = self.token(self.rest().chars().next()?);
        self.at += token.as_ref().map_or(self.rest().len(), |(_, len)| *len);
        Some(token.map(|(token, _)| token))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn leading_stars(text: &str) -> usize {
    text.len() - text.trim_start_matches('*').len()
}

/// Returns the forbidden run of stars at the start of `rest`: `***`, `x**`, `**x` or `**/**`. The
/// result is the part that coverage.py quotes. `name` is the part of `rest` before the first slash.
fn forbidden_stars<'p>(rest: &'p str, name: &'p str) -> Option<&'p str> {
    let stars = leading_stars(rest);
    if stars > 2 {
        return Some(&rest[..stars]);
    }
    if let Some(last) = name.rfind("**").filter(|&last| last > 0) {
        return Some(&name[..last + 2]);
    }
    if stars == 2 && name.len() > 2 {
        return Some(name);
    }
    rest.starts_with("**/**").then(|| &rest[..5])
}

/// Returns the length of `/*` or `/**` at the end of the pattern. A newline may follow, because
/// Python's `$` matches before a final newline.
fn anything_below(rest: &str) -> Option<usize> {
    let stars = leading_stars(rest.strip_prefix('/')?);
    let behind = &rest[1 + stars..];
    (stars > 0 && matches!(behind, "" | "\n")).then_some(1 + stars)
}

/// Returns the length of a set `[...]`. The set ends at the first `]`, which must be on the same
/// line.
fn set_len(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('[')?;
    let end = inner.find([']', '\n'])?;
    inner[end..].starts_with(']').then_some(end + 2)
}
