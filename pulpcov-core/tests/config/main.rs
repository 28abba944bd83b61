//! Reading configuration, from files and folders as users have them.

#![cfg(feature = "config")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here fails a test")]

mod parity;
mod reading;
