//! Latin-1 with the escapes of Python's strings.

use super::CodecError;
use crate::unicode_names;

/// All escapes.
pub(super) fn unicode_escape(bytes: &[u8]) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            text.push(byte.into());
            continue;
        }
        let Some((&escape, tail)) = rest.split_first() else {
            text.push('\u{fffd}');
            break;
        };
        rest = tail;
        match escape {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => text.push(escape.into()),
            b'b' => text.push('\x08'),
            b'f' => text.push('\x0c'),
            b't' => text.push('\t'),
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b'v' => text.push('\x0b'),
            b'a' => text.push('\x07'),
            b'0'..=b'7' => text.push(octal(escape, &mut rest)),
            b'x' => text.push(hex(2, &mut rest)?),
            b'u' => text.push(hex(4, &mut rest)?),
            b'U' => text.push(hex(8, &mut rest)?),
            b'N' => text.push(named(&mut rest)),
            _ => text.extend(['\\', escape.into()]),
        }
    }
    Ok(text)
}

/// `\u` and `\U` only.
pub(super) fn raw_unicode_escape(bytes: &[u8]) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escape = rest.first().filter(|_| byte == b'\\').copied();
        rest = rest.get(usize::from(escape.is_some())..).unwrap_or_default();
        match escape {
            Some(b'u') => text.push(hex(4, &mut rest)?),
            Some(b'U') => text.push(hex(8, &mut rest)?),
            _ => text.extend([byte].into_iter().chain(escape).map(char::from)),
        }
    }
    Ok(text)
}

/// Up to three digits.
fn octal(first: u8, rest: &mut &[u8]) -> char {
    let mut code = u32::from(first - b'0');
    for _ in 0..2 {
        let Some((digit @ b'0'..=b'7', tail)) = rest.split_first() else { break };
        code = code * 8 + u32::from(digit - b'0');
        *rest = tail;
    }
    char::from_u32(code).unwrap_or('\u{fffd}')
}

/// That many digits, or U+FFFD for fewer and for what is no character.
fn hex(digits: usize, rest: &mut &[u8]) -> Result<char, CodecError> {
    let mut code = 0;
    for _ in 0..digits {
        let digit = rest.first().and_then(|&byte| char::from(byte).to_digit(16));
        let (Some(digit), Some((_, tail))) = (digit, rest.split_first()) else {
            return Ok('\u{fffd}');
        };
        code = code << 4 | digit;
        *rest = tail;
    }
    if super::is_surrogate(code) {
        return Err(CodecError::Surrogate);
    }
    Ok(char::from_u32(code).unwrap_or('\u{fffd}'))
}

/// `{NAME}`, or U+FFFD for as much of it as there is.
fn named(rest: &mut &[u8]) -> char {
    let Some(inner) = rest.strip_prefix(b"{") else { return '\u{fffd}' };
    let Some(end) = memchr::memchr(b'}', inner) else {
        *rest = &[];
        return '\u{fffd}';
    };
    let (name, tail) = inner.split_at(end);
    // Python stops in front of the brace of an empty name.
    *rest = if name.is_empty() { tail } else { tail.get(1..).unwrap_or_default() };
    str::from_utf8(name).ok().and_then(unicode_names::find).unwrap_or('\u{fffd}')
}
