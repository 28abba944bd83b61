//! Which Python's compiler decides what is a statement.

use std::str::FromStr;

use crate::python::{AnalyzeOptions, Facts, PythonSource, PythonVersion};
use crate::{Error, Result};

/// The Python version whose facts a summary uses.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::PythonVersion;
/// use pulpcov_core::summarize::PythonChoice;
///
/// assert_eq!("3.13".parse::<PythonChoice>()?, PythonChoice::Fixed(PythonVersion::Py313));
/// assert_eq!("auto".parse::<PythonChoice>()?, PythonChoice::Auto);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PythonChoice {
    /// Whichever version the data suits: 3.14 if lines that only annotate did not run where they
    /// would have before, or what the syntax of the files that ran asks for. Without such a sign
    /// the versions agree, and it is 3.11.
    #[default]
    Auto,
    /// This version.
    Fixed(PythonVersion),
}

/// What a file and its data tell about the Python that recorded them.
///
/// Only two things do: syntax that a version does not know, in a file that ran; and statements
/// that 3.14 does not have. Otherwise the versions agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The first version that parses a file that ran.
    first: Option<PythonVersion>,
    /// A line that is no statement in 3.14 did not run, and what follows it did.
    proves_3_14: bool,
    /// How many such lines did not run though what comes before them did.
    missed: usize,
    /// How many such lines ran.
    ran: usize,
}

impl Evidence {
    /// Of a file that ran and does not parse as [`FIRST_GUESS`].
    pub(super) fn of_refused(source: &PythonSource, options: &AnalyzeOptions) -> Self {
        let parses =
            |version: &PythonVersion| source.analyze(&options.clone().version(*version)).is_ok();
        Self { first: PythonVersion::ALL.into_iter().find(parses), ..Self::default() }
    }

    /// Of a file and the first lines of its statements that ran, sorted.
    pub(super) fn of_file(facts: &Facts, executed: &[i32]) -> Self {
        let ran = |line: &i32| executed.binary_search(line).is_ok();
        let is_counted = |line: &i32| facts.statements().binary_search(line).is_ok();
        let mut evidence = Self::default();
        for deferred in facts.deferred().iter().filter(|deferred| is_counted(&deferred.line)) {
            if ran(&deferred.line) {
                evidence.ran += 1;
            } else {
                evidence.proves_3_14 |= deferred.after.as_ref().is_some_and(ran);
                evidence.missed += usize::from(deferred.before.as_ref().is_some_and(ran));
            }
        }
        evidence
    }

    /// Of all files. The order does not matter.
    pub(super) fn add(self, other: Self) -> Self {
        Self {
            first: self.first.max(other.first),
            proves_3_14: self.proves_3_14 || other.proves_3_14,
            missed: self.missed + other.missed,
            ran: self.ran + other.ran,
        }
    }

    /// The version that the data suits.
    pub(super) fn version(self) -> PythonVersion {
        let first = self.first.unwrap_or(FIRST_GUESS);
        let is_3_14 = self.proves_3_14 || self.missed > self.ran;
        if is_3_14 { PythonVersion::Py314 } else { first }
    }
}

/// What files are analyzed as before anything is known: most code is the same in all versions.
pub(super) const FIRST_GUESS: PythonVersion = PythonVersion::Py311;

impl FromStr for PythonChoice {
    type Err = Error;

    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for anything but `auto` or a
    /// [`PythonVersion`].
    fn from_str(text: &str) -> Result<Self> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Fixed) }
    }
}
