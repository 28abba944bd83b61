//! Parses the numbers of settings and command-line options.

use crate::pytext;

/// Parses an integer as Python's `int(text)` does in base ten.
///
/// Returns `None` if the text is not a number or the number does not fit in 64 bits.
///
/// # Examples
///
/// ```
/// assert_eq!(pulpcov_core::config::parse_int(" 1_000 "), Some(1000));
/// assert_eq!(pulpcov_core::config::parse_int("1."), None);
/// ```
pub fn parse_int(text: &str) -> Option<i64> {
    pytext::parse_int(text)
}

/// Parses a floating point number as Python's `float(text)` does.
///
/// Returns `None` if the text is not a number. Words such as `inf` and `nan` are numbers. A number
/// that is too large becomes infinite.
///
/// # Examples
///
/// ```
/// assert_eq!(pulpcov_core::config::parse_float(" 5_0.5"), Some(50.5));
/// assert_eq!(pulpcov_core::config::parse_float("half"), None);
/// ```
pub fn parse_float(text: &str) -> Option<f64> {
    pytext::parse_float(text)
}
