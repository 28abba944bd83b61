//! Everything as JSON, for programs.
//!
//! coverage.py's jsonreport.py, format 3.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::HashSet;
use std::io::Write;

use serde::Serialize;
use serde::ser::Serializer;

use super::FORMAT_OF;
use super::json_format::{HOLE, Hole, write_value};
use super::ordered::Ordered;
use super::parallel::{Rendered, write_in_order};
use crate::Result;
use crate::python::{Facts, Region, RegionKind};
use crate::results::{Analysis, Narrower, Numbers, Precision, display_covered};
use crate::summarize::{FileSummary, Summary};

/// The version of the format.
const FORMAT: u32 = 3;

/// What is in the report.
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
    timestamp: String,
}

impl Options {
    /// coverage.py's defaults, and no timestamp.
    pub fn new() -> Self {
        Self::default()
    }

    /// The digits of percentages that are text.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Whether to indent.
    #[must_use]
    pub fn pretty_print(mut self, pretty: bool) -> Self {
        self.pretty_print = pretty;
        self
    }

    /// Whether to say which contexts ran each line.
    #[must_use]
    pub fn show_contexts(mut self, show: bool) -> Self {
        self.show_contexts = show;
        self
    }

    /// When the report was made; coverage.py has the local time in ISO 8601, without a zone.
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<String>) -> Self {
        self.timestamp = timestamp.into();
        self
    }
}

/// Write the report, and return the total in percent: 0 if there are no statements.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if it cannot be written,
/// [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary [keeps](crate::summarize::Detail) too little of a file.
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
/// let summary = Summarizer::new(&data, &sources)?.run()?;
///
/// let mut out = Vec::new();
/// json::write(&summary, &json::Options::new(), &mut out)?;
/// assert!(out.starts_with(br#"{"meta": {"format": 3, "#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(summary: &Summary<'_>, options: &Options, mut out: impl Write) -> Result<f64> {
    let pretty = options.pretty_print;
    // Files are rendered on all cores, so the object around them is written by hand.
    let (item, close_files, close) =
        if pretty { ("\n    ", "\n    }", "\n}") } else { ("", "}", "}") };
    let (next, inner) = if pretty { (",", "\n        ") } else { (", ", "") };
    write!(out, "{{{item}\"meta\": ")?;
    write_value(&Meta::new(summary, options), pretty, 1, &mut out)?;
    write!(out, "{next}{item}\"files\": {{")?;
    let files = by_name(summary);
    let mut first = true;
    write_in_order(
        &files,
        &mut out,
        |file| RenderedFile::new(summary, file, options),
        |out, file| {
            let before = if first { "" } else { next };
            first = false;
            write!(out, "{before}{inner}")?;
            Ok(file.write(out)?)
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

/// Two files can have one name: the later one is reported, in the place of the first.
fn by_name<'s>(summary: &'s Summary<'_>) -> Vec<&'s FileSummary> {
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
            version: FORMAT_OF,
            timestamp: &options.timestamp,
            branch_coverage: summary.has_arcs(),
            show_contexts: options.show_contexts,
        }
    }
}

/// The counts of a file, a region or of everything.
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

/// A list of contexts for each line; JSON wants the line as text.
#[derive(Debug, Clone)]
struct Contexts<'a>(Vec<(u32, Vec<&'a str>)>);

impl Serialize for Contexts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(line, names)| (line, names)))
    }
}

/// A file as text. Its contexts are there once, for every region of the file has them all:
/// coverage.py does not narrow them, and what it writes can be a hundred times as long as this.
struct RenderedFile {
    /// With holes where the contexts belong: the file's own first, then those of regions.
    text: Vec<u8>,
    contexts: Vec<u8>,
    pretty: bool,
}

impl RenderedFile {
    fn new(summary: &Summary<'_>, file: &FileSummary, options: &Options) -> Result<Self> {
        let pretty = options.pretty_print;
        let (mut text, mut contexts) = (Vec::new(), Vec::new());
        write_value(&file.name(), pretty, 2, &mut text)?;
        text.extend_from_slice(b": ");
        let style =
            Style { precision: options.precision, contexts: options.show_contexts.then_some(Hole) };
        write_value(&File::new(file, style)?, pretty, 2, &mut text)?;
        if options.show_contexts {
            write_value(&Contexts(summary.contexts_by_line(file)), pretty, 3, &mut contexts)?;
        }
        Ok(Self { text, contexts, pretty })
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let mut between = self.text.split(|byte| *byte == HOLE);
        out.write_all(between.next().unwrap_or_default())?;
        if let Some(regions) = between.next() {
            out.write_all(&self.contexts)?;
            out.write_all(regions)?;
        }
        for text in between {
            self.write_region_contexts(out)?;
            out.write_all(text)?;
        }
        Ok(())
    }

    /// Regions are two levels deeper than the file.
    fn write_region_contexts(&self, out: &mut impl Write) -> std::io::Result<()> {
        if !self.pretty {
            return out.write_all(&self.contexts);
        }
        let mut lines = self.contexts.split(|byte| *byte == b'\n');
        out.write_all(lines.next().unwrap_or_default())?;
        for line in lines {
            out.write_all(b"\n        ")?;
            out.write_all(line)?;
        }
        Ok(())
    }
}

impl Rendered for RenderedFile {
    fn size(&self) -> usize {
        self.text.len() + self.contexts.len()
    }
}

/// What the parts of a file have in common.
#[derive(Clone, Copy)]
struct Style {
    precision: Precision,
    contexts: Option<Hole>,
}

impl Style {
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
    contexts: Option<Hole>,
    #[serde(flatten)]
    branches: Option<Branches<'a>>,
    #[serde(flatten)]
    regions: Option<Regions<'a>>,
}

impl<'a> File<'a> {
    fn new(file: &'a FileSummary, style: Style) -> Result<Self> {
        let (facts, analysis) = (file.facts()?, file.analysis()?);
        Ok(Self {
            executed_lines: analysis.executed(),
            summary: style.counts(analysis),
            missing_lines: analysis.missing(),
            excluded_lines: analysis.excluded(),
            contexts: style.contexts,
            branches: Branches::new(analysis),
            regions: file.is_python().then(|| Regions {
                functions: NamedRegions::new(facts, analysis, RegionKind::Function, style),
                classes: NamedRegions::new(facts, analysis, RegionKind::Class, style),
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

/// Regions by name, and under the empty name all lines that are in none.
struct NamedRegions<'a> {
    /// Each with the place of its part.
    names: Vec<(Cow<'a, str>, usize)>,
    parts: Vec<RegionPart>,
    style: Style,
}

/// What is in a region, and the line that it starts on.
struct RegionPart {
    analysis: Analysis,
    start: i32,
}

impl<'a> NamedRegions<'a> {
    fn new(facts: &'a Facts, analysis: &Analysis, kind: RegionKind, style: Style) -> Self {
        let mut regions: Vec<&Region> =
            facts.regions().iter().filter(|region| region.kind() == kind).collect();
        regions.sort_by_key(|region| region.start());
        let mut narrower = Narrower::new(analysis);
        regions.iter().for_each(|region| narrower.add(region.ranges()));
        let (mut parts, rest) = narrower.narrow();
        let mut names = places_by_name(&regions, &parts);
        names.push((Cow::Borrowed(""), parts.len()));
        parts.push(rest);

        let outside = first_line_outside(&regions, facts.last_outside());
        let starts = regions.iter().map(|region| region.start()).chain([outside]);
        let part = |(analysis, start)| RegionPart { analysis, start };
        Self { names, parts: parts.into_iter().zip(starts).map(part).collect(), style }
    }

    fn entries(&self) -> impl Iterator<Item = (&str, RegionData<'_>)> {
        self.names.iter().filter_map(|(name, place)| {
            Some((&**name, RegionData::new(self.parts.get(*place)?, self.style)))
        })
    }
}

/// Of several regions of one name, the first with statements has it; the others add their line.
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

/// The first line that is in no region; 1 if there is none.
fn first_line_outside(regions: &[&Region], last: i32) -> i32 {
    let mut ranges: Vec<_> = regions.iter().flat_map(|region| region.ranges()).collect();
    ranges.sort_by_key(|range| *range.start());
    let mut line = 1;
    for range in ranges {
        if *range.start() > line {
            break;
        }
        line = line.max(range.end() + 1);
    }
    if line <= last { line } else { 1 }
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
    contexts: Option<Hole>,
    #[serde(flatten)]
    branches: Option<Branches<'a>>,
}

impl<'a> RegionData<'a> {
    fn new(part: &'a RegionPart, style: Style) -> Self {
        let analysis = &part.analysis;
        Self {
            executed_lines: analysis.executed(),
            summary: style.counts(analysis),
            missing_lines: analysis.missing(),
            excluded_lines: analysis.excluded(),
            start_line: part.start,
            contexts: style.contexts,
            branches: Branches::new(analysis),
        }
    }
}
