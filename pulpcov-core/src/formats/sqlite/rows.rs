//! Rows on their way from tables to a data set, by whichever path they are read.

use std::collections::{BTreeMap, HashMap};

use crate::data::contexts::{ContextId, ContextTable};
use crate::data::{LineArc, Numbits};

/// What becomes of contexts while rows are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Contexts {
    /// Each is kept apart.
    #[default]
    Kept,
    /// All become the unnamed one, as by [`CoverageData::drop_contexts`](crate::CoverageData::drop_contexts).
    Merged,
}

/// What each file has in each context.
pub(super) type ByFile<T> = Vec<Vec<(ContextId, T)>>;

/// What is in a data file's tables, but for its files.
pub(super) struct Rows {
    pub(super) contexts: ContextTable,
    pub(super) lines: ByFile<Numbits>,
    pub(super) arcs: ByFile<Vec<LineArc>>,
    /// By the number of the file.
    pub(super) tracers: HashMap<usize, Box<str>>,
    pub(super) meta: BTreeMap<String, String>,
    /// Rows that name no known file or context.
    pub(super) orphans: u64,
}

/// From the ids of rows to what they stand for.
pub(super) struct Ids<T> {
    /// Mostly the ids are 1, 2, 3, …: by id.
    dense: Vec<Option<T>>,
    sparse: HashMap<i64, T>,
}

impl<T: Copy> Ids<T> {
    /// Of equal ids the last counts.
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

/// Rows of single values, gathered by file and context; consecutive rows mostly share both.
pub(super) struct Runs<T> {
    by_file: ByFile<Vec<T>>,
}

impl<T> Runs<T> {
    pub(super) fn new(files: usize) -> Self {
        Self { by_file: std::iter::repeat_with(Vec::new).take(files).collect() }
    }

    pub(super) fn push(&mut self, file: usize, context: ContextId, value: T) {
        let Some(runs) = self.by_file.get_mut(file) else { return };
        match runs.last_mut() {
            Some((last, values)) if *last == context => values.push(value),
            _ => runs.push((context, vec![value])),
        }
    }

    pub(super) fn append(&mut self, file: usize, context: ContextId, mut values: Vec<T>) {
        let Some(runs) = self.by_file.get_mut(file) else { return };
        match runs.last_mut() {
            Some((last, before)) if *last == context => before.append(&mut values),
            _ => runs.push((context, values)),
        }
    }

    /// One run a file and context.
    pub(super) fn finish(mut self) -> ByFile<Vec<T>> {
        for runs in &mut self.by_file {
            runs.sort_by_key(|run| run.0);
            runs.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    earlier.1.append(&mut later.1);
                }
                same
            });
        }
        self.by_file
    }
}

/// The lines of each file in all contexts together.
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

    pub(super) fn absorb(&mut self, other: Self) {
        for (file, total) in other.0.into_iter().enumerate() {
            if let Some(total) = total {
                self.add(file, total.as_bytes());
            }
        }
    }

    /// What each file has in the one context.
    pub(super) fn finish(self, context: ContextId) -> ByFile<Numbits> {
        let of_file = |total: Option<Numbits>| total.into_iter().map(|lines| (context, lines));
        self.0.into_iter().map(|total| of_file(total).collect()).collect()
    }
}

/// The arcs of each file in all contexts together.
pub(super) struct ArcTotals(Vec<ArcTotal>);

#[derive(Clone, Default)]
struct ArcTotal {
    /// Sorted and without duplicates up to `known`.
    arcs: Vec<LineArc>,
    known: usize,
}

impl ArcTotal {
    /// How many arcs are added before they are sorted in.
    const BATCH: usize = 256;

    fn add(&mut self, arcs: &[LineArc]) {
        // Most contexts run what others ran: those arcs are found where the last one was, or close behind.
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
        // Sorted runs behind each other, which a stable sort makes use of.
        self.arcs.sort();
        self.arcs.dedup();
        self.known = self.arcs.len();
    }
}

/// What of `all` is not below `arc`, searched from `from` on if that is not above it.
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

    pub(super) fn absorb(&mut self, other: Self) {
        for (file, total) in other.0.into_iter().enumerate() {
            self.add(file, &total.arcs);
        }
    }

    /// What each file has in the one context.
    pub(super) fn finish(self, context: ContextId) -> ByFile<Vec<LineArc>> {
        let of_file = |mut total: ArcTotal| {
            total.sort();
            match total.arcs.is_empty() {
                true => Vec::new(),
                false => vec![(context, total.arcs)],
            }
        };
        self.0.into_iter().map(of_file).collect()
    }
}
