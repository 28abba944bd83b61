//! Data files on disk: told apart by content, read from every version, written for today's.
//!
//! | format | written by | read | write |
//! |---|---|---|---|
//! | JSON behind a sentence | coverage.py 4.0 to 4.5.4, 5.0a1 | [`json`] | [`json`] |
//! | SQLite schemas 1 to 6 | 5.0a2 to 5.0a6, and development versions | [`sqlite`] | |
//! | SQLite schema 7 | 5.0a7 and later | [`sqlite`] | [`sqlite`] |
//!
//! [`DataFile`] opens any of them. Pickles of 3.x, SQLite's journals and other strangers
//! are recognised and named in the error: see [`FileKind`].

mod companions;
mod data_file;
mod detect;
#[cfg(feature = "json")]
pub mod json;
mod limits;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub(crate) use companions::holds_data;
pub use companions::{companions, companions_of};
#[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
pub(crate) use data_file::input::READERS;
pub use data_file::{DataFile, Decoded, FileIdentity, read_bytes};
pub use detect::{FileKind, is_blank};
