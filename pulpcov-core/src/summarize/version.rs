//! The choice of the Python version, whose compiler decides which lines are statements.

use std::iter::Sum;
use std::str::FromStr;

use crate::python::{AnalyzeOptions, Facts, PythonSource, PythonVersion};
use crate::{Error, Result};

/// The version that files are first analyzed as. Most code is the same in all versions.
const FIRST_GUESS: PythonVersion = PythonVersion::Py311;

/// Analyzes every 16th file first; if these files suggest Python 3.14, starts the rest as 3.14.
/// Without this sample, all sources that 3.14 ran would be analyzed twice.
const SAMPLE_INTERVAL: usize = 16;

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

/// Which analysis of a file this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    First,
    /// The file was already analyzed as another version.
    Again,
}

impl PythonChoice {
    /// Analyzes files as the version that is chosen, or as the one that fits the data. Returns the
    /// version, and the outcomes in the order of the files.
    ///
    /// `analyze` analyzes some of the files, and `evidence` returns what an outcome reveals.
    pub(super) fn analyze<F, O>(
        self,
        files: &[F],
        analyze: impl Fn(&[&F], PythonVersion, Pass) -> Vec<O>,
        evidence: impl Fn(&O) -> Evidence,
    ) -> (PythonVersion, Vec<O>) {
        let all: Vec<&F> = files.iter().collect();
        if let Self::Fixed(version) = self {
            return (version, analyze(&all, version, Pass::First));
        }
        let fitting = |outcomes: &[O], more: &[O]| {
            outcomes.iter().chain(more).map(&evidence).sum::<Evidence>().version()
        };
        let (sample, rest) = sampled(files);
        let of_sample = analyze(&sample, FIRST_GUESS, Pass::First);
        let guess = match fitting(&of_sample, &[]) {
            newer if newer >= PythonVersion::Py314 => newer,
            _ => FIRST_GUESS,
        };
        let of_rest = analyze(&rest, guess, Pass::First);
        let version = fitting(&of_sample, &of_rest);
        if version == guess && guess == FIRST_GUESS {
            return (version, merge_sample(of_sample, of_rest));
        }
        if version == guess {
            return (version, merge_sample(analyze(&sample, version, Pass::Again), of_rest));
        }
        if guess == FIRST_GUESS {
            return (version, analyze(&all, version, Pass::Again));
        }
        // The rest was only analyzed as 3.14, which may parse what older versions do not. So the
        // evidence about syntax is incomplete.
        let outcomes = analyze(&all, FIRST_GUESS, Pass::Again);
        let version = fitting(&outcomes, &[]);
        if version == FIRST_GUESS {
            return (version, outcomes);
        }
        (version, analyze(&all, version, Pass::Again))
    }
}

/// Splits the files into a sample and the rest.
fn sampled<F>(files: &[F]) -> (Vec<&F>, Vec<&F>) {
    let neighbours = files.chunks(SAMPLE_INTERVAL).filter_map(|files| files.split_first());
    let (sample, rest): (Vec<_>, Vec<_>) = neighbours.unzip();
    (sample, rest.into_iter().flatten().collect())
}

/// Merges the outcomes of the sample and of the rest, in the order of the files.
fn merge_sample<O>(of_sample: Vec<O>, of_rest: Vec<O>) -> Vec<O> {
    let mut all = Vec::with_capacity(of_sample.len() + of_rest.len());
    let mut of_rest = of_rest.into_iter();
    for outcome in of_sample {
        all.push(outcome);
        all.extend(of_rest.by_ref().take(SAMPLE_INTERVAL - 1));
    }
    all
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
