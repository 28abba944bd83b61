//! Percentages, rounded and compared as in coverage.py.

use super::Floor;
use crate::pytext::float_repr;
use crate::{Error, ErrorKind, Result};

/// The number of decimal places of a percentage.
///
/// # Examples
///
/// ```
/// use pulpcov_core::results::{Precision, display_covered};
///
/// let precision = Precision::new(1)?;
/// assert_eq!(display_covered(99.96, precision), "99.9");
/// assert!(Precision::new(-1).is_err());
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Precision(usize);

/// The maximum number of decimal places. The smallest `f64` above zero, 2⁻¹⁰⁷⁴, has as many.
const MOST_DIGITS: usize = 1074;

/// How many more digits show at most that a percentage is below a floor. An `f64` below 100 has no more.
const MORE_DIGITS: usize = 16;

impl Precision {
    /// Creates a precision of `digits` decimal places.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if `digits` is negative.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::{Precision, display_covered};
    ///
    /// assert_eq!(display_covered(62.517, Precision::new(2)?), "62.52");
    /// assert_eq!(Precision::new(0)?, Precision::default());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new(digits: i64) -> Result<Self> {
        match usize::try_from(digits) {
            Ok(digits) => Ok(Self(digits.min(MOST_DIGITS))),
            Err(_) => Err(PercentError::Precision { digits }.into()),
        }
    }

    /// Returns the number of decimal places.
    pub fn digits(self) -> usize {
        self.0
    }

    /// Returns the smallest number above zero that can be shown.
    fn unit(self) -> f64 {
        1.0 / 10_f64.powi(self.0 as i32)
    }
}

/// Returns `numerator / denominator` in percent, or 100 if the denominator is 0.
pub(super) fn percent((numerator, denominator): (usize, usize)) -> f64 {
    if denominator > 0 { 100.0 * numerator as f64 / denominator as f64 } else { 100.0 }
}

/// Formats a percentage. Unlike plain rounding, returns "0" only for exactly 0 and "100" only for
/// exactly 100.
///
/// # Examples
///
/// ```
/// use pulpcov_core::results::{Precision, display_covered};
///
/// let whole = Precision::default();
/// assert_eq!(display_covered(0.001, whole), "1");
/// assert_eq!(display_covered(99.9, whole), "99");
/// assert_eq!(display_covered(62.5, whole), "62");
/// ```
pub fn display_covered(percent: f64, precision: Precision) -> String {
    let unit = precision.unit();
    let shown = if 0.0 < percent && percent < unit {
        unit
    } else if 100.0 - unit < percent && percent < 100.0 {
        100.0 - unit
    } else {
        percent
    };
    fixed(shown, precision)
}

/// Formats a percentage as [`display_covered`] does, but with more digits if it is below `floor` and would be shown as the floor or
/// more.
///
/// # Examples
///
/// ```
/// use pulpcov_core::results::{Precision, display_covered_below};
///
/// let (floor, whole) = ("85".parse()?, Precision::default());
/// assert_eq!(display_covered_below(84.6, floor, whole), "84.6");
/// assert_eq!(display_covered_below(84.996, floor, whole), "84.996");
/// assert_eq!(display_covered_below(84.4, floor, whole), "84");
/// assert_eq!(display_covered_below(85.4, floor, whole), "85");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn display_covered_below(percent: f64, floor: Floor, precision: Precision) -> String {
    let floor = floor.percent();
    let shows_it = |text: &String| text.parse::<f64>().is_ok_and(|shown| shown < floor);
    let shown = display_covered(percent, precision);
    if percent >= floor || shows_it(&shown) {
        return shown;
    }
    let digits = (1..MORE_DIGITS).map(|more| Precision(precision.0.saturating_add(more)));
    digits.map(|digits| display_covered(percent, digits)).find(shows_it).unwrap_or(shown)
}

/// Returns whether `total` is below `fail_under`. Both are percentages.
///
/// `total` is first rounded to `precision`, or to the decimal places of `fail_under` if it has
/// more. If `fail_under` is 100, only a total of exactly 100 passes.
///
/// # Errors
///
/// [`ErrorKind::Config`] if `fail_under` is not between 0 and 100.
///
/// # Examples
///
/// ```
/// use pulpcov_core::results::{Precision, should_fail_under};
///
/// let whole = Precision::default();
/// assert!(!should_fail_under(42.6, 43.0, whole)?);
/// assert!(should_fail_under(42.857, 42.88, whole)?);
/// assert!(should_fail_under(99.99, 100.0, whole)?);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn should_fail_under(total: f64, fail_under: f64, precision: Precision) -> Result<bool> {
    if !(0.0..=100.0).contains(&fail_under) {
        return Err(PercentError::FailUnder { shown: float_repr(fail_under) }.into());
    }
    if is_short_of_all(total, fail_under) {
        return Ok(true);
    }
    let rounded = fixed(total, fail_under_precision(fail_under, precision));
    Ok(rounded.parse::<f64>().is_ok_and(|rounded| rounded < fail_under))
}

/// Returns coverage.py's message for a total that [`should_fail_under`] rejected.
///
/// # Examples
///
/// ```
/// use pulpcov_core::results::{Precision, fail_under_message};
///
/// let whole = Precision::default();
/// assert_eq!(fail_under_message(61.6, 80.0, whole), "total of 62 is less than fail-under=80");
/// assert_eq!(fail_under_message(99.9, 100.0, whole), "total of 99 is less than fail-under=100");
/// ```
pub fn fail_under_message(total: f64, fail_under: f64, precision: Precision) -> String {
    let precision = fail_under_precision(fail_under, precision);
    let shown = if is_short_of_all(total, fail_under) {
        display_covered(total, precision)
    } else {
        fixed(total, precision)
    };
    format!("total of {shown} is less than fail-under={}", fixed(fail_under, precision))
}

#[expect(
    clippy::float_cmp,
    reason = "a hundred percent is exact: it is computed from equal counts"
)]
fn is_short_of_all(total: f64, fail_under: f64) -> bool {
    fail_under == 100.0 && total != 100.0
}

/// Returns `precision`, or the number of decimal places of `fail_under` if it has more.
fn fail_under_precision(fail_under: f64, precision: Precision) -> Precision {
    if fail_under.fract() == 0.0 {
        return precision;
    }
    // The shortest text that parses as this number, as in Python's `str(float)`.
    let digits = fail_under.to_string().split_once('.').map_or(0, |(_, digits)| digits.len());
    precision.max(Precision(digits))
}

/// Formats a number as Python's `f"{number:.{precision}f}"` does. Like Rust, Python rounds the
/// exact value, with ties to even.
fn fixed(number: f64, precision: Precision) -> String {
    // A faster path for whole percentages, which most reports contain in large numbers.
    if precision.digits() == 0 && number.is_sign_positive() && number <= 100.0 {
        return (number.round_ties_even() as u8).to_string();
    }
    format!("{number:.*}", precision.digits())
}

/// An invalid number in the configuration, with coverage.py's message.
#[derive(Debug, thiserror::Error)]
enum PercentError {
    #[error("precision={digits} is invalid. Must not be negative.")]
    Precision { digits: i64 },
    #[error("fail_under={shown} is invalid. Must be between 0 and 100.")]
    FailUnder { shown: String },
}

impl From<PercentError> for Error {
    fn from(cause: PercentError) -> Self {
        Self::new(ErrorKind::Config, cause)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whole_numbers_are_written_as_all_others_are(
            number in prop_oneof![-1.0..101.0_f64, (-2..400_i32).prop_map(|n| f64::from(n) / 4.0), any::<f64>()],
        ) {
            prop_assert_eq!(fixed(number, Precision(0)), format!("{number:.0}"));
        }
    }

    #[test]
    fn shows_zero_and_a_hundred_only_when_exact() {
        let cases = [
            (0.0, 0, "0"),
            (0.001, 0, "1"),
            (0.5, 0, "1"),
            (50.49, 0, "50"),
            (50.5, 0, "50"),
            (51.5, 0, "52"),
            (99.0, 0, "99"),
            (99.9999, 0, "99"),
            (100.0, 0, "100"),
            (0.0, 1, "0.0"),
            (0.001, 1, "0.1"),
            (99.99, 1, "99.9"),
            (12.25, 1, "12.2"),
            (100.0, 3, "100.000"),
            (99.99999, 4, "99.9999"),
            (48.719_987_654_321_f64, 4, "48.7200"),
        ];
        for (percent, digits, shown) in cases {
            let precision = Precision::new(digits).unwrap();
            assert_eq!(display_covered(percent, precision), shown, "{percent} {digits}");
        }
    }

    #[test]
    fn compares_as_many_digits_as_asked_for() {
        let cases = [
            (42.0, 42.0, 0, false),
            (42.0, 43.0, 0, true),
            (42.857, 42.0, 0, false),
            (42.857, 42.857, 3, false),
            (42.857, 42.858, 3, true),
            (42.857, 43.0, 0, false),
            (42.857, 43.001, 3, true),
            (42.857, 42.856, 3, false),
            (42.857, 42.88, 0, true),
            (42.857, 42.85, 0, false),
            (99.999, 100.0, 0, true),
            (99.999, 100.0, 2, true),
            (99.999, 100.0, 4, true),
            (100.0, 100.0, 0, false),
            (0.000_01, 0.000_02, 0, true),
            (0.001, 0.0, 0, false),
            (0.3, 0.3, 0, false),
            (0.04, 0.03, 0, false),
            (0.04, 0.05, 0, true),
            (4e-7, 3e-7, 0, false),
            (4e-7, 5e-7, 0, true),
            (99.88, 99.90, 2, true),
        ];
        for (total, wanted, digits, fails) in cases {
            let precision = Precision::new(digits).unwrap();
            let answer = should_fail_under(total, wanted, precision).unwrap();
            assert_eq!(answer, fails, "{total} {wanted} {digits}");
        }
    }

    #[test]
    fn names_what_is_out_of_bounds() {
        let message =
            |wanted| should_fail_under(50.0, wanted, Precision::default()).unwrap_err().to_string();
        assert_eq!(message(101.0), "fail_under=101.0 is invalid. Must be between 0 and 100.");
        assert_eq!(message(-1.0), "fail_under=-1.0 is invalid. Must be between 0 and 100.");
        assert_eq!(message(1e17), "fail_under=1e+17 is invalid. Must be between 0 and 100.");
        assert_eq!(message(-1.5e-5), "fail_under=-1.5e-05 is invalid. Must be between 0 and 100.");
        assert_eq!(
            Precision::new(-2).unwrap_err().to_string(),
            "precision=-2 is invalid. Must not be negative."
        );
    }

    #[test]
    fn says_how_much_is_missing() {
        let cases = [
            (42.857, 43.5, 0, "total of 42.9 is less than fail-under=43.5"),
            (99.999, 100.0, 0, "total of 99 is less than fail-under=100"),
            (99.999, 100.0, 1, "total of 99.9 is less than fail-under=100.0"),
            (80.0, 90.0, 2, "total of 80.00 is less than fail-under=90.00"),
            (0.4, 0.5, 0, "total of 0.4 is less than fail-under=0.5"),
            (0.04, 0.05, 0, "total of 0.04 is less than fail-under=0.05"),
            (4e-7, 5e-7, 0, "total of 0.0000004 is less than fail-under=0.0000005"),
            (0.4, 0.5, 3, "total of 0.400 is less than fail-under=0.500"),
            (
                20.12345678,
                20.12345679,
                0,
                "total of 20.12345678 is less than fail-under=20.12345679",
            ),
            (20.12345, 20.1235, 5, "total of 20.12345 is less than fail-under=20.12350"),
        ];
        for (total, wanted, digits, message) in cases {
            let precision = Precision::new(digits).unwrap();
            assert_eq!(fail_under_message(total, wanted, precision), message);
        }
    }
}
