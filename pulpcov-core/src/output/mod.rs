//! Replaces files completely or not at all.
//!
//! A new file is written in the folder of the old one and renamed once it is complete. A reader sees either
//! the whole old file or the whole new one. If writing fails, the old file is unchanged.
//!
//! A file that cannot be replaced this way is overwritten in place.

mod in_place;
mod replacement;
mod whole_file;

pub(crate) use in_place::{forbids_replacing, open_in_place};
pub(crate) use in_place::{is_mount_point, may_be_planted};
pub(crate) use replacement::{Replacement, limit_readers, without_path};
pub use whole_file::WholeFile;
#[cfg(feature = "report")]
pub(crate) use whole_file::{replace, replace_with};
