//! The contexts of a data set, each name held once.

use std::collections::HashMap;
use std::sync::Arc;

use super::stored_text::StoredText;

/// A context's place in the [`ContextTable`] of its data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ContextId(u32);

impl ContextId {
    /// The only one, where there is one context.
    #[cfg(feature = "sqlite")]
    pub(crate) const ONLY: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    /// The id of that index.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn at(index: u64) -> Option<Self> {
        u32::try_from(index).ok().map(Self)
    }

    /// The first `count` ids, each at its own index: the translation that changes nothing.
    pub(crate) fn first(count: usize) -> Vec<Self> {
        (0..count as u32).map(Self).collect()
    }
}

/// Context names and their ids, in order of first appearance.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContextTable {
    names: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, ContextId>,
}

impl ContextTable {
    /// The id of `name`, which is added if it is new.
    pub(crate) fn intern(&mut self, name: StoredText<'_>) -> ContextId {
        match self.ids.get(name.as_str()) {
            Some(&id) => id,
            None => self.add(name.as_str().into()),
        }
    }

    /// Returns the id of a name from another table.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn intern_shared(&mut self, name: &Arc<str>) -> ContextId {
        self.intern(StoredText::kept(name))
    }

    /// Add all of `other`; at the index of an old id is the new one.
    pub(crate) fn absorb(&mut self, other: Self) -> Vec<ContextId> {
        if self.names.is_empty() {
            let ids = ContextId::first(other.len());
            *self = other;
            return ids;
        }
        let new_id = |name: Arc<str>| match self.ids.get(&name) {
            Some(&id) => id,
            None => self.add(name),
        };
        other.names.into_iter().map(new_id).collect()
    }

    fn add(&mut self, name: Arc<str>) -> ContextId {
        let id = ContextId(self.names.len() as u32);
        self.names.push(Arc::clone(&name));
        self.ids.insert(name, id);
        id
    }

    pub(crate) fn name(&self, id: ContextId) -> &str {
        self.names.get(id.index()).map_or("", |name| name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The names by id.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn shared_names(&self) -> Vec<Arc<str>> {
        self.names.clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Ids in the order of their names, for output that does not depend on who came first.
    #[cfg(feature = "sqlite")]
    pub(crate) fn sorted_ids(&self) -> Vec<ContextId> {
        let mut ids = ContextId::first(self.len());
        ids.sort_unstable_by_key(|&id| self.name(id));
        ids
    }
}

#[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
impl ContextTable {
    /// Give ids in the order of the names; at the index of an old id is the new one.
    pub(crate) fn sort(&mut self) -> Vec<ContextId> {
        let order = self.sorted_ids();
        let mut new_ids = order.clone();
        for (new, old) in (0..).map(ContextId).zip(&order) {
            if let Some(id) = new_ids.get_mut(old.index()) {
                *id = new;
            }
        }
        self.names = order.iter().filter_map(|old| self.names.get(old.index()).cloned()).collect();
        for id in self.ids.values_mut() {
            *id = new_ids.get(id.index()).copied().unwrap_or(*id);
        }
        new_ids
    }
}

/// Some of the contexts of one data set, to narrow queries to.
///
/// Made by [`CoverageData::select_contexts`](crate::CoverageData::select_contexts), and
/// meaningful for that data set as it was then.
#[derive(Clone, Debug)]
pub struct ContextSelection(pub(super) Vec<bool>);

impl ContextSelection {
    pub(super) fn contains(&self, id: ContextId) -> bool {
        self.0.get(id.index()).copied().unwrap_or(false)
    }

    /// How many contexts are selected.
    pub fn len(&self) -> usize {
        self.0.iter().filter(|&&selected| selected).count()
    }

    /// Is no context selected?
    pub fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }
}
