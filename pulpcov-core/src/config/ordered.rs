//! A map that keeps its keys in the order of their first insertion.

use std::collections::BTreeMap;

/// A map from text keys to values that keeps insertion order, like a Python `dict`.
///
/// `[paths]` depends on the order: the first entry that matches a path decides.
///
/// # Examples
///
/// ```
/// use pulpcov_core::config::OrderedMap;
///
/// let map = OrderedMap::from_iter([("source", 1), ("other", 2), ("source", 3)]);
/// assert_eq!(map.iter().collect::<Vec<_>>(), [("source", &3), ("other", &2)]);
/// assert_eq!(map.get("other"), Some(&2));
/// ```
#[derive(Debug, Clone)]
pub struct OrderedMap<V> {
    entries: Vec<(String, V)>,
    places: BTreeMap<String, usize>,
}

impl<V> OrderedMap<V> {
    /// Creates an empty map.
    pub fn new() -> Self {
        Self { entries: Vec::new(), places: BTreeMap::new() }
    }

    /// Sets the value of `key`. A key that is already in the map keeps its place.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::OrderedMap;
    ///
    /// let mut map = OrderedMap::from_iter([("one", 1), ("two", 2)]);
    /// map.insert("one", 10);
    /// assert_eq!(map.iter().collect::<Vec<_>>(), [("one", &10), ("two", &2)]);
    /// ```
    pub fn insert(&mut self, key: impl Into<String>, value: V) {
        let key = key.into();
        match self.places.get(&key) {
            Some(&place) => self.entries[place].1 = value,
            None => {
                self.places.insert(key.clone(), self.entries.len());
                self.entries.push((key, value));
            }
        }
    }

    /// Returns the value of `key`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::OrderedMap;
    ///
    /// let map = OrderedMap::from_iter([("one", 1)]);
    /// assert_eq!(map.get("one"), Some(&1));
    /// assert_eq!(map.get("two"), None);
    /// ```
    pub fn get(&self, key: &str) -> Option<&V> {
        self.places.get(key).map(|&place| &self.entries[place].1)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.places.get(key).map(|&place| &mut self.entries[place].1)
    }

    /// Returns whether `key` has a value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the map is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the keys and values in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::OrderedMap;
    ///
    /// let map = OrderedMap::from_iter([("b", 1), ("a", 2)]);
    /// assert_eq!(map.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["b", "a"]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Returns the values in order, mutable.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }
}

impl<V> Default for OrderedMap<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Maps are equal if they have the same entries in the same order. The order counts because it
/// decides how a path is mapped.
impl<V: PartialEq> PartialEq for OrderedMap<V> {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<K: Into<String>, V> FromIterator<(K, V)> for OrderedMap<V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}
