//! Reading a table through SQL, row by row. Every row counts against the size of the file.

use std::fmt;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement};

use super::connection::Source;
use super::from_sqlite;
use crate::data::stored_text::StoredText;
use crate::error::{Error, ErrorKind, Position, Result};

/// A table that is read row by row. Errors name the table and the row.
pub(super) struct Table<'a> {
    connection: &'a Connection,
    name: &'static str,
    size: u64,
    /// Whether all columns hold numbers. The row's visitor then refuses text and blobs, so they are not
    /// measured here.
    numbers: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(source: &'a Source, name: &'static str) -> Self {
        Self { connection: &source.connection, name, size: source.size, numbers: false }
    }

    /// Makes the reader of a table with many rows of numbers.
    pub(super) fn of_numbers(source: &'a Source, name: &'static str) -> Self {
        Self { numbers: true, ..Self::new(source, name) }
    }

    /// Calls `visit` for each row of `query`. The query must not skip rows of the table, because skipped rows
    /// would not count against the size of the file.
    pub(super) fn each(
        &self,
        query: &str,
        mut visit: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let at = |rowid| Position::Row { table: self.name.into(), rowid };
        let located = |err| from_sqlite(err).at(at(None));
        let mut statement = self.prepare(query).map_err(located)?;
        let mut rows = statement.query([]).map_err(located)?;
        let mut room = self.size;
        while let Some(row) = rows.next().map_err(located)? {
            let values = if self.numbers { 0 } else { least_size(row).map_err(located)? };
            room = room.checked_sub(LEAST_ROW + values).ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "more rows than fit in the file").at(at(None))
            })?;
            visit(row).map_err(|err| err.at(at(row.get(0).ok())))?;
        }
        Ok(())
    }

    /// Prepares `query`. Replaces the rowid by NULL if the table was declared `WITHOUT ROWID`.
    fn prepare(&self, query: &str) -> rusqlite::Result<Statement<'a>> {
        self.connection.prepare(query).or_else(|err| match query.strip_prefix("SELECT rowid,") {
            Some(columns) => self.connection.prepare(&format!("SELECT NULL,{columns}")),
            None => Err(err),
        })
    }
}

/// The minimum number of bytes that a row takes in the file. If there are more rows, the pages of the table
/// point at each other.
const LEAST_ROW: u64 = 2;

/// Returns the minimum number of bytes that the row's text and blobs take in the file. If all rows together
/// take more than the file has, rows share the same bytes. Text of three bytes in UTF-8 may take only two in
/// UTF-16.
fn least_size(row: &Row<'_>) -> rusqlite::Result<u64> {
    let mut size = 0;
    for column in 0..row.as_ref().column_count() {
        size += match row.get_ref(column)? {
            ValueRef::Text(text) => text.len() as u64 / 2,
            ValueRef::Blob(blob) => blob.len() as u64,
            _ => 0,
        };
    }
    Ok(size)
}

pub(super) fn integer(row: &Row<'_>, column: usize) -> Result<i64> {
    match row.get_ref(column).map_err(from_sqlite)? {
        ValueRef::Integer(number) => Ok(number),
        other => Err(unexpected(row, column, &other)),
    }
}

pub(super) fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<StoredText<'a>> {
    match row.get_ref(column).map_err(from_sqlite)? {
        ValueRef::Text(text) => {
            StoredText::of_bytes(text).map_err(|why| no_text(name_of(row, column), why))
        }
        other => Err(unexpected(row, column, &other)),
    }
}

pub(super) fn optional_text<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<StoredText<'a>>> {
    match row.get_ref(column).map_err(from_sqlite)? {
        ValueRef::Null => Ok(None),
        _ => text(row, column).map(Some),
    }
}

pub(super) fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8]> {
    match row.get_ref(column).map_err(from_sqlite)? {
        ValueRef::Blob(bytes) => Ok(bytes),
        other => Err(unexpected(row, column, &other)),
    }
}

/// Makes the error for text that coverage.py cannot have written, because Python could not read it.
pub(super) fn no_text(column: &str, why: impl fmt::Display) -> Error {
    let message = format!("the text in column {column} {why}: the file is damaged");
    Error::new(ErrorKind::Corrupt, message)
}

fn name_of<'r>(row: &'r Row<'_>, column: usize) -> &'r str {
    row.as_ref().column_name(column).unwrap_or("?")
}

fn unexpected(row: &Row<'_>, column: usize, value: &ValueRef<'_>) -> Error {
    let name = name_of(row, column);
    Error::new(ErrorKind::Corrupt, format!("unexpected {} in column {name}", value.data_type()))
}
