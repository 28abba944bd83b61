//! Numbers as settings and options have them.

use crate::pytext;

/// Python's `int(text)` in base ten; `None` if the text is not a number, or the number does not fit.
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

/// Python's `float(text)`; `None` if the text is not a number. Infinities and not-a-number have words, and a number that is
/// too large is infinite.
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
