//! The contexts of a data set. Each name is stored once.

use std::collections::HashMap;
use std::sync::Arc;

use super::stored_text::StoredText;

/// The index of a context in the [`ContextTable`] of its data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ContextId(u32);

impl ContextId {
    /// The only id of a table with one context.
    pub(crate) const ONLY: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns the id with this index.
    pub(crate) fn at(index: u64) -> Option<Self> {
        u32::try_from(index).ok().map(Self)
    }

    /// Returns the first `count` ids, each at its own index. As a translation of ids, this changes nothing.
    pub(crate) fn identity(count: usize) -> Vec<Self> {
        (0..count as u32).map(Self).collect()
    }
}

/// Context names and their ids, in the order of first appearance.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContextTable {
    names: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, ContextId>,
}

impl ContextTable {
    /// Returns the id of `name`, which is added if it is new.
    pub(crate) fn intern(&mut self, name: StoredText<'_>) -> ContextId {
        match self.ids.get(name.as_str()) {
            Some(&id) => id,
            None => self.add(name.as_str().into()),
        }
    }

    /// Returns the id of a name from another table.
    pub(crate) fn intern_shared(&mut self, name: &Arc<str>) -> ContextId {
        self.intern(StoredText::from_checked(name))
    }

    /// Adds all names of `other`. Returns the new ids by old id.
    pub(crate) fn absorb(&mut self, other: Self) -> Vec<ContextId> {
        if self.names.is_empty() {
            let ids = ContextId::identity(other.len());
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

    /// Returns the names by id.
    pub(crate) fn shared_names(&self) -> Vec<Arc<str>> {
        self.names.clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns the ids sorted by name, for output that does not depend on the order of addition.
    pub(crate) fn sorted_ids(&self) -> Vec<ContextId> {
        let mut ids = ContextId::identity(self.len());
        ids.sort_unstable_by_key(|&id| self.name(id));
        ids
    }
}

impl ContextTable {
    /// Renumbers the contexts in the order of their names. Returns the new ids by old id.
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

/// A selection of the contexts of a data set, for queries.
///
/// [`CoverageData::select_contexts`](crate::CoverageData::select_contexts) creates it. It is valid for that
/// data set only, until contexts are added or removed.
#[derive(Clone, Debug)]
pub struct ContextSelection(pub(super) Vec<bool>);

impl ContextSelection {
    pub(super) fn contains(&self, id: ContextId) -> bool {
        self.0.get(id.index()).copied().unwrap_or(false)
    }

    /// Returns the number of contexts that are selected.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::CoverageData;
    ///
    /// let mut data = CoverageData::new();
    /// for test in ["test_add", "test_sub", "setup"] {
    ///     data.touch_context(test)?;
    /// }
    /// assert_eq!(data.select_contexts(|name| name.starts_with("test_")).len(), 2);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.0.iter().filter(|&&selected| selected).count()
    }

    /// Returns whether no context is selected.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::CoverageData;
    ///
    /// let mut data = CoverageData::new();
    /// data.touch_context("test_add")?;
    /// assert!(data.select_contexts(|name| name == "test_sub").is_empty());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }
}
