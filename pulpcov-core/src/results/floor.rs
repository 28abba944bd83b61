//! Floors: percentages that are compared exactly.

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind};

/// The largest number of decimals. More could overflow the scaled number, and nobody asks for them.
const MAX_DECIMALS: usize = 9;

/// The least percentage that is accepted.
///
/// Counts are compared with it exactly: with a floor of 100, one miss of 25,001 is too many, though the percentage
/// rounds to 100.
///
/// # Examples
///
/// ```
/// use pulpcov_core::results::Floor;
///
/// let floor: Floor = "99.5".parse()?;
/// assert!(floor.is_met((199, 200)));
/// assert!(!floor.is_met((198, 200)));
/// assert!("100".parse::<Floor>()?.is_met((0, 0)));
/// assert!(!"100".parse::<Floor>()?.is_met((25_000, 25_001)));
/// assert!("120".parse::<Floor>().is_err());
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// The percentage, multiplied by `scale`.
    scaled: u64,
    /// A power of ten.
    scale: u64,
}

impl Floor {
    /// Returns whether `covered` of `all` reaches the floor. Nothing of nothing reaches every floor.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::Floor;
    ///
    /// let floor: Floor = "66.7".parse()?;
    /// assert!(!floor.is_met((2, 3)));
    /// assert!(floor.is_met((0, 0)));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn is_met(self, (covered, all): (usize, usize)) -> bool {
        let covered = wide(covered).saturating_mul(100).saturating_mul(self.scale.into());
        covered >= wide(all).saturating_mul(self.scaled.into())
    }

    /// Returns how many of `all` must be covered to reach the floor.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::Floor;
    ///
    /// let floor: Floor = "66.7".parse()?;
    /// assert_eq!(floor.least_covered(3), 3);
    /// assert_eq!(floor.least_covered(1000), 667);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn least_covered(self, all: usize) -> usize {
        let share = wide(all).saturating_mul(self.scaled.into());
        narrow(share.div_ceil(100 * u128::from(self.scale)))
    }

    /// Returns the floor as a number of percent.
    pub(super) fn percent(self) -> f64 {
        self.scaled as f64 / self.scale as f64
    }

    /// Returns of how many `covered` reaches the floor at most. `None` if the floor is 0, which everything reaches.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::Floor;
    ///
    /// assert_eq!("80".parse::<Floor>()?.most_of(28), Some(35));
    /// assert_eq!("0".parse::<Floor>()?.most_of(28), None);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn most_of(self, covered: usize) -> Option<usize> {
        let scaled = wide(covered).saturating_mul(100).saturating_mul(self.scale.into());
        scaled.checked_div(self.scaled.into()).map(narrow)
    }
}

fn wide(number: usize) -> u128 {
    u128::try_from(number).unwrap_or(u128::MAX)
}

fn narrow(number: u128) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl FromStr for Floor {
    type Err = Error;

    /// Reads a percentage from 0 to 100, with up to nine decimals.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for any other text.
    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || {
            let message = format!(
                "{text:?} is not a percentage from 0 to 100, with at most {MAX_DECIMALS} decimals"
            );
            Error::new(ErrorKind::Config, message)
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = [whole, decimals].concat();
        let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_number
            || whole.is_empty()
            || whole.len() > 3
            || text.ends_with('.')
            || decimals.len() > MAX_DECIMALS
        {
            return Err(refused());
        }
        let scale = (0..decimals.len()).fold(1, |scale: u64, _| scale * 10);
        let scaled: u64 = digits.parse().map_err(|_| refused())?;
        if scaled > 100 * scale { Err(refused()) } else { Ok(Self { scaled, scale }) }
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scaled / self.scale)?;
        let decimals = self.scale.ilog10() as usize;
        match decimals {
            0 => Ok(()),
            decimals => write!(f, ".{:0decimals$}", self.scaled % self.scale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_as_they_are_written() {
        for text in ["0", "99.50", "100", "100.000", "7.000000001"] {
            assert_eq!(text.parse::<Floor>().unwrap().to_string(), text);
        }
        for text in
            ["", "5.", "-1", "+5", "1e2", ".5", "100.01", "101", "1.0000000001", "nan", "50%", "٣"]
        {
            let err = text.parse::<Floor>().unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Config, "{text}");
        }
    }

    #[test]
    fn shares_of_any_size_are_compared() {
        let half: Floor = "50".parse().unwrap();
        assert!(half.is_met((usize::MAX / 2 + 1, usize::MAX)));
        assert!(!half.is_met((usize::MAX / 2, usize::MAX)));
    }
}
