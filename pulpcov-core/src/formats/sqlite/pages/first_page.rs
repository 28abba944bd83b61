//! The first page: the database header and the schema table (fileformat.html, sections 1.3 and 2.6).

use std::fs::File;
use std::io;

use super::build_tree::{PAGE, first_page};
use super::encode::{Field, record};
use super::file_position::write_at;
use super::free_list::FreeList;
use crate::formats::sqlite::schema::SCHEMA;

/// The fields of the database header that vary.
#[derive(Default)]
pub(in super::super) struct Header {
    /// The number of pages.
    pub(in super::super) count: u32,
    /// How many times the database was changed, and how many times its schema was.
    pub(in super::super) changes: u32,
    pub(in super::super) schema_changes: u32,
    pub(in super::super) free: FreeList,
    /// The application id, by which an application recognises its files. SQLite ignores it.
    pub(in super::super) application: u32,
}

/// The root pages of a table and of its index.
pub(super) struct Root {
    pub(super) table: &'static str,
    pub(super) rows: u32,
    pub(super) index: Option<u32>,
}

/// Returns the first page: the database header and the schema table (fileformat.html, sections 1.3 and 2.6).
pub(super) fn first_page_of(roots: &[Root; 7], header: &Header) -> Option<Box<[u8; PAGE]>> {
    let mut records = Vec::new();
    for sql in SCHEMA.split_terminator(";\n").map(str::trim_start) {
        let root = roots.iter().find(|root| {
            sql.strip_prefix("CREATE TABLE ")
                .and_then(|sql| sql.strip_prefix(root.table))
                .is_some_and(|rest| rest.starts_with(" ("))
        })?;
        let name = Field::Text(root.table.as_bytes());
        let mut row = Vec::new();
        let rows = Field::Integer(root.rows.into());
        record(&mut row, &[Field::Text(b"table"), name, name, rows, Field::Text(sql.as_bytes())]);
        records.push(row);
        if let Some(index) = root.index {
            let mut row = Vec::new();
            let index_name = format!("sqlite_autoindex_{}_1", root.table);
            let index_name = Field::Text(index_name.as_bytes());
            let index = Field::Integer(index.into());
            record(&mut row, &[Field::Text(b"index"), index_name, name, index, Field::Null]);
            records.push(row);
        }
    }
    first_page_with(&records, header)
}

/// Writes the first page of a database that has no tables.
pub(in super::super) fn write_blank(file: &File) -> io::Result<()> {
    let header = Header { count: 1, ..Header::default() };
    let page = first_page_with(&[], &header).unwrap_or_else(|| Box::new([0; PAGE]));
    write_at(file, &page[..], 0)
}

fn first_page_with(records: &[Vec<u8>], header: &Header) -> Option<Box<[u8; PAGE]>> {
    let mut page = first_page(records)?;
    let header = [
        &b"SQLite format 3\0"[..],
        &(PAGE as u16).to_be_bytes(),
        // Rollback journal, no reserved bytes, and the payload fractions that SQLite prescribes.
        &[1, 1, 0, 64, 32, 32],
        &header.changes.to_be_bytes(),
        &header.count.to_be_bytes(),
        &header.free.first.to_be_bytes(),
        &header.free.len.to_be_bytes(),
        &header.schema_changes.to_be_bytes(),
        // The schema format.
        &4u32.to_be_bytes(),
        &[0; 8],
        // UTF-8.
        &1u32.to_be_bytes(),
        &[0; 8],
        &header.application.to_be_bytes(),
        &[0; 20],
        // The page count is that of the last change, made by this version of SQLite.
        &header.changes.to_be_bytes(),
        &rusqlite::version_number().to_be_bytes(),
    ]
    .concat();
    page.get_mut(..header.len())?.copy_from_slice(&header);
    Some(page)
}
