//! Databases that store text as UTF-16.
//!
//! SQLite converts such text to UTF-8 when it is read. It replaces an unpaired surrogate by another character
//! without an error, so the check for damage has to look at the stored bytes.

use rusqlite::types::ValueRef;

use super::connection::Source;
use super::from_sqlite;
use super::schema::Schema;
use super::sql_rows::{Table, no_text};
use crate::error::Result;

/// Checks the stored text of a database whose encoding is UTF-16. Accepts every other database.
///
/// # Errors
///
/// Returns [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt), with the table and the row, for text that is
/// not valid UTF-16.
pub(super) fn check(source: &Source, schema: &Schema) -> Result<()> {
    let encoding: String = source
        .connection
        .query_row("PRAGMA encoding", [], |row| row.get(0))
        .map_err(from_sqlite)?;
    let unit = match encoding.as_str() {
        "UTF-16le" => u16::from_le_bytes,
        "UTF-16be" => u16::from_be_bytes,
        _ => return Ok(()),
    };
    schema.texts().try_for_each(|(table, column)| {
        let query = format!(
            "SELECT rowid, CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) END FROM {table}"
        );
        Table::new(source, table).each(&query, |row| match row.get_ref(1).map_err(from_sqlite)? {
            ValueRef::Blob(bytes) if !is_utf16(bytes, unit) => Err(no_text(column, "is not UTF-16")),
            _ => Ok(()),
        })
    })
}

fn is_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> bool {
    let (units, half) = bytes.as_chunks();
    half.is_empty() && char::decode_utf16(units.iter().map(|pair| unit(*pair))).all(|c| c.is_ok())
}
