//! Types for rows on their way from the tables to a data set, whether SQLite reads the tables or not.

use std::collections::HashMap;

use crate::data::contexts::ContextId;
use crate::data::rows::Runs;
use crate::data::{LineArc, Numbits};

/// What to do with contexts while rows are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Contexts {
    /// Keep each context apart.
    #[default]
    Kept,
    /// Merge all contexts into the unnamed one, as
    /// [`CoverageData::drop_contexts`](crate::CoverageData::drop_contexts) does.
    Merged,
}

impl Contexts {
    pub(crate) fn merged_if(merged: bool) -> Self {
        if merged { Self::Merged } else { Self::Kept }
    }
}

/// A map from the ids of rows to what they stand for.
pub(super) struct Ids<T> {
    /// The values by id. Ids mostly are 1, 2, 3, and so on.
    dense: Vec<Option<T>>,
    sparse: HashMap<i64, T>,
}

impl<T: Copy> Ids<T> {
    /// Makes a map. If an id occurs more than once, the last value counts.
    pub(super) fn new(ids: Vec<(i64, T)>) -> Self {
        let len = ids.len() * 2 + 64;
        let mut dense = vec![None; len];
        let mut sparse = HashMap::new();
        for (id, value) in ids {
            match usize::try_from(id).ok().and_then(|id| dense.get_mut(id)) {
                Some(place) => *place = Some(value),
                None => drop(sparse.insert(id, value)),
            }
        }
        Self { dense, sparse }
    }

    #[inline]
    pub(super) fn get(&self, id: i64) -> Option<T> {
        match usize::try_from(id).ok().and_then(|id| self.dense.get(id)) {
            Some(place) => *place,
            None => self.sparse.get(&id).copied(),
        }
    }
}

/// What is wanted of the rows of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted {
    #[default]
    Everything,
    /// The first line, and perhaps more. Copying the other lines takes longer than anything else.
    FirstLine,
    Nothing,
}

/// A map from the ids of files to their indexes, and what is wanted of the files' rows.
pub(super) struct FileIds {
    ids: Ids<usize>,
    /// By index; everything is wanted of files beyond the end.
    wanted: Vec<Wanted>,
}

impl FileIds {
    pub(super) fn new(ids: Vec<(i64, usize)>) -> Self {
        Self { ids: Ids::new(ids), wanted: Vec::new() }
    }

    /// Limits what is wanted of each file, by index.
    pub(super) fn limit(&mut self, limits: impl ExactSizeIterator<Item = Wanted>) {
        self.wanted.resize(self.wanted.len().max(limits.len()), Wanted::Everything);
        for (wanted, limit) in self.wanted.iter_mut().zip(limits) {
            if *wanted != Wanted::Nothing {
                *wanted = limit;
            }
        }
    }

    #[inline]
    pub(super) fn get(&self, id: i64) -> Option<usize> {
        self.ids.get(id)
    }

    #[inline]
    pub(super) fn is_wanted(&self, file: usize) -> bool {
        self.wanted_of(file) != Wanted::Nothing
    }

    fn wanted_of(&self, file: usize) -> Wanted {
        self.wanted.get(file).copied().unwrap_or_default()
    }

    /// Returns what is wanted of a numbits.
    #[inline]
    pub(super) fn wanted_part<'b>(&self, file: usize, numbits: &'b [u8]) -> Option<&'b [u8]> {
        match self.wanted_of(file) {
            Wanted::Everything => Some(numbits),
            Wanted::FirstLine => {
                let end = numbits.iter().position(|&byte| byte != 0).map_or(0, |at| at + 1);
                numbits.get(..end)
            }
            Wanted::Nothing => None,
        }
    }
}

/// The union of the lines of each file over all contexts.
pub(super) struct LineTotals(Vec<Option<Numbits>>);

impl LineTotals {
    pub(super) fn new(files: usize) -> Self {
        Self(vec![None; files])
    }

    pub(super) fn add(&mut self, file: usize, numbits: &[u8]) {
        if let Some(total) = self.0.get_mut(file) {
            total.get_or_insert_default().union_with_bytes(numbits);
        }
    }

    /// Returns the lines of each file, all in `context`.
    pub(super) fn finish(self, context: ContextId) -> Runs<u8> {
        let mut runs = Runs::default();
        for (file, total) in self.0.into_iter().enumerate() {
            if let Some(lines) = total {
                runs.push(file, context, lines.as_bytes());
            }
        }
        runs
    }
}

/// The union of the arcs of each file over all contexts.
pub(super) struct ArcTotals(Vec<ArcTotal>);

#[derive(Clone, Default)]
struct ArcTotal {
    /// The first `known` arcs are sorted and without duplicates.
    arcs: Vec<LineArc>,
    known: usize,
}

impl ArcTotal {
    /// The minimum number of arcs to add before they are sorted in.
    const BATCH: usize = 256;

    fn add(&mut self, arcs: &[LineArc]) {
        // Most contexts run what other contexts have run. Such an arc is found where the last one was, or
        // soon after.
        let (known, _) = self.arcs.split_at_checked(self.known).unwrap_or_default();
        let mut rest = known;
        let mut new = Vec::new();
        for arc in arcs {
            rest = skip_below(rest, known, arc);
            if rest.first() != Some(arc) {
                new.push(*arc);
            }
        }
        self.arcs.append(&mut new);
        if self.arcs.len() - self.known > Self::BATCH.max(self.known / 2) {
            self.sort();
        }
    }

    fn sort(&mut self) {
        // The arcs consist of sorted runs, which a stable sort makes use of.
        self.arcs.sort();
        self.arcs.dedup();
        self.known = self.arcs.len();
    }
}

/// Returns the arcs of `all` that are not less than `arc`. Looks at the start of `from` first, then searches
/// all of `all`.
fn skip_below<'a>(from: &'a [LineArc], all: &'a [LineArc], arc: &LineArc) -> &'a [LineArc] {
    match from {
        [first, ..] if first == arc => from,
        [first, second, ..] if first < arc && arc <= second => from.get(1..).unwrap_or_default(),
        _ => {
            let at = all.partition_point(|known| known < arc);
            all.get(at..).unwrap_or_default()
        }
    }
}

impl ArcTotals {
    pub(super) fn new(files: usize) -> Self {
        Self(vec![ArcTotal::default(); files])
    }

    pub(super) fn add(&mut self, file: usize, arcs: &[LineArc]) {
        if let Some(total) = self.0.get_mut(file) {
            total.add(arcs);
        }
    }

    /// Returns the arcs of each file, all in `context`.
    pub(super) fn finish(self, context: ContextId) -> Runs<LineArc> {
        let mut runs = Runs::default();
        for (file, mut total) in self.0.into_iter().enumerate() {
            total.sort();
            if !total.arcs.is_empty() {
                runs.push(file, context, &total.arcs);
            }
        }
        runs
    }
}
