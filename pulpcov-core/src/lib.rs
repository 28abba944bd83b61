//! Read, merge and write coverage.py data files.
pub mod data;
mod error;
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
