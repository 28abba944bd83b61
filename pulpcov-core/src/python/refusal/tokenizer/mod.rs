//! Splits a text into tokens, and finds the errors that CPython's tokenizer finds
//! (`Parser/tokenizer.c`; since 3.13, `Parser/lexer/`).
//!
//! - `fstrings` reads f-strings and t-strings.
//! - `indentation` reads the indentation at the start of lines.
//! - `numbers` reads numbers.
//! - `operators` reads operators and brackets.
//! - `strings` reads strings and their prefixes.

mod fstrings;
mod indentation;
mod numbers;
mod operators;
mod strings;

use self::strings::Prefix;
use crate::python::PythonVersion;
use crate::python::identifiers::{continues_identifier, starts_identifier};

/// The limit on open brackets: `MAXLEVEL` in CPython's `tokenizer.h`.
const MAX_BRACKETS: usize = 200;

/// The limit on levels of indentation: CPython's `MAXINDENT` minus one, because CPython counts
/// column 0 as a level.
const MAX_INDENTS: usize = 99;

/// The limit on nested f-strings and t-strings: CPython's `MAXFSTRINGLEVEL`.
const MAX_FSTRINGS: usize = 150;

/// The limit on nested expressions: CPython's `MAXEXPRNESTING`.
const MAX_EXPRESSION_NESTING: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Name,
    Number,
    String,
    Operator,
    Newline,
    Indent,
    Dedent,
    End,
    FStringStart,
    FStringMiddle,
    FStringEnd,
    TStringStart,
    TStringMiddle,
    TStringEnd,
    /// Not a token. [`Tokenizer::error`] says what is wrong.
    Error,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: i32,
    pub(super) end_line: i32,
    /// The number of brackets that are open after the token.
    pub(super) level: usize,
    /// Whether the token belongs to a raw f-string or t-string, where a backslash starts no escape.
    pub(super) is_raw: bool,
}

/// The reason why there is no next token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenError {
    /// An error that CPython's tokenizer reports itself: the message and the line.
    Reported(String, i32),
    /// `E_DEDENT`, `E_TABSPACE`, `E_TOODEEP` or `E_LINECONT`. CPython's tokenizer only sets this
    /// code, and its parser reports the message.
    Coded(&'static str, i32),
    /// `E_EOF`: the text ends in brackets, or after a backslash that continues the line.
    End,
}

#[derive(Debug, Clone, Copy)]
struct Bracket {
    opening: u8,
    line: i32,
}

/// An f-string or t-string that is open: CPython's `tokenizer_mode`.
#[derive(Debug)]
struct FString {
    letter: u8,
    quote: u8,
    quotes: usize,
    first_line: i32,
    is_raw: bool,
    /// Whether the tokenizer is in text or in a format specification, and not in an expression.
    in_text: bool,
    in_format_spec: bool,
    /// The number of open brackets in expressions, including the `{` of the expressions.
    brackets: usize,
    /// The value of `brackets` at the start of each open expression, the outermost expression
    /// first.
    expression_starts: Vec<usize>,
}

pub(super) struct Tokenizer<'t> {
    text: &'t [u8],
    version: PythonVersion,
    position: usize,
    /// The end of the last line that was read.
    line_end: usize,
    /// The number of bytes before `position` that are part of no token.
    skipped: usize,
    line: i32,
    /// Whether the end of the text was read: `tok->done` is `E_EOF`.
    pub(super) at_end: bool,
    pub(super) error: Option<TokenError>,
    at_line_start: bool,
    /// The number of indents to return as the next tokens, or of dedents if it is negative.
    pending_indents: isize,
    /// The columns of the open levels of indentation, counted in two ways. For the first number of
    /// a pair, a tab goes to the next multiple of eight columns. For the second, a tab is one
    /// column.
    indents: Vec<(usize, usize)>,
    brackets: Vec<Bracket>,
    fstrings: Vec<FString>,
}

type Found = Result<(Kind, usize), ()>;

impl<'t> Tokenizer<'t> {
    /// Creates a tokenizer for `text`, which must end in a newline. The first line has the number
    /// `line + 1`.
    pub(super) fn new(text: &'t str, version: PythonVersion, line: i32) -> Self {
        Self {
            text: text.as_bytes(),
            version,
            position: 0,
            line_end: 0,
            skipped: 0,
            line,
            at_end: false,
            error: None,
            at_line_start: true,
            pending_indents: 0,
            indents: vec![(0, 0)],
            brackets: Vec::new(),
            fstrings: Vec::new(),
        }
    }

    /// Returns the innermost open bracket and its line.
    pub(super) fn open_bracket(&self) -> Option<(char, i32)> {
        self.brackets.last().map(|bracket| (char::from(bracket.opening), bracket.line))
    }

    /// Returns the message and the line of the first error in the text.
    pub(super) fn first_error(mut self) -> Option<(String, i32)> {
        loop {
            match self.next_token().kind {
                Kind::End => return None,
                Kind::Error => break,
                _ => {}
            }
        }
        match self.error.clone()? {
            TokenError::Reported(message, line) => Some((message, line)),
            TokenError::Coded(message, line) => Some((message.to_owned(), line)),
            TokenError::End => Some(match self.open_bracket() {
                Some((bracket, line)) => (format!("'{bracket}' was never closed"), line),
                None => ("unexpected EOF while parsing".to_owned(), self.line),
            }),
        }
    }

    pub(super) fn is_in_fstring(&self) -> bool {
        !self.fstrings.is_empty()
    }

    pub(super) fn next_token(&mut self) -> Token {
        self.skipped = 0;
        let (kind, start, first_line) = if self.error.is_some() {
            (Kind::Error, self.position, self.line)
        } else if self.fstrings.last().is_some_and(|fstring| fstring.in_text) {
            self.fstring_token()
        } else {
            self.normal_token()
        };
        Token {
            kind,
            start,
            end: self.position.saturating_sub(self.skipped).max(start),
            line: first_line,
            end_line: self.line,
            level: self.brackets.len(),
            is_raw: self.fstrings.last().is_some_and(|fstring| fstring.is_raw),
        }
    }

    /// Reads the next byte: CPython's `tok_nextc`.
    fn next(&mut self) -> Option<u8> {
        if self.position == self.line_end {
            if self.error.is_some() || self.at_end {
                return None;
            }
            if self.line_end >= self.text.len() {
                self.at_end = true;
                return None;
            }
            self.line += 1;
            let rest = self.text.get(self.line_end..).unwrap_or_default();
            self.line_end += memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        }
        let byte = self.text.get(self.position).copied();
        self.position += 1;
        byte
    }

    /// Puts back a byte that was just read.
    fn back(&mut self, byte: Option<u8>) {
        if byte.is_some() {
            self.position = self.position.saturating_sub(1);
        }
    }

    /// Returns the next byte without reading it.
    fn peek(&mut self) -> Option<u8> {
        let byte = self.next();
        self.back(byte);
        byte
    }

    fn refuse<T>(&mut self, message: impl Into<String>) -> Result<T, ()> {
        let line = self.line;
        self.refuse_at(line, message)
    }

    fn refuse_at<T>(&mut self, line: i32, message: impl Into<String>) -> Result<T, ()> {
        self.error = Some(TokenError::Reported(message.into(), line));
        Err(())
    }

    fn refuse_with_code<T>(&mut self, message: &'static str) -> Result<T, ()> {
        self.error = Some(TokenError::Coded(message, self.line));
        Err(())
    }

    fn end_of_text<T>(&mut self) -> Result<T, ()> {
        self.position = self.line_end;
        self.error = Some(TokenError::End);
        Err(())
    }

    /// Reads the newline after a backslash: CPython's `tok_continuation_line`.
    fn continuation(&mut self) -> Result<(), ()> {
        if self.next() != Some(b'\n') {
            return self.refuse_with_code("unexpected character after line continuation character");
        }
        if self.peek().is_none() { self.end_of_text() } else { Ok(()) }
    }

    fn normal_token(&mut self) -> (Kind, usize, i32) {
        // A string has the line on which it starts. Other tokens have the line on which they end.
        let mut first_line = None;
        let found = self.read_normal_token(&mut first_line);
        let (kind, start) = found.unwrap_or((Kind::Error, self.position));
        (kind, start, first_line.unwrap_or(self.line))
    }

    /// Reads a token outside the text of f-strings: CPython's `tok_get_normal_mode`.
    fn read_normal_token(&mut self, first_line: &mut Option<i32>) -> Found {
        loop {
            let is_blank =
                if std::mem::take(&mut self.at_line_start) { self.indentation()? } else { false };
            if self.pending_indents != 0 {
                let kind = if self.pending_indents < 0 { Kind::Dedent } else { Kind::Indent };
                self.pending_indents -= self.pending_indents.signum();
                return Ok((kind, self.position));
            }
            self.peek();
            let c = loop {
                let c = self.skip_blanks();
                if c != Some(b'\\') {
                    break c;
                }
                self.continuation()?;
            };
            let Some(c) = c else {
                if !self.brackets.is_empty() {
                    return self.end_of_text();
                }
                return Ok((Kind::End, self.position));
            };
            let start = self.position - 1;
            if c != b'\n' {
                return self.token(c, start, first_line);
            }
            self.at_line_start = true;
            if !is_blank && self.brackets.is_empty() {
                return Ok((Kind::Newline, start));
            }
        }
    }

    /// Returns the first byte after blanks and a comment.
    fn skip_blanks(&mut self) -> Option<u8> {
        let mut c = self.next();
        while matches!(c, Some(b' ' | b'\t' | b'\x0c')) {
            c = self.next();
        }
        if c == Some(b'#') {
            while !matches!(c, None | Some(b'\n')) {
                c = self.next();
            }
        }
        c
    }

    fn token(&mut self, c: u8, start: usize, first_line: &mut Option<i32>) -> Found {
        if is_name_start(c) {
            return self.name(c, start, first_line);
        }
        match c {
            b'.' => self.dot(start),
            b'0'..=b'9' => self.number(c).map(|()| (Kind::Number, start)),
            b'\'' | b'"' => {
                *first_line = Some(self.line);
                self.string(c, start)
            }
            _ => self.operator(c, start),
        }
    }

    fn dot(&mut self, start: usize) -> Found {
        let c = self.next();
        if c.is_some_and(|c| c.is_ascii_digit()) {
            return self.fraction(c).map(|()| (Kind::Number, start));
        }
        if c == Some(b'.') {
            let third = self.next();
            if third == Some(b'.') {
                return Ok((Kind::Operator, start));
            }
            self.back(third);
        }
        self.back(c);
        Ok((Kind::Operator, start))
    }

    fn name(&mut self, first: u8, start: usize, first_line: &mut Option<i32>) -> Found {
        let mut prefix = Prefix::new(self.version);
        let mut c = Some(first);
        while let Some(letter) = c
            && prefix.take(letter)
        {
            c = self.next();
            if let Some(quote @ (b'\'' | b'"')) = c {
                if let Some((one, other)) = prefix.incompatible() {
                    self.back(c);
                    return self.refuse(format!("'{one}' and '{other}' prefixes are incompatible"));
                }
                *first_line = Some(self.line);
                return match prefix.fstring() {
                    Some(letter) => self.fstring_start(letter, prefix.r, quote, start),
                    None => self.string(quote, start),
                };
            }
        }
        let mut is_ascii = true;
        while let Some(letter) = c
            && is_name_part(letter)
        {
            is_ascii &= letter.is_ascii();
            c = self.next();
        }
        self.back(c);
        if !is_ascii {
            self.verify_name(start)?;
        }
        Ok((Kind::Name, start))
    }

    /// Refuses a name with a character that names must not have: CPython's `verify_identifier`.
    fn verify_name(&mut self, start: usize) -> Result<(), ()> {
        let name = self.text.get(start..self.position).unwrap_or_default();
        let name = std::str::from_utf8(name).unwrap_or_default();
        let is_wrong = |&(at, c): &(usize, char)| match at {
            _ if c.is_ascii() => false,
            0 => !starts_identifier(c),
            _ => !continues_identifier(c),
        };
        match name.char_indices().find(is_wrong) {
            Some((_, c)) => self.refuse(invalid_character(c)),
            None => Ok(()),
        }
    }
}

fn is_name_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 128
}

fn is_name_part(c: u8) -> bool {
    is_name_start(c) || c.is_ascii_digit()
}

fn invalid_character(c: char) -> String {
    let code = u32::from(c);
    if crate::text::is_printable(c) {
        format!("invalid character '{c}' (U+{code:04X})")
    } else {
        format!("invalid non-printable character U+{code:04X}")
    }
}
