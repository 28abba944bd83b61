//! Tests of reading configuration, from files and folders like those of users.

#![cfg(feature = "config")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here fails a test")]

mod parity;
mod reading;
