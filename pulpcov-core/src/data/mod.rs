//! What ran: files, contexts, lines and arcs, in memory. No I/O.
//!
//! - [`Numbits`]: a set of line numbers, coverage.py's bitmap.
//! - [`ArcSet`]: a sorted set of line-to-line jumps.
//! - [`FilePath`]: a source path as the data file has it, which may come from another operating system.
//! - [`Authors`]: whose data files name a source path.
//! - [`CoverageData`]: all of it, by file and context; queries and [`merge`](CoverageData::merge).

mod arcs;
pub(crate) mod authors;
pub(crate) mod by_context;
pub(crate) mod contexts;
pub(crate) mod coverage_data;
#[cfg(feature = "sqlite")]
pub(crate) mod merging;
mod numbits;
pub(crate) mod path;
#[cfg(feature = "sqlite")]
pub(crate) mod rows;
pub(crate) mod stored_text;

pub use arcs::{ArcSet, LineArc};
pub use authors::{Author, Authors};
pub use contexts::ContextSelection;
pub use coverage_data::{CoverageData, FileData, Measurement};
pub use numbits::Numbits;
pub use path::FilePath;

/// The largest line number that the readers accept, in either direction.
///
/// coverage.py stores any integer; a data file comes from outside, and one hostile
/// number would cost a bitmap of its size. Python files of four million lines do not exist.
pub const MAX_LINE: u32 = (1 << 22) - 1;
