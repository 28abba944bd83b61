//! Paths of measured files: aliases that give a file of several machines one name, the patterns of
//! `include` and `omit`, and Python's `os.path` on bytes.
//!
//! A data file names its source files as the machine that wrote it saw them. That machine may have
//! run Windows, or had another checkout. On this machine, folder names need not be UTF-8. So a path
//! in this module is `&[u8]`, and both kinds of slash separate its parts. Only a path that names
//! something on this machine is passed to [`std::path`].
//!
//! The rules are those of coverage.py's `coverage/files.py` on a POSIX host:
//!
//! - [`PathAliases`] maps a path by the rules of the `[paths]` section.
//! - [`GlobMatcher`], [`TreeMatcher`] and [`ModuleMatcher`] choose files and modules;
//!   [`prep_patterns`] adds the absolute form of their patterns.
//! - [`WorkingFolder`] is the folder that relative paths start from. This crate never asks the process
//!   for its current folder.
//! - [`isabs_anywhere`], [`normpath`] and similar functions need no folder.
//!
//! Python's paths are strings of characters; these paths are bytes. A byte that is not part of a
//! UTF-8 character counts as one character, as in Python (`surrogateescape`).
//!
//! # Examples
//!
//! ```
//! use pulpcov_core::paths::{PathAliases, WorkingFolder};
//!
//! let mut aliases = PathAliases::new(WorkingFolder::new("/work/shop"))
//!     .relative(true)
//!     .exists(|_| true);
//! aliases.add("/ci/*/src", "src")?;
//! assert_eq!(aliases.map(b"/ci/shard-7/src/cart.py"), b"src/cart.py");
//! assert_eq!(aliases.map(br"C:\ci\src\cart.py"), br"C:\ci\src\cart.py");
//! # Ok::<(), pulpcov_core::Error>(())
//! ```

mod aliases;
mod chars;
mod error;
mod glob;
mod patterns;
mod pypath;
mod pyregex;
#[cfg(test)]
mod tests;
mod working_folder;

pub use aliases::{MapEvent, PathAliases};
pub use patterns::{GlobMatcher, ModuleMatcher, TreeMatcher, prep_patterns};
#[cfg(feature = "report")]
pub(crate) use pypath::{extension, from_os, relpath, to_os};
pub use pypath::{isabs, isabs_anywhere, isabs_nt, normpath};
#[cfg(feature = "report")]
pub(crate) use working_folder::CanonicalNames;
pub use working_folder::WorkingFolder;
