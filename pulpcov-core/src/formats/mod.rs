//! Data files on disk. The content of a file tells its format. Every format since coverage.py 4.0 can be
//! read; today's format and that of 4.x can be written.
//!
//! | format | written by | read | write |
//! |---|---|---|---|
//! | JSON after a fixed sentence | coverage.py 4.0 to 4.5.4, 5.0a1 | [`json`] | [`json`] |
//! | SQLite schemas 1 to 6 | 5.0a2 to 5.0a6, and development versions | [`sqlite`] | |
//! | SQLite schema 7 | 5.0a7 and later | [`sqlite`] | [`sqlite`] |
//!
//! [`DataFile`] opens all of these formats. Files that are not data files, such as pickles of coverage.py 3.x
//! and SQLite's journals, are recognised, and the error names what they are: see [`FileKind`].

mod companions;
mod data_file;
mod detect;
pub mod json;
mod limits;
pub mod sqlite;

pub(crate) use companions::holds_data;
pub use companions::{companions, companions_of};
#[cfg(feature = "archives")]
pub(crate) use data_file::input::Input;
pub(crate) use data_file::input::READ_BITS;
pub use data_file::{DataFile, Decoded, FileIdentity, read_bytes};
#[cfg(feature = "archives")]
pub(crate) use data_file::{Origin, stranger, stranger_error};
#[cfg(feature = "archives")]
pub(crate) use detect::HEAD_LEN;
pub use detect::{FileKind, is_blank};
