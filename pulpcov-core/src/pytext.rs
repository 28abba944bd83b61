//! Python's rules for text, which the configuration formats rely on: white space, word characters, and
//! written numbers. Each differs from Rust's rules in a few characters.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Returns `str.isspace` for one character: `true` for Unicode's white space and the four ASCII separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// Returns `text.strip()`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Returns whether `\w` of Python's `re` matches: letters, numbers and the underscore, but no combining
/// marks.
pub(crate) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    )
}

/// Returns `text.isidentifier()`, with [`is_word`] in place of Unicode's identifier classes.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| is_word(c) && !c.is_numeric()) && text.chars().all(is_word)
}

/// Returns `text.splitlines()`.
///
/// `\r\n` may count as two line ends, because callers ignore white space around the lines.
pub(crate) fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'))
}

/// Returns text as Python's text mode reads it: with `\r\n` and `\r` replaced by `\n`.
pub(crate) fn universal_newlines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Returns `int(text)` in base ten, or `None` if this is not a number or does not fit.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    without_underscores(&ascii_digits(strip(text)))?.parse().ok()
}

/// Returns `float(text)`. Infinity and not-a-number can be written as words, and a number that is too large
/// is infinite.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    without_underscores(&ascii_digits(strip(text)))?.parse().ok()
}

/// Replaces the decimal digits of any script by ASCII digits, because Python accepts all of them in numbers.
fn ascii_digits(text: &str) -> String {
    let is_digit = |c: char| c.general_category() == GeneralCategory::DecimalNumber;
    let ascii = |c: char| {
        if c.is_ascii() || !is_digit(c) {
            return c;
        }
        // In Unicode the digits of a script are contiguous, from zero to nine. Some sets of digits directly
        // follow each other.
        let before = (0..u32::from(c)).rev().map_while(char::from_u32).take_while(|c| is_digit(*c));
        char::from_digit(u32::try_from(before.count() % 10).unwrap_or(0), 10).unwrap_or(c)
    };
    text.chars().map(ascii).collect()
}

/// Removes underscores. Returns `None` if an underscore is not between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let well_placed = |(at, _)| is_digit(usize::checked_sub(at, 1)) && is_digit(Some(at + 1));
    text.match_indices('_').all(well_placed).then(|| text.replace('_', ""))
}

/// Returns `repr(number)`: the shortest digits that read back as the same number, with an exponent below 1e-4
/// and from 1e16.
pub(crate) fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    let size = number.abs();
    if size != 0.0 && size.is_finite() && !(1e-4..1e16).contains(&size) {
        return with_exponent(number);
    }
    // Rust's `Debug` format adds `.0` to whole numbers as Python does, but has its own rules for exponents.
    // So this uses `Display`.
    let plain = format!("{number}");
    if number.is_finite() && !plain.contains('.') { plain + ".0" } else { plain }
}

/// Formats a number with an exponent. Python writes the sign of the exponent and at least two digits.
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
