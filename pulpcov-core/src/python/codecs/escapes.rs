//! Decodes Latin-1 with the escapes of Python's strings.

use super::CodecError;
use crate::unicode_names;

/// An escape that CPython's `_PyUnicode_DecodeUnicodeEscapeInternal` refuses.
pub(in crate::python) struct BadEscape {
    /// The index of the first byte after the wrong part of the escape.
    pub(in crate::python) end: usize,
    /// CPython's message.
    pub(in crate::python) reason: &'static str,
}

/// The value of an escape.
#[derive(Clone, Copy)]
pub(in crate::python) enum Escaped {
    /// A code point, which may be a surrogate.
    Code(u32),
    /// No character: a backslash at the end of a line.
    Nothing,
    /// The backslash and this byte, which are not an escape.
    Unknown(u8),
}

/// Reads the escape whose backslash is before the byte at `at`. Returns the escape's value, and the
/// index of the byte after the escape.
pub(in crate::python) fn read_escape(
    bytes: &[u8],
    at: usize,
) -> Result<(Escaped, usize), BadEscape> {
    let Some(&letter) = bytes.get(at) else {
        return Err(BadEscape { end: at, reason: "\\ at end of string" });
    };
    let after = at + 1;
    let code = match letter {
        b'\n' => return Ok((Escaped::Nothing, after)),
        b'\\' | b'\'' | b'"' => letter,
        b'b' => 8,
        b'f' => 12,
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        b'v' => 11,
        b'a' => 7,
        b'0'..=b'7' => return Ok(octal(bytes, at)),
        b'x' => return hex(bytes, after, 2, "truncated \\xXX escape"),
        b'u' => return hex(bytes, after, 4, "truncated \\uXXXX escape"),
        b'U' => return hex(bytes, after, 8, "truncated \\UXXXXXXXX escape"),
        b'N' => return named(bytes, after),
        _ => return Ok((Escaped::Unknown(letter), after)),
    };
    Ok((Escaped::Code(code.into()), after))
}

/// Reads one to three octal digits.
fn octal(bytes: &[u8], at: usize) -> (Escaped, usize) {
    let digits = bytes.iter().skip(at).take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
    let (code, count) =
        digits.fold((0, 0), |(code, count), digit| (code * 8 + u32::from(digit - b'0'), count + 1));
    (Escaped::Code(code), at + count)
}

/// Reads exactly `count` hexadecimal digits.
fn hex(
    bytes: &[u8],
    at: usize,
    count: usize,
    truncated: &'static str,
) -> Result<(Escaped, usize), BadEscape> {
    let digits = bytes.iter().skip(at).take(count).map_while(|byte| char::from(*byte).to_digit(16));
    let (code, read) = digits.fold((0, 0), |(code, read), digit| (code << 4 | digit, read + 1));
    let end = at + read;
    match code {
        _ if read < count => Err(BadEscape { end, reason: truncated }),
        0x11_0000.. => Err(BadEscape { end, reason: "illegal Unicode character" }),
        _ => Ok((Escaped::Code(code), end)),
    }
}

/// Reads the `{NAME}` after `\N`.
fn named(bytes: &[u8], at: usize) -> Result<(Escaped, usize), BadEscape> {
    let malformed = |end| Err(BadEscape { end, reason: "malformed \\N character escape" });
    if bytes.get(at) != Some(&b'{') {
        return malformed(at);
    }
    let start = at + 1;
    let inner = bytes.get(start..).unwrap_or_default();
    let Some(length) = memchr::memchr(b'}', inner) else { return malformed(bytes.len()) };
    // If the name is empty, Python's error ends before the closing brace.
    if length == 0 {
        return malformed(start);
    }
    let end = start + length + 1;
    let name = inner.get(..length).and_then(|name| str::from_utf8(name).ok());
    match name.and_then(unicode_names::find) {
        Some(c) => Ok((Escaped::Code(c.into()), end)),
        None => Err(BadEscape { end, reason: "unknown Unicode character name" }),
    }
}

/// Decodes Latin-1 with all escapes.
pub(super) fn unicode_escape(bytes: &[u8]) -> Result<String, CodecError> {
    decode(bytes, |_| true)
}

/// Decodes Latin-1 with the escapes `\u` and `\U` only.
pub(super) fn raw_unicode_escape(bytes: &[u8]) -> Result<String, CodecError> {
    decode(bytes, |letter| matches!(letter, Some(b'u' | b'U')))
}

/// Decodes Latin-1 with the escapes whose letter passes `is_escape`. A bad escape becomes U+FFFD.
fn decode(bytes: &[u8], is_escape: fn(Option<&u8>) -> bool) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != b'\\' {
            text.push(byte.into());
            continue;
        }
        if !is_escape(bytes.get(at)) {
            // The byte after a backslash never starts an escape of its own.
            text.push('\\');
            text.extend(bytes.get(at).map(|&byte| char::from(byte)));
            at += 1;
            continue;
        }
        match read_escape(bytes, at) {
            Ok((escaped, end)) => {
                match escaped {
                    Escaped::Code(code) => {
                        text.push(char::from_u32(code).ok_or(CodecError::Surrogate)?);
                    }
                    Escaped::Nothing => {}
                    Escaped::Unknown(byte) => text.extend(['\\', byte.into()]),
                }
                at = end;
            }
            Err(bad) => {
                text.push('\u{fffd}');
                at = bad.end;
            }
        }
    }
    Ok(text)
}
