//! The rows of one file by context.

use super::contexts::ContextId;
use super::{ArcSet, LineArc, Numbits};

/// A set that can be merged with another set.
pub(crate) trait Union: Default {
    /// The type of the values in a run.
    type Value: 'static;

    fn union_with(&mut self, other: &Self);

    /// Adds runs of numbits, or of arcs in ascending order.
    fn union_with_runs<'r>(&mut self, runs: impl Iterator<Item = &'r [Self::Value]>);
}

impl Union for Numbits {
    type Value = u8;

    fn union_with(&mut self, other: &Self) {
        Self::union_with(self, other);
    }

    fn union_with_runs<'r>(&mut self, runs: impl Iterator<Item = &'r [u8]>) {
        runs.for_each(|bytes| self.union_with_bytes(bytes));
    }
}

impl Union for ArcSet {
    type Value = LineArc;

    fn union_with(&mut self, other: &Self) {
        Self::union_with(self, other);
    }

    fn union_with_runs<'r>(&mut self, mut runs: impl Iterator<Item = &'r [LineArc]>) {
        let Some(first) = runs.next() else { return };
        match runs.next() {
            None => self.union_with_ascending(first),
            // Several runs are joined and sorted only once.
            Some(second) => {
                let mut all = [first, second].concat();
                runs.for_each(|run| all.extend_from_slice(run));
                self.union_with(&all.into());
            }
        }
    }
}

/// The overhead of a set in memory, in bytes: its entry, and what the allocator adds.
pub(super) const SET_OVERHEAD: usize = 24 + 16;

/// One set per context, sorted by context id.
///
/// This is a sorted vector and not a map. An entry takes only its id and its set, and contexts that a merge
/// adds are mostly new ones with larger ids.
#[derive(Clone, Debug)]
pub(crate) struct ByContext<T>(Vec<(ContextId, T)>);

impl<T> Default for ByContext<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Union> ByContext<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ContextId, &T)> {
        self.0.iter().map(|(id, set)| (*id, set))
    }

    /// Adds `set` to the set of a context.
    pub(crate) fn add(&mut self, id: ContextId, set: T) {
        match self.0.last_mut() {
            Some(last) if last.0 == id => last.1.union_with(&set),
            Some(last) if last.0 > id => self.add_inside(id, set),
            _ => self.0.push((id, set)),
        }
    }

    fn add_inside(&mut self, id: ContextId, set: T) {
        match self.0.binary_search_by_key(&id, |entry| entry.0) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1.union_with(&set);
                }
            }
            Err(at) => self.0.insert(at, (id, set)),
        }
    }

    /// Adds all of `other` in one pass over both. `ids` translates the context ids of `other`.
    pub(crate) fn absorb(&mut self, other: Self, ids: &[ContextId]) {
        let mut incoming: Vec<(ContextId, T)> = other
            .0
            .into_iter()
            .filter_map(|(old, set)| Some((*ids.get(old.index())?, set)))
            .collect();
        incoming.sort_by_key(|entry| entry.0);
        if !self.append(incoming) {
            self.merge_equal_ids();
        }
    }

    /// Adds runs of rows, sorted by context id. Sets of contexts that are known are merged in place.
    pub(crate) fn absorb_runs<'r>(
        &mut self,
        contexts: impl Iterator<Item = (ContextId, impl Iterator<Item = &'r [T::Value]>)>,
    ) {
        let mut new = Vec::new();
        let mut from = 0;
        for (id, runs) in contexts {
            let rest = self.0.get_mut(from..).unwrap_or_default();
            from += rest.partition_point(|entry| entry.0 < id);
            match self.0.get_mut(from) {
                Some((known, set)) if *known == id => set.union_with_runs(runs),
                _ => {
                    let mut set = T::default();
                    set.union_with_runs(runs);
                    new.push((id, set));
                }
            }
        }
        self.append(new);
    }

    /// Adds sorted entries, and keeps all entries sorted. Returns whether all new ids are larger than the
    /// existing ones.
    fn append(&mut self, mut entries: Vec<(ContextId, T)>) -> bool {
        if self.0.is_empty() {
            self.0 = entries;
            return true;
        }
        let is_after =
            entries.first().zip(self.0.last()).is_none_or(|(first, last)| first.0 > last.0);
        self.0.append(&mut entries);
        if !is_after {
            self.0.sort_by_key(|entry| entry.0);
        }
        is_after
    }

    fn merge_equal_ids(&mut self) {
        self.0.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1.union_with(&later.1);
            }
            same
        });
    }

    /// Replaces each id by the entry at its index of `ids`.
    pub(crate) fn renumber(&mut self, ids: &[ContextId]) {
        for (id, _) in &mut self.0 {
            *id = ids.get(id.index()).copied().unwrap_or(*id);
        }
        self.0.sort_unstable_by_key(|entry| entry.0);
    }

    /// Replaces everything by one set in one context.
    pub(crate) fn flatten(&mut self, id: ContextId) {
        let mut all = T::default();
        let had_rows = !self.0.is_empty();
        for (_, set) in self.0.drain(..) {
            all.union_with(&set);
        }
        if had_rows {
            self.0.push((id, all));
        }
    }
}
