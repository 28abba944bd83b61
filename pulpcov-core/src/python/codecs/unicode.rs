//! Decodes UTF-7, UTF-16 and UTF-32. In UTF-7, all ASCII characters except `+` stand for
//! themselves.

use super::{CodecError, is_surrogate};

/// Decodes UTF-16. Half a surrogate pair becomes U+FFFD, and so does half a unit at the end.
pub(super) fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let decoded = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)));
    let mut text: String = decoded.map(|c| c.unwrap_or('\u{fffd}')).collect();
    // If the second half of a surrogate pair is cut, one U+FFFD stands for both halves.
    let is_cut_pair = pairs.last().is_some_and(|pair| (0xd800..0xdc00).contains(&unit(*pair)));
    if !rest.is_empty() && !is_cut_pair {
        text.push('\u{fffd}');
    }
    text
}

pub(super) fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> String {
    let (units, rest) = bytes.as_chunks::<4>();
    let chars = units.iter().map(|four| char::from_u32(unit(*four)).unwrap_or('\u{fffd}'));
    chars.chain((!rest.is_empty()).then_some('\u{fffd}')).collect()
}

/// The state in a run of base 64 in UTF-7. A run starts after `+`. Its bits are UTF-16.
#[derive(Default)]
struct Base64Run {
    buffer: u32,
    bits: u32,
    /// The first half of a surrogate pair, while the second half has not been read.
    high: Option<u16>,
}

impl Base64Run {
    fn push(&mut self, sextet: u32, text: &mut String) -> Result<(), CodecError> {
        self.buffer = self.buffer << 6 | sextet;
        self.bits += 6;
        if self.bits < 16 {
            return Ok(());
        }
        self.bits -= 16;
        let unit = (self.buffer >> self.bits & 0xffff) as u16;
        self.buffer &= (1 << self.bits) - 1;
        match (self.high.take(), unit) {
            (Some(high), 0xdc00..0xe000) => {
                text.extend(char::decode_utf16([high, unit]).filter_map(Result::ok));
            }
            (None, 0xd800..0xdc00) => self.high = Some(unit),
            (None, _) if !is_surrogate(unit.into()) => {
                text.extend(char::from_u32(unit.into()));
            }
            _ => return Err(CodecError::Surrogate),
        }
        Ok(())
    }

    /// Returns whether the run ends within a UTF-16 unit. Fewer than six bits, all of them zero,
    /// are padding.
    fn is_incomplete(&self) -> bool {
        self.bits >= 6 || self.buffer != 0
    }
}

pub(super) fn utf7(bytes: &[u8]) -> Result<String, CodecError> {
    let mut text = String::with_capacity(bytes.len());
    let mut open_run: Option<Base64Run> = None;
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        if let Some(run) = &mut open_run {
            if let Some(sextet) = base64(byte) {
                run.push(sextet, &mut text)?;
                rest = tail;
                continue;
            }
            let run = open_run.take().unwrap_or_default();
            if run.is_incomplete() {
                // One U+FFFD replaces the bits and the character that ended the run.
                text.push('\u{fffd}');
                rest = tail;
            } else if run.high.is_some() && is_direct(byte) {
                return Err(CodecError::Surrogate);
            } else if byte == b'-' {
                rest = tail;
            }
            continue;
        }
        rest = tail;
        match (byte, tail.first()) {
            (b'+', Some(b'-')) => {
                text.push('+');
                rest = tail.get(1..).unwrap_or_default();
            }
            (b'+', Some(&next)) if base64(next).is_none() => {
                text.push('\u{fffd}');
                rest = tail.get(1..).unwrap_or_default();
            }
            (b'+', _) => open_run = Some(Base64Run::default()),
            _ if is_direct(byte) => text.push(byte.into()),
            _ => text.push('\u{fffd}'),
        }
    }
    if open_run.is_some_and(|run| run.high.is_some() || run.is_incomplete()) {
        text.push('\u{fffd}');
    }
    Ok(text)
}

fn is_direct(byte: u8) -> bool {
    byte.is_ascii() && byte != b'+'
}

fn base64(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
