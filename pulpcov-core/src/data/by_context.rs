//! What one file has in each context.

use super::contexts::ContextId;
use super::{ArcSet, LineArc, Numbits};

/// A set that can take another one in.
pub(crate) trait Union: Default {
    /// What its rows are read as.
    type Value: 'static;

    fn union_with(&mut self, other: &Self);

    /// Take in numbits, or arcs that ascend.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "only databases have runs"))]
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
            // However many they are, they are sorted once.
            Some(second) => {
                let mut all = [first, second].concat();
                runs.for_each(|run| all.extend_from_slice(run));
                self.union_with(&all.into());
            }
        }
    }
}

/// One set a context, sorted by context id.
///
/// A sorted vector and not a map: an entry costs its id and its set, and contexts that a
/// merge brings in are mostly new ones, which sort behind all others.
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

    /// Add `set` to what the context has.
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

    /// Add all of `other`, whose context ids are translated by `ids`: one pass over both.
    pub(crate) fn absorb(&mut self, other: Self, ids: &[ContextId]) {
        let mut incoming: Vec<(ContextId, T)> = other
            .0
            .into_iter()
            .filter_map(|(old, set)| Some((*ids.get(old.index())?, set)))
            .collect();
        incoming.sort_by_key(|entry| entry.0);
        if !self.append(incoming) {
            self.fold_equal_ids();
        }
    }

    /// Add runs of rows, contexts in the order of their ids: what is known already is merged in place.
    #[cfg(feature = "sqlite")]
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

    /// Add sorted entries, and sort; whether all of them are behind what was there.
    fn append(&mut self, mut entries: Vec<(ContextId, T)>) -> bool {
        if self.0.is_empty() {
            self.0 = entries;
            return true;
        }
        let behind =
            entries.first().zip(self.0.last()).is_none_or(|(first, last)| first.0 > last.0);
        self.0.append(&mut entries);
        if !behind {
            self.0.sort_by_key(|entry| entry.0);
        }
        behind
    }

    fn fold_equal_ids(&mut self) {
        self.0.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1.union_with(&later.1);
            }
            same
        });
    }

    /// Replace each id by another one.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn renumber(&mut self, ids: &[ContextId]) {
        for (id, _) in &mut self.0 {
            *id = ids.get(id.index()).copied().unwrap_or(*id);
        }
        self.0.sort_unstable_by_key(|entry| entry.0);
    }

    /// Replace everything by one set in one context.
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
