//! Data files in archives and in compressed files, read in place.
//!
//! Artifacts of CI are zip archives, `tar.gz`, `tar.zst`, or one compressed file, and often one in another. [`Search`] finds the data
//! files in them and passes each on as a [`Member`]. Content tells what a file is.
//!
//! An archive is hostile, as data files are:
//!
//! - Nothing is unpacked on disk. Names are shown, and never used as paths.
//! - Only regular files are read. Links and devices are passed over.
//! - [`Limits`] bound what one archive can cost: the bytes of one file, the bytes of all, the number of files, and how deep archives
//!   are in each other. A zip bomb ends with an error.
//! - Damage of one file leaves out this file. Damage of the archive leaves out what follows it.
//!
//! The parts:
//!
//! - `search`: looks into archives in archives.
//! - `place`: where a file is, and what its name says.
//! - `packed`: the bytes of a file in an archive, which can be read at any time, on any thread.
//! - `zip`, `tar`, `zstd`: the formats.
//! - `meter`, `limits`: the bounds.
//! - `shared_bytes`: bytes that several readers read at once.
//!
//! # Examples
//!
//! ```
//! use std::io::Write;
//!
//! use flate2::{Compression, write::GzEncoder};
//! use pulpcov_core::containers::Search;
//!
//! let file = br#"!coverage.py: This is a private format, don't read it directly!{"lines":{"a.py":[1]}}"#;
//! let mut packed = GzEncoder::new(Vec::new(), Compression::default());
//! packed.write_all(file)?;
//!
//! let mut found = Vec::new();
//! Search::new(".coverage").stream(&*packed.finish()?, "data.gz", |member| found.push(member))?;
//! let bytes = found.remove(0)?.read(Vec::new())?;
//! assert_eq!(bytes, file);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod limits;
mod meter;
mod packed;
mod place;
mod search;
mod shared_bytes;
mod tar;
#[cfg(test)]
mod tests;
mod zip;
mod zstd;

pub use limits::Limits;
pub use search::{Member, Search};
