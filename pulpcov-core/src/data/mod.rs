//! Measured data in memory: files, contexts, lines and arcs. No I/O.
//!
//! - [`Numbits`]: a set of line numbers, in coverage.py's bitmap format.
//! - [`ArcSet`]: a sorted set of line-to-line jumps.
//! - [`FilePath`]: a source path from a data file, which may come from another operating system.
//! - [`Authors`]: the users whose data files name a source path.
//! - [`CoverageData`]: all of this by file and context, with queries and [`merge`](CoverageData::merge).

mod arcs;
pub(crate) mod authors;
pub(crate) mod by_context;
pub(crate) mod contexts;
pub(crate) mod coverage_data;
#[cfg(feature = "combine")]
pub(crate) mod merging;
mod numbits;
pub(crate) mod path;
pub(crate) mod rows;
pub(crate) mod stored_text;

pub use arcs::{ArcSet, LineArc};
pub use authors::{Author, Authors};
pub use contexts::ContextSelection;
pub use coverage_data::{CoverageData, FileData, Measurement};
pub use numbits::Numbits;
pub use path::FilePath;

/// The largest line number that the readers accept, positive or negative.
///
/// coverage.py stores any integer. A data file is untrusted, and one hostile number would take a bitmap of
/// its size. Python files of four million lines do not exist.
pub const MAX_LINE: i32 = (1 << 22) - 1;
