//! Tests that read config files as users have them.
//!
//! - `parity` compares results with those of coverage.py.
//! - `reading` has the tests of coverage.py that read files.

#![cfg(feature = "report")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here fails a test")]

mod parity;
mod reading;
