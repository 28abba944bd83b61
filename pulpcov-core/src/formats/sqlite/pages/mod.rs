//! SQLite's file format, read and written without SQLite: <https://www.sqlite.org/fileformat.html>.
//!
//! SQLite is needed for locks, journals and everything unusual. A data file that coverage.py made is plain
//! tables, and reading or writing these row by row through SQL would take most of the time of a combine. A
//! database that is as plain as coverage.py makes it is therefore decoded here: schema 7, UTF-8, whole pages,
//! every page used in only one place, every cell and record within its bounds. SQLite reads any other database
//! ([`NeedsSqlite`]), and gives the same rows, or the error that says what is wrong.
//!
//! - `page_file`: the header, and where the pages are;
//! - `btree`: the rows of a table, page by page;
//! - `record`: the values of a row;
//! - `layout`: where each table is;
//! - `read_tables`: rows of the tables, as parts of a data set;
//! - `batches`: the same rows, a batch at a time.
//!
//! A new database is written page by page, because its rows are sorted already:
//!
//! - `encode`: records as bytes;
//! - `build_tree`: the B-trees of tables and indexes, built from the leaves up;
//! - `write`: all tables of schema 7, each at its `file_position`;
//! - `first_page`: the header and the schema table;
//! - `free_list`: the list of free pages;
//! - `sync_while_writing`: syncing a large file while it is written.

mod batches;
mod btree;
mod build_tree;
mod encode;
mod file_position;
mod first_page;
mod free_list;
mod layout;
mod page_file;
mod read_tables;
mod record;
mod sync_while_writing;
mod write;

pub(super) use file_position::write_at;
pub(super) use first_page::{Header, write_blank};
pub(super) use free_list::{FreeList, write_free_list};
pub(super) use page_file::{ByteSource, PageFile};
pub(super) use page_file::{number16, number32};
pub(super) use read_tables::Database;
pub(super) use write::{WrittenTables, write, write_from};
pub(super) const PAGE_SIZE: usize = build_tree::PAGE;

/// The error for a database that SQLite has to read or refuse.
#[derive(Debug)]
pub(super) struct NeedsSqlite;

/// The result of reading something that may [need SQLite](NeedsSqlite).
pub(super) type PlainResult<T> = Result<T, NeedsSqlite>;
