//! Makes a [`Summary`] from data and sources. Every report is written from a summary.
//!
//! [`Summarizer`] processes the files of a data set one by one, as coverage.py's `report_core.py`
//! does:
//!
//! 1. It chooses the files (`file_choice`) and their names (`naming`). What it knows of files that a
//!    plugin traced is in `traced`.
//! 2. It reads each source from wherever the caller keeps it: [`Sources`]. From the disk, it only
//!    reads what one of the users who named the file could read: `permission`. If they are in
//!    another place than the data says, it finds them in a [`SourceTree`].
//! 3. It finds the facts about the source, and what ran of it (`worker`, with the `file_rows` of the
//!    data): [`python`](crate::python) and [`results`](crate::results). A [`FactsCache`] keeps facts
//!    between runs.
//!    What other tools measured is `joined`: lines that ran of the same files, and files of their own.
//! 4. It analyzes files again if they show that another `version` of Python ran them.
//! 5. It makes the [`Summary`] of the `outcome` of each file. If a source cannot be read or parsed,
//!    it returns an error, or adds a [`Warning`] if errors are ignored.
//!
//! Files are analyzed on all cores, and the summary lists them in order. The
//! [`report`](crate::report)s only read the summary.

mod facts_cache;
mod file_choice;
mod file_rows;
mod joined;
mod naming;
mod outcome;
#[cfg(unix)]
mod permission;
mod sources;
mod summarizer;
mod summary;
mod traced;
mod tree;
mod version;
mod warning;
mod worker;

pub use facts_cache::FactsCache;
pub use sources::{DiskSources, Sources};
pub use summarizer::{Progress, Summarizer};
pub use summary::{Detail, FileSummary, OtherFile, Summary};
pub use traced::{PluginLines, TracedFile};
pub use tree::SourceTree;
pub use version::PythonChoice;
pub use warning::{Unmatched, Warning};
