//! Escaping of untrusted text for HTML and for scripts.

use std::fmt::Write;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Appends text to the content of an element, where only `&` and `<` need escaping. Each invisible
/// character, and each that changes the direction of text, is replaced by a visible mark.
pub(super) fn push_text(html: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let (mut plain, mut at) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        if matches!(byte, b' '..=b'%' | b'\''..=b';' | b'='..=b'~' | b'\t' | b'\n') {
            at += 1;
            continue;
        }
        let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
        if c == '&' || c == '<' || is_deceptive(c) {
            html.push_str(text.get(plain..at).unwrap_or_default());
            match c {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                // Writing to a string cannot fail.
                c => drop(write!(html, "<mark data-c=\"U+{:04X}\"></mark>", u32::from(c))),
            }
            plain = at + c.len_utf8();
        }
        at += c.len_utf8();
    }
    html.push_str(text.get(plain..).unwrap_or_default());
}

/// Returns whether a character is a control, has no width, or changes the direction of text.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Appends a number in decimal.
pub(super) fn push_decimal(text: &mut String, number: i32) {
    let mut digits = [0_u8; 10];
    let mut rest = number.unsigned_abs();
    let mut from = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        from -= 1;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        text.push('-');
    }
    text.extend(digits.iter().skip(from).map(|&digit| char::from(digit)));
}

/// Returns JSON that is safe inside a `<script>` element as well as in a script file. In an
/// element, an end tag or a comment would be harmful. Both begin with `<`, so every `<` is escaped.
pub(super) fn json(data: &impl Serialize) -> io::Result<String> {
    let mut json = Vec::new();
    data.serialize(&mut Serializer::with_formatter(&mut json, ScriptSafe))?;
    String::from_utf8(json).map_err(io::Error::other)
}

struct ScriptSafe;

impl Formatter for ScriptSafe {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        let mut plain = 0;
        for at in memchr::memchr_iter(b'<', bytes) {
            writer.write_all(bytes.get(plain..at).unwrap_or_default())?;
            writer.write_all(b"\\u003c")?;
            plain = at + 1;
        }
        writer.write_all(bytes.get(plain..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let mut html = String::new();
        push_text(&mut html, "<b> & \"q\" 'p' é\u{202e}\0\t");
        let marks = "<mark data-c=\"U+202E\"></mark><mark data-c=\"U+0000\"></mark>\t";
        assert_eq!(html, format!("&lt;b> &amp; \"q\" 'p' é{marks}"));
    }

    #[test]
    fn json_cannot_end_a_script() {
        let hostile = "</script><!-- & \u{2028}\n";
        let safe = json(&[hostile]).unwrap();
        assert_eq!(safe, "[\"\\u003c/script>\\u003c!-- & \u{2028}\\n\"]");
        assert_eq!(serde_json::from_str::<[String; 1]>(&safe).unwrap(), [hostile]);
    }

    #[test]
    fn decimals_of_any_size() {
        for number in [0, 7, 10, 123_456, -5, i32::MAX, i32::MIN] {
            let mut text = String::new();
            push_decimal(&mut text, number);
            assert_eq!(text, number.to_string());
        }
    }
}
