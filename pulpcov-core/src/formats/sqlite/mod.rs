//! SQLite data files. Schemas 1 to 7 can be read; schema 7 can be written.
//!
//! Data files come from folders that other users can write to, so a database is treated as hostile:
//!
//! - `lock` takes SQLite's locks.
//! - `snapshot` reads its bytes from an open file under SQLite's read lock.
//! - `pages` decodes a database that is as plain as coverage.py makes it.
//! - `connection` opens any other database from memory, with SQLite's defences on.
//! - `schema` checks that its tables are ordinary tables, and `utf16` that text in UTF-16 is valid.
//! - `sql` reads them, through `sql_rows`. Every number and length is bounded.
//! - `read` chooses between `pages` and `sql`. Both give `rows`; `batches` gives them a part at a time.
//!
//! A database is written from a `row_source`: by `write` to a new file, or by `replace_in_place` to a file that
//! cannot be replaced.

mod batches;
mod connection;
mod lock;
mod pages;
mod read;
mod replace_in_place;
mod row_source;
mod rows;
mod schema;
mod snapshot;
mod sql;
mod sql_rows;
mod utf16;
mod write;

pub use write::write;

pub(crate) use lock::WriterLockout;
pub(crate) use read::Reader;
pub(crate) use replace_in_place::{ReplacedInPlace, is_marked};
pub(crate) use row_source::RowSource;
pub(crate) use rows::{Contexts, Wanted};
pub(crate) use snapshot::has_changes_beside;
pub(crate) use write::write_rows;

use rusqlite::ErrorCode;

use crate::error::{Error, ErrorKind};

/// The schema version that [`write()`] writes.
pub const SCHEMA_VERSION: i64 = 7;

/// Converts an error from SQLite.
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
        // The user did not write the query, so its text would not help.
        rusqlite::Error::SqlInputError { msg, .. } => Error::new(kind, msg),
        err => Error::new(kind, err),
    }
}

#[cfg(test)]
mod tests;
