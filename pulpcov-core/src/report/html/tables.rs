//! The numbers of files, functions and classes, as columns.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pages::{Page, Report, Skipped};
use crate::Result;
use crate::python::{Facts, Region, RegionKind};
use crate::results::{Analysis, Numbers, RegionSplitter};
use crate::summarize::FileSummary;
use crate::text::printable;

/// The counts of all rows, one list for each column.
#[derive(Serialize, Default)]
pub(super) struct Columns {
    statements: Vec<usize>,
    missing: Vec<usize>,
    excluded: Vec<usize>,
    branches: Vec<usize>,
    partial: Vec<usize>,
    missing_branches: Vec<usize>,
    /// The numbers of changed lines, if the report shows changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<usize>,
    /// How many statements and branches were covered before, and how many there were, if the report compares. `None` is new.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    before: Vec<Option<(usize, usize)>>,
}

impl Columns {
    fn push(&mut self, numbers: Numbers) {
        self.statements.push(numbers.statements);
        self.missing.push(numbers.missing);
        self.excluded.push(numbers.excluded);
        self.branches.push(numbers.branches);
        self.partial.push(numbers.partial_branches);
        self.missing_branches.push(numbers.missing_branches);
    }
}

/// The content of `data.files.js`, which every view needs.
#[derive(Serialize)]
pub(super) struct Files<'a> {
    has_branches: bool,
    precision: usize,
    /// The number of files that hold source text for the search.
    texts: usize,
    name: Vec<&'a str>,
    page: Vec<&'a str>,
    #[serde(flatten)]
    columns: Columns,
    /// What the gate says of files below their floors, by their rows: whether they fail, a sentence, and the percentage.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    judged: BTreeMap<usize, (bool, &'a str, String)>,
    /// The files that are gone since the baseline, with what was covered of them, if the report compares.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gone: Vec<(String, (usize, usize))>,
    /// The languages that only other tools measured. Their files come after those of the data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<OtherLanguage>,
    /// Whether there is a file with the history.
    history: bool,
    totals: Columns,
    notes: Vec<String>,
}

impl<'a> Files<'a> {
    pub(super) fn new(report: &'a Report<'a>, texts: usize) -> Self {
        let mut columns = Columns::default();
        report.pages.iter().for_each(|page| columns.push(page.file.numbers()));
        if report.has_changes() {
            columns.changed = report.pages.iter().map(|page| page.changed_lines().len()).collect();
        }
        if report.options.baseline.is_some() {
            let before = report.pages.iter().map(|page| Some(page.before?.numbers.ratio_covered()));
            columns.before = before.collect();
        }
        let judged = report.pages.iter().enumerate().filter_map(|(row, page)| {
            let judged = page.judged?;
            let percent = page.percent(report.options.precision);
            Some((row, (judged.fails, judged.words.as_str(), percent)))
        });
        let gone = report.options.baseline.iter().flat_map(|baseline| &baseline.gone);
        let gone =
            gone.map(|(name, numbers)| (printable(name).into_owned(), numbers.ratio_covered()));
        let mut totals = Columns::default();
        totals.push(report.summary.totals());
        totals.before = totals_before(report);
        Self {
            has_branches: report.summary.has_arcs(),
            precision: report.options.precision.digits(),
            texts,
            name: report.pages.iter().map(|page| page.shown.as_str()).collect(),
            page: report.pages.iter().map(|page| page.name.as_str()).collect(),
            judged: judged.collect(),
            gone: gone.collect(),
            others: OtherLanguage::all(report),
            history: report.options.history.is_some(),
            columns,
            totals,
            notes: report.skipped.sentences("file", "files"),
        }
    }
}

/// A language that only other tools measured.
#[derive(Serialize)]
struct OtherLanguage {
    language: &'static str,
    /// The row of its first file, and the one after its last.
    from: usize,
    to: usize,
    totals: Columns,
}

impl OtherLanguage {
    fn all(report: &Report<'_>) -> Vec<Self> {
        let of_language = |(language, _, numbers): (&'static str, _, Numbers)| {
            let from = report.pages.iter().position(|page| page.language == Some(language))?;
            let count = report.pages.iter().filter(|page| page.language == Some(language)).count();
            let mut totals = Columns::default();
            totals.push(numbers);
            Some(Self { language, from, to: from + count, totals })
        };
        report.summary.other_languages().filter_map(of_language).collect()
    }
}

/// The content of `data.functions.js` and of `data.classes.js`.
#[derive(Serialize, Default)]
pub(super) struct Regions<'a> {
    /// The index in [`Files`] of each row's file.
    file: Vec<usize>,
    /// The name of each region; `None` for the lines outside of all regions.
    name: Vec<Option<&'a str>>,
    /// The first line of each region; 0 for the lines outside of all regions.
    line: Vec<i32>,
    #[serde(flatten)]
    columns: Columns,
    totals: Columns,
    notes: Vec<String>,
}

/// A row of [`Regions`].
struct Row<'a> {
    name: Option<&'a str>,
    line: i32,
    numbers: Numbers,
    /// The number of changed lines.
    changed: usize,
    /// The numbers before, if the report compares and it is not new.
    before: Option<Numbers>,
}

impl<'a> Regions<'a> {
    pub(super) fn new(report: &'a Report<'a>, kind: RegionKind) -> Self {
        let mut table = Self::default();
        let mut totals = Numbers::default();
        let mut skipped = Skipped::default();
        for (file, rows) in rows_of_files(report, kind).into_iter().enumerate() {
            for row in rows {
                totals += row.numbers;
                if !skipped.count_if_skipped(row.numbers, report.options) {
                    table.file.push(file);
                    table.name.push(row.name);
                    table.line.push(row.line);
                    table.columns.push(row.numbers);
                    if report.has_changes() {
                        table.columns.changed.push(row.changed);
                    }
                    if report.options.baseline.is_some() {
                        table.columns.before.push(row.before.map(|before| before.ratio_covered()));
                    }
                }
            }
        }
        table.totals.push(totals);
        table.totals.before = totals_before(report);
        table.notes = match kind {
            RegionKind::Function => skipped.sentences("function", "functions"),
            RegionKind::Class => skipped.sentences("class", "classes"),
        };
        table
    }
}

/// Returns what was covered of the whole project before, if the report compares.
fn totals_before(report: &Report<'_>) -> Vec<Option<(usize, usize)>> {
    report.options.baseline.iter().map(|old| Some(old.totals.ratio_covered())).collect()
}

fn rows_of_files<'a>(report: &'a Report<'a>, kind: RegionKind) -> Vec<Vec<Row<'a>>> {
    use rayon::prelude::*;
    report.pages.par_iter().map(|page| rows_of_file(page, kind)).collect()
}

/// Returns a row for each region of a file, in the order in which the parser finds them. The last
/// row counts the lines outside of all regions. A file that is not Python has no rows.
fn rows_of_file<'a>(page: &'a Page<'_>, kind: RegionKind) -> Vec<Row<'a>> {
    if !page.file.is_python() {
        return Vec::new();
    }
    let parts = split(page.facts, page.analysis, kind);
    let changed = page.changed_lines();
    let has =
        |region: &Region, line: &i32| region.ranges().iter().any(|range| range.contains(line));
    let is_outside = |line: &&i32| {
        !parts.iter().any(|(region, _)| region.is_some_and(|region| has(region, line)))
    };
    let outside = changed.iter().filter(is_outside).count();
    let row = |(region, numbers): &(Option<&'a Region>, Numbers)| Row {
        name: region.map(Region::name),
        line: region.map_or(0, Region::start),
        numbers: *numbers,
        changed: match region {
            Some(region) => changed.iter().filter(|line| has(region, line)).count(),
            None => outside,
        },
        before: page.before.and_then(|before| before.region(kind, *region)),
    };
    parts.iter().map(row).collect()
}

/// Returns the regions of a file with their numbers, in the order in which the parser finds them. The last one is what is
/// outside of all regions. A file that is not Python has none.
pub(super) fn regions(
    file: &FileSummary,
    kind: RegionKind,
) -> Result<Vec<(Option<&Region>, Numbers)>> {
    if !file.is_python() {
        return Ok(Vec::new());
    }
    Ok(split(file.facts()?, file.analysis()?, kind))
}

fn split<'f>(
    facts: &'f Facts,
    analysis: &Analysis,
    kind: RegionKind,
) -> Vec<(Option<&'f Region>, Numbers)> {
    let regions: Vec<&Region> =
        facts.regions().iter().filter(|region| region.kind() == kind).collect();
    let mut splitter = RegionSplitter::new(analysis);
    regions.iter().for_each(|region| splitter.add(region.ranges()));
    let (parts, rest) = splitter.split();
    let named = regions.into_iter().map(Some).zip(parts.iter().map(|part| part.numbers()));
    named.chain([(None, rest.numbers())]).collect()
}
