//! Data and sources into a [`Summary`]: what every report is made of.
//!
//! [`Summarizer`] goes from file to file of a data set, as coverage.py's `report_core.py` does:
//!
//! 1. which files, under which names: `naming`;
//! 2. their text, from wherever an embedder keeps it: [`Sources`]; from the disk, only what those who named a file
//!    could read: `permission`;
//! 3. facts about the text, and what ran of it: [`python`](crate::python) and [`results`](crate::results);
//! 4. what cannot be read or parsed is an error, or, if it is to be ignored, a [`Warning`].
//!
//! Files are analysed on all cores and come out in order. The [`report`](crate::report)s read the
//! result, and nothing else.

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
