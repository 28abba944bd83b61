//! Reads strings and their prefixes.

use super::{FString, Found, Kind, Tokenizer};
use crate::python::PythonVersion;

impl Tokenizer<'_> {
    pub(super) fn string(&mut self, quote: u8, start: usize) -> Found {
        let first_line = self.line;
        let mut quotes = 1;
        let mut closing = 0;
        let mut c = self.next();
        if c == Some(quote) {
            c = self.next();
            if c == Some(quote) {
                quotes = 3;
            } else {
                closing = 1;
            }
        }
        if c != Some(quote) {
            self.back(c);
        }
        let mut has_escaped_quote = false;
        while closing != quotes {
            let c = self.next();
            if c.is_none() || quotes == 1 && c == Some(b'\n') {
                return self.unterminated(quote, quotes, first_line, has_escaped_quote);
            }
            if c == Some(quote) {
                closing += 1;
                continue;
            }
            closing = 0;
            if c == Some(b'\\') {
                has_escaped_quote |= self.next() == Some(quote);
            }
        }
        Ok((Kind::String, start))
    }

    pub(super) fn unterminated(
        &mut self,
        quote: u8,
        quotes: usize,
        first_line: i32,
        has_escaped_quote: bool,
    ) -> Found {
        let line = self.line;
        if let Some(fstring) = self.fstrings.last()
            && fstring.quote == quote
            && fstring.quotes == quotes
        {
            let letter = char::from(fstring.letter);
            let place = self.place_of_field(fstring, first_line);
            return self.refuse_at(first_line, format!("{letter}-string: expecting '}}'{place}"));
        }
        let message = if quotes == 3 {
            format!("unterminated triple-quoted string literal (detected at line {line})")
        } else if has_escaped_quote && self.version >= PythonVersion::Py313 {
            format!(
                "unterminated string literal (detected at line {line}); \
                 perhaps you escaped the end quote?"
            )
        } else {
            format!("unterminated string literal (detected at line {line})")
        };
        self.refuse_at(first_line, message)
    }

    /// Says where the innermost replacement field begins, as 3.15 does if that is on another line.
    fn place_of_field(&self, fstring: &FString, line: i32) -> String {
        let outside = self.brackets.len().checked_sub(fstring.brackets);
        let brace = outside.zip(fstring.expression_starts.last()).map(|(outside, at)| outside + at);
        match brace.and_then(|brace| self.brackets.get(brace)) {
            Some(brace) if self.version >= PythonVersion::Py315 && brace.line != line => {
                format!(" to close '{{' on line {}", brace.line)
            }
            _ => String::new(),
        }
    }
}

/// The letters before a string's quote.
pub(super) struct Prefix {
    version: PythonVersion,
    b: bool,
    pub(super) r: bool,
    u: bool,
    f: bool,
    t: bool,
}

impl Prefix {
    pub(super) fn new(version: PythonVersion) -> Self {
        Self { version, b: false, r: false, u: false, f: false, t: false }
    }

    /// Adds `letter` to the prefix if it may follow the letters before it. Returns whether it may.
    pub(super) fn take(&mut self, letter: u8) -> bool {
        // Since 3.14, CPython reads all combinations, and then refuses those that are incompatible.
        let any = self.version >= PythonVersion::Py314;
        let Self { b, r, u, f, t, .. } = *self;
        let (seen, allowed) = match letter.to_ascii_lowercase() {
            b'b' => (&mut self.b, if any { !b } else { !(b || u || f) }),
            b'u' => (&mut self.u, if any { !u } else { !(b || u || r || f) }),
            b'r' => (&mut self.r, if any { !r } else { !(r || u) }),
            b'f' => (&mut self.f, if any { !f } else { !(f || b || u) }),
            b't' => (&mut self.t, any && !t),
            _ => return false,
        };
        *seen |= allowed;
        allowed
    }

    pub(super) fn incompatible(&self) -> Option<(char, char)> {
        let Self { b, r, u, f, t, .. } = *self;
        let pairs = [
            (u && b, ('u', 'b')),
            (u && r, ('u', 'r')),
            (u && f, ('u', 'f')),
            (u && t, ('u', 't')),
            (b && f, ('b', 'f')),
            (b && t, ('b', 't')),
            (f && t, ('f', 't')),
        ];
        pairs.into_iter().find(|(both, _)| *both).map(|(_, pair)| pair)
    }

    pub(super) fn fstring(&self) -> Option<u8> {
        self.f.then_some(b'f').or_else(|| self.t.then_some(b't'))
    }
}
