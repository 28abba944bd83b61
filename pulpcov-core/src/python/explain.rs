//! Why a text is no Python, in CPython's words.
//!
//! The parser that we use and CPython's agree on what is Python, and mostly on where it stops
//! being it; they use other words. What is not in the tables here is CPython's "invalid syntax",
//! as it is for anything that none of its `invalid_` rules (`python.gram`) knows.

use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::PythonVersion;
use super::syntax::{LineIndex, NotPython};

/// What our parser says.
pub(crate) struct Reported<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: &'a [Token],
    pub(crate) lines: &'a LineIndex,
    pub(crate) message: &'a str,
    pub(crate) range: TextRange,
    pub(crate) version: PythonVersion,
}

const INVALID: &str = "invalid syntax";
const LEADING_ZEROS: &str = "leading zeros in decimal integer literals are not permitted; \
                             use an 0o prefix for octal integers";

/// Our parser's words and CPython's.
const SAME: [(&str, &str); 30] = [
    ("Unexpected indentation", "unexpected indent"),
    (
        "unindent does not match any outer indentation level",
        "unindent does not match any outer indentation level",
    ),
    (
        "Expected a newline after line continuation character",
        "unexpected character after line continuation character",
    ),
    (
        "bytes can only contain ASCII literal characters",
        "bytes can only contain ASCII literal characters",
    ),
    ("Invalid decimal integer literal", LEADING_ZEROS),
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
        let (message, at) = self.specific().or_else(|| self.token_error()).unwrap_or_else(|| {
            self.unclosed_bracket().unwrap_or_else(|| (INVALID.to_owned(), self.range.start()))
        });
        NotPython::new(message, Some(self.lines.line_at(at.to_usize())))
    }

    /// What CPython has a rule for.
    fn specific(&self) -> Option<(String, TextSize)> {
        let at = self.range.start();
        if self.message == "missing closing quote in string literal" {
            return Some(self.unterminated_string());
        }
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
        if let Some(character) = self.unknown_character() {
            return Some((character, at));
        }
        let same = SAME.iter().find(|(words, _)| self.message.starts_with(words));
        same.map(|(_, words)| ((*words).to_owned(), at))
    }

    /// `print x` and `exec x`: `invalid_legacy_expression` in the grammar.
    fn legacy_statement(&self) -> Option<(String, TextSize)> {
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

    fn unterminated_string(&self) -> (String, TextSize) {
        let start = self.range.start();
        let literal = self.text.get(start.to_usize()..).unwrap_or_default();
        let quotes = literal.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let is_triple = quotes.starts_with("\"\"\"") || quotes.starts_with("'''");
        let (kind, last) = if is_triple {
            ("triple-quoted string", self.lines.last_line())
        } else {
            ("string", self.lines.line_at(start.to_usize()))
        };
        (format!("unterminated {kind} literal (detected at line {last})"), start)
    }

    /// Characters that are no part of any token.
    fn unknown_character(&self) -> Option<String> {
        let character = self.message.strip_prefix("Got unexpected token ")?.chars().next()?;
        let code = u32::from(character);
        if character.is_ascii() {
            return None;
        }
        Some(if crate::text::is_printable(character) {
            format!("invalid character '{character}' (U+{code:04X})")
        } else {
            format!("invalid non-printable character U+{code:04X}")
        })
    }

    /// An error that CPython's tokenizer finds in the rest of the file: it looks there before it
    /// says no more than "invalid syntax" (`_PyPegen_tokenize_full_source_to_check_for_errors`).
    fn token_error(&self) -> Option<(String, TextSize)> {
        let from = self.tokens.partition_point(|token| token.end() < self.range.start());
        let rest = self.tokens.get(from.saturating_sub(1)..).unwrap_or_default();
        let is_octal = |token: &&Token| {
            token.kind() == TokenKind::Unknown && has_leading_zeros(self.slice(token.range()))
        };
        if let Some(octal) = rest.iter().find(is_octal) {
            return Some((LEADING_ZEROS.to_owned(), octal.start()));
        }
        rest.windows(2).find_map(|pair| match pair {
            [number, next] if number.end() == next.start() => {
                Some((self.bad_number(number, next)?.to_owned(), number.start()))
            }
            _ => None,
        })
    }

    /// `verify_end_of_number` in the tokenizer: a name sticks to a number.
    fn bad_number(&self, number: &Token, next: &Token) -> Option<&'static str> {
        let sticks = next.kind() == TokenKind::Name;
        let literal = self.slice(number.range());
        let prefix = literal.get(..2).unwrap_or_default().to_ascii_lowercase();
        match number.kind() {
            TokenKind::Int if sticks => Some(match prefix.as_str() {
                "0x" => "invalid hexadecimal literal",
                "0o" => "invalid octal literal",
                "0b" => "invalid binary literal",
                _ => "invalid decimal literal",
            }),
            TokenKind::Float if sticks => Some("invalid decimal literal"),
            TokenKind::Complex if sticks => Some("invalid imaginary literal"),
            _ => None,
        }
    }

    /// `_PyPegen_set_syntax_error`: the innermost bracket that is open where the file ends.
    fn unclosed_bracket(&self) -> Option<(String, TextSize)> {
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

    fn slice(&self, range: TextRange) -> &str {
        self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default()
    }
}

/// `0777`: octal up to Python 2.
fn has_leading_zeros(literal: &str) -> bool {
    let digits = literal.bytes().filter(|b| *b != b'_');
    literal.starts_with('0')
        && literal.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && digits.clone().any(|b| b != b'0')
}
