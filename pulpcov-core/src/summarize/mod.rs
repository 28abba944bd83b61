//! Makes a [`Summary`] from data and sources. Every report is written from a summary.
//!
//! [`Summarizer`] processes the files of a data set one by one, as coverage.py's `report_core.py`
//! does:
//!
//! 1. It chooses the files and their names: `naming`.
//! 2. It reads each source from wherever the caller keeps it: [`Sources`]. From the disk, it only
//!    reads what one of the users who named the file could read: `permission`.
//! 3. It finds the facts about the source, and what ran of it: [`python`](crate::python) and
//!    [`results`](crate::results).
//! 4. If a source cannot be read or parsed, it returns an error, or adds a [`Warning`] if errors
//!    are ignored.
//!
//! Files are analyzed on all cores, and the summary lists them in order. The
//! [`report`](crate::report)s only read the summary.

mod facts_cache;
mod naming;
#[cfg(unix)]
mod permission;
mod sources;
mod summarizer;
mod summary;
mod tree;
mod version;
mod warning;

pub use facts_cache::FactsCache;
pub use sources::{DiskSources, Sources};
pub use summarizer::{PluginLines, Progress, Summarizer, TracedFile};
pub use summary::{Detail, FileSummary, Summary};
pub use tree::SourceTree;
pub use version::PythonChoice;
pub use warning::{Unmatched, Warning};
