//! The lines of a source page.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::mem;
use std::ops::RangeInclusive;

use super::baseline::FileBefore;
use super::contexts::LineContexts;
use super::escape::{push_decimal, push_text};
use super::highlight::Highlighter;
use super::page_text::{LineEnd, PageText};
use super::pages::Page;
use super::views::thousands;
use crate::python::Facts;
use crate::results::Analysis;
use crate::text::branches;

/// The number of lines in a block. A browser only lays out the blocks that are in view.
const BLOCK: i32 = 200;

/// The number of lines that a browser makes elements of at once. A page with many more could not be used for a second.
const AT_ONCE: i32 = 10 * BLOCK;

/// The category of a line, as in coverage.py's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Category {
    Run,
    Missing,
    Excluded,
    Partial,
}

impl Category {
    fn class(self) -> char {
        match self {
            Self::Run => 'r',
            Self::Missing => 'm',
            Self::Excluded => 'x',
            Self::Partial => 'p',
        }
    }
}

/// Appends the lines of a file as list items.
///
/// Of a long file, the blocks after the first are in `noscript` elements. Where scripts run, a browser takes their content as
/// text, and the script makes elements of it bit by bit. Where no scripts run, it is HTML as any other.
pub(super) fn push_lines(
    html: &mut String,
    page: &Page<'_>,
    text: &PageText,
    contexts: Option<&LineContexts>,
) {
    // The markup is about as long as the source.
    html.reserve(text.written().len() * 2 + 256);
    let lines = Lines::new(page.facts, page.analysis);
    let mut highlighter = Highlighter::new(page.file.is_python());
    let mut last = 1;
    // Only a newline ends a line, as in Python's tokenizer. Other characters at which
    // `str.splitlines()` splits are part of the line.
    for (number, (line, end)) in (1..).zip(text.lines()) {
        if number % BLOCK == 1 {
            push_block_start(html, number);
        }
        lines.push_start(html, number, page, end, false);
        highlighter.push_line(html, line);
        if let Some(contexts) = contexts.filter(|_| lines.category(number).is_some()) {
            contexts.push_label(html, number);
        }
        lines.push_annotation(html, number, page);
        last = number;
    }
    html.push_str(block_end(last));
}

/// Returns the attribute that says whether a line was lost or won.
fn was(before: &FileBefore, line: i32) -> &'static str {
    match before {
        FileBefore { lost, .. } if lost.has_line(line) => " data-was=lost",
        FileBefore { won, .. } if won.has_line(line) => " data-was=won",
        FileBefore { lost, .. } if lost.has_branch_from(line) => " data-was=lost-branch",
        FileBefore { won, .. } if won.has_branch_from(line) => " data-was=won-branch",
        _ => "",
    }
}

/// Appends the end of the block before a line, and the start of the block that begins with the line.
fn push_block_start(html: &mut String, line: i32) {
    if line > 1 {
        html.push_str(block_end(line - 1));
    }
    if line == AT_ONCE + 1 {
        // The script takes this away.
        html.push_str("<p class=\"note rest\">The script of the report shows the lines from ");
        html.push_str(&thousands(AT_ONCE.unsigned_abs() as usize + 1));
        html.push_str(" on.</p>");
    }
    html.push_str(if line > AT_ONCE { "<noscript><ol>" } else { "<ol>" });
}

/// Returns the end of the block that has a line.
fn block_end(line: i32) -> &'static str {
    if line > AT_ONCE { "</ol></noscript>" } else { "</ol>" }
}

/// Returns parts of a file as list items. The ranges are in order, and do not overlap.
pub(super) fn excerpts(
    page: &Page<'_>,
    text: &PageText,
    ranges: &[RangeInclusive<i32>],
) -> Vec<String> {
    let lines = Lines::new(page.facts, page.analysis);
    let mut highlighter = Highlighter::new(page.file.is_python());
    let mut parts = Vec::with_capacity(ranges.len());
    let mut ranges = ranges.iter().peekable();
    let (mut part, mut between) = (String::new(), String::new());
    for (number, (line, end)) in (1..).zip(text.lines()) {
        let Some(range) = ranges.peek() else { break };
        if !range.contains(&number) {
            // A string that begins here may go on in a range.
            between.clear();
            highlighter.push_line(&mut between, line);
            continue;
        }
        lines.push_start(&mut part, number, page, end, true);
        highlighter.push_line(&mut part, line);
        lines.push_annotation(&mut part, number, page);
        if *range.end() == number {
            parts.push(mem::take(&mut part));
            ranges.next();
        }
    }
    parts
}

/// The categories and missing branches of the lines of a file.
struct Lines<'a> {
    facts: &'a Facts,
    /// The category of each line, indexed by line number. Index 0 is unused.
    categories: Vec<Option<Category>>,
    /// The targets of the missing arcs from each line. A negative target is an exit.
    missing_arcs: BTreeMap<i32, Vec<i32>>,
    branches: BTreeMap<i32, (usize, usize)>,
}

impl<'a> Lines<'a> {
    fn new(facts: &'a Facts, analysis: &'a Analysis) -> Self {
        let mut missing_arcs = BTreeMap::<i32, Vec<i32>>::new();
        for &(from, to) in analysis.missing_branch_arcs() {
            missing_arcs.entry(from).or_default().push(to);
        }
        let mut lines =
            Self { facts, categories: Vec::new(), missing_arcs, branches: analysis.branch_stats() };
        // A later category replaces an earlier one.
        analysis.statements().iter().for_each(|&line| lines.set(line, Category::Run));
        let counted = analysis.counted_branches().iter();
        let counted = counted.filter(|(_, (all, taken))| taken < all).map(|(line, _)| *line);
        let partial: Vec<i32> = lines.missing_arcs.keys().copied().chain(counted).collect();
        partial.into_iter().for_each(|line| lines.set(line, Category::Partial));
        analysis.missing().iter().for_each(|&line| lines.set(line, Category::Missing));
        analysis.excluded().iter().for_each(|&line| lines.set(line, Category::Excluded));
        lines
    }

    fn set(&mut self, line: i32, category: Category) {
        let Ok(at) = usize::try_from(line) else { return };
        if self.categories.len() <= at {
            self.categories.resize(at + 1, None);
        }
        if let Some(slot) = self.categories.get_mut(at) {
            *slot = Some(category);
        }
    }

    fn category(&self, line: i32) -> Option<Category> {
        usize::try_from(line).ok().and_then(|at| self.categories.get(at).copied()).flatten()
    }

    /// Appends the start of a line, with a link to it. An excerpt is on another page than the line.
    fn push_start(
        &self,
        html: &mut String,
        line: i32,
        page: &Page<'_>,
        end: LineEnd,
        is_excerpt: bool,
    ) {
        let own = self.category(line);
        let of_statement = || match self.facts.first_line(line) {
            first if first == line => None,
            first => self.category(first),
        };
        html.push_str("<li");
        if !is_excerpt {
            html.push_str(" id=t");
            push_decimal(html, line);
        }
        if let Some(category) = own.or_else(of_statement) {
            html.push_str(" class=");
            html.push(category.class());
            if own.is_none() {
                // A line of a statement other than its first.
                html.push('2');
            }
        }
        if page.changed.is_some_and(|changed| changed.has(line)) {
            html.push_str(" data-new");
        }
        if let Some(before) = page.before {
            html.push_str(was(before, line));
        }
        html.push_str(end.attribute());
        // The number is text, not a counter: a block that is not laid out would count from 1 again.
        html.push_str("><a href=");
        if is_excerpt {
            html.push_str(&page.name);
            html.push_str(".html");
        }
        html.push_str("#t");
        push_decimal(html, line);
        html.push('>');
        push_decimal(html, line);
        html.push_str("</a>");
    }

    /// Appends which branches of the line were not taken: the targets, and an explanation.
    fn push_annotation(&self, html: &mut String, line: i32, page: &Page<'_>) {
        if self.category(line) != Some(Category::Partial) {
            return;
        }
        let Some(targets) = self.missing_arcs.get(&line) else {
            // Another tool counted the branches, and did not say where they lead.
            if let Some((all, taken)) = self.branches.get(&line) {
                let _ = write!(html, "<details class=why><summary>{taken} of {all}</summary>");
                let _ = write!(html, "{taken} of {} taken</details>", branches(*all));
            }
            return;
        };
        let all = self.branches.get(&line).is_some_and(|&(exits, _)| exits == targets.len());
        html.push_str("<details class=why><summary>");
        if all {
            let _ = write!(html, "{line}\u{202f}↛\u{202f}anywhere</summary>");
            let _ =
                write!(html, "line {line} didn't jump anywhere: it always raised an exception.");
        } else {
            for (at, &to) in targets.iter().enumerate() {
                let comma = if at > 0 { ", " } else { "" };
                let _ = write!(html, "{comma}{line}\u{202f}↛\u{202f}");
                let _ = if to < 0 { write!(html, "exit") } else { write!(html, "{to}") };
            }
            html.push_str("</summary>");
            for (at, &to) in targets.iter().enumerate() {
                html.push_str(if at > 0 { "; " } else { "" });
                push_text(html, &self.facts.missing_arc_description(line, to));
                if page.before.is_some_and(|before| before.lost.branches.contains(&(line, to))) {
                    html.push_str(" (before, it did)");
                }
            }
        }
        html.push_str("</details>");
    }
}
