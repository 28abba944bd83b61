//! The choice of the Python version, whose compiler decides which lines are statements.

use std::iter::Sum;
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
#[non_exhaustive]
pub enum PythonChoice {
    /// The version that fits the data.
    ///
    /// This is at least 3.14 if annotations did not run that earlier versions would have run.
    /// Otherwise, it is the first version that parses all files that ran. If nothing shows a
    /// difference between the versions, it is 3.11.
    #[default]
    Auto,
    /// This version.
    Fixed(PythonVersion),
}

/// What a file and its data reveal about the Python version that ran it.
///
/// Only two things differ between versions: syntax that a version does not know, in a file that
/// ran, and statements that 3.14 does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The first version that parses the file, if it ran and did not parse as the version that was
    /// tried.
    first_that_parses: Option<PythonVersion>,
    /// How many deferred lines did not run although the line after them ran. Deferred lines are
    /// statements in older versions, but not in 3.14.
    skipped_before_ran: usize,
    /// How many deferred lines did not run although the line before them ran.
    skipped_after_ran: usize,
    /// How many deferred lines ran.
    ran: usize,
    /// How many lines that are statements in every version did not run although the line after them
    /// ran. If there are any, the data does not trace a whole run, and a line that did not run
    /// proves little.
    out_of_order: usize,
}

impl Evidence {
    /// Returns the evidence of a file that ran but did not parse.
    pub(super) fn of_refused(source: &PythonSource, options: &AnalyzeOptions) -> Self {
        let parses =
            |version: &PythonVersion| source.analyze(&options.clone().version(*version)).is_ok();
        Self { first_that_parses: PythonVersion::ALL.into_iter().find(parses), ..Self::default() }
    }

    /// Returns the evidence of a file and of its lines that ran. It is the same for facts of any
    /// version.
    pub(super) fn of_file(facts: &Facts, lines: &[i32]) -> Self {
        let deferred = facts.deferred();
        if deferred.lines.is_empty() {
            return Self::default();
        }
        let ran = facts.translate_lines(lines.iter().copied());
        let ran = |line: &i32| ran.binary_search(line).is_ok();
        let out_of_order = |(a, b): &&(i32, i32)| ran(b) && !ran(a);
        let mut evidence = Self {
            out_of_order: deferred.in_order.iter().filter(out_of_order).count(),
            ..Self::default()
        };
        for deferred in &deferred.lines {
            if ran(&deferred.line) {
                evidence.ran += 1;
            } else {
                evidence.skipped_before_ran +=
                    usize::from(deferred.after.as_ref().is_some_and(ran));
                evidence.skipped_after_ran +=
                    usize::from(deferred.before.as_ref().is_some_and(ran));
            }
        }
        evidence
    }

    /// Returns the version that fits the evidence.
    pub(super) fn version(self) -> PythonVersion {
        let first = self.first_that_parses.unwrap_or(FIRST_GUESS);
        let is_seen = self.skipped_before_ran > self.out_of_order;
        let is_likely = self.skipped_after_ran > self.ran + self.out_of_order;
        if is_seen || is_likely { first.max(PythonVersion::Py314) } else { first }
    }
}

/// Adds the evidence of all files, in any order.
impl Sum for Evidence {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self {
            first_that_parses: a.first_that_parses.max(b.first_that_parses),
            skipped_before_ran: a.skipped_before_ran + b.skipped_before_ran,
            skipped_after_ran: a.skipped_after_ran + b.skipped_after_ran,
            ran: a.ran + b.ran,
            out_of_order: a.out_of_order + b.out_of_order,
        })
    }
}

/// The version that files are first analyzed as. Most code is the same in all versions.
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
