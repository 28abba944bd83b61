//! SQLite data files: schemas 1 to 7 in, schema 7 out.
//!
//! Data files come from folders that others can write to, so a database is treated as
//! hostile: its bytes are taken from an open file under SQLite's read lock (`snapshot`),
//! decoded here if they are as plain as coverage.py makes them (`pages`), or else
//! opened from memory with SQLite's defences up (`connection`), checked to have ordinary
//! tables (`schema`), and read through `sql`, with every number and length bounded.

mod connection;
mod lock;
mod pages;
#[cfg(any(test, all(feature = "json", feature = "paths")))]
mod portions;
mod read;
#[cfg(all(feature = "json", feature = "paths"))]
mod rewrite;
mod rows;
mod schema;
mod snapshot;
mod sql;
mod utf16;
mod write;

pub use write::write;

#[cfg(all(feature = "json", feature = "paths"))]
pub(crate) use lock::WritersOut;
pub(crate) use read::Reader;
#[cfg(all(feature = "json", feature = "paths"))]
pub(crate) use rewrite::{Rewritten, is_marked};
pub(crate) use rows::Contexts;
#[cfg(all(feature = "json", feature = "paths"))]
pub(crate) use write::{RowSource, write_rows};

use rusqlite::ErrorCode;

use crate::error::{Error, ErrorKind};

/// The schema version that [`write()`] writes.
pub const SCHEMA_VERSION: i64 = 7;

/// SQLite's error in this crate's terms.
fn from_sqlite(err: rusqlite::Error) -> Error {
    let kind = match err.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly,
        ) => ErrorKind::Io,
        Some(ErrorCode::TooBig | ErrorCode::OutOfMemory) => ErrorKind::TooLarge,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Busy,
        _ => ErrorKind::Corrupt,
    };
    match err {
        // The text of our query means nothing to whoever reads the message.
        rusqlite::Error::SqlInputError { msg, .. } => Error::new(kind, msg),
        err => Error::new(kind, err),
    }
}

#[cfg(test)]
mod tests;
