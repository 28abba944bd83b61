//! Read, merge and write coverage.py data files.
mod error;
pub mod text;

#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "paths")]
pub mod paths;
#[cfg(feature = "python")]
mod pyre;
#[cfg(feature = "python")]
pub mod python;
#[cfg(feature = "python")]
pub mod results;

pub use error::{Error, ErrorKind, Position, Result};
