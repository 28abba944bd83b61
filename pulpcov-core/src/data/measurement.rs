//! What a data set measures.

/// The key of the metadata that says whether a data file holds arcs.
pub(crate) const HAS_ARCS: &str = "has_arcs";

/// The kind of rows in a data set, which never holds both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measurement {
    /// Line numbers: statement coverage.
    Lines,
    /// Line-to-line jumps: branch coverage.
    Arcs,
}
