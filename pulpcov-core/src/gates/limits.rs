//! Limits: how much of a file, or of files together, must be covered.

use std::fmt;
use std::str::FromStr;

use crate::results::{Floor, Numbers};
use crate::text::plural;
use crate::{Error, ErrorKind, Result};

/// What a limit counts. A line is the first line of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// Lines and branches, added up.
    Both,
    /// Lines.
    Lines,
    /// Branches.
    Branches,
}

/// How much must be covered, or how much may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// At least this percentage must be covered.
    Floor(Floor),
    /// No more than this number may be missing.
    MaxMissing(usize),
}

/// One limit: what it counts, and its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    measure: Measure,
    bound: Bound,
}

/// The limits for a file, or for files together. All of them must be kept.
///
/// As text, the limits are a percentage, or names and numbers: `90`, `lines=90, branches=80`, `max_missing=12`.
///
/// | name | limit |
/// |---|---|
/// | `both`, or no name | a percentage of the lines and branches together |
/// | `lines`, `branches` | a percentage of the lines, or of the branches |
/// | `max_missing` | how many lines and branches together may be missing |
/// | `max_missing_lines`, `max_missing_branches` | how many lines, or branches, may be missing |
///
/// # Examples
///
/// ```
/// use pulpcov_core::gates::Limits;
/// use pulpcov_core::results::Numbers;
///
/// let limits: Limits = "lines=90, max_missing_branches=2".parse()?;
/// let numbers = Numbers { statements: 40, missing: 12, branches: 8, missing_branches: 1, ..Numbers::default() };
/// let missed: Vec<String> = limits.missed_by(numbers).iter().map(|missed| missed.remedy()).collect();
/// assert_eq!(missed, ["cover 8 of the 12 missing lines, or remove 9"]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits(Vec<Limit>);

/// A limit that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    limit: Limit,
    missing: usize,
    all: usize,
    has_branches: bool,
}

/// The names of limits, what they count, and whether they are percentages.
const NAMES: [(&str, Measure, bool); 6] = [
    ("both", Measure::Both, true),
    ("lines", Measure::Lines, true),
    ("branches", Measure::Branches, true),
    ("max_missing", Measure::Both, false),
    ("max_missing_lines", Measure::Lines, false),
    ("max_missing_branches", Measure::Branches, false),
];

impl Measure {
    /// Returns how many are missing, and how many there are.
    fn missing(self, numbers: Numbers) -> (usize, usize) {
        let (lines, branches) = (numbers.missing, numbers.missing_branches);
        match self {
            Self::Both => (
                lines.saturating_add(branches),
                numbers.statements.saturating_add(numbers.branches),
            ),
            Self::Lines => (lines, numbers.statements),
            Self::Branches => (branches, numbers.branches),
        }
    }

    /// Returns a number and what it counts, with `adjective` between them.
    pub(crate) fn count(self, number: usize, adjective: &str, has_branches: bool) -> String {
        match (self, number) {
            (Self::Lines, _) => plural(number, &format!("{adjective}line")),
            (Self::Both, _) if !has_branches => plural(number, &format!("{adjective}line")),
            (Self::Branches, 1) => format!("1 {adjective}branch"),
            (Self::Branches, _) => format!("{number} {adjective}branches"),
            (Self::Both, 1) => format!("1 {adjective}line or branch"),
            (Self::Both, _) => format!("{number} {adjective}lines and branches"),
        }
    }
}

impl Limit {
    /// Creates a limit.
    pub fn new(measure: Measure, bound: Bound) -> Self {
        Self { measure, bound }
    }

    /// Returns what the limit counts.
    pub fn measure(self) -> Measure {
        self.measure
    }

    /// Returns how much must be covered.
    pub fn bound(self) -> Bound {
        self.bound
    }

    fn is_kept(self, numbers: Numbers) -> bool {
        let (missing, all) = self.measure.missing(numbers);
        match self.bound {
            Bound::Floor(floor) => floor.is_met((all.saturating_sub(missing), all)),
            Bound::MaxMissing(most) => missing <= most,
        }
    }
}

impl Limits {
    /// Creates limits without any. Everything keeps them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the limit of a name, as settings have it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if there is no such name, if it has a value already, or if the value is not a percentage or
    /// not a count.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::gates::Limits;
    ///
    /// let limits = Limits::new().with("lines", "90")?.with("max_missing_branches", "3")?;
    /// assert_eq!(limits.to_string(), "lines=90, max_missing_branches=3");
    /// assert!(Limits::new().with("line", "90").is_err());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn with(mut self, name: &str, value: &str) -> Result<Self> {
        let refused = |why: String| Error::new(ErrorKind::Config, why);
        let Some((_, measure, is_floor)) = NAMES.iter().find(|(known, ..)| *known == name) else {
            let known = NAMES.map(|(known, ..)| known).join(", ");
            return Err(refused(format!("there is no limit {name:?}; there are {known}")));
        };
        let bound = match is_floor {
            true => Bound::Floor(value.parse()?),
            false => Bound::MaxMissing(count(value)?),
        };
        let is_other = |limit: &Limit| limit.name() != name;
        if !self.0.iter().all(is_other) {
            return Err(refused(format!("the limit {name:?} is given twice")));
        }
        self.0.push(Limit::new(*measure, bound));
        Ok(self)
    }

    /// Returns the limits.
    pub fn iter(&self) -> impl Iterator<Item = Limit> + '_ {
        self.0.iter().copied()
    }

    /// Returns the limits that counts do not keep. Nothing of nothing keeps every percentage.
    pub fn missed_by(&self, numbers: Numbers) -> Vec<Shortfall> {
        let missed = self.iter().filter(|limit| !limit.is_kept(numbers));
        missed
            .map(|limit| {
                let (missing, all) = limit.measure.missing(numbers);
                Shortfall { limit, missing, all, has_branches: numbers.branches > 0 }
            })
            .collect()
    }

    /// Returns whether a limit counts branches alone. Data without branches keeps every such limit, so it must not be
    /// compared with them.
    pub fn need_branches(&self) -> bool {
        self.iter().any(|limit| limit.measure == Measure::Branches)
    }
}

impl Shortfall {
    /// Returns the limit.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Returns how many lines, branches, or both are missing.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// Returns how many lines, branches, or both there are.
    pub fn all(&self) -> usize {
        self.all
    }

    /// Returns how many of those that are missing must be covered to keep the limit.
    pub fn to_cover(&self) -> usize {
        match self.limit.bound {
            Bound::Floor(floor) => {
                let covered = self.all.saturating_sub(self.missing);
                floor.least_covered(self.all).saturating_sub(covered)
            }
            Bound::MaxMissing(most) => self.missing.saturating_sub(most),
        }
    }

    /// Returns how many of those that are missing must be removed to keep the limit without covering any. `None` if nothing
    /// is covered, so that nothing would be left.
    pub fn to_remove(&self) -> Option<usize> {
        match self.limit.bound {
            Bound::Floor(floor) => {
                let covered = self.all.saturating_sub(self.missing);
                let most = floor.most_of(covered).filter(|&most| most > 0)?;
                Some(self.all.saturating_sub(most))
            }
            Bound::MaxMissing(_) => Some(self.to_cover()),
        }
    }

    /// Says what makes the limit kept: `cover 3 of the 12 missing lines, or remove 4`.
    pub fn remedy(&self) -> String {
        let missing = self.limit.measure.count(self.missing, "missing ", self.has_branches);
        let (cover, remove) = (self.to_cover(), self.to_remove());
        let of = match self.missing {
            1 => format!("the {}", missing.trim_start_matches("1 ")),
            all if all == cover => format!("the {missing}"),
            _ => format!("{cover} of the {missing}"),
        };
        match remove {
            Some(remove) if remove == cover => format!("cover or remove {of}"),
            Some(remove) => format!("cover {of}, or remove {remove}"),
            None => format!("cover {of}"),
        }
    }
}

impl Limit {
    fn name(self) -> &'static str {
        let is_floor = matches!(self.bound, Bound::Floor(_));
        let found =
            NAMES.iter().find(|(_, measure, floor)| (*measure, *floor) == (self.measure, is_floor));
        found.map_or("both", |(name, ..)| name)
    }
}

impl From<Floor> for Limits {
    fn from(floor: Floor) -> Self {
        Self(vec![Limit::new(Measure::Both, Bound::Floor(floor))])
    }
}

impl FromStr for Limits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut limits = Self::new();
        for part in text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or(("both", part));
            limits = limits.with(name.trim(), value.trim())?;
        }
        match limits.0.is_empty() {
            true => Err(Error::new(
                ErrorKind::Config,
                "there is no limit: write a percentage, or `lines=90`",
            )),
            false => Ok(limits),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.measure, self.bound) {
            (Measure::Both, Bound::Floor(floor)) => write!(f, "{floor}%"),
            (_, Bound::Floor(floor)) => write!(f, "{}={floor}", self.name()),
            (_, Bound::MaxMissing(most)) => write!(f, "{}={most}", self.name()),
        }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits: Vec<String> = self.iter().map(|limit| limit.to_string()).collect();
        f.write_str(&limits.join(", "))
    }
}

/// Reads a count, of digits only.
fn count(text: &str) -> Result<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let number = text.parse::<u32>().ok().filter(|_| is_number);
    number.and_then(|number| usize::try_from(number).ok()).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("{text:?} is not a count from 0 to {}", u32::MAX))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(
        statements: usize,
        missing: usize,
        branches: usize,
        missing_branches: usize,
    ) -> Numbers {
        Numbers { statements, missing, branches, missing_branches, ..Numbers::default() }
    }

    #[test]
    fn limits_are_read_and_refused() {
        for (text, shown) in [
            ("90", "90%"),
            ("both=99.50", "99.50%"),
            ("lines=90,branches=80", "lines=90, branches=80"),
            ("\nmax_missing = 3\n max_missing_lines=0", "max_missing=3, max_missing_lines=0"),
        ] {
            assert_eq!(text.parse::<Limits>().unwrap().to_string(), shown, "{text:?}");
        }
        for text in [
            "",
            " , ",
            "101",
            "-1",
            "nan",
            "lines",
            "lines=",
            "line=3",
            "90,80",
            "lines=1,lines=2",
            "max_missing=-1",
            "max_missing=+1",
            "max_missing=1.5",
            "max_missing=99999999999999999999",
        ] {
            assert_eq!(text.parse::<Limits>().unwrap_err().kind(), ErrorKind::Config, "{text:?}");
        }
    }

    #[test]
    fn the_remedy_is_enough_and_no_more_than_needed() {
        for floor in ["1", "33.3", "50", "66.7", "80", "99.99", "100"] {
            let limits: Limits = floor.parse().unwrap();
            for all in 1..40 {
                for missing in 0..=all {
                    let Some(&missed) = limits.missed_by(numbers(all, missing, 0, 0)).first()
                    else {
                        continue;
                    };
                    let cover = missed.to_cover();
                    let passes =
                        |all, missing| limits.missed_by(numbers(all, missing, 0, 0)).is_empty();
                    assert!(cover > 0 && cover <= missing, "{floor} {all} {missing}");
                    assert!(passes(all, missing - cover) && !passes(all, missing - cover + 1));
                    if let Some(remove) = missed.to_remove() {
                        assert!(remove > 0 && remove <= missing);
                        assert!(passes(all - remove, missing - remove), "{floor} {all} {missing}");
                        assert!(!passes(all - remove + 1, missing - remove + 1));
                    }
                }
            }
        }
    }

    #[test]
    fn remedies_are_sentences() {
        let remedy =
            |text: &str, numbers| text.parse::<Limits>().unwrap().missed_by(numbers)[0].remedy();
        assert_eq!(
            remedy("lines=80", numbers(40, 12, 0, 0)),
            "cover 4 of the 12 missing lines, or remove 5"
        );
        assert_eq!(
            remedy("100", numbers(4, 1, 2, 1)),
            "cover or remove the 2 missing lines and branches"
        );
        assert_eq!(
            remedy("branches=100", numbers(4, 0, 2, 1)),
            "cover or remove the missing branch"
        );
        assert_eq!(remedy("lines=50", numbers(4, 4, 0, 0)), "cover 2 of the 4 missing lines");
        assert_eq!(
            remedy("max_missing=120", numbers(400, 123, 9, 2)),
            "cover or remove 5 of the 125 missing lines and branches"
        );
    }

    #[test]
    fn absurd_numbers_do_not_overflow() {
        let huge = numbers(usize::MAX, usize::MAX - 1, usize::MAX, usize::MAX);
        for text in ["99.999999999", "lines=0.000000001", "max_missing=0", "branches=100"] {
            let missed = text.parse::<Limits>().unwrap().missed_by(huge);
            missed.iter().for_each(|missed| assert!(!missed.remedy().is_empty()));
        }
    }
}
