//! Checks the content of string literals (CPython's `Parser/string_parser.c`).

use crate::python::codecs::escapes::read_escape;

pub(super) const NOT_ASCII: &str = "bytes can only contain ASCII literal characters";

/// The parts of a string literal.
pub(super) struct Literal<'t> {
    pub(super) is_bytes: bool,
    pub(super) is_raw: bool,
    pub(super) is_fstring: bool,
    /// The text between the quotes.
    pub(super) content: &'t str,
    /// The index of `content` in the literal.
    pub(super) offset: usize,
}

impl<'t> Literal<'t> {
    pub(super) fn new(text: &'t str) -> Option<Self> {
        let offset = text.find(['\'', '"'])?;
        let (prefix, quoted) = text.split_at(offset);
        let has = |letter: char| prefix.chars().any(|c| c.eq_ignore_ascii_case(&letter));
        let quote = quoted.get(..1)?;
        let is_triple = quoted.len() >= 6 && quoted.starts_with(&quote.repeat(3));
        let quotes = if is_triple { 3 } else { 1 };
        Some(Self {
            is_bytes: has('b'),
            is_raw: has('r'),
            is_fstring: has('f'),
            content: quoted.get(quotes..quoted.len().checked_sub(quotes)?)?,
            offset: offset + quotes,
        })
    }

    /// Returns what is wrong with the content. The result means nothing for an f-string.
    pub(super) fn wrong(&self) -> Option<String> {
        if self.is_bytes && !self.content.is_ascii() {
            return Some(NOT_ASCII.to_owned());
        }
        if self.is_raw || !self.content.contains('\\') {
            return None;
        }
        if self.is_bytes { wrong_byte_escape(self.content) } else { wrong_escape(self.content) }
    }
}

/// Returns what is wrong with the escapes of a bytes literal: CPython's `_PyBytes_DecodeEscape`.
fn wrong_byte_escape(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let start = at + found;
        at = start + 2;
        let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
        if bytes.get(start + 1) == Some(&b'x') && !(is_digit(at) && is_digit(at + 1)) {
            return Some(format!("(value error) invalid \\x escape at position {start}"));
        }
    }
    None
}

/// Returns what is wrong with the escapes of a text: CPython's `decode_unicode_with_escapes`.
pub(super) fn wrong_escape(text: &str) -> Option<String> {
    let bytes = with_ascii_escapes(text);
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        let start = at + found;
        match read_escape(&bytes, start + 1) {
            Ok((_, end)) => at = end,
            Err(bad) => return Some(undecodable(start, bad.end, bad.reason)),
        }
    }
    None
}

/// Replaces each character outside ASCII by an escape, as CPython does before it decodes the
/// escapes. The positions in CPython's messages are those after the replacement.
fn with_ascii_escapes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                bytes.push(b'\\');
                match chars.peek() {
                    Some(next) if next.is_ascii() => {
                        bytes.extend(chars.next().and_then(|next| u8::try_from(next).ok()));
                    }
                    _ => bytes.extend(b"u005c"),
                }
            }
            _ => match u8::try_from(c) {
                Ok(byte) if byte.is_ascii() => bytes.push(byte),
                _ => bytes.extend(format!("\\U{:08x}", u32::from(c)).bytes()),
            },
        }
    }
    bytes
}

/// Returns the message of Python's `UnicodeDecodeError`.
fn undecodable(start: usize, end: usize, reason: &str) -> String {
    let place = if end == start + 1 {
        format!("byte 0x5c in position {start}")
    } else {
        format!("bytes in position {start}-{}", end - 1)
    };
    format!("(unicode error) 'unicodeescape' codec can't decode {place}: {reason}")
}
