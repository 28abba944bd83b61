//! Decodes the codecs in which the meaning of bytes does not depend on earlier bytes.

use super::sets::{Cell, Set};

/// The meaning of the next bytes.
pub(super) enum Step {
    /// One or two characters, and the number of bytes that encode them.
    Cell(Cell, usize),
    /// The number of bytes to replace by one U+FFFD.
    Bad(usize),
    /// The bytes end within a character.
    Truncated,
    /// The number of bytes that only change the state of the codec.
    NoText(usize),
}

impl Step {
    pub(super) fn char(c: char, len: usize) -> Self {
        Self::Cell([c, '\0'], len)
    }

    /// Returns the step for a pair of bytes. `cell` is the pair's cell in a set. Without a cell,
    /// the first byte is bad.
    pub(super) fn pair(cell: Option<Cell>) -> Self {
        cell.map_or(Self::Bad(1), |cell| Self::Cell(cell, 2))
    }
}

/// Decodes `bytes` step by step.
pub(super) fn walk(mut bytes: &[u8], mut step: impl FnMut(&[u8]) -> Step) -> String {
    let mut text = String::with_capacity(bytes.len());
    while !bytes.is_empty() {
        let len = match step(bytes) {
            Step::Cell(cell, len) => {
                text.push(cell[0]);
                text.extend(cell.get(1).filter(|second| **second != '\0'));
                len
            }
            Step::Bad(len) => {
                text.push('\u{fffd}');
                len
            }
            Step::Truncated => {
                text.push('\u{fffd}');
                bytes.len()
            }
            Step::NoText(len) => len,
        };
        bytes = bytes.get(len..).unwrap_or_default();
    }
    text
}

/// Decodes `bytes`. Returns `None` if the codec is not one of this module's.
pub(super) fn decode(codec: &str, bytes: &[u8]) -> Option<String> {
    Some(match codec {
        "gb2312" => pairs(bytes, &Set::load(codec), 0x80),
        "gbk" | "big5" | "cp950" | "big5hkscs" | "cp949" => pairs(bytes, &Set::load(codec), 0),
        "gb18030" => {
            let (set, rest) = (Set::load(codec), Set::load("gb18030_4"));
            walk(bytes, |bytes| gb18030(bytes, &set, &rest))
        }
        "euc_kr" => {
            let set = Set::load("ksx1001");
            walk(bytes, |bytes| euc_kr(bytes, &set))
        }
        "johab" => {
            let (hangul, others) = (Set::load(codec), Set::load("ksx1001"));
            walk(bytes, |bytes| johab(bytes, &hangul, &others))
        }
        "euc_jp" => euc(bytes, "jisx0208", "jisx0212"),
        "euc_jis_2004" => euc(bytes, codec, "euc_jis_2004_2"),
        "euc_jisx0213" => euc(bytes, codec, "euc_jisx0213_2"),
        "shift_jis" => shifted(bytes, "jisx0208", |_| None),
        "cp932" => shifted(bytes, codec, windows_extra),
        "shift_jis_2004" | "shift_jisx0213" => shifted(bytes, codec, jis_roman),
        _ => return None,
    })
}

/// Decodes ASCII and pairs of bytes. `high_bit` is the difference between these bytes and the bytes
/// in the set.
fn pairs(bytes: &[u8], set: &Set, high_bit: u8) -> String {
    walk(bytes, |bytes| match *bytes {
        [c @ ..0x80, ..] => Step::char(c.into(), 1),
        [lead, trail, ..] => Step::pair(set.get(lead ^ high_bit, trail ^ high_bit)),
        _ => Step::Truncated,
    })
}

fn gb18030(bytes: &[u8], set: &Set, rest: &Set) -> Step {
    match *bytes {
        [c @ ..0x80, ..] => Step::char(c.into(), 1),
        [first, second @ b'0'..=b'9', third, fourth, ..] => {
            let found = four_bytes([first, second, third, fourth], rest);
            found.map_or(Step::Bad(1), |c| Step::char(c, 4))
        }
        [_, b'0'..=b'9', ..] | [_] | [] => Step::Truncated,
        [lead, trail, ..] => Step::pair(set.get(lead, trail)),
    }
}

/// Returns the character of four bytes in GB 18030.
///
/// The four bytes are the digits of one number. The lower numbers are the characters that pairs do
/// not encode, in the order of `rest`. The higher numbers are the characters above U+FFFF.
fn four_bytes(bytes: [u8; 4], rest: &Set) -> Option<char> {
    let digits = [(0x81, 126), (b'0', 10), (0x81, 126), (b'0', 10)];
    let number = bytes.iter().zip(digits).try_fold(0, |number, (&byte, (first, base))| {
        let digit = usize::from(byte.checked_sub(first)?);
        (digit < base).then_some(number * base + digit)
    })?;
    match number.checked_sub(15 * 12600) {
        None if bytes[0] < 0x85 => rest.numbered(number).map(|cell| cell[0]),
        None => None,
        Some(above) => char::from_u32(u32::try_from(above).ok()?.checked_add(0x1_0000)?),
    }
}

/// The byte before each letter, in a Hangul syllable that is written as several letters.
const JAMO: u8 = 0xa4;
/// The byte at the start of such a syllable, and in place of a last letter that is missing.
const FILLER: u8 = 0xd4;

fn euc_kr(bytes: &[u8], set: &Set) -> Step {
    match *bytes {
        [c @ ..0x80, ..] => Step::char(c.into(), 1),
        [JAMO, FILLER, JAMO, first, JAMO, vowel, JAMO, last, ..] => {
            syllable(first, vowel, last).map_or(Step::Bad(1), |c| Step::char(c, 8))
        }
        [JAMO, FILLER, _, _, _, _, _, _, ..] => Step::Bad(1),
        [JAMO, FILLER, ..] | [_] | [] => Step::Truncated,
        [lead, trail, ..] => Step::pair(set.get(lead ^ 0x80, trail ^ 0x80)),
    }
}

/// The number of the consonant that starts a syllable, for each byte from 0xa1 on. The letters with
/// number 0 start no syllable.
const STARTS: &[u8; 30] = b"\x01\x02\0\x03\0\0\x04\x05\x06\0\0\0\0\0\0\0\x07\x08\x09\0\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13";
/// The number of the consonant that ends a syllable, for each byte from 0xa1 on. The letters with
/// number 0 end no syllable.
const ENDS: &[u8; 30] = b"\x01\x02\x03\x04\x05\x06\x07\0\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\0\x12\x13\x14\x15\x16\0\x17\x18\x19\x1a\x1b";

/// Returns the Hangul syllable of three letters.
fn syllable(first: u8, vowel: u8, last: u8) -> Option<char> {
    let letter = |letters: &[u8; 30], byte: u8| {
        let at = usize::from(byte.checked_sub(0xa1)?);
        letters.get(at).copied().filter(|number| *number > 0).map(u32::from)
    };
    let first = letter(STARTS, first)? - 1;
    let vowel = vowel.checked_sub(0xbf).filter(|vowel| *vowel < 21)?;
    let last = if last == FILLER { 0 } else { letter(ENDS, last)? };
    char::from_u32(0xac00 + first * 588 + u32::from(vowel) * 28 + last)
}

fn johab(bytes: &[u8], hangul: &Set, others: &Set) -> Step {
    match *bytes {
        [c @ ..0x80, ..] => Step::char(c.into(), 1),
        [lead @ ..0xd8, trail, ..] => Step::pair(hangul.get(lead, trail)),
        [lead, trail, ..] => Step::pair(johab_other(lead, trail, others)),
        _ => Step::Truncated,
    }
}

/// Returns the cell of a pair that is not Hangul. One row of Johab has the cells of two rows of KS
/// X 1001, but not the Hangul in those rows.
fn johab_other(lead: u8, trail: u8, others: &Set) -> Option<Cell> {
    if lead == 0xdf || lead > 0xf9 || (lead == 0xda && (0xa1..=0xd3).contains(&trail)) {
        return None;
    }
    let row = if lead < 0xe0 { lead.checked_sub(0xd9)? * 2 } else { (lead - 0xe0) * 2 + 41 };
    let cell = match trail {
        0x31..=0x7e => trail - 0x31,
        0x91..=0xfe => trail - 0x43,
        _ => return None,
    };
    two_rows(others, row, cell)
}

/// Returns a cell of a codec in which one row has the cells of two rows of `set`. A row of `set`
/// has 94 cells.
fn two_rows(set: &Set, row: u8, cell: u8) -> Option<Cell> {
    set.get(row + cell / 94 + 0x21, cell % 94 + 0x21)
}

/// Returns the half-width Katakana of a byte.
fn katakana(byte: u8) -> Option<char> {
    (0xa1..=0xdf).contains(&byte).then(|| char::from_u32(0xfec0 + u32::from(byte))).flatten()
}

/// Decodes Japanese EUC. Pairs of bytes are of the set `first`. A byte after 0x8e is half-width
/// Katakana. A pair after 0x8f is of the set `second`.
fn euc(bytes: &[u8], first: &str, second: &str) -> String {
    let (first, second) = (Set::load(first), Set::load(second));
    walk(bytes, |bytes| match *bytes {
        [c @ ..0x80, ..] => Step::char(c.into(), 1),
        [0x8e, trail, ..] => katakana(trail).map_or(Step::Bad(1), |c| Step::char(c, 2)),
        [0x8f, lead, trail, ..] => {
            second.get(lead ^ 0x80, trail ^ 0x80).map_or(Step::Bad(1), |cell| Step::Cell(cell, 3))
        }
        [0x8f, ..] | [_] | [] => Step::Truncated,
        [lead, trail, ..] => Step::pair(first.get(lead ^ 0x80, trail ^ 0x80)),
    })
}

/// Decodes Shift JIS, where one lead byte has the cells of two rows of a set. `single` adds or
/// replaces characters of one byte.
fn shifted(bytes: &[u8], set: &str, single: impl Fn(u8) -> Option<char>) -> String {
    let set = Set::load(set);
    walk(bytes, |bytes| {
        let Some(&lead) = bytes.first() else { return Step::Truncated };
        if let Some(c) = single(lead).or_else(|| katakana(lead)) {
            return Step::char(c, 1);
        }
        match (lead, bytes.get(1)) {
            (..0x80, _) => Step::char(lead.into(), 1),
            (0x80 | 0xa0 | 0xfd.., _) => Step::Bad(1),
            (_, None) => Step::Truncated,
            (_, Some(&trail)) => Step::pair(shifted_pair(lead, trail, &set)),
        }
    })
}

fn shifted_pair(lead: u8, trail: u8, set: &Set) -> Option<Cell> {
    let row = if lead < 0xe0 { lead - 0x81 } else { lead - 0xc1 } * 2;
    let cell = match trail {
        0x40..=0x7e => trail - 0x40,
        0x80..=0xfc => trail - 0x41,
        _ => return None,
    };
    two_rows(set, row, cell)
}

/// Returns the character that Windows has for a byte without a meaning in the standard.
fn windows_extra(byte: u8) -> Option<char> {
    match byte {
        0x80 => Some('\u{80}'),
        0xa0 => Some('\u{f8f0}'),
        0xfd.. => char::from_u32(0xf8f1 + u32::from(byte - 0xfd)),
        _ => None,
    }
}

/// Returns the character of a byte that JIS X 0201 and ASCII read in different ways.
fn jis_roman(byte: u8) -> Option<char> {
    match byte {
        b'\\' => Some('\u{a5}'),
        b'~' => Some('\u{203e}'),
        _ => None,
    }
}
