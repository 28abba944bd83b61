//! The askama templates and their data.

use std::collections::HashMap;

use askama::Template;
use rayon::prelude::*;

use super::Options;
use super::changes::ChangedFile;
use super::gate::{Gate, JudgedFile};
use super::hunks::{Hunk, hunks};
use super::outline::outline;
use super::pages::{Page, Report, shown_context};
use crate::Result;
use crate::results::{Numbers, display_covered};
use crate::summarize::FileSummary;
use crate::text::printable;
use crate::{Error, ErrorKind};

/// The index contains a table that works without the script, unless the report has more files than
/// this: a longer table would make the page slow.
const MAX_STATIC_ROWS: usize = 500;

/// How many of the files that miss most lines the index names above its list.
const MOST_WORST: usize = 3;

/// The maximum number of problems that the index lists. It only counts the others.
const MOST_PROBLEMS: usize = 200;

/// The document around the body of a page.
#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Frame<'a> {
    pub(super) title: &'a str,
    pub(super) view: &'a str,
    pub(super) style: &'a str,
    pub(super) extra_style: Option<&'a str>,
    pub(super) script: &'a str,
    pub(super) live: Option<&'a str>,
    pub(super) body: &'a str,
}

/// The page that contains all other pages.
#[derive(Template)]
#[template(path = "single.html")]
pub(super) struct Single<'a> {
    pub(super) title: &'a str,
    pub(super) styles: Vec<String>,
    pub(super) style_hashes: Vec<String>,
    pub(super) script: &'a str,
    pub(super) script_hash: String,
    pub(super) data: Vec<(String, String)>,
    pub(super) pages: Vec<Part>,
}

/// A page of the report, without the document around its body.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) view: &'static str,
    pub(super) title: String,
    pub(super) body: String,
    /// Whether the body is [`compressed`](super::compressed::compressed).
    pub(super) is_packed: bool,
}

/// The body of a page whose content the script displays.
#[derive(Template)]
#[template(path = "view.html")]
struct ViewBody<'a> {
    view: &'static str,
    heading: &'static str,
    title: &'a str,
    timestamp: &'a str,
    total: String,
    /// The total before, if the report compares.
    before: Option<String>,
    numbers: Numbers,
    branches: bool,
    skip_covered: bool,
    contexts: bool,
    changes: bool,
    first: &'a str,
    last: &'a str,
    /// What became of the changes, on the index of a report that shows them.
    changed: Option<&'a str>,
    /// The languages, on the views that show one at a time.
    languages: Vec<Language>,
    /// The files that miss most lines, on the index.
    worst: Vec<Row<'a>>,
    rows: Vec<Row<'a>>,
    gate: Option<GateNote<'a>>,
    problems: Vec<std::borrow::Cow<'a, str>>,
    problem_count: usize,
    origin: &'a [String],
    context_count: usize,
}

/// What a gate says at the top of a list.
struct GateNote<'a> {
    passes: bool,
    sentence: &'a str,
    failing: Vec<Failing<'a>>,
    /// What fails beside measured files.
    others: &'a [String],
    /// How many files, rules and unmeasured files fail, but are not listed.
    more: usize,
}

/// A file that fails.
struct Failing<'a> {
    name: &'a str,
    /// The page of the file, if it has one.
    page: Option<&'a str>,
    words: &'a str,
}

impl<'a> GateNote<'a> {
    fn new(report: &'a Report<'a>, gate: &'a Gate) -> Self {
        let pages = report.by_name();
        let failing: Vec<&JudgedFile> = gate.files.iter().filter(|file| file.fails).collect();
        let listed = failing.iter().take(MOST_PROBLEMS).map(|file| {
            let page = pages.get(file.name.as_str());
            Failing {
                name: page.map_or(file.name.as_str(), |page| page.shown.as_str()),
                page: page.map(|page| page.name.as_str()),
                words: &file.words,
            }
        });
        let left = MOST_PROBLEMS.saturating_sub(failing.len());
        let others = gate.others.get(..left).unwrap_or(&gate.others);
        Self {
            passes: gate.passes,
            sentence: &gate.sentence,
            failing: listed.collect(),
            more: (failing.len() + gate.others.len()).saturating_sub(MOST_PROBLEMS),
            others,
        }
    }
}

/// A language of the report, if it has several.
struct Language {
    name: &'static str,
    percent: String,
    /// What follows the page in the address of its list.
    place: String,
}

impl Language {
    fn all(report: &Report<'_>) -> Vec<Self> {
        let language = |name: &'static str, numbers: Numbers| Self {
            name,
            percent: display_covered(numbers.percent_covered(), report.options.precision),
            place: format!("#language={}", encoded(name)),
        };
        let others: Vec<Self> = report
            .summary
            .other_languages()
            .map(|(name, _, numbers)| language(name, numbers))
            .collect();
        if others.is_empty() {
            return others;
        }
        let python = (!report.summary.files().is_empty())
            .then(|| language("Python", report.summary.totals()));
        python.into_iter().chain(others).collect()
    }
}

/// Returns text as a part of an address.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// A row of the table that works without the script.
struct Row<'a> {
    page: &'a str,
    name: &'a str,
    numbers: Numbers,
    coverage: String,
}

impl<'a> Row<'a> {
    fn new(page: &'a Page<'_>, options: &Options) -> Self {
        let numbers = page.file.numbers();
        let coverage = page.coverage(options.precision);
        Self { page: &page.name, name: &page.shown, numbers, coverage }
    }
}

/// The body of the page of changes.
#[derive(Template)]
#[template(path = "patch.html")]
struct ChangesBody<'a> {
    view: &'static str,
    title: &'a str,
    sentence: &'a str,
    branches: bool,
    contexts: bool,
    changes: bool,
    first: &'a str,
    last: &'a str,
    rows: Vec<ChangedRow<'a>>,
}

/// A row of the page of changes.
struct ChangedRow<'a> {
    file: &'a ChangedFile,
    /// The page of the file, if it has one.
    page: Option<&'a str>,
    /// What is not covered, with the lines around it.
    hunks: Vec<Hunk>,
}

impl<'a> ChangedRow<'a> {
    fn new(
        report: &'a Report<'_>,
        file: &'a ChangedFile,
        pages: &HashMap<&str, &'a Page<'_>>,
    ) -> Result<Self> {
        let page = file.name.as_deref().and_then(|name| pages.get(name).copied());
        let hunks = page.map_or_else(|| Ok(Vec::new()), |page| hunks(report, page, file))?;
        Ok(Self { file, page: page.map(|page| page.name.as_str()), hunks })
    }

    fn first_line(&self) -> Option<i32> {
        self.file.lines.first().copied()
    }
}

/// What was covered of a file before.
struct Before {
    percent: String,
    /// The number of lines that were lost, or from which a branch was.
    lost: usize,
    /// The number of lines that were won, or from which a branch was.
    won: usize,
}

/// The body of a source file's page.
#[derive(Template)]
#[template(path = "source.html")]
struct SourceBody<'a> {
    view: &'static str,
    name: &'a str,
    page: &'a str,
    coverage: String,
    numbers: Numbers,
    branches: bool,
    contexts: bool,
    changes: bool,
    /// What the gate says of the file, if it is below its floor.
    judged: Option<&'a JudgedFile>,
    /// The number of changed lines.
    changed: usize,
    /// What was covered before, if the report compares.
    before: Option<Before>,
    previous: &'a str,
    next: &'a str,
    /// The address of the source on a website, with `{line}`.
    url: Option<String>,
    /// The functions and classes, as HTML.
    outline: String,
    lines: &'a str,
}

/// Returns the page of a view.
pub(super) fn view(report: &Report<'_>, view: &'static str, has_static_rows: bool) -> Result<Part> {
    if view == "patch" {
        return changes(report);
    }
    let (first, last) = report.ends();
    let heading = match view {
        "function_index" => "Functions",
        "class_index" => "Classes",
        "tree" => "Folders",
        "worst" => "Worst first",
        "contexts" => "Contexts",
        _ => "Files",
    };
    let options = report.options;
    let is_index = view == "index";
    let has_gate = is_index || view == "tree";
    let has_rows = has_static_rows && is_index && report.pages.len() <= MAX_STATIC_ROWS;
    let percent = |numbers: Numbers| display_covered(numbers.percent_covered(), options.precision);
    let rows = report.pages.iter().filter(|_| has_rows).map(|page| Row::new(page, options));
    let total = percent(report.totals());
    let problems = if is_index { options.problems.as_slice() } else { &[] };
    let body = ViewBody {
        view,
        heading,
        title: &report.title,
        timestamp: if is_index { &options.timestamp } else { "" },
        numbers: report.totals(),
        languages: if has_gate { Language::all(report) } else { Vec::new() },
        before: options.baseline.as_ref().map(|baseline| percent(baseline.totals)),
        branches: report.summary.has_arcs() || report.totals().branches > 0,
        skip_covered: options.skip_covered,
        contexts: report.has_contexts(),
        changes: report.has_changes(),
        first,
        last,
        changed: options.changes.as_ref().filter(|_| is_index).map(|changes| &*changes.sentence),
        worst: if is_index {
            worst(report).map(|page| Row::new(page, options)).collect()
        } else {
            Vec::new()
        },
        rows: rows.collect(),
        gate: options.gate.as_ref().filter(|_| has_gate).map(|gate| GateNote::new(report, gate)),
        problems: problems.iter().take(MOST_PROBLEMS).map(|problem| printable(problem)).collect(),
        problem_count: problems.len(),
        origin: if is_index { &options.origin } else { &[] },
        context_count: report.contexts.as_ref().map_or(0, |contexts| contexts.names.len()),
        total,
    };
    let title = match view {
        "index" => report.title.clone(),
        _ => format!("{heading} - {}", report.title),
    };
    Ok(Part { name: view.to_owned(), view, title, body: render(&body)?, is_packed: false })
}

/// Returns the files that miss most lines, the worst first.
fn worst<'r>(report: &'r Report<'_>) -> impl Iterator<Item = &'r Page<'r>> {
    let missing = |page: &&Page<'_>| page.file.numbers().missing;
    let mut pages: Vec<&Page<'_>> = report.pages.iter().filter(|page| missing(page) > 0).collect();
    pages.sort_by_key(|page| std::cmp::Reverse(missing(page)));
    pages.into_iter().take(MOST_WORST)
}

/// Returns the page of changes.
fn changes(report: &Report<'_>) -> Result<Part> {
    let changes = report.options.changes.as_ref();
    let pages = report.by_name();
    let (first, last) = report.ends();
    let files = changes.map(|changes| changes.files()).unwrap_or_default();
    let rows = files.par_iter().map(|file| ChangedRow::new(report, file, &pages));
    let body = ChangesBody {
        view: "patch",
        title: &report.title,
        sentence: changes.map_or("", |changes| &changes.sentence),
        branches: changes.is_some_and(|changes| changes.has_branches),
        contexts: report.has_contexts(),
        changes: true,
        first,
        last,
        rows: rows.collect::<Result<_>>()?,
    };
    let title = format!("Changes - {}", report.title);
    let (name, body) = ("patch".to_owned(), render(&body)?);
    Ok(Part { name, view: "patch", title, body, is_packed: false })
}

/// Returns the page of a source file around its rendered `lines`. The memory of `body` is reused.
pub(super) fn source(
    report: &Report<'_>,
    at: usize,
    lines: &str,
    mut body: String,
) -> Result<Option<Part>> {
    let Some(page) = report.pages.get(at) else { return Ok(None) };
    let (previous, next) = report.neighbours(at);
    let numbers = FileSummary::numbers(page.file);
    let percent = page.percent(report.options.precision);
    let template = SourceBody {
        view: "source",
        name: &page.shown,
        page: &page.name,
        numbers,
        branches: report.summary.has_arcs() || numbers.branches > 0,
        contexts: report.has_contexts(),
        changes: report.has_changes(),
        judged: page.judged,
        changed: page.changed_lines().len(),
        before: page.before.map(|before| {
            let percent = before.numbers.percent_covered();
            let percent = display_covered(percent, report.options.precision);
            Before { percent, lost: before.lost.count(), won: before.won.count() }
        }),
        previous,
        next,
        outline: outline(page, report.options.precision),
        url: report.options.source_url.as_ref().map(|url| url.of(page.file.name())),
        lines,
        coverage: page.coverage(report.options.precision),
    };
    body.clear();
    render_into(&template, &mut body)?;
    Ok(Some(Part {
        name: page.name.clone(),
        view: "source",
        title: format!("Coverage for {}: {percent}%", page.shown),
        body,
        is_packed: false,
    }))
}

/// Returns the displayed names of contexts.
pub(super) fn shown_contexts<'a>(names: &[&'a str]) -> Vec<std::borrow::Cow<'a, str>> {
    names.iter().map(|name| printable(shown_context(name))).collect()
}

pub(super) fn render(template: &impl Template) -> Result<String> {
    let mut text = String::new();
    render_into(template, &mut text)?;
    Ok(text)
}

pub(super) fn render_into(template: &impl Template, into: &mut String) -> Result<()> {
    template.render_into(into).map_err(|err| Error::new(ErrorKind::Io, err))
}

/// Splits a path where a line may end.
fn path_parts(path: &str) -> impl Iterator<Item = &str> {
    path.split_inclusive('/')
}

/// Returns a number with a comma between thousands, as the script prints numbers.
pub(super) fn thousands(number: impl std::borrow::Borrow<usize>) -> String {
    let digits = number.borrow().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
