//! Reads f-strings and t-strings. f-strings have tokens of their own since 3.12, t-strings since
//! 3.14.

use super::{FString, Found, Kind, MAX_EXPRESSION_NESTING, MAX_FSTRINGS, Tokenizer};
use crate::python::PythonVersion;

impl Tokenizer<'_> {
    pub(super) fn fstring_start(
        &mut self,
        letter: u8,
        is_raw: bool,
        quote: u8,
        start: usize,
    ) -> Found {
        if self.version == PythonVersion::Py311 {
            return self.string(quote, start);
        }
        let mut quotes = 1;
        let second = self.next();
        if second == Some(quote) {
            let third = self.next();
            if third == Some(quote) {
                quotes = 3;
            } else {
                self.back(third);
                self.back(second);
            }
        } else {
            self.back(second);
        }
        if self.fstrings.len() + 1 >= MAX_FSTRINGS {
            return self.refuse(if self.version >= PythonVersion::Py314 {
                "too many nested f-strings or t-strings"
            } else {
                "too many nested f-strings"
            });
        }
        self.fstrings.push(FString {
            letter,
            quote,
            quotes,
            first_line: self.line,
            is_raw,
            in_text: true,
            in_format_spec: false,
            brackets: 0,
            expression_starts: Vec::new(),
        });
        Ok((if letter == b't' { Kind::TStringStart } else { Kind::FStringStart }, start))
    }

    /// Reads a token of an f-string's text, or of the expression that starts there: CPython's
    /// `tok_get_fstring_mode`.
    pub(super) fn fstring_token(&mut self) -> (Kind, usize, i32) {
        let line = self.line;
        let start = self.position;
        let Some(fstring) = self.fstrings.last() else { return self.normal_token() };
        let (quote, quotes, is_t) = (fstring.quote, fstring.quotes, fstring.letter == b't');
        if self.peek() == Some(b'{') && self.text.get(self.position + 1) != Some(&b'{') {
            return match self.expression() {
                Ok(()) => self.normal_token(),
                Err(()) => (Kind::Error, self.position, self.line),
            };
        }
        let rest = self.text.get(start..).unwrap_or_default();
        if rest.len() >= quotes && rest.iter().take(quotes).all(|c| *c == quote) {
            (0..quotes).for_each(|_| _ = self.next());
            self.fstrings.pop();
            return (if is_t { Kind::TStringEnd } else { Kind::FStringEnd }, start, line);
        }
        match self.fstring_text() {
            Ok(()) => (if is_t { Kind::TStringMiddle } else { Kind::FStringMiddle }, start, line),
            Err(()) => (Kind::Error, self.position, self.line),
        }
    }

    /// Starts an expression. Its `{` is the next byte.
    pub(super) fn expression(&mut self) -> Result<(), ()> {
        let Some(fstring) = self.fstrings.last_mut() else { return Ok(()) };
        if fstring.expression_starts.len() >= MAX_EXPRESSION_NESTING {
            let letter = char::from(fstring.letter);
            return self.refuse(format!("{letter}-string: expressions nested too deeply"));
        }
        fstring.expression_starts.push(fstring.brackets);
        fstring.in_text = false;
        Ok(())
    }

    pub(super) fn fstring_text(&mut self) -> Result<(), ()> {
        let Some(fstring) = self.fstrings.last() else { return Ok(()) };
        let (quote, quotes, is_raw) = (fstring.quote, fstring.quotes, fstring.is_raw);
        let in_format_spec = fstring.in_format_spec && !fstring.expression_starts.is_empty();
        let has_no_brackets = fstring.brackets == 0;
        let (mut closing, mut in_name) = (0, false);
        while closing != quotes {
            let c = self.next();
            match c {
                None => return self.unterminated_fstring(),
                Some(b'\n') if quotes == 1 => {
                    if in_format_spec {
                        return self.newline_in_format_spec();
                    }
                    return self.unterminated_fstring();
                }
                Some(c) if c == quote => {
                    closing += 1;
                    continue;
                }
                _ => closing = 0,
            }
            match c {
                Some(b'{') => {
                    let peek = self.next();
                    if peek != Some(b'{') || in_format_spec {
                        self.back(peek);
                        self.back(c);
                        return self.expression();
                    }
                    // The two braces stand for one. The token ends between them.
                    self.skipped = 1;
                    return Ok(());
                }
                Some(b'}') => {
                    if in_name {
                        return Ok(());
                    }
                    let peek = self.next();
                    if peek != Some(b'}') || in_format_spec || !has_no_brackets {
                        self.back(peek);
                        self.back(c);
                        if let Some(fstring) = self.fstrings.last_mut() {
                            fstring.in_text = false;
                            fstring.in_format_spec = false;
                        }
                    } else {
                        self.skipped = 1;
                    }
                    return Ok(());
                }
                Some(b'\\') => {
                    let peek = self.next();
                    if matches!(peek, Some(b'{' | b'}')) {
                        self.back(peek);
                    } else if !is_raw && peek == Some(b'N') {
                        let brace = self.next();
                        if brace == Some(b'{') {
                            in_name = true;
                        } else {
                            self.back(brace);
                        }
                    }
                }
                _ => {}
            }
        }
        self.position = self.position.saturating_sub(quotes);
        Ok(())
    }

    pub(super) fn newline_in_format_spec(&mut self) -> Result<(), ()> {
        let Some(fstring) = self.fstrings.last_mut() else { return Ok(()) };
        if self.version >= PythonVersion::Py313 {
            let letter = char::from(fstring.letter);
            return self.refuse(format!(
                "{letter}-string: newlines are not allowed in format specifiers for \
                 single quoted {letter}-strings"
            ));
        }
        fstring.in_text = false;
        fstring.in_format_spec = false;
        self.position = self.position.saturating_sub(1);
        Ok(())
    }

    pub(super) fn unterminated_fstring(&mut self) -> Result<(), ()> {
        let Some(fstring) = self.fstrings.last() else { return Ok(()) };
        let triple = if fstring.quotes == 3 { "triple-quoted " } else { "" };
        let letter = char::from(fstring.letter);
        let message = format!(
            "unterminated {triple}{letter}-string literal (detected at line {})",
            self.line
        );
        let line = fstring.first_line;
        self.refuse_at(line, message)
    }
}
