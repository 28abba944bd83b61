//! The askama templates and their data.

use askama::Template;

use super::pages::{Report, shown_context};
use crate::Result;
use crate::results::{Numbers, display_covered};
use crate::summarize::FileSummary;
use crate::text::printable;
use crate::{Error, ErrorKind};

/// The index contains a table that works without the script, unless the report has more files than
/// this: a longer table would make the page slow.
const MAX_STATIC_ROWS: usize = 500;

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
    numbers: Numbers,
    branches: bool,
    skip_covered: bool,
    contexts: bool,
    first: &'a str,
    last: &'a str,
    rows: Vec<Row<'a>>,
    problems: Vec<std::borrow::Cow<'a, str>>,
    problem_count: usize,
    context_count: usize,
}

/// A row of the table that works without the script.
struct Row<'a> {
    page: &'a str,
    name: &'a str,
    numbers: Numbers,
    percent: String,
}

/// The body of a source file's page.
#[derive(Template)]
#[template(path = "source.html")]
struct SourceBody<'a> {
    view: &'static str,
    name: &'a str,
    page: &'a str,
    percent: String,
    numbers: Numbers,
    branches: bool,
    contexts: bool,
    previous: &'a str,
    next: &'a str,
    lines: &'a str,
}

/// Returns the page of a view.
pub(super) fn view(report: &Report<'_>, view: &'static str) -> Result<Part> {
    let name = |page: Option<&super::pages::Page<'_>>| {
        page.map_or_else(|| "index".to_owned(), |page| page.name.clone())
    };
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
    let has_rows = is_index && report.pages.len() <= MAX_STATIC_ROWS;
    let percent = |numbers: Numbers| display_covered(numbers.percent_covered(), options.precision);
    let rows = report.pages.iter().filter(|_| has_rows).map(|page| Row {
        page: &page.name,
        name: &page.shown,
        numbers: page.file.numbers(),
        percent: percent(page.file.numbers()),
    });
    let total = percent(report.summary.totals());
    let problems = if is_index { options.problems.as_slice() } else { &[] };
    let body = ViewBody {
        view,
        heading,
        title: &report.title,
        timestamp: if is_index { &options.timestamp } else { "" },
        numbers: report.summary.totals(),
        branches: report.summary.has_arcs(),
        skip_covered: options.skip_covered,
        contexts: report.has_contexts(),
        first: &name(report.pages.first()),
        last: &name(report.pages.last()),
        rows: rows.collect(),
        problems: problems.iter().take(MOST_PROBLEMS).map(|problem| printable(problem)).collect(),
        problem_count: problems.len(),
        context_count: report.contexts.as_ref().map_or(0, |contexts| contexts.names.len()),
        total,
    };
    let title = match view {
        "index" => report.title.clone(),
        _ => format!("{heading} - {}", report.title),
    };
    Ok(Part { name: view.to_owned(), view, title, body: render(&body)? })
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
    let percent = display_covered(numbers.percent_covered(), report.options.precision);
    let template = SourceBody {
        view: "source",
        name: &page.shown,
        page: &page.name,
        numbers,
        branches: report.summary.has_arcs(),
        contexts: report.has_contexts(),
        previous,
        next,
        lines,
        percent: percent.clone(),
    };
    body.clear();
    render_into(&template, &mut body)?;
    Ok(Some(Part {
        name: page.name.clone(),
        view: "source",
        title: format!("Coverage for {}: {percent}%", page.shown),
        body,
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
