//! The facts as one JSON object, for comparison with coverage.py.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Facts;

/// The facts that `pulpcov debug analyze` writes about a file that parses.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::{AnalyzeOptions, FactsJson, PythonSource};
///
/// let facts = PythonSource::decode(b"import os\n")?.analyze(&AnalyzeOptions::new()?)?;
/// let json = serde_json::to_string(&FactsJson::new(&facts)).unwrap();
/// assert!(json.starts_with(r#"{"statements":[1],"excluded":[],"multiline":{},"arcs":[[1,-1]]"#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactsJson {
    statements: Vec<i32>,
    excluded: Vec<i32>,
    multiline: BTreeMap<i32, i32>,
    arcs: Vec<(i32, i32)>,
    /// Only lines with more than one exit.
    exits: BTreeMap<i32, usize>,
    no_branch: Vec<i32>,
    /// Kind, name, start, first line, last line, number of lines.
    regions: Vec<(&'static str, String, i32, i32, i32, usize)>,
    /// Sentences about the arcs that leave lines with more than one exit.
    arc_text: BTreeMap<ArcKey, String>,
}

impl FactsJson {
    /// Copies the facts.
    pub fn new(facts: &Facts) -> Self {
        let exits: BTreeMap<i32, usize> = facts.exit_counts().iter().copied().collect();
        let mut regions: Vec<_> = facts
            .regions()
            .iter()
            .map(|region| {
                let first = region.lines().next().unwrap_or_default();
                let last = region.ranges().last().map_or(0, |range| *range.end());
                let kind = region.kind().as_str();
                (kind, region.name().to_owned(), region.start(), first, last, region.line_count())
            })
            .collect();
        regions.sort();
        let arc_text = facts
            .arcs()
            .iter()
            .filter(|(from, _)| exits.contains_key(from))
            .map(|&(from, to)| (ArcKey(from, to), facts.missing_arc_description(from, to)))
            .collect();
        Self {
            statements: facts.statements().to_vec(),
            excluded: facts.excluded().to_vec(),
            multiline: facts.multiline().collect(),
            arcs: facts.arcs().to_vec(),
            exits,
            no_branch: facts.no_branch().to_vec(),
            regions,
            arc_text,
        }
    }
}

/// An arc as the key of a JSON object, such as `1,2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ArcKey(i32, i32);

impl Serialize for ArcKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{},{}", self.0, self.1))
    }
}
