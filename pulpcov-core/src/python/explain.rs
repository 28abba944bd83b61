//! Why a text is no Python, in CPython's words.
//!
//! The parser that we use and CPython's agree on what is Python, and mostly on where it stops
//! being it; they use other words. What is not in the tables here is CPython's "invalid syntax",
//! as it is for anything that none of its `invalid_` rules (`python.gram`) knows.

use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::PythonVersion;
use super::syntax::{LineIndex, NotPython};
use super::token_errors::{self, Found};

/// What our parser says.
pub(crate) struct Reported<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: &'a [Token],
    pub(crate) lines: &'a LineIndex,
    pub(crate) message: &'a str,
    pub(crate) range: TextRange,
    /// The errors of its tokenizer in the whole text.
    pub(crate) lexical: &'a [(String, TextRange)],
    /// Earlier syntax that `version` does not know.
    pub(crate) unknown: Option<Found>,
    pub(crate) version: PythonVersion,
}

const INVALID: &str = "invalid syntax";

/// Our parser's words and CPython's.
const SAME: [(&str, &str); 26] = [
    ("Unexpected indentation", "unexpected indent"),
    (
        "Multiple exception types must be parenthesized",
        "multiple exception types must be parenthesized",
    ),
    ("Starred expression cannot be used here", "cannot use starred expression here"),
    (
        "Iterable argument unpacking cannot follow",
        "iterable argument unpacking follows keyword argument unpacking",
    ),
    (
        "Positional argument cannot follow keyword argument unpacking",
        "positional argument follows keyword argument unpacking",
    ),
    (
        "Positional argument cannot follow keyword argument",
        "positional argument follows keyword argument",
    ),
    ("Unparenthesized generator expression", "Generator expression must be parenthesized"),
    ("Iterable unpacking cannot be used", "iterable unpacking cannot be used in comprehension"),
    ("Expected one or more keyword parameter after", "named arguments must follow bare *"),
    ("Only one '/' separator allowed", "/ may appear only once"),
    ("Only one '*' parameter allowed", "* argument may appear only once"),
    ("'/' parameter must appear before '*' parameter", "/ must be ahead of *"),
    (
        "Parameter cannot follow var-keyword parameter",
        "arguments cannot follow var-keyword argument",
    ),
    ("Bytes literal cannot be mixed", "cannot mix bytes and nonbytes literals"),
    ("Only single target (not tuple)", "only single target (not tuple) can be annotated"),
    ("Only single target (not list)", "only single target (not list) can be annotated"),
    ("Invalid annotated assignment target", "illegal target for annotation"),
    (
        "Cannot have both 'except' and 'except*'",
        "cannot have both 'except' and 'except*' on the same 'try'",
    ),
    ("Expected one or more exception types", "expected one or more exception types"),
    ("Expected `except` or `finally` after", "expected 'except' or 'finally' block"),
    ("Positional patterns cannot follow", "positional patterns follow keyword patterns"),
    ("Expected an imaginary number", "imaginary number required in complex literal"),
    ("Expected a real number", "real number required in complex literal"),
    ("f-string: expecting `}`", "f-string: expecting '}'"),
    ("f-string: single `}` is not allowed", "f-string: single '}' is not allowed"),
    ("f-string: invalid conversion character", "f-string: invalid conversion character"),
];

impl Reported<'_> {
    pub(crate) fn explain(&self) -> NotPython {
        let found = token_errors::first(self).or_else(|| self.unknown.clone());
        let found = found.or_else(|| self.specific());
        let (message, at) = found
            .or_else(|| self.unclosed_bracket_above())
            .unwrap_or_else(|| (INVALID.to_owned(), self.range.start()));
        NotPython::new(message, Some(self.lines.line_at(at.to_usize())))
    }

    /// CPython blames an open bracket only for what is on a later line.
    fn unclosed_bracket_above(&self) -> Option<Found> {
        let line = |at: TextSize| self.lines.line_at(at.to_usize());
        self.unclosed_bracket().filter(|(_, at)| line(*at) < line(self.range.start()))
    }

    /// What CPython has a rule for.
    fn specific(&self) -> Option<Found> {
        let at = self.range.start();
        if let Some(clause) = self.message.strip_prefix("Expected an indented block after ") {
            let line = self.lines.line_at(self.clause_before(at).to_usize());
            let clause = clause.replace('`', "'");
            return Some((format!("expected an indented block after {clause} on line {line}"), at));
        }
        if let Some(legacy) = self.legacy_statement() {
            return Some(legacy);
        }
        if self.message.starts_with("Expected `:`, found newline") {
            return Some(("expected ':'".to_owned(), at));
        }
        if self.message.starts_with("Expected `(`, found") {
            return Some(("expected '('".to_owned(), at));
        }
        if self.message == "unexpected EOF while parsing" {
            let end = || ("unexpected EOF while parsing".to_owned(), at);
            return Some(self.unclosed_bracket().unwrap_or_else(end));
        }
        if self.message.starts_with("Parameter without a default cannot follow") {
            let message = if self.version == PythonVersion::Py311 {
                "non-default argument follows default argument"
            } else {
                "parameter without a default follows parameter with a default"
            };
            return Some((message.to_owned(), at));
        }
        let same = SAME.iter().find(|(words, _)| self.message.starts_with(words));
        same.map(|(_, words)| ((*words).to_owned(), at))
    }

    /// `print x` and `exec x`: `invalid_legacy_expression` in the grammar.
    fn legacy_statement(&self) -> Option<Found> {
        if !self.message.starts_with("Simple statements must be separated") {
            return None;
        }
        let position = self.tokens.partition_point(|token| token.start() < self.range.start());
        let before = self.tokens.get(position.checked_sub(1)?)?;
        let name = self.slice(before.range());
        matches!(name, "print" | "exec").then(|| {
            let message =
                format!("Missing parentheses in call to '{name}'. Did you mean {name}(...)?");
            (message, before.start())
        })
    }

    /// `_PyPegen_set_syntax_error`: the innermost bracket that is open where the file ends.
    fn unclosed_bracket(&self) -> Option<Found> {
        let mut open = Vec::new();
        for token in self.tokens {
            match token.kind() {
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => open.push(token),
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => _ = open.pop(),
                _ => {}
            }
        }
        let bracket = open.last()?;
        Some((format!("'{}' was never closed", self.slice(bracket.range())), bracket.start()))
    }

    /// Where the logical line before `at` starts.
    fn clause_before(&self, at: TextSize) -> TextSize {
        let before = self.tokens.partition_point(|token| token.start() < at);
        let before = self.tokens.get(..before).unwrap_or_default();
        let is_blank = |token: &&Token| {
            token.kind().is_trivia()
                || matches!(
                    token.kind(),
                    TokenKind::Newline
                        | TokenKind::NonLogicalNewline
                        | TokenKind::Indent
                        | TokenKind::Dedent
                )
        };
        let mut clause = before.iter().rev().skip_while(is_blank);
        let mut start = at;
        for token in clause.by_ref() {
            if token.kind() == TokenKind::Newline {
                break;
            }
            if !is_blank(&token) {
                start = token.start();
            }
        }
        start
    }

    pub(super) fn slice(&self, range: TextRange) -> &str {
        self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default()
    }
}
