//! Measured data in memory: files, contexts, lines and arcs. No I/O.
//!
//! - [`Numbits`]: a set of line numbers, in coverage.py's bitmap format.
//! - [`ArcSet`]: a sorted set of line-to-line jumps.
//! - [`FilePath`]: a source path from a data file, which may come from another operating system.
//! - [`Authors`]: the users whose data files name a source path.
//! - [`CoverageData`]: all of this by file and context, with queries and [`merge`](CoverageData::merge).
//!
//! A data set is built from these modules:
//!
//! - `stored_text`: the text that a data file can hold;
//! - `contexts`: the names of contexts, each stored once;
//! - `by_context`: the lines or arcs of one file by context;
//! - `file_record`: a file with its rows, and `file_data`: what a user of the crate sees of it;
//! - `measurement`: whether a data set holds lines or arcs;
//! - `coverage_data`: the data set, `queries` of its rows, and how to `transform` all of it;
//! - `conflict`: the errors of data that contradicts other data;
//! - `rows`: the content of a data file on its way into a data set;
//! - `merging`: the union of many data files in a combine;
//! - `ran_by`: which contexts ran each file, without their lines.

mod arcs;
pub(crate) mod authors;
pub(crate) mod by_context;
mod conflict;
pub(crate) mod contexts;
mod coverage_data;
mod file_data;
pub(crate) mod file_record;
pub(crate) mod measurement;
#[cfg(feature = "combine")]
pub(crate) mod merging;
mod numbits;
pub(crate) mod path;
mod queries;
#[cfg(feature = "combine")]
mod ran_by;
pub(crate) mod rows;
pub(crate) mod stored_text;
mod transform;

pub use arcs::{ArcSet, LineArc};
pub use authors::{Author, Authors};
pub use contexts::ContextSelection;
pub use coverage_data::CoverageData;
pub use file_data::FileData;
pub use measurement::Measurement;
pub use numbits::Numbits;
pub use path::FilePath;
#[cfg(feature = "combine")]
pub use ran_by::RanBy;

/// The largest line number that the readers accept, positive or negative.
///
/// coverage.py stores any integer. A data file is untrusted, and one hostile number would take a bitmap of
/// its size. Python files of four million lines do not exist.
pub const MAX_LINE: i32 = (1 << 22) - 1;
