//! Python's notions of text that the config dialects rest on: white space, word characters,
//! numbers in writing. Rust's own differ in a few characters each.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// `str.isspace` for one character: Unicode's white space and the four ASCII separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// `str.strip()`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `\w` of Python's `re`: letters, numbers and the underscore, but no combining marks.
pub(crate) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    )
}

/// `str.isidentifier`, with [`is_word`] standing in for Unicode's identifier classes.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| is_word(c) && !c.is_numeric()) && text.chars().all(is_word)
}

/// `str.splitlines()`.
///
/// White space around the lines is of no interest to the callers, so `\r\n` may count twice.
pub(crate) fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'))
}

/// Text as Python's text mode reads it: `\r\n` and `\r` become `\n`.
pub(crate) fn universal_newlines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// `int(text)` in base ten; `None` if it is no number, or none that fits.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    without_underscores(&ascii_digits(strip(text)))?.parse().ok()
}

/// `float(text)`: infinities and not-a-number have words, a number too large is infinite.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    without_underscores(&ascii_digits(strip(text)))?.parse().ok()
}

/// Python's numbers may be written in the decimal digits of any script.
fn ascii_digits(text: &str) -> String {
    let is_digit = |c: char| c.general_category() == GeneralCategory::DecimalNumber;
    let ascii = |c: char| {
        if c.is_ascii() || !is_digit(c) {
            return c;
        }
        // Unicode has each script's digits in a row, from zero to nine, and some rows behind each other.
        let before = (0..u32::from(c)).rev().map_while(char::from_u32).take_while(|c| is_digit(*c));
        char::from_digit(u32::try_from(before.count() % 10).unwrap_or(0), 10).unwrap_or(c)
    };
    text.chars().map(ascii).collect()
}

/// Take out the underscores, each of which must stand between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let well_placed = |(at, _)| is_digit(usize::checked_sub(at, 1)) && is_digit(Some(at + 1));
    text.match_indices('_').all(well_placed).then(|| text.replace('_', ""))
}

/// `repr(float)`: the shortest digits that read back, an exponent below 1e-4 and from 1e16.
pub(crate) fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    let size = number.abs();
    if size != 0.0 && size.is_finite() && !(1e-4..1e16).contains(&size) {
        return with_exponent(number);
    }
    // Rust's debug form adds `.0` to whole numbers as Python does, but has exponents of its own.
    let plain = format!("{number}");
    if number.is_finite() && !plain.contains('.') { plain + ".0" } else { plain }
}

/// Python writes at least two digits of exponent, and its sign.
fn with_exponent(number: f64) -> String {
    let text = format!("{number:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_python_reads_them() {
        for (text, number) in
            [("17", 17), (" +1_000\n", 1000), ("-0", 0), ("-٣٠", -30), ("1_𝟗", 19), ("007", 7)]
        {
            assert_eq!(parse_int(text), Some(number), "{text:?}");
        }
        for text in ["", "_1", "1_", "1__0", "0x10", "1.0", "1 0", "99999999999999999999"] {
            assert_eq!(parse_int(text), None, "{text:?}");
        }
    }

    #[test]
    fn floats_as_python_reads_and_writes_them() {
        let cases = [
            ("90", "90.0"),
            ("90.50", "90.5"),
            (" 1_0.2_5e1_0 ", "102500000000.0"),
            (".5", "0.5"),
            ("٨.५e1", "85.0"),
            ("5.", "5.0"),
            ("-0", "-0.0"),
            ("1e400", "inf"),
            ("-Infinity", "-inf"),
            ("NaN", "nan"),
            ("1e16", "1e+16"),
            ("123456789012345680000", "1.2345678901234568e+20"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1e-300", "1e-300"),
        ];
        for (text, repr) in cases {
            assert_eq!(parse_float(text).map(float_repr).as_deref(), Some(repr), "{text:?}");
        }
        for text in ["", ".", "e5", "1_.0", "1._0", "in_f", "0x1p3", "1,5"] {
            assert_eq!(parse_float(text), None, "{text:?}");
        }
    }
}
