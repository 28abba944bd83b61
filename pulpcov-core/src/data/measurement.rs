//! What a data set measures.

/// The kind of rows in a data set, which never holds both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measurement {
    /// Line numbers: statement coverage.
    Lines,
    /// Line-to-line jumps: branch coverage.
    Arcs,
}
