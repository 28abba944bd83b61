//! The functions and classes of a file.

use ordermap::OrderMap;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::HashSet;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde::ser::Serializer;

use super::branches::Branches;
use super::contexts::Contexts;
use super::counts::Counts;
use super::settings::RenderSettings;
use crate::python::{Facts, Region, RegionKind};
use crate::results::{Analysis, RegionSplitter};

#[derive(Serialize)]
pub(super) struct Regions<'a> {
    functions: NamedRegions<'a>,
    classes: NamedRegions<'a>,
}

impl<'a> Regions<'a> {
    pub(super) fn new(facts: &'a Facts, analysis: &Analysis, settings: RenderSettings<'a>) -> Self {
        Self {
            functions: NamedRegions::new(facts, analysis, RegionKind::Function, settings),
            classes: NamedRegions::new(facts, analysis, RegionKind::Class, settings),
        }
    }
}

/// The regions of a file by name. The empty name stands for the lines outside of all regions.
struct NamedRegions<'a> {
    /// The name of each region, and the index of its part.
    names: Vec<(Cow<'a, str>, usize)>,
    parts: Vec<RegionPart<'a>>,
    settings: RenderSettings<'a>,
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
        settings: RenderSettings<'a>,
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
            settings.contexts.map(|of_file| Contexts::of_parts(of_file, &lines).into_iter());
        let part = |(analysis, start)| RegionPart {
            analysis,
            contexts: contexts.as_mut().and_then(Iterator::next),
            start,
        };
        Self { names, parts: parts.into_iter().zip(starts).map(part).collect(), settings }
    }

    fn entries(&self) -> impl Iterator<Item = (&str, RegionData<'_>)> {
        self.names.iter().filter_map(|(name, place)| {
            Some((&**name, RegionData::new(self.parts.get(*place)?, self.settings)))
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
    let mut named = OrderMap::new();
    for (place, (region, part)) in regions.iter().zip(parts).enumerate() {
        let mut name = Cow::Borrowed(region.name());
        let is_for_another = || !has_statements(part) && with_statements.contains(region.name());
        if named.contains_key(&name) || is_for_another() {
            name = format!("{name}@{}", region.start()).into();
        }
        named.insert(name, place);
    }
    named.into_iter().collect()
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
    fn new(part: &'a RegionPart<'a>, settings: RenderSettings<'a>) -> Self {
        let analysis = &part.analysis;
        Self {
            executed_lines: analysis.executed(),
            summary: settings.counts(analysis),
            missing_lines: analysis.missing(),
            excluded_lines: analysis.excluded(),
            start_line: part.start,
            contexts: part.contexts.as_ref(),
            branches: Branches::new(analysis),
        }
    }
}
