//! SQLite's file format, read and written without SQLite: <https://www.sqlite.org/fileformat.html>.
//!
//! SQLite is best at locks, journals and everything odd; a data file that coverage.py made is
//! plain tables, and reading or writing them row by row through SQL is most of the time that
//! a combine takes. So a database is decoded here if it is as plain as coverage.py
//! makes it: schema 7, UTF-8, whole pages, every page in one place only, every cell and record
//! within its bounds. Whatever is not is [`Unusual`], and SQLite reads it: the same rows, or
//! the error that names what is wrong.
//!
//! - `store`: the header, and where pages come from;
//! - `btree`: the rows of a table, page by page;
//! - `record`: the values of a row;
//! - `layout`: which tables are where;
//! - `tables`: from rows to what a data set is made of;
//! - `portions`: the same, some rows at a time.
//!
//! And a new database is written page by page, for its rows are sorted already:
//!
//! - `encode`: records as bytes;
//! - `pack`: the B-trees of tables and indexes, from the bottom;
//! - `write`: all of schema 7;
//! - `free_list`: which pages are free;
//! - `behind`: a large file goes to the disk while it is written.

mod behind;
mod btree;
mod encode;
#[cfg(all(feature = "json", feature = "paths"))]
mod free_list;
mod layout;
mod pack;
#[cfg(any(test, all(feature = "json", feature = "paths")))]
mod portions;
mod record;
mod store;
mod tables;
mod write;

#[cfg(all(feature = "json", feature = "paths"))]
pub(super) use free_list::write_free_list;
pub(super) use store::{PageFile, Store};
#[cfg(all(feature = "json", feature = "paths"))]
pub(super) use store::{number16, number32};
pub(super) use tables::Database;
pub(super) use write::write;
#[cfg(all(feature = "json", feature = "paths"))]
pub(super) use write::{FreeList, Header, Written, write_at, write_from};
#[cfg(all(feature = "json", feature = "paths"))]
pub(super) const PAGE_SIZE: usize = pack::PAGE;

/// This is for SQLite to read, or to refuse.
#[derive(Debug)]
pub(super) struct Unusual;

/// A result, unless it is for SQLite to find.
pub(super) type Plain<T> = Result<T, Unusual>;
