//! The data that pages load, in the form that the script reads.

use serde::Serialize;

use super::contexts::{ContextCounts, LineContexts, push_number};
use super::pages::{Page, Report};
use super::tables::{Files, Regions};
use super::{escape, search_text, views};
use crate::Result;
use crate::python::RegionKind;

/// Returns the contexts that ran the statements and the excluded lines of a page; `None` unless the
/// report shows contexts.
pub(super) fn line_contexts(report: &Report<'_>, page: &Page<'_>) -> Option<LineContexts> {
    let names = report.contexts.as_ref()?;
    let analysis = page.analysis;
    let marked = analysis.statements().iter().chain(analysis.excluded()).copied().collect();
    Some(LineContexts::new(report.summary.lines_by_context(page.file), names, &marked))
}

/// Returns the data files of the tables, as pairs of a name and JSON. Contexts are included if the
/// report shows them.
pub(super) fn tables(
    report: &Report<'_>,
    counts: &[&[ContextCounts]],
) -> Result<Vec<(&'static str, String)>> {
    let mut tables = vec![
        ("files", json(&Files::new(report, search_text::count(&report.pages)))?),
        ("functions", json(&Regions::new(report, RegionKind::Function))?),
        ("classes", json(&Regions::new(report, RegionKind::Class))?),
    ];
    if let Some(history) = &report.options.history {
        let names = report.pages.iter().map(|page| page.file.name());
        tables.push(("history", json(&history.drawn(names))?));
    }
    if let Some(contexts) = &report.contexts {
        tables.push(("contexts", json(&views::shown_contexts(&contexts.names))?));
        tables.push(("runs", json(&counts_by_context(contexts.names.len(), counts))?));
    }
    Ok(tables)
}

/// Returns the files that each context ran. Each file is three numbers: the distance from the
/// previous file, the number of lines, and the number of lines that no other context ran.
fn counts_by_context(contexts: usize, counts: &[&[ContextCounts]]) -> Vec<String> {
    let mut by_context = vec![(String::new(), 0_u32); contexts];
    for (file, counts) in (0..).zip(counts) {
        for count in *counts {
            if let Some((text, last)) = by_context.get_mut(count.context as usize) {
                push_number(text, file - *last);
                push_number(text, count.lines);
                push_number(text, count.only_this_context);
                *last = file;
            }
        }
    }
    by_context.into_iter().map(|(text, _)| text).collect()
}

/// Returns a script that passes data to the report's main script.
pub(super) fn script(name: &str, data: &impl Serialize) -> Result<String> {
    Ok(format!("pulpcov(\"{name}\",{})\n", json(data)?))
}

/// Returns JSON that can be part of a script.
pub(super) fn json(data: &impl Serialize) -> Result<String> {
    Ok(escape::json(data)?)
}
