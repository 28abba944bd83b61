//! SQLite's file format, read and written without SQLite: <https://www.sqlite.org/fileformat.html>.
//!
//! SQLite is needed for locks, journals and everything unusual. A data file that coverage.py made is plain
//! tables, and reading or writing these row by row through SQL would take most of the time of a combine. A
//! database that is as plain as coverage.py makes it is therefore decoded here: schema 7, UTF-8, whole pages,
//! every page used in only one place, every cell and record within its bounds. Any other database is
//! [`Unusual`], and SQLite reads it. SQLite gives the same rows, or the error that says what is wrong.
//!
//! - `store`: the header, and where the pages are;
//! - `btree`: the rows of a table, page by page;
//! - `record`: the values of a row;
//! - `layout`: where each table is;
//! - `tables`: rows of the tables, as parts of a data set;
//! - `portions`: the same in batches.
//!
//! A new database is written page by page, because its rows are sorted already:
//!
//! - `encode`: records as bytes;
//! - `pack`: the B-trees of tables and indexes, built from the leaves up;
//! - `write`: all of schema 7;
//! - `free_list`: the list of free pages;
//! - `behind`: syncing a large file while it is written.

mod behind;
mod btree;
mod encode;
mod free_list;
mod layout;
mod pack;
mod portions;
mod record;
mod store;
mod tables;
mod write;

pub(super) use free_list::write_free_list;
pub(super) use store::{PageFile, Store};
pub(super) use store::{number16, number32};
pub(super) use tables::Database;
pub(super) use write::write;
pub(super) use write::write_blank;
pub(super) use write::{FreeList, Header, Written, write_at, write_from};
pub(super) const PAGE_SIZE: usize = pack::PAGE;

/// The error for a database that SQLite has to read or refuse.
#[derive(Debug)]
pub(super) struct Unusual;

/// The result of reading something that may be [`Unusual`].
pub(super) type Plain<T> = Result<T, Unusual>;
