//! How the cache of facts stores values.
//!
//! Public types do not implement serde's traits, because their stored form changes with their fields. A private type has
//! the same fields, and serde's `remote` makes it the form of the public one.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that the cache can store.
pub(crate) trait Stored: Sized {
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Writes or reads a value in its stored form.
pub(crate) struct AsStored<T>(pub(crate) T);

impl<T: Stored> Serialize for AsStored<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.store(serializer)
    }
}

impl<'de, T: Stored> Deserialize<'de> for AsStored<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::load(deserializer).map(Self)
    }
}

/// Lists of values, for `#[serde(with = "…")]`.
pub(super) mod list {
    use super::{AsStored, Deserialize, Deserializer, Serializer, Stored};

    pub(in crate::python) fn serialize<T: Stored, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(AsStored))
    }

    pub(in crate::python) fn deserialize<'de, T: Stored, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let values = Vec::<AsStored<T>>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|AsStored(value)| value).collect())
    }
}
