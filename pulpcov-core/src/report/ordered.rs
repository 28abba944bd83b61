//! A map with the order of Python's `dict`: inserting an existing key replaces the value, and the
//! key keeps its place.

use std::collections::HashMap;
use std::hash::Hash;

/// Values in the order in which their keys were first inserted.
#[derive(Debug)]
pub(super) struct Ordered<K, V> {
    entries: Vec<(K, V)>,
    places: HashMap<K, usize>,
}

impl<K: Clone + Eq + Hash, V> Ordered<K, V> {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), places: HashMap::new() }
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.places.contains_key(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        let place = *self.places.entry(key.clone()).or_insert(self.entries.len());
        match self.entries.get_mut(place) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((key, value)),
        }
    }

    pub(super) fn into_entries(self) -> Vec<(K, V)> {
        self.entries
    }
}
