//! Paths of measured files: aliases that make the paths of several machines one,
//! the patterns of `include` and `omit`, and Python's `os.path` on bytes.
//!
//! A data file names its sources as the machine that wrote it saw them. That may
//! have been Windows, or another checkout. On this machine, the names of folders need not be UTF-8.
//! So a path here is `&[u8]`, either slash separates, and nothing is handed to
//! [`std::path`] before it is known to name something on this machine.
//!
//! The rules are those of coverage.py, `coverage/files.py`, on a POSIX host:
//!
//! - [`PathAliases`] maps a path through the rules of the `[paths]` section;
//! - [`GlobMatcher`], [`TreeMatcher`] and [`ModuleMatcher`] choose files and modules,
//!   [`prep_patterns`] makes their patterns absolute;
//! - [`WorkingDir`] is the folder that relative paths are relative to: the core never
//!   asks the process for it;
//! - [`isabs_anywhere`], [`normpath`] and their kin need no folder.
//!
//! A Python string holds characters where these paths hold bytes. A byte that is part
//! of no UTF-8 character counts as one character, as in Python (`surrogateescape`).
//!
//! # Examples
//!
//! ```
//! use pulpcov_core::paths::{PathAliases, WorkingDir};
//!
//! let mut aliases = PathAliases::new(WorkingDir::new("/work/shop"))
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
mod workdir;

pub use aliases::{MapEvent, PathAliases};
pub use patterns::{GlobMatcher, ModuleMatcher, TreeMatcher, prep_patterns};
#[cfg(feature = "report")]
pub(crate) use pypath::{extension, from_os, relpath, to_os};
pub use pypath::{isabs, isabs_anywhere, isabs_nt, normpath};
#[cfg(feature = "report")]
pub(crate) use workdir::CanonicalNames;
pub use workdir::WorkingDir;
