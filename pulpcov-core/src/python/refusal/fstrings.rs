//! Checks the f-strings of Python 3.11. For its tokenizer, an f-string is one token. A scanner then
//! finds the expressions in the f-string, and each expression is parsed on its own.

use super::actions::CheckResult;
use super::parser::{Parser, Stop, Verdict};
use super::strings::{Literal, wrong_escape};
use super::tokenizer::Token;

/// The limit on open brackets in an expression: CPython's `MAXLEVEL`.
const MAX_BRACKETS: usize = 200;

/// A position in an f-string.
struct Scanner<'t> {
    literal: &'t str,
    at: usize,
    end: usize,
    is_raw: bool,
    /// The line of the byte at `counted_to`.
    line: i32,
    /// The index up to which newlines were counted.
    counted_to: usize,
}

impl Scanner<'_> {
    /// Returns the line of the byte at `at`. `at` must not be less than in the previous call.
    fn line_at(&mut self, at: usize) -> i32 {
        let passed = self.literal.as_bytes().get(self.counted_to..at).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count() as i32;
        self.counted_to = at;
        self.line
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.literal.as_bytes().get(at).copied().filter(|_| at < self.end)
    }

    fn current(&self) -> Option<u8> {
        self.byte(self.at)
    }
}

impl Parser<'_> {
    /// Checks the text and the expressions of an f-string.
    pub(super) fn fstring(&mut self, token: Token, literal: &Literal<'_>) -> CheckResult {
        let mut scanner = Scanner {
            literal: self.slice(token),
            at: literal.offset,
            end: literal.offset + literal.content.len(),
            is_raw: literal.is_raw,
            line: token.line,
            counted_to: 0,
        };
        self.fstring_parts(&mut scanner, 0)
    }

    /// Checks text and replacement fields: CPython's `_PyPegen_FstringParser_ConcatFstring`. Stops
    /// at the end, or in a format specification at the `}` of its field.
    fn fstring_parts(&mut self, scanner: &mut Scanner<'_>, level: usize) -> CheckResult {
        loop {
            if self.fstring_literal(scanner, level)? {
                continue;
            }
            if !matches!(scanner.current(), Some(c) if c != b'}') {
                break;
            }
            self.replacement_field(scanner, level)?;
        }
        if level == 0 && scanner.at + 1 < scanner.end {
            return Err(self.refuse_at_last("f-string: unexpected end of string"));
        }
        // At the end, CPython looks at the closing quote here, which is not a `}` either.
        if level != 0 && scanner.current() != Some(b'}') {
            return Err(self.refuse_at_last("f-string: expecting '}'"));
        }
        Ok(())
    }

    /// Checks the text up to the next brace: CPython's `fstring_find_literal`. Returns whether a
    /// doubled brace ended the text, so that more text may follow.
    fn fstring_literal(&mut self, scanner: &mut Scanner<'_>, level: usize) -> Result<bool, Stop> {
        let start = scanner.at;
        let mut at = start;
        let mut is_doubled = false;
        while let Some(mut c) = scanner.byte(at) {
            at += 1;
            if !scanner.is_raw && c == b'\\' && at < scanner.end {
                c = scanner.byte(at).unwrap_or_default();
                at += 1;
                if c == b'N' {
                    let is_named = scanner.byte(at) == Some(b'{');
                    at += usize::from(at < scanner.end);
                    if is_named {
                        while scanner.byte(at).is_some_and(|c| c != b'}') {
                            at += 1;
                        }
                        at += usize::from(at < scanner.end);
                    }
                    continue;
                }
            }
            if matches!(c, b'{' | b'}') {
                if level == 0 {
                    if scanner.byte(at) == Some(c) {
                        is_doubled = true;
                        break;
                    }
                    if c == b'}' {
                        return Err(self.refuse_at_last("f-string: single '}' is not allowed"));
                    }
                }
                at -= 1;
                break;
            }
        }
        let text = scanner.literal.get(start..at).unwrap_or_default();
        scanner.at = if is_doubled { at + 1 } else { at };
        if !scanner.is_raw
            && let Some(wrong) = wrong_escape(text)
        {
            return Err(self.refuse_at_last(wrong));
        }
        Ok(is_doubled)
    }

    /// Checks a replacement field, whose `{` is the next byte: CPython's `fstring_find_expr`.
    fn replacement_field(&mut self, scanner: &mut Scanner<'_>, level: usize) -> CheckResult {
        const EXPECTED: &str = "f-string: expecting '}'";
        if level >= 2 {
            return Err(self.refuse_at_last("f-string: expressions nested too deeply"));
        }
        scanner.at += 1;
        let start = scanner.at;
        self.end_of_expression(scanner)?;
        if scanner.at >= scanner.end {
            return Err(self.refuse_at_last(EXPECTED));
        }
        self.expression(scanner, start)?;
        if scanner.current() == Some(b'=') {
            scanner.at += 1;
            let is_space = |c: u8| c.is_ascii_whitespace() || c == 0x0b;
            while scanner.current().is_some_and(is_space) {
                scanner.at += 1;
            }
            if scanner.at >= scanner.end {
                return Err(self.refuse_at_last(EXPECTED));
            }
        }
        if scanner.current() == Some(b'!') {
            scanner.at += 1;
            let Some(conversion) = scanner.current() else {
                return Err(self.refuse_at_last(EXPECTED));
            };
            scanner.at += 1;
            if !matches!(conversion, b's' | b'r' | b'a') {
                return Err(self.refuse_at_last(
                    "f-string: invalid conversion character: expected 's', 'r', or 'a'",
                ));
            }
        }
        if scanner.current() == Some(b':') {
            scanner.at += 1;
            if scanner.at >= scanner.end {
                return Err(self.refuse_at_last(EXPECTED));
            }
            self.fstring_parts(scanner, level + 1)?;
        }
        if scanner.current() != Some(b'}') {
            return Err(self.refuse_at_last(EXPECTED));
        }
        scanner.at += 1;
        Ok(())
    }

    /// Moves to the `!`, `:`, `=` or `}` that follows an expression, or to the end.
    fn end_of_expression(&mut self, scanner: &mut Scanner<'_>) -> CheckResult {
        // The quote of the string around the position, and how many quotes start the string.
        let mut string: Option<(u8, usize)> = None;
        let mut brackets: Vec<u8> = Vec::new();
        while let Some(c) = scanner.current() {
            let next = scanner.byte(scanner.at + 1);
            let is_triple = next == Some(c) && scanner.byte(scanner.at + 2) == Some(c);
            if c == b'\\' {
                let message = "f-string expression part cannot include a backslash";
                return Err(self.refuse_at_last(message));
            }
            if let Some((quote, quotes)) = string {
                if c == quote && (quotes == 1 || is_triple) {
                    scanner.at += quotes - 1;
                    string = None;
                }
                scanner.at += 1;
                continue;
            }
            match c {
                b'\'' | b'"' => {
                    let quotes = if is_triple { 3 } else { 1 };
                    scanner.at += quotes - 1;
                    string = Some((c, quotes));
                }
                b'(' | b'[' | b'{' => {
                    if brackets.len() >= MAX_BRACKETS {
                        let message = "f-string: too many nested parenthesis";
                        return Err(self.refuse_at_last(message));
                    }
                    brackets.push(c);
                }
                b'#' => {
                    let message = "f-string expression part cannot include '#'";
                    return Err(self.refuse_at_last(message));
                }
                b'!' | b':' | b'}' | b'=' | b'>' | b'<' if brackets.is_empty() => {
                    if matches!(c, b'!' | b'=' | b'<' | b'>') && next == Some(b'=') {
                        scanner.at += 1;
                    } else if !matches!(c, b'<' | b'>') {
                        break;
                    }
                }
                b')' | b']' | b'}' => self.close(&mut brackets, c)?,
                _ => {}
            }
            scanner.at += 1;
        }
        if string.is_some() {
            return Err(self.refuse_at_last("f-string: unterminated string"));
        }
        match brackets.last() {
            Some(opening) => {
                let message = format!("f-string: unmatched '{}'", char::from(*opening));
                Err(self.refuse_at_last(message))
            }
            None => Ok(()),
        }
    }

    /// Closes the innermost open bracket.
    fn close(&mut self, brackets: &mut Vec<u8>, closing: u8) -> CheckResult {
        let close = char::from(closing);
        let Some(opening) = brackets.pop() else {
            return Err(self.refuse_at_last(format!("f-string: unmatched '{close}'")));
        };
        if matches!((opening, closing), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
            return Ok(());
        }
        Err(self.refuse_at_last(format!(
            "f-string: closing parenthesis '{close}' does not match opening parenthesis '{}'",
            char::from(opening)
        )))
    }

    /// Parses the expression from `start` to the position: CPython's `fstring_compile_expr`.
    fn expression(&mut self, scanner: &mut Scanner<'_>, start: usize) -> CheckResult {
        let text = scanner.literal.get(start..scanner.at).unwrap_or_default();
        if text.bytes().all(|c| matches!(c, b' ' | b'\t' | b'\n' | b'\x0c')) {
            return Err(match scanner.current() {
                Some(c @ (b'!' | b':' | b'=')) => self.refuse_at_last(format!(
                    "f-string: expression required before '{}'",
                    char::from(c)
                )),
                _ => self.refuse_at_last("f-string: empty expression not allowed"),
            });
        }
        let text = format!("({text})\n");
        let line = scanner.line_at(start) - 1;
        match Parser::new(&text, self.version, line).fstring_expression() {
            Verdict::Accepted(_) => Ok(()),
            Verdict::Refused(refusal) => Err(self.refuse_as(refusal)),
            Verdict::GivenUp => Err(Stop::GivenUp),
        }
    }
}
