//! What one file has in each context.

use super::contexts::ContextId;
use super::{ArcSet, Numbits};

/// A set that can take another one in.
pub(crate) trait Union: Default {
    fn union_with(&mut self, other: &Self);
}

impl Union for Numbits {
    fn union_with(&mut self, other: &Self) {
        Self::union_with(self, other);
    }
}

impl Union for ArcSet {
    fn union_with(&mut self, other: &Self) {
        Self::union_with(self, other);
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

    /// Take entries in any order, equal ids included.
    #[cfg(feature = "sqlite")]
    pub(crate) fn from_unsorted(mut entries: Vec<(ContextId, T)>) -> Self {
        entries.sort_by_key(|entry| entry.0);
        let mut all = Self(entries);
        all.fold_equal_ids();
        all
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
        let behind =
            incoming.first().zip(self.0.last()).is_none_or(|(first, last)| first.0 > last.0);
        self.0.append(&mut incoming);
        if !behind {
            self.0.sort_by_key(|entry| entry.0);
            self.fold_equal_ids();
        }
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
