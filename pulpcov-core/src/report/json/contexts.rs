//! The contexts that ran each line.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use serde::Serialize;
use serde::ser::Serializer;

use super::options::Options;
use crate::Numbits;
use crate::summarize::{FileSummary, Summary};

/// Returns about how many bytes the contexts take in the report.
///
/// The size grows with the number of tests times the number of lines, so the contexts can be a
/// thousand times as large as the data file.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::json::{Options, size_of_contexts};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "test_login", &Numbits::from_iter([1, 2]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
/// // Each of the two lines is listed for the file, for its functions, and for its classes.
/// let options = Options::new().show_contexts(true);
/// assert_eq!(size_of_contexts(&summary, &options), 2 * 3 * r#""test_login", "#.len() as u64);
/// assert_eq!(size_of_contexts(&summary, &Options::new()), 0);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn size_of_contexts(summary: &Summary<'_>, options: &Options) -> u64 {
    if !options.show_contexts {
        return 0;
    }
    let space = if options.pretty_print { "\n                    ".len() } else { " ".len() };
    let around = if options.contexts_once { "," } else { "\"\"," }.len() + space;
    let of_file = |file: &FileSummary| {
        let times = if file.is_python() && !options.contexts_once { 3 } else { 1 };
        let of_context = |(name, lines): (&str, Cow<'_, Numbits>)| {
            let len = if options.contexts_once { NUMBER } else { name.len() };
            lines.iter().count() as u64 * (len + around) as u64 * times
        };
        summary.lines_by_context(file).into_iter().map(of_context).sum::<u64>()
    };
    summary.files().iter().map(of_file).sum()
}

/// The usual number of digits of a context's index.
const NUMBER: usize = 4;

/// How the report names the contexts of a line.
pub(super) enum ContextNames<'a> {
    Hidden,
    Written,
    Indexed(ContextIndex<'a>),
}

/// The list of context names, and the index of each name in it.
pub(super) struct ContextIndex<'a> {
    pub(super) names: Vec<&'a str>,
    numbers: HashMap<&'a str, usize>,
}

impl<'a> ContextNames<'a> {
    pub(super) fn of(summary: &'a Summary<'_>, options: &Options) -> Self {
        match (options.show_contexts, options.contexts_once) {
            (false, _) => Self::Hidden,
            (true, false) => Self::Written,
            (true, true) => {
                let names = summary.contexts();
                let numbers = names.iter().copied().zip(0..).collect();
                Self::Indexed(ContextIndex { names, numbers })
            }
        }
    }
}

impl ContextIndex<'_> {
    pub(super) fn lines(&self, contexts: &LineContexts<'_>) -> BTreeMap<i32, Vec<usize>> {
        let number = |name: &&str| self.numbers.get(name).copied();
        let line =
            |(line, names): &(i32, Vec<&str>)| (*line, names.iter().filter_map(number).collect());
        contexts.iter().map(line).collect()
    }
}

/// The contexts of each line, in coverage.py's order.
pub(super) type LineContexts<'a> = [(i32, Vec<&'a str>)];

/// The contexts of each line, serialized as an object with lines as its keys.
#[derive(Debug, Clone)]
pub(super) struct Contexts<'a>(Vec<&'a (i32, Vec<&'a str>)>);

impl<'a> Contexts<'a> {
    pub(super) fn of_file(lines: &'a LineContexts<'a>) -> Self {
        Self(lines.iter().collect())
    }

    /// Returns the contexts of the lines in each part of a file. A line is in at most one part.
    pub(super) fn of_parts(
        lines: &'a LineContexts<'a>,
        parts: &[Cow<'_, [RangeInclusive<i32>]>],
    ) -> Vec<Self> {
        let mut ranges: Vec<_> = parts
            .iter()
            .enumerate()
            .flat_map(|(part, ranges)| {
                ranges.iter().map(move |range| (*range.start(), *range.end(), part))
            })
            .collect();
        ranges.sort_unstable();
        let part_of = |line: i32| {
            let after = ranges.partition_point(|(start, ..)| *start <= line);
            let (_, end, part) = ranges.get(after.checked_sub(1)?)?;
            (line <= *end).then_some(*part)
        };
        let mut found: Vec<Vec<_>> = parts.iter().map(|_| Vec::new()).collect();
        for of_line in lines {
            if let Some(part) = part_of(of_line.0).and_then(|part| found.get_mut(part)) {
                part.push(of_line);
            }
        }
        found.into_iter().map(Self).collect()
    }
}

impl Serialize for Contexts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(line, names)| (line, names)))
    }
}
