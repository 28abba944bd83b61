//! The JSON report, for programs.
//!
//! A port of coverage.py's jsonreport.py, format 3.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde::ser::Serializer;

use super::json_format::write_value;
use super::ordered::Ordered;
use super::parallel::{Rendered, render_in_order};
use crate::python::{Facts, Region, RegionKind};
use crate::results::{Analysis, Numbers, Precision, RegionSplitter, display_covered};
use crate::summarize::{FileSummary, Summary};
use crate::{Numbits, REFERENCE_VERSION, Result};

/// The version of the JSON format.
const FORMAT: u32 = 3;

/// Options of the JSON report.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::json::Options;
///
/// let options = Options::new().pretty_print(true).timestamp("2026-05-04T12:00:00.000001");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Options {
    precision: Precision,
    pretty_print: bool,
    show_contexts: bool,
    contexts_once: bool,
    timestamp: String,
}

impl Options {
    /// Returns coverage.py's defaults, with an empty timestamp.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of decimal places of percentages that are written as text.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets whether to indent the JSON.
    #[must_use]
    pub fn pretty_print(mut self, pretty: bool) -> Self {
        self.pretty_print = pretty;
        self
    }

    /// Sets whether to show which contexts ran each line.
    #[must_use]
    pub fn show_contexts(mut self, show: bool) -> Self {
        self.show_contexts = show;
        self
    }

    /// Sets whether to write the name of each context only once. Without
    /// [`show_contexts`](Self::show_contexts) this has no effect.
    ///
    /// The report then has a list `contexts` of all names. The `contexts` of a file map each line
    /// to indices in that list. Functions and classes have no `contexts`, because their lines are
    /// also lines of the file.
    ///
    /// coverage.py has no such form. Its own form repeats the names for each line, up to three
    /// times.
    #[must_use]
    pub fn contexts_once(mut self, once: bool) -> Self {
        self.contexts_once = once;
        self
    }

    /// Sets the time of the report. coverage.py writes the local time in ISO 8601, without a time
    /// zone.
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<String>) -> Self {
        self.timestamp = timestamp.into();
        self
    }
}

/// Writes the report. Returns the total in percent, or 0 if there are no statements.
///
/// # Errors
///
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written;
/// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary does not
///   [keep](crate::summarize::Detail) enough of a file.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::json;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let mut out = Vec::new();
/// json::write(&summary, &json::Options::new(), &mut out)?;
/// assert!(out.starts_with(br#"{"meta": {"format": 3, "#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(summary: &Summary<'_>, options: &Options, mut out: impl Write) -> Result<f64> {
    let pretty = options.pretty_print;
    // The object around the files is written by hand, because the files are rendered on all cores
    // and not serialized as one value.
    let (item, close_files, close) =
        if pretty { ("\n    ", "\n    }", "\n}") } else { ("", "}", "}") };
    let (next, inner) = if pretty { (",", "\n        ") } else { (", ", "") };
    write!(out, "{{{item}\"meta\": ")?;
    write_value(&Meta::new(summary, options), pretty, 1, &mut out)?;
    let names = ContextNames::of(summary, options);
    if let ContextNames::Indexed(index) = &names {
        write!(out, "{next}{item}\"contexts\": ")?;
        write_value(&index.names, pretty, 1, &mut out)?;
    }
    write!(out, "{next}{item}\"files\": {{")?;
    let files = files_by_name(summary);
    let mut first = true;
    render_in_order(
        &files,
        &mut out,
        |file| RenderedFile::new(summary, file, options, &names),
        |out, file| {
            let before = if first { "" } else { next };
            first = false;
            write!(out, "{before}{inner}")?;
            Ok(out.write_all(&file.0)?)
        },
    )?;
    let close_files = if files.is_empty() { "}" } else { close_files };
    write!(out, "{close_files}{next}{item}\"totals\": ")?;
    let totals = summary.totals();
    let counts = Counts::new(totals, options.precision, summary.has_arcs());
    write_value(&counts, pretty, 1, &mut out)?;
    write!(out, "{close}")?;
    Ok(if totals.statements == 0 { 0.0 } else { totals.percent_covered() })
}

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
enum ContextNames<'a> {
    Hidden,
    Written,
    Indexed(ContextIndex<'a>),
}

/// The list of context names, and the index of each name in it.
struct ContextIndex<'a> {
    names: Vec<&'a str>,
    numbers: HashMap<&'a str, usize>,
}

impl<'a> ContextNames<'a> {
    fn of(summary: &'a Summary<'_>, options: &Options) -> Self {
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
    fn lines(&self, contexts: &LineContexts<'_>) -> BTreeMap<i32, Vec<usize>> {
        let number = |name: &&str| self.numbers.get(name).copied();
        let line =
            |(line, names): &(i32, Vec<&str>)| (*line, names.iter().filter_map(number).collect());
        contexts.iter().map(line).collect()
    }
}

/// Returns the files of the report. Two files can have the same name: the later one takes the place
/// of the first.
fn files_by_name<'s>(summary: &'s Summary<'_>) -> Vec<&'s FileSummary> {
    let mut files = Ordered::new();
    summary.files().iter().for_each(|file| files.insert(file.name(), file));
    files.into_entries().into_iter().map(|(_, file)| file).collect()
}

#[derive(Serialize)]
struct Meta<'a> {
    format: u32,
    version: &'static str,
    timestamp: &'a str,
    branch_coverage: bool,
    show_contexts: bool,
}

impl<'a> Meta<'a> {
    fn new(summary: &Summary<'_>, options: &'a Options) -> Self {
        Self {
            format: FORMAT,
            version: REFERENCE_VERSION,
            timestamp: &options.timestamp,
            branch_coverage: summary.has_arcs(),
            show_contexts: options.show_contexts,
        }
    }
}

/// The counts of a file, of a region, or of the whole report.
#[derive(Serialize)]
struct Counts {
    covered_lines: usize,
    num_statements: usize,
    percent_covered: f64,
    percent_covered_display: String,
    missing_lines: usize,
    excluded_lines: usize,
    percent_statements_covered: f64,
    percent_statements_covered_display: String,
    #[serde(flatten)]
    branches: Option<BranchCounts>,
}

#[derive(Serialize)]
struct BranchCounts {
    num_branches: usize,
    num_partial_branches: usize,
    covered_branches: usize,
    missing_branches: usize,
    percent_branches_covered: f64,
    percent_branches_covered_display: String,
}

impl Counts {
    fn new(numbers: Numbers, precision: Precision, has_arcs: bool) -> Self {
        let display = |percent| display_covered(percent, precision);
        Self {
            covered_lines: numbers.executed(),
            num_statements: numbers.statements,
            percent_covered: numbers.percent_covered(),
            percent_covered_display: display(numbers.percent_covered()),
            missing_lines: numbers.missing,
            excluded_lines: numbers.excluded,
            percent_statements_covered: numbers.percent_statements(),
            percent_statements_covered_display: display(numbers.percent_statements()),
            branches: has_arcs.then(|| BranchCounts {
                num_branches: numbers.branches,
                num_partial_branches: numbers.partial_branches,
                covered_branches: numbers.executed_branches(),
                missing_branches: numbers.missing_branches,
                percent_branches_covered: numbers.percent_branches(),
                percent_branches_covered_display: display(numbers.percent_branches()),
            }),
        }
    }
}

/// The contexts of each line, in coverage.py's order.
type LineContexts<'a> = [(i32, Vec<&'a str>)];

/// The contexts of each line, serialized as an object with lines as its keys.
#[derive(Debug, Clone)]
struct Contexts<'a>(Vec<&'a (i32, Vec<&'a str>)>);

impl<'a> Contexts<'a> {
    fn of_file(lines: &'a LineContexts<'a>) -> Self {
        Self(lines.iter().collect())
    }

    /// Returns the contexts of the lines in each part of a file. A line is in at most one part.
    fn of_parts(
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
            let line = i32::try_from(line).ok()?;
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

/// The JSON of a file.
struct RenderedFile(Vec<u8>);

impl RenderedFile {
    fn new(
        summary: &Summary<'_>,
        file: &FileSummary,
        options: &Options,
        names: &ContextNames<'_>,
    ) -> Result<Self> {
        let pretty = options.pretty_print;
        let mut text = Vec::new();
        write_value(&file.name(), pretty, 2, &mut text)?;
        text.extend_from_slice(b": ");
        let contexts = options.show_contexts.then(|| summary.contexts_by_line(file));
        let mut numbered = None;
        let mut settings =
            RenderSettings { precision: options.precision, contexts: contexts.as_deref() };
        if let (ContextNames::Indexed(names), Some(contexts)) = (names, &contexts) {
            numbered = Some(names.lines(contexts));
            settings.contexts = None;
        }
        write_value(&File { numbered, ..File::new(file, settings)? }, pretty, 2, &mut text)?;
        Ok(Self(text))
    }
}

impl Rendered for RenderedFile {
    fn size(&self) -> usize {
        self.0.len()
    }
}

/// Settings for a file and for all regions in it.
#[derive(Clone, Copy)]
struct RenderSettings<'a> {
    precision: Precision,
    /// The contexts of the file, if the report shows them.
    contexts: Option<&'a LineContexts<'a>>,
}

impl<'a> RenderSettings<'a> {
    fn counts(self, analysis: &Analysis) -> Counts {
        Counts::new(analysis.numbers(), self.precision, analysis.has_arcs())
    }
}

#[derive(Serialize)]
struct File<'a> {
    executed_lines: &'a [i32],
    summary: Counts,
    missing_lines: &'a [i32],
    excluded_lines: &'a [i32],
    #[serde(skip_serializing_if = "Option::is_none")]
    contexts: Option<Contexts<'a>>,
    #[serde(rename = "contexts", skip_serializing_if = "Option::is_none")]
    numbered: Option<BTreeMap<i32, Vec<usize>>>,
    #[serde(flatten)]
    branches: Option<Branches<'a>>,
    #[serde(flatten)]
    regions: Option<Regions<'a>>,
}

impl<'a> File<'a> {
    fn new(file: &'a FileSummary, settings: RenderSettings<'a>) -> Result<Self> {
        let (facts, analysis) = (file.facts()?, file.analysis()?);
        Ok(Self {
            executed_lines: analysis.executed(),
            summary: settings.counts(analysis),
            missing_lines: analysis.missing(),
            excluded_lines: analysis.excluded(),
            contexts: settings.contexts.map(Contexts::of_file),
            numbered: None,
            branches: Branches::new(analysis),
            regions: file.is_python().then(|| Regions {
                functions: NamedRegions::new(facts, analysis, RegionKind::Function, settings),
                classes: NamedRegions::new(facts, analysis, RegionKind::Class, settings),
            }),
        })
    }
}

#[derive(Serialize)]
struct Branches<'a> {
    executed_branches: Vec<(i32, i32)>,
    missing_branches: &'a [(i32, i32)],
}

impl<'a> Branches<'a> {
    fn new(analysis: &'a Analysis) -> Option<Self> {
        analysis.has_arcs().then(|| Self {
            executed_branches: analysis.executed_branch_arcs(),
            missing_branches: analysis.missing_branch_arcs(),
        })
    }
}

#[derive(Serialize)]
struct Regions<'a> {
    functions: NamedRegions<'a>,
    classes: NamedRegions<'a>,
}

/// The regions of a file by name. The empty name stands for the lines outside of all regions.
struct NamedRegions<'a> {
    /// The name of each region, and the index of its part.
    names: Vec<(Cow<'a, str>, usize)>,
    parts: Vec<RegionPart<'a>>,
    style: RenderSettings<'a>,
}

/// The analysis of a region, its contexts if the report shows them, and its first line.
struct RegionPart<'a> {
    analysis: Analysis,
    contexts: Option<Contexts<'a>>,
    start: i32,
}

impl<'a> NamedRegions<'a> {
    fn new(
        facts: &'a Facts,
        analysis: &Analysis,
        kind: RegionKind,
        style: RenderSettings<'a>,
    ) -> Self {
        let mut regions: Vec<&Region> =
            facts.regions().iter().filter(|region| region.kind() == kind).collect();
        regions.sort_by_key(|region| region.start());
        let mut splitter = RegionSplitter::new(analysis);
        regions.iter().for_each(|region| splitter.add(region.ranges()));
        let (mut parts, rest) = splitter.split();
        let mut names = places_by_name(&regions, &parts);
        names.push((Cow::Borrowed(""), parts.len()));
        parts.push(rest);

        let outside = lines_outside(&regions, facts.last_line_outside_regions());
        let start_outside = outside.first().map_or(1, |range| *range.start());
        let starts = regions.iter().map(|region| region.start()).chain([start_outside]);
        let lines: Vec<_> =
            regions.iter().map(|region| region.ranges().into()).chain([outside.into()]).collect();
        let mut contexts =
            style.contexts.map(|of_file| Contexts::of_parts(of_file, &lines).into_iter());
        let part = |(analysis, start)| RegionPart {
            analysis,
            contexts: contexts.as_mut().and_then(Iterator::next),
            start,
        };
        Self { names, parts: parts.into_iter().zip(starts).map(part).collect(), style }
    }

    fn entries(&self) -> impl Iterator<Item = (&str, RegionData<'_>)> {
        self.names.iter().filter_map(|(name, place)| {
            Some((&**name, RegionData::new(self.parts.get(*place)?, self.style)))
        })
    }
}

/// Returns the names of the regions, each with the index of its region. If several regions have the
/// same name, the first one with statements keeps it, or else the first one. The other regions get
/// `@` and their first line appended.
fn places_by_name<'a>(regions: &[&'a Region], parts: &[Analysis]) -> Vec<(Cow<'a, str>, usize)> {
    let has_statements = |part: &Analysis| part.numbers().statements > 0;
    let with_statements: LazyCell<HashSet<&str>, _> = LazyCell::new(|| {
        let regions = regions.iter().zip(parts).filter(|(_, part)| has_statements(part));
        regions.map(|(region, _)| region.name()).collect()
    });
    let mut named = Ordered::new();
    for (place, (region, part)) in regions.iter().zip(parts).enumerate() {
        let mut name = Cow::Borrowed(region.name());
        let is_for_another = || !has_statements(part) && with_statements.contains(region.name());
        if named.contains(&name) || is_for_another() {
            name = format!("{name}@{}", region.start()).into();
        }
        named.insert(name, place);
    }
    named.into_entries()
}

/// Returns the lines up to `last` that are in no region.
fn lines_outside(regions: &[&Region], last: i32) -> Vec<RangeInclusive<i32>> {
    let mut ranges: Vec<_> = regions.iter().flat_map(|region| region.ranges()).collect();
    ranges.sort_by_key(|range| *range.start());
    let mut outside = Vec::new();
    let mut line = 1;
    for range in ranges {
        if *range.start() > line {
            outside.push(line..=last.min(*range.start() - 1));
        }
        line = line.max(range.end() + 1);
    }
    outside.push(line..=last);
    outside.retain(|range| !range.is_empty());
    outside
}

impl Serialize for NamedRegions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries())
    }
}

#[derive(Serialize)]
struct RegionData<'a> {
    executed_lines: &'a [i32],
    summary: Counts,
    missing_lines: &'a [i32],
    excluded_lines: &'a [i32],
    start_line: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    contexts: Option<&'a Contexts<'a>>,
    #[serde(flatten)]
    branches: Option<Branches<'a>>,
}

impl<'a> RegionData<'a> {
    fn new(part: &'a RegionPart<'a>, style: RenderSettings<'a>) -> Self {
        let analysis = &part.analysis;
        Self {
            executed_lines: analysis.executed(),
            summary: style.counts(analysis),
            missing_lines: analysis.missing(),
            excluded_lines: analysis.excluded(),
            start_line: part.start,
            contexts: part.contexts.as_ref(),
            branches: Branches::new(analysis),
        }
    }
}
