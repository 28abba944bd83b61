//! The functions and classes of a source page, with their percentages.

use std::fmt::Write;

use super::escape::push_text;
use super::pages::Page;
use crate::python::{Region, RegionKind};
use crate::results::{Numbers, Precision, RegionSplitter, display_covered};

/// The deepest indentation that the style sheet has.
const DEEPEST: usize = 6;

/// A function or a class.
struct Entry<'a> {
    region: &'a Region,
    last: i32,
    numbers: Numbers,
}

/// Returns the outline as list items, each with a link to its first line. Inner regions follow the outer one, and are named
/// without it.
pub(super) fn outline(page: &Page<'_>, precision: Precision) -> String {
    let mut html = String::new();
    let mut around: Vec<&str> = Vec::new();
    for Entry { region, last, numbers } in entries(page) {
        let name = region.name();
        let short = loop {
            let Some(outer) = around.last() else { break None };
            match name.strip_prefix(outer).and_then(|rest| rest.strip_prefix('.')) {
                Some(rest) => break Some(rest),
                None => drop(around.pop()),
            }
        };
        let (depth, first) = (around.len().min(DEEPEST), region.start());
        let _ = write!(html, "<li class=d{depth}><a href=#t{first} data-to={last}>");
        push_text(&mut html, short.unwrap_or(name));
        html.push_str("</a>");
        if numbers.statements > 0 {
            let percent = display_covered(numbers.percent_covered(), precision);
            let _ = write!(html, " <span>{percent}%</span>");
        }
        around.push(name);
    }
    html
}

/// Returns the regions by their first lines.
fn entries<'a>(page: &'a Page<'_>) -> Vec<Entry<'a>> {
    let regions = page.facts.regions();
    let mut entries = Vec::with_capacity(regions.len());
    // The regions of one kind do not overlap, so each kind is split alone.
    for kind in [RegionKind::Class, RegionKind::Function] {
        let some: Vec<&Region> = regions.iter().filter(|region| region.kind() == kind).collect();
        let mut splitter = RegionSplitter::new(page.analysis);
        some.iter().for_each(|region| splitter.add(region.ranges()));
        let (parts, _) = splitter.split();
        entries.extend(some.into_iter().zip(&parts).map(|(region, part)| Entry {
            region,
            last: region.ranges().last().map_or(region.start(), |range| *range.end()),
            numbers: part.numbers(),
        }));
    }
    entries.sort_by_key(|entry| entry.region.start());
    entries
}
