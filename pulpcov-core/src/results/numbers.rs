//! Counts of statements and branches, and their percentages.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use super::percent::percent;

/// The coverage of a file, of a region, or of a whole report, as counts.
///
/// # Examples
///
/// ```
/// use pulpcov_core::results::Numbers;
///
/// let a = Numbers { files: 1, statements: 10, missing: 5, ..Numbers::default() };
/// let b = Numbers { files: 1, statements: 90, missing: 0, ..Numbers::default() };
/// let total: Numbers = [a, b].into_iter().sum();
/// assert_eq!((total.files, total.executed(), total.percent_covered()), (2, 95, 95.0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The number of files.
    pub files: usize,
    /// The number of statements that are not excluded.
    pub statements: usize,
    /// The number of excluded lines.
    pub excluded: usize,
    /// The number of statements that did not run.
    pub missing: usize,
    /// The number of branches: exits of lines with more than one exit.
    pub branches: usize,
    /// The number of branches that were not taken, from lines that ran.
    pub partial_branches: usize,
    /// The number of branches that were not taken.
    pub missing_branches: usize,
}

impl Numbers {
    /// Returns the number of statements that ran.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::Numbers;
    ///
    /// let numbers = Numbers { statements: 10, missing: 4, ..Numbers::default() };
    /// assert_eq!(numbers.executed(), 6);
    /// ```
    pub fn executed(&self) -> usize {
        self.statements.saturating_sub(self.missing)
    }

    /// Returns the number of branches that were taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::Numbers;
    ///
    /// let numbers = Numbers { branches: 4, missing_branches: 1, ..Numbers::default() };
    /// assert_eq!(numbers.executed_branches(), 3);
    /// ```
    pub fn executed_branches(&self) -> usize {
        self.branches.saturating_sub(self.missing_branches)
    }

    /// Returns the number of covered statements and branches, and the number of all statements and
    /// branches.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::Numbers;
    ///
    /// let lines = Numbers { statements: 10, missing: 4, ..Numbers::default() };
    /// assert_eq!(lines.ratio_covered(), (6, 10));
    /// let both = Numbers { branches: 4, missing_branches: 1, ..lines };
    /// assert_eq!(both.ratio_covered(), (9, 14));
    /// ```
    pub fn ratio_covered(&self) -> (usize, usize) {
        (self.executed() + self.executed_branches(), self.statements + self.branches)
    }

    /// Returns the number of statements that ran, and the number of all statements.
    pub fn ratio_statements(&self) -> (usize, usize) {
        (self.executed(), self.statements)
    }

    /// Returns the number of branches that were taken, and the number of all branches.
    pub fn ratio_branches(&self) -> (usize, usize) {
        (self.executed_branches(), self.branches)
    }

    /// Returns the percentage of statements and branches that are covered; 100 if there are none.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::Numbers;
    ///
    /// let numbers = Numbers { statements: 6, missing: 2, branches: 2, ..Numbers::default() };
    /// assert_eq!(numbers.percent_covered(), 75.0);
    /// assert_eq!(Numbers::default().percent_covered(), 100.0);
    /// ```
    pub fn percent_covered(&self) -> f64 {
        percent(self.ratio_covered())
    }

    /// Returns the percentage of statements that ran; 100 if there are none.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::Numbers;
    ///
    /// let numbers = Numbers { statements: 4, missing: 1, branches: 2, ..Numbers::default() };
    /// assert_eq!(numbers.percent_statements(), 75.0);
    /// ```
    pub fn percent_statements(&self) -> f64 {
        percent(self.ratio_statements())
    }

    /// Returns the percentage of branches that were taken; 100 if there are none.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::results::Numbers;
    ///
    /// let numbers = Numbers { statements: 4, branches: 2, missing_branches: 1, ..Numbers::default() };
    /// assert_eq!(numbers.percent_branches(), 50.0);
    /// ```
    pub fn percent_branches(&self) -> f64 {
        percent(self.ratio_branches())
    }
}

impl Add for Numbers {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            statements: self.statements + other.statements,
            excluded: self.excluded + other.excluded,
            missing: self.missing + other.missing,
            branches: self.branches + other.branches,
            partial_branches: self.partial_branches + other.partial_branches,
            missing_branches: self.missing_branches + other.missing_branches,
        }
    }
}

impl AddAssign for Numbers {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Numbers {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "the same arithmetic gives the same floats")]
    fn covers_all_of_nothing() {
        let none = Numbers::default();
        assert_eq!(none.percent_covered(), 100.0);
        assert_eq!(none.percent_branches(), 100.0);
        assert_eq!(none.ratio_covered(), (0, 0));
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the same arithmetic gives the same floats")]
    fn counts_branches_with_statements() {
        let numbers = Numbers {
            files: 1,
            statements: 200,
            missing: 20,
            branches: 10,
            partial_branches: 3,
            missing_branches: 5,
            ..Numbers::default()
        };
        assert_eq!(numbers.ratio_covered(), (185, 210));
        assert_eq!(numbers.percent_statements(), 90.0);
        assert_eq!(numbers.percent_branches(), 50.0);
        assert_eq!((numbers + numbers).ratio_covered(), (370, 420));
    }
}
