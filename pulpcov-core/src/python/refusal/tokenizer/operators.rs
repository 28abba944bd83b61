//! Reads operators and brackets.

use super::{Bracket, Found, Kind, MAX_BRACKETS, Tokenizer, invalid_character};
use crate::python::PythonVersion;

impl Tokenizer<'_> {
    pub(super) fn operator(&mut self, c: u8, start: usize) -> Found {
        if self.version >= PythonVersion::Py312 && self.ends_expression(c) {
            return Ok((Kind::Operator, start));
        }
        let rest = self.text.get(start..self.line_end).unwrap_or_default();
        let length = operator_length(rest);
        if length > 1 {
            self.position = start + length;
            return Ok((Kind::Operator, start));
        }
        match c {
            b'(' | b'[' | b'{' => self.open(c)?,
            b')' | b']' | b'}' => self.close(c)?,
            _ => {}
        }
        if c.is_ascii_control() {
            return self.refuse(invalid_character(char::from(c)));
        }
        Ok((Kind::Operator, start))
    }

    /// Returns whether `c` is the colon after an expression in an f-string. If so, starts the
    /// format specification.
    pub(super) fn ends_expression(&mut self, c: u8) -> bool {
        let Some(fstring) = self.fstrings.last_mut() else { return false };
        let is_end = c == b':'
            && fstring.expression_starts.last().is_some_and(|depth| fstring.brackets == depth + 1);
        if is_end {
            fstring.in_text = true;
            fstring.in_format_spec = true;
        }
        is_end
    }

    pub(super) fn open(&mut self, opening: u8) -> Result<(), ()> {
        if self.brackets.len() >= MAX_BRACKETS {
            return self.refuse("too many nested parentheses");
        }
        self.brackets.push(Bracket { opening, line: self.line });
        if let Some(fstring) = self.fstrings.last_mut() {
            fstring.brackets += 1;
        }
        Ok(())
    }

    pub(super) fn close(&mut self, c: u8) -> Result<(), ()> {
        let closing = char::from(c);
        if let Some(fstring) = self.fstrings.last()
            && fstring.brackets == 0
            && c == b'}'
        {
            let letter = char::from(fstring.letter);
            return self.refuse(format!("{letter}-string: single '}}' is not allowed"));
        }
        let Some(open) = self.brackets.pop() else {
            return self.refuse(format!("unmatched '{closing}'"));
        };
        if !matches!((open.opening, c), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
            return self.mismatch(open, closing);
        }
        let Some(fstring) = self.fstrings.last_mut() else { return Ok(()) };
        let Some(brackets) = fstring.brackets.checked_sub(1) else {
            let letter = char::from(fstring.letter);
            return self.refuse(format!("{letter}-string: unmatched '{closing}'"));
        };
        fstring.brackets = brackets;
        if c == b'}' && fstring.expression_starts.last() == Some(&brackets) {
            fstring.expression_starts.pop();
            fstring.in_text = true;
            fstring.in_format_spec = false;
        }
        Ok(())
    }

    pub(super) fn mismatch(&mut self, open: Bracket, closing: char) -> Result<(), ()> {
        if let Some(fstring) = self.fstrings.last()
            && open.opening == b'{'
            && fstring.expression_starts.last().is_some_and(|depth| fstring.brackets == depth + 1)
        {
            let letter = char::from(fstring.letter);
            return self.refuse(format!("{letter}-string: unmatched '{closing}'"));
        }
        let opening = char::from(open.opening);
        let mut message = format!(
            "closing parenthesis '{closing}' does not match opening parenthesis '{opening}'"
        );
        if open.line != self.line {
            message += &format!(" on line {}", open.line);
        }
        self.refuse(message)
    }
}

/// Returns the length in bytes of the operator at the start of `text`. Other bytes have length 1.
fn operator_length(text: &[u8]) -> usize {
    const THREE: [&[u8]; 4] = [b"**=", b"//=", b"<<=", b">>="];
    const TWO: [&[u8]; 20] = [
        b"!=", b"%=", b"&=", b"**", b"*=", b"+=", b"-=", b"->", b"//", b"/=", b":=", b"<<", b"<=",
        b"<>", b"==", b">=", b">>", b"@=", b"^=", b"|=",
    ];
    let starts = |operators: &[&[u8]]| operators.iter().any(|operator| text.starts_with(operator));
    // CPython 3.14 reads the `<` on its own. Older versions read `<>`, and give the same error.
    if starts(&[b"<>=", b"<>>"]) {
        1
    } else if starts(&THREE) {
        3
    } else if starts(&TWO) {
        2
    } else {
        1
    }
}
