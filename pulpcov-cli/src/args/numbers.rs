//! Numbers, parsed as Python's optparse parses them.

use pulpcov_core::config::{parse_float, parse_int};

/// Parses a number as Python's `float(text)` does.
pub(super) fn float(text: &str) -> Result<f64, String> {
    parse_float(text).ok_or_else(|| "not a number".to_owned())
}

/// Parses an integer as optparse does: the prefix `0x` is hexadecimal, `0b` binary, and `0` octal
/// (`optparse._parse_num`).
pub(super) fn integer(text: &str) -> Result<i64, String> {
    let prefix = |length: usize| text.get(..length).unwrap_or_default().to_ascii_lowercase();
    let (digits, radix) = match (prefix(2).as_str(), prefix(1).as_str()) {
        ("0x", _) => (&text[2..], 16),
        ("0b", _) => (if text.len() > 2 { &text[2..] } else { "0" }, 2),
        (_, "0") => (text, 8),
        _ => return parse_int(text).ok_or_else(not_an_integer),
    };
    // Python allows a single underscore between two digits.
    let well_placed = digits.split('_').all(|part| !part.is_empty());
    let digits = digits.replace('_', "");
    i64::from_str_radix(&digits, radix).ok().filter(|_| well_placed).ok_or_else(not_an_integer)
}

fn not_an_integer() -> String {
    "not an integer".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_optparse_reads_them() {
        for (text, number) in [
            ("2", Some(2)),
            (" 2", Some(2)),
            ("-1", Some(-1)),
            ("1_0", Some(10)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("00", Some(0)),
            ("08", None),
            ("0x1F", Some(31)),
            ("0X", None),
            ("0b101", Some(5)),
            ("0b", Some(0)),
            ("0b_1", None),
            ("", None),
            ("two", None),
            ("2.0", None),
        ] {
            assert_eq!(integer(text).ok(), number, "{text:?}");
        }
    }
}
