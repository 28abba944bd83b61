//! Which Python's compiler decides what is a statement.

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
    /// How many lines that are no statements in 3.14 did not run, and what follows them did.
    passed_over: usize,
    /// How many such lines did not run though what comes before them did.
    missed: usize,
    /// How many such lines ran.
    ran: usize,
    /// How many statements of every version did not run, and what follows them did: where there are
    /// such, the data is not the trace of a whole run, and what did not run tells little.
    out_of_order: usize,
}

impl Evidence {
    /// Of a file that ran and does not parse as [`FIRST_GUESS`].
    pub(super) fn of_refused(source: &PythonSource, options: &AnalyzeOptions) -> Self {
        let parses =
            |version: &PythonVersion| source.analyze(&options.clone().version(*version)).is_ok();
        Self { first: PythonVersion::ALL.into_iter().find(parses), ..Self::default() }
    }

    /// Of a file and its lines that ran: the same, whichever version the facts are of.
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
                evidence.passed_over += usize::from(deferred.after.as_ref().is_some_and(ran));
                evidence.missed += usize::from(deferred.before.as_ref().is_some_and(ran));
            }
        }
        evidence
    }

    /// The version that the data suits.
    pub(super) fn version(self) -> PythonVersion {
        let first = self.first.unwrap_or(FIRST_GUESS);
        let is_seen = self.passed_over > self.out_of_order;
        let is_likely = self.missed > self.ran + self.out_of_order;
        if is_seen || is_likely { first.max(PythonVersion::Py314) } else { first }
    }
}

/// Of all files. The order does not matter.
impl Sum for Evidence {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self {
            first: a.first.max(b.first),
            passed_over: a.passed_over + b.passed_over,
            missed: a.missed + b.missed,
            ran: a.ran + b.ran,
            out_of_order: a.out_of_order + b.out_of_order,
        })
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
