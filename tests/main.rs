//! The command as users run it, and the library on every data file there is.

mod faults;
mod formats;
mod hostile;
mod parity;
mod support;
