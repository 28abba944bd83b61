//! Reads numbers.

use super::{Tokenizer, is_name_part};

impl Tokenizer<'_> {
    /// Reads the decimal digits and underscores after a first digit. Also reads the byte after
    /// them, and returns it.
    pub(super) fn decimal_tail(&mut self) -> Result<Option<u8>, ()> {
        loop {
            let mut c = self.next();
            while c.is_some_and(|c| c.is_ascii_digit()) {
                c = self.next();
            }
            if c != Some(b'_') {
                return Ok(c);
            }
            c = self.next();
            if !c.is_some_and(|c| c.is_ascii_digit()) {
                self.back(c);
                return self.refuse("invalid decimal literal");
            }
        }
    }

    pub(super) fn number(&mut self, first: u8) -> Result<(), ()> {
        if first != b'0' {
            let c = self.decimal_tail()?;
            return match c {
                Some(b'.') => {
                    let c = self.next();
                    self.fraction(c)
                }
                _ => self.exponent(c),
            };
        }
        let c = self.next();
        match c {
            Some(b'x' | b'X') => self.digits("hexadecimal", |c| c.is_ascii_hexdigit()),
            Some(b'o' | b'O') => self.digits("octal", |c| matches!(c, b'0'..=b'7')),
            Some(b'b' | b'B') => self.digits("binary", |c| matches!(c, b'0' | b'1')),
            _ => self.zeros(c),
        }
    }

    /// Reads a number after its `0x`, `0o` or `0b`.
    pub(super) fn digits(&mut self, kind: &str, is_digit: fn(u8) -> bool) -> Result<(), ()> {
        let mut c = self.next();
        loop {
            if c == Some(b'_') {
                c = self.next();
            }
            if !c.is_some_and(is_digit) {
                return self.no_digit(kind, c);
            }
            while c.is_some_and(is_digit) {
                c = self.next();
            }
            if c != Some(b'_') {
                break;
            }
        }
        if c.is_some_and(|c| c.is_ascii_digit()) {
            return self.no_digit(kind, c);
        }
        self.end_of_number(c, kind)
    }

    pub(super) fn no_digit(&mut self, kind: &str, c: Option<u8>) -> Result<(), ()> {
        match c {
            Some(digit @ b'0'..=b'9') => {
                self.refuse(format!("invalid digit '{}' in {kind} literal", char::from(digit)))
            }
            _ => {
                self.back(c);
                self.refuse(format!("invalid {kind} literal"))
            }
        }
    }

    /// Reads a number that starts with zero. `c` is the byte after the zero, and was already read.
    pub(super) fn zeros(&mut self, mut c: Option<u8>) -> Result<(), ()> {
        loop {
            if c == Some(b'_') {
                c = self.next();
                if !c.is_some_and(|c| c.is_ascii_digit()) {
                    self.back(c);
                    return self.refuse("invalid decimal literal");
                }
            }
            if c != Some(b'0') {
                break;
            }
            c = self.next();
        }
        let is_octal = c.is_some_and(|c| c.is_ascii_digit());
        if is_octal {
            c = self.decimal_tail()?;
        }
        match c {
            Some(b'.') => {
                let c = self.next();
                self.fraction(c)
            }
            Some(b'e' | b'E' | b'j' | b'J') => self.exponent(c),
            _ if is_octal => {
                self.back(c);
                self.refuse(
                    "leading zeros in decimal integer literals are not permitted; \
                     use an 0o prefix for octal integers",
                )
            }
            _ => self.end_of_number(c, "decimal"),
        }
    }

    pub(super) fn fraction(&mut self, mut c: Option<u8>) -> Result<(), ()> {
        if c.is_some_and(|c| c.is_ascii_digit()) {
            c = self.decimal_tail()?;
        }
        self.exponent(c)
    }

    pub(super) fn exponent(&mut self, mut c: Option<u8>) -> Result<(), ()> {
        if matches!(c, Some(b'e' | b'E')) {
            let e = c;
            c = self.next();
            if matches!(c, Some(b'+' | b'-')) {
                c = self.next();
                if !c.is_some_and(|c| c.is_ascii_digit()) {
                    self.back(c);
                    return self.refuse("invalid decimal literal");
                }
            } else if !c.is_some_and(|c| c.is_ascii_digit()) {
                self.back(c);
                return self.end_of_number(e, "decimal");
            }
            c = self.decimal_tail()?;
        }
        if matches!(c, Some(b'j' | b'J')) {
            let c = self.next();
            return self.end_of_number(c, "imaginary");
        }
        self.end_of_number(c, "decimal")
    }

    /// Refuses a name directly after a number: CPython's `verify_end_of_number`. A keyword may
    /// follow, as in `1if x else y`. `c` is the byte after the number, and was already read.
    pub(super) fn end_of_number(&mut self, c: Option<u8>, kind: &str) -> Result<(), ()> {
        self.back(c);
        let rest = self.text.get(self.position..).unwrap_or_default();
        let is_word = |word: &str| {
            rest.starts_with(word.as_bytes())
                && !rest.get(word.len()).is_some_and(|c| is_name_part(*c))
        };
        // CPython looks only at the first two letters of `if`, `in` and `is`.
        let is_keyword = ["and", "else", "for", "or", "not"].into_iter().any(is_word)
            || ["if", "in", "is"].into_iter().any(|word| rest.starts_with(word.as_bytes()));
        if c.is_some_and(|c| c.is_ascii() && is_name_part(c)) && !is_keyword {
            return self.refuse(format!("invalid {kind} literal"));
        }
        Ok(())
    }
}
