//! Decodes Punycode. The ASCII characters of a text come before the last hyphen. What follows the
//! hyphen says which characters to insert, and where.

use super::CodecError;

/// The limit on insertions. Each insertion moves all characters after it, so many insertions would
/// take long.
const MAX_INSERTIONS: usize = 1000;

pub(super) fn decode(bytes: &[u8]) -> Result<String, CodecError> {
    let hyphen = bytes.iter().rposition(|byte| *byte == b'-');
    let (base, insertions) = match hyphen.and_then(|at| bytes.split_at_checked(at)) {
        Some((base, insertions)) => (base, insertions.get(1..).unwrap_or_default()),
        None => (&[][..], bytes),
    };
    if !insertions.is_ascii() {
        return Err(CodecError::NotText);
    }
    let char_of = |&byte: &u8| if byte.is_ascii() { char::from(byte) } else { '\u{fffd}' };
    insert(base.iter().map(char_of).collect(), &insertions.to_ascii_uppercase())
}

/// Inserts characters up to the first wrong insertion.
fn insert(mut text: Vec<char>, mut insertions: &[u8]) -> Result<String, CodecError> {
    let (mut code, mut at, mut bias) = (0x80_u64, 0_u64, 72);
    let mut count = 0;
    while let Some(delta) = number(&mut insertions, bias)? {
        count += 1;
        if count > MAX_INSERTIONS {
            return Err(CodecError::TooManyInsertions);
        }
        at = at.checked_add(delta).ok_or(CodecError::TooManyInsertions)?;
        let places = text.len() as u64 + 1;
        code = code.saturating_add(at / places);
        if code > 0x10_ffff {
            code = u64::from(b'?');
        }
        at %= places;
        let code = u32::try_from(code).unwrap_or_default();
        text.insert(at as usize, char::from_u32(code).ok_or(CodecError::Surrogate)?);
        at += 1;
        bias = adapt(delta, count == 1, places);
    }
    Ok(text.into_iter().collect())
}

/// Reads a number of variable length, whose lowest digit comes first. Returns `None` at the end, or
/// if the number is wrong.
fn number(digits: &mut &[u8], bias: u64) -> Result<Option<u64>, CodecError> {
    let (mut value, mut weight) = (0_u64, 1_u64);
    for place in 1.. {
        let Some((&digit, rest)) = digits.split_first() else { break };
        *digits = rest;
        let digit = match digit {
            b'A'..=b'Z' => u64::from(digit - b'A'),
            b'0'..=b'9' => u64::from(digit - b'0') + 26,
            _ => break,
        };
        let threshold = (36_u64 * place).saturating_sub(bias).clamp(1, 26);
        let part = digit.checked_mul(weight).and_then(|part| value.checked_add(part));
        value = part.ok_or(CodecError::TooManyInsertions)?;
        if digit < threshold {
            return Ok(Some(value));
        }
        weight = weight.saturating_mul(36 - threshold);
    }
    Ok(None)
}

/// Returns the next bias (RFC 3492, section 6.1).
fn adapt(delta: u64, is_first: bool, count: u64) -> u64 {
    let mut delta = delta / if is_first { 700 } else { 2 };
    delta += delta / count;
    let mut divisions = 0;
    while delta > 455 {
        delta /= 35;
        divisions += 36;
    }
    divisions + 36 * delta / (delta + 38)
}
