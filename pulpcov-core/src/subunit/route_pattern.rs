//! Patterns of routes.

use std::convert::Infallible;
use std::str::FromStr;

/// A pattern that fits a route, and everything that came through it: `0` fits `0` and `0/3`. The part `*` fits any one part of a
/// route.
///
/// # Examples
///
/// ```
/// use pulpcov_core::subunit::RoutePattern;
///
/// let pattern: RoutePattern = "0/*".parse()?;
/// assert!(pattern.fits("0/3") && pattern.fits("0/3/1"));
/// assert!(!pattern.fits("0") && !pattern.fits("10/3"));
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePattern(String);

impl RoutePattern {
    /// Returns whether the pattern fits a route.
    pub fn fits(&self, route: &str) -> bool {
        let mut route = route.split('/');
        self.0.split('/').all(|part| route.next().is_some_and(|is| part == "*" || part == is))
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the index of the pattern that fits a route best: the one with the most parts, and of these the one with the fewest `*`.
    /// Returns `None` if none fits.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::subunit::RoutePattern;
    ///
    /// let patterns = ["*", "0", "0/*", "0/3"].map(|pattern| pattern.parse::<RoutePattern>().unwrap());
    /// let best = |route| RoutePattern::best(&patterns, route);
    /// assert_eq!([best("1"), best("0"), best("0/4/1"), best("0/3")], [Some(0), Some(1), Some(2), Some(3)]);
    /// ```
    pub fn best<'p>(patterns: impl IntoIterator<Item = &'p Self>, route: &str) -> Option<usize> {
        let rank = |pattern: &Self| {
            let parts = pattern.0.split('/');
            (parts.clone().count(), parts.filter(|part| *part != "*").count())
        };
        let fitting = patterns.into_iter().enumerate().filter(|(_, pattern)| pattern.fits(route));
        fitting.max_by_key(|(_, pattern)| rank(pattern)).map(|(at, _)| at)
    }
}

impl FromStr for RoutePattern {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim_matches('/').to_owned()))
    }
}
