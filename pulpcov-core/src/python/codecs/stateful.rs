//! Decodes the codecs in which escape sequences select the meaning of the bytes that follow.

use super::multibyte::{Step, walk};
use super::sets::Set;

/// Decodes `bytes`. Returns `None` if the codec is not one of this module's.
pub(super) fn decode(codec: &str, bytes: &[u8]) -> Option<String> {
    if codec == "hz" {
        return Some(hz(bytes));
    }
    let mut state = Iso2022::new(codec)?;
    Some(walk(bytes, |bytes| state.step(bytes)))
}

/// Decodes HZ: ASCII, and pairs of bytes between `~{` and `~}`.
fn hz(bytes: &[u8]) -> String {
    let set = Set::load("gb2312");
    let mut in_pairs = false;
    walk(bytes, |bytes| match *bytes {
        [b'~', b'~', ..] if !in_pairs => Step::char('~', 2),
        [b'~', b'\n', ..] if !in_pairs => Step::NoText(2),
        [b'~', b'{', ..] if !in_pairs => {
            in_pairs = true;
            Step::NoText(2)
        }
        [b'~', b'}', ..] if in_pairs => {
            in_pairs = false;
            Step::NoText(2)
        }
        [b'~'] | [] => Step::Truncated,
        [b'~' | 0x80.., ..] => Step::Bad(1),
        [c, ..] if !in_pairs => Step::char(c.into(), 1),
        [lead, trail, ..] => Step::pair(set.get(lead, trail)),
        [_] => Step::Truncated,
    })
}

const ESC: u8 = 0x1b;

/// The set that an escape sequence selects: the sequence's last byte, and whether the set has
/// two-byte characters.
type SetId = (u8, bool);

const ASCII: SetId = (b'B', false);
const LATIN: SetId = (b'A', false);
const GREEK: SetId = (b'F', false);

/// The meaning of the bytes in a set.
enum Charset {
    Pairs(Set),
    /// The lower half of JIS X 0201: ASCII, except for two characters.
    Roman,
    /// The upper half of JIS X 0201: half-width Katakana.
    Katakana,
    /// A set that is used only for single characters after `ESC N`.
    Other,
}

/// A decoder for one variant of ISO 2022.
struct Iso2022 {
    charsets: Vec<(SetId, Charset)>,
    /// The three selected sets.
    selected: [SetId; 3],
    is_korean: bool,
    /// Whether `ESC N` decodes a character of the third set.
    has_single_shift: bool,
    /// Whether the second set is in use instead of the first: after "shift out", up to "shift in"
    /// or the end of the line.
    is_shifted: bool,
    /// Whether the next byte is in an unknown escape sequence, which is decoded as text.
    is_escape_text: bool,
}

impl Iso2022 {
    fn new(codec: &str) -> Option<Self> {
        let pairs = |id, name| ((id, true), Charset::Pairs(Set::load(name)));
        let mut charsets = match codec {
            "iso2022_kr" => vec![pairs(b'C', "ksx1001")],
            "iso2022_jp" => vec![],
            "iso2022_jp_1" => vec![pairs(b'D', "jisx0212")],
            "iso2022_jp_2" => vec![
                pairs(b'D', "jisx0212"),
                pairs(b'C', "ksx1001"),
                pairs(b'A', "gb2312"),
                (LATIN, Charset::Other),
                (GREEK, Charset::Other),
            ],
            "iso2022_jp_2004" => vec![pairs(b'Q', codec), pairs(b'P', "iso2022_jp_2004_2")],
            "iso2022_jp_3" => vec![pairs(b'O', codec), pairs(b'P', "iso2022_jp_3_2")],
            "iso2022_jp_ext" => {
                vec![pairs(b'D', "jisx0212"), ((b'I', false), Charset::Katakana)]
            }
            _ => return None,
        };
        let is_korean = codec == "iso2022_kr";
        if !is_korean {
            charsets.push(pairs(b'B', "jisx0208"));
        }
        if !matches!(codec, "iso2022_kr" | "iso2022_jp_2004" | "iso2022_jp_3") {
            charsets.push(pairs(b'@', "jisx0208"));
            charsets.push(((b'J', false), Charset::Roman));
        }
        Some(Self {
            charsets,
            selected: [ASCII; 3],
            is_korean,
            has_single_shift: codec == "iso2022_jp_2",
            is_shifted: false,
            is_escape_text: false,
        })
    }

    fn step(&mut self, bytes: &[u8]) -> Step {
        let Some(&byte) = bytes.first() else { return Step::Truncated };
        if self.is_escape_text {
            self.is_escape_text = !ends_escape(byte);
            return Step::char(byte.into(), 1);
        }
        match (byte, bytes.get(1)) {
            (ESC, None) => Step::Truncated,
            (ESC, Some(b'(' | b')' | b'$' | b'.' | b'&')) => self.select(bytes),
            (ESC, Some(b'N')) if self.has_single_shift => self.single_shift(bytes),
            (ESC, Some(_)) => {
                self.is_escape_text = true;
                Step::char(byte.into(), 1)
            }
            (0x0e | 0x0f, _) if self.is_korean => {
                self.is_shifted = byte == 0x0e;
                Step::NoText(1)
            }
            (b'\n', _) => {
                self.is_shifted = false;
                Step::char('\n', 1)
            }
            (..0x20, _) => Step::char(byte.into(), 1),
            (0x80.., _) => Step::Bad(1),
            _ => self.character(bytes),
        }
    }

    /// Decodes one character of the set in use.
    fn character(&self, bytes: &[u8]) -> Step {
        let id = if self.is_shifted { self.selected[1] } else { self.selected[0] };
        let charset = self.charsets.iter().find(|(known, _)| *known == id).map(|(_, set)| set);
        match (bytes, charset) {
            ([b'\\', ..], Some(Charset::Roman)) => Step::char('\u{a5}', 1),
            ([b'~', ..], Some(Charset::Roman)) => Step::char('\u{203e}', 1),
            ([byte, ..], None | Some(Charset::Roman)) => Step::char((*byte).into(), 1),
            ([byte @ 0x21..0x60, ..], Some(Charset::Katakana)) => {
                Step::char(char::from_u32(0xff40 + u32::from(*byte)).unwrap_or('\u{fffd}'), 1)
            }
            ([_, ..], Some(Charset::Katakana | Charset::Other)) => Step::Bad(1),
            ([lead, trail, ..], Some(Charset::Pairs(set))) => {
                set.get(*lead, *trail).map_or(Step::Bad(2), |cell| Step::Cell(cell, 2))
            }
            ([_] | [], _) => Step::Truncated,
        }
    }

    /// Selects a set by the escape sequence at the start of `bytes`.
    fn select(&mut self, bytes: &[u8]) -> Step {
        let len = match self.escape_length(bytes) {
            Ok(len) => len,
            Err(step) => return step,
        };
        let selection = match bytes.get(1..len).unwrap_or_default() {
            [b'$', last] => Some((0, (*last, true))),
            [b'(', last] | [b'$', b'(', last] => Some((0, (*last, len == 4))),
            [b')', last] | [b'$', b')', last] => Some((1, (*last, len == 4))),
            [b'.', last] if self.has_single_shift => Some((2, (*last, false))),
            // This longer sequence selects JIS X 0208, too.
            [b'&', b'@', ESC, b'$', b'B'] if !self.is_korean => Some((0, (b'B', true))),
            _ => None,
        };
        let is_known = |id| id == ASCII || self.charsets.iter().any(|(known, _)| *known == id);
        match selection {
            Some((place, id)) if is_known(id) => {
                self.selected[place] = id;
                Step::NoText(len)
            }
            _ => Step::Bad(len),
        }
    }

    /// Returns the length of the escape sequence at the start of `bytes`. It ends with the first
    /// capital letter or `@`, and has at most 16 bytes.
    fn escape_length(&self, bytes: &[u8]) -> Result<usize, Step> {
        let mut at = 1;
        while at < 16 {
            match bytes.get(at) {
                None => return Err(Step::Truncated),
                Some(&byte) if ends_escape(byte) => return Ok(at + 1),
                Some(b'&') if !self.is_korean && bytes.get(at + 1) == Some(&b'@') => at += 3,
                Some(_) => at += 1,
            }
        }
        Err(Step::Bad(1))
    }

    /// Decodes one character of the third set, after `ESC N`.
    fn single_shift(&self, bytes: &[u8]) -> Step {
        let Some(&byte) = bytes.get(2) else { return Step::Truncated };
        let found = match self.selected[2] {
            _ if byte >= 0x80 => None,
            LATIN => Some(char::from(byte + 0x80)),
            GREEK => greek(byte + 0x80),
            _ => Some(char::from(byte)),
        };
        found.map_or(Step::Bad(3), |c| Step::char(c, 3))
    }
}

fn ends_escape(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'@'
}

/// Returns the character of a byte in ISO 8859-7, in CPython's version, which is that of 1987.
fn greek(byte: u8) -> Option<char> {
    let code = u32::from(byte);
    match byte {
        0xa1 => Some('\u{2018}'),
        0xa2 => Some('\u{2019}'),
        0xaf => Some('\u{2015}'),
        ..0xa0 | 0xa0 | 0xa3 | 0xa6..=0xa9 | 0xab..=0xad | 0xb0..=0xb3 | 0xb7 | 0xbb | 0xbd => {
            Some(char::from(byte))
        }
        0xb4..=0xb6 | 0xb8..=0xba | 0xbc | 0xbe..=0xd1 | 0xd3..=0xfe => {
            char::from_u32(0x2d0 + code)
        }
        _ => None,
    }
}
