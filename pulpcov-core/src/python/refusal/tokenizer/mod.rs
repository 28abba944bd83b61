//! CPython's tokenizer (`Parser/tokenizer.c`, from 3.12 on `Parser/lexer/`), as far as it finds errors.

mod fstrings;
mod indentation;
mod numbers;
mod operators;
mod strings;

use self::strings::Prefix;
use crate::python::PythonVersion;
use crate::python::syntax::{continues_identifier, starts_identifier};

/// `MAXLEVEL` in CPython's `tokenizer.h`.
const MOST_BRACKETS: usize = 200;

/// `MAXINDENT`, less the column 0.
const MOST_INDENTS: usize = 99;

/// `MAXFSTRINGLEVEL`.
const MOST_FSTRINGS: usize = 150;

/// `MAXEXPRNESTING`.
const MOST_FORMAT_SPECS: usize = 3;

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
    /// Not a token: what is wrong is in [`Tokenizer::trouble`].
    Error,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: i32,
    pub(super) end_line: i32,
    /// How many brackets are open behind it.
    pub(super) level: usize,
    /// Of an f-string whose backslashes are characters.
    pub(super) is_raw: bool,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An error in the tokenizer's own words.
    Worded(String, i32),
    /// `E_DEDENT`, `E_TABSPACE`, `E_TOODEEP` and `E_LINECONT`: the caller has the words.
    Unworded(&'static str, i32),
    /// `E_EOF`: the text ends where it must not.
    End,
}

#[derive(Debug, Clone, Copy)]
struct Bracket {
    opening: u8,
    line: i32,
}

/// `tokenizer_mode`: an f-string that is not at its end.
#[derive(Debug)]
struct FString {
    letter: u8,
    quote: u8,
    quotes: usize,
    first_line: i32,
    is_raw: bool,
    /// In its text or a format specification, not in an expression.
    in_text: bool,
    in_format_spec: bool,
    brackets: usize,
    /// How many of the brackets are open where the innermost expression begins.
    expressions: Vec<usize>,
}

pub(super) struct Tokenizer<'t> {
    text: &'t [u8],
    version: PythonVersion,
    cur: usize,
    /// The end of the lines that were read.
    read: usize,
    line: i32,
    /// `tok->done` is `E_EOF`.
    pub(super) at_end: bool,
    pub(super) trouble: Option<Trouble>,
    at_line_start: bool,
    pending: isize,
    /// Columns with tabs of eight and of one.
    indents: Vec<(usize, usize)>,
    brackets: Vec<Bracket>,
    fstrings: Vec<FString>,
}

type Found = Result<(Kind, usize), ()>;

impl<'t> Tokenizer<'t> {
    /// The text ends in a newline; its first line is the one after `line`.
    pub(super) fn new(text: &'t str, version: PythonVersion, line: i32) -> Self {
        Self {
            text: text.as_bytes(),
            version,
            cur: 0,
            read: 0,
            line,
            at_end: false,
            trouble: None,
            at_line_start: true,
            pending: 0,
            indents: vec![(0, 0)],
            brackets: Vec::new(),
            fstrings: Vec::new(),
        }
    }

    /// The innermost bracket that is open, and its line.
    pub(super) fn open_bracket(&self) -> Option<(char, i32)> {
        self.brackets.last().map(|bracket| (char::from(bracket.opening), bracket.line))
    }

    /// The first error in the text, and its line.
    pub(super) fn error(mut self) -> Option<(String, i32)> {
        loop {
            match self.next_token().kind {
                Kind::End => return None,
                Kind::Error => break,
                _ => {}
            }
        }
        match self.trouble.clone()? {
            Trouble::Worded(message, line) => Some((message, line)),
            Trouble::Unworded(message, line) => Some((message.to_owned(), line)),
            Trouble::End => Some(match self.open_bracket() {
                Some((bracket, line)) => (format!("'{bracket}' was never closed"), line),
                None => ("unexpected EOF while parsing".to_owned(), self.line),
            }),
        }
    }

    pub(super) fn is_in_fstring(&self) -> bool {
        !self.fstrings.is_empty()
    }

    pub(super) fn next_token(&mut self) -> Token {
        let (kind, start, first_line) = if self.trouble.is_some() {
            (Kind::Error, self.cur, self.line)
        } else if self.fstrings.last().is_some_and(|fstring| fstring.in_text) {
            self.fstring_token()
        } else {
            self.regular_token()
        };
        Token {
            kind,
            start,
            end: self.cur.max(start),
            line: first_line,
            end_line: self.line,
            level: self.brackets.len(),
            is_raw: self.fstrings.last().is_some_and(|fstring| fstring.is_raw),
        }
    }

    /// `tok_nextc`
    fn next(&mut self) -> Option<u8> {
        if self.cur == self.read {
            if self.trouble.is_some() || self.at_end {
                return None;
            }
            if self.read >= self.text.len() {
                self.at_end = true;
                return None;
            }
            self.line += 1;
            let rest = self.text.get(self.read..).unwrap_or_default();
            self.read += memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        }
        let byte = self.text.get(self.cur).copied();
        self.cur += 1;
        byte
    }

    fn back(&mut self, byte: Option<u8>) {
        if byte.is_some() {
            self.cur = self.cur.saturating_sub(1);
        }
    }

    /// The next byte, which stays the next one.
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
        self.trouble = Some(Trouble::Worded(message.into(), line));
        Err(())
    }

    fn unworded<T>(&mut self, message: &'static str) -> Result<T, ()> {
        self.trouble = Some(Trouble::Unworded(message, self.line));
        Err(())
    }

    fn end_of_text<T>(&mut self) -> Result<T, ()> {
        self.cur = self.read;
        self.trouble = Some(Trouble::End);
        Err(())
    }

    /// `tok_continuation_line`, behind the backslash.
    fn continuation(&mut self) -> Result<(), ()> {
        if self.next() != Some(b'\n') {
            return self.unworded("unexpected character after line continuation character");
        }
        if self.peek().is_none() { self.end_of_text() } else { Ok(()) }
    }

    fn regular_token(&mut self) -> (Kind, usize, i32) {
        // A string's line is the one it begins on.
        let mut first_line = None;
        let found = self.regular(&mut first_line);
        let (kind, start) = found.unwrap_or((Kind::Error, self.cur));
        (kind, start, first_line.unwrap_or(self.line))
    }

    /// `tok_get_normal_mode`
    fn regular(&mut self, first_line: &mut Option<i32>) -> Found {
        loop {
            let is_blank =
                if std::mem::take(&mut self.at_line_start) { self.indentation()? } else { false };
            if self.pending != 0 {
                let kind = if self.pending < 0 { Kind::Dedent } else { Kind::Indent };
                self.pending -= self.pending.signum();
                return Ok((kind, self.cur));
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
                return Ok((Kind::End, self.cur));
            };
            let start = self.cur - 1;
            if c != b'\n' {
                return self.token(c, start, first_line);
            }
            self.at_line_start = true;
            if !is_blank && self.brackets.is_empty() {
                return Ok((Kind::Newline, start));
            }
        }
    }

    /// The first byte behind blanks and a comment.
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

    /// `verify_identifier`
    fn verify_name(&mut self, start: usize) -> Result<(), ()> {
        let name = self.text.get(start..self.cur).unwrap_or_default();
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
