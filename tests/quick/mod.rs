//! Tests that need nothing but the command itself.

mod analyze;
mod data_root;
mod hostile;
mod properties;
mod readme;
