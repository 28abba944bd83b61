//! Read, merge and write coverage.py data files.
#[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
pub mod combine;
pub mod data;
pub mod discover;
mod error;
#[cfg(any(feature = "json", feature = "sqlite"))]
pub mod formats;
pub mod text;

#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "paths")]
pub mod paths;

pub use data::{
    ArcSet, ContextSelection, CoverageData, FileData, FilePath, LineArc, MAX_LINE, Measurement,
    Numbits,
};
pub use error::{Error, ErrorKind, Position, Result};
