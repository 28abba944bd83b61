//! The numbers of files, functions and classes, as columns.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pages::{Page, Report, Skipped};
use crate::python::{Region, RegionKind};
use crate::results::{Numbers, RegionSplitter};

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
    branches: bool,
    precision: usize,
    /// The number of files that hold source text for the search.
    texts: usize,
    name: Vec<&'a str>,
    page: Vec<&'a str>,
    #[serde(flatten)]
    columns: Columns,
    /// What the gate says of files below their floors, by their rows: whether they fail, and a sentence.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    judged: BTreeMap<usize, (bool, &'a str)>,
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
        let judged = report.pages.iter().enumerate().filter_map(|(row, page)| {
            page.judged.map(|judged| (row, (judged.fails, judged.words.as_str())))
        });
        let mut totals = Columns::default();
        totals.push(report.summary.totals());
        Self {
            branches: report.summary.has_arcs(),
            precision: report.options.precision.digits(),
            texts,
            name: report.pages.iter().map(|page| page.shown.as_str()).collect(),
            page: report.pages.iter().map(|page| page.name.as_str()).collect(),
            judged: judged.collect(),
            columns,
            totals,
            notes: report.skipped.sentences("file", "files"),
        }
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
                }
            }
        }
        table.totals.push(totals);
        table.notes = match kind {
            RegionKind::Function => skipped.sentences("function", "functions"),
            RegionKind::Class => skipped.sentences("class", "classes"),
        };
        table
    }
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
    let regions: Vec<&Region> =
        page.facts.regions().iter().filter(|region| region.kind() == kind).collect();
    let mut splitter = RegionSplitter::new(page.analysis);
    regions.iter().for_each(|region| splitter.add(region.ranges()));
    let (parts, rest) = splitter.split();
    let changed = page.changed_lines();
    let has =
        |region: &Region, line: &i32| region.ranges().iter().any(|range| range.contains(line));
    let named = regions.iter().zip(&parts).map(|(region, part)| Row {
        name: Some(region.name()),
        line: region.start(),
        numbers: part.numbers(),
        changed: changed.iter().filter(|line| has(region, line)).count(),
    });
    let is_outside = |line: &&i32| !regions.iter().any(|region| has(region, line));
    let outside = changed.iter().filter(is_outside).count();
    let rest = Row { name: None, line: 0, numbers: rest.numbers(), changed: outside };
    named.chain([rest]).collect()
}
