//! Files that are replaced as a whole.
//!
//! A new file is written beside the old one, and then gets its name. So whoever reads meanwhile has all of the old one
//! or all of the new one, and a file that cannot be written to its end leaves the old one as it was.

mod beside;
#[cfg(feature = "report")]
mod whole_file;

#[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
pub(crate) use beside::{Beside, folder_of, without_path};
#[cfg(feature = "report")]
pub use whole_file::WholeFile;
#[cfg(feature = "report")]
pub(crate) use whole_file::{replace, replace_with};
