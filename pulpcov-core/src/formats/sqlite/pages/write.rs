//! A whole database of schema 7, written from its second page to its last, and the first page at the end.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use super::encode::{Field, record};
use super::pack::{PAGE, PageWriter, Tree, first_page};
use crate::data::{CoverageData, Measurement};
use crate::formats::sqlite::SCHEMA_VERSION;
use crate::formats::sqlite::write::{SCHEMA, by_rank, ranked_contexts};

/// How much is written at a time.
const BUFFER: usize = 1 << 20;

/// Write `data` to an empty file.
///
/// Its metadata does not say `has_arcs`: what was measured does.
pub(in super::super) fn write(data: &CoverageData, mut file: File) -> io::Result<()> {
    file.write_all(&[0; PAGE])?;
    let mut pages = PageWriter::new(BufWriter::with_capacity(BUFFER, file), 2);
    let tables = Writer { data, ranks: ranked_contexts(data.context_table()), out: &mut pages };
    let roots = tables.write()?;
    let count = pages.next() - 1;
    let mut file = pages.into_inner().into_inner().map_err(io::IntoInnerError::into_error)?;
    let first = first_page_of(&roots, count)
        .ok_or_else(|| io::Error::other("the schema does not fit on the first page"))?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&first[..])
}

/// The first pages of a table and of its index.
struct Root {
    table: &'static str,
    rows: u32,
    index: Option<u32>,
}

struct Writer<'a, W> {
    data: &'a CoverageData,
    /// At the index of a context is its id in the database.
    ranks: Vec<i64>,
    out: &'a mut PageWriter<W>,
}

impl<W: Write> Writer<'_, W> {
    /// Write the tables and indexes in the order of the schema.
    fn write(mut self) -> io::Result<[Root; 7]> {
        Ok([
            self.version()?,
            self.meta()?,
            self.files()?,
            self.contexts()?,
            self.lines()?,
            self.arcs()?,
            self.tracers()?,
        ])
    }

    fn version(&mut self) -> io::Result<Root> {
        let mut row = Vec::new();
        let mut table = Tree::table(self.out);
        record(&mut row, &[Field::Integer(SCHEMA_VERSION)]);
        table.row(1, &row)?;
        Ok(Root { table: "coverage_schema", rows: table.finish()?, index: None })
    }

    fn meta(&mut self) -> io::Result<Root> {
        let mut rows: Vec<(&str, &str)> =
            self.data.meta().iter().map(|(key, value)| (&**key, &**value)).collect();
        if let Some(measurement) = self.data.measurement() {
            rows.push(("has_arcs", if measurement == Measurement::Arcs { "1" } else { "0" }));
        }
        let mut row = Vec::new();
        let mut table = Tree::table(self.out);
        for (rowid, (key, value)) in (1..).zip(&rows) {
            record(&mut row, &[Field::Text(key.as_bytes()), Field::Text(value.as_bytes())]);
            table.row(rowid, &row)?;
        }
        let table = table.finish()?;
        let mut keys: Vec<_> = rows.iter().map(|(key, _)| key.as_bytes()).zip(1..).collect();
        keys.sort_unstable();
        let index = self.index_of_names(keys)?;
        Ok(Root { table: "meta", rows: table, index: Some(index) })
    }

    fn files(&mut self) -> io::Result<Root> {
        let data = self.data;
        let paths = || data.records().map(|(path, _)| path.as_bytes()).zip(1..);
        let rows = self.table_of_names(paths())?;
        Ok(Root { table: "file", rows, index: Some(self.index_of_names(paths())?) })
    }

    fn contexts(&mut self) -> io::Result<Root> {
        let contexts = self.data.context_table();
        let sorted = contexts.sorted_ids();
        let names = || sorted.iter().map(|&id| contexts.name(id).as_bytes()).zip(1..);
        let rows = self.table_of_names(names())?;
        Ok(Root { table: "context", rows, index: Some(self.index_of_names(names())?) })
    }

    /// A table of an id and a name.
    fn table_of_names<'n>(
        &mut self,
        names: impl Iterator<Item = (&'n [u8], u64)>,
    ) -> io::Result<u32> {
        let mut row = Vec::new();
        let mut table = Tree::table(self.out);
        for (name, id) in names {
            record(&mut row, &[Field::Null, Field::Text(name)]);
            table.row(id, &row)?;
        }
        table.finish()
    }

    /// The index of such a table, of names that ascend.
    fn index_of_names<'n>(
        &mut self,
        names: impl IntoIterator<Item = (&'n [u8], u64)>,
    ) -> io::Result<u32> {
        let mut entry = Vec::new();
        let mut index = Tree::index(self.out);
        for (name, id) in names {
            record(&mut entry, &[Field::Text(name), Field::Integer(id as i64)]);
            index.entry(&entry)?;
        }
        index.finish()
    }

    fn lines(&mut self) -> io::Result<Root> {
        let mut row = Vec::new();
        let mut rowid = 0;
        let mut table = Tree::table(self.out);
        for (file, (_, of_file)) in (1..).zip(self.data.records()) {
            for (context, lines) in by_rank(&of_file.lines, &self.ranks) {
                rowid += 1;
                let ids = [file, context].map(Field::Integer);
                record(&mut row, &[ids[0], ids[1], Field::Blob(lines.as_bytes())]);
                table.row(rowid, &row)?;
            }
        }
        let table = table.finish()?;
        let mut rowid = 0;
        let mut index = Tree::index(self.out);
        for (file, (_, of_file)) in (1..).zip(self.data.records()) {
            for (context, _) in by_rank(&of_file.lines, &self.ranks) {
                rowid += 1;
                record(&mut row, &[file, context, rowid].map(Field::Integer));
                index.entry(&row)?;
            }
        }
        Ok(Root { table: "line_bits", rows: table, index: Some(index.finish()?) })
    }

    fn arcs(&mut self) -> io::Result<Root> {
        let mut row = Vec::new();
        let mut rowid = 0;
        let mut table = Tree::table(self.out);
        each_arc(self.data, &self.ranks, |arc| {
            rowid += 1;
            record(&mut row, &arc.map(Field::Integer));
            table.row(rowid, &row)
        })?;
        let table = table.finish()?;
        let mut rowid = 0;
        let mut index = Tree::index(self.out);
        each_arc(self.data, &self.ranks, |[file, context, from, to]| {
            rowid += 1;
            record(&mut row, &[file, context, from, to, rowid].map(Field::Integer));
            index.entry(&row)
        })?;
        Ok(Root { table: "arc", rows: table, index: Some(index.finish()?) })
    }

    fn tracers(&mut self) -> io::Result<Root> {
        let mut row = Vec::new();
        let mut table = Tree::table(self.out);
        for (file, (_, of_file)) in (1..).zip(self.data.records()) {
            if !of_file.tracer.is_empty() {
                record(&mut row, &[Field::Null, Field::Text(of_file.tracer.as_bytes())]);
                table.row(file, &row)?;
            }
        }
        Ok(Root { table: "tracer", rows: table.finish()?, index: None })
    }
}

/// `visit([file, context, from, to])` in the order of the rows.
fn each_arc(
    data: &CoverageData,
    ranks: &[i64],
    mut visit: impl FnMut([i64; 4]) -> io::Result<()>,
) -> io::Result<()> {
    for (file, (_, of_file)) in (1..).zip(data.records()) {
        for (context, arcs) in by_rank(&of_file.arcs, ranks) {
            for (from, to) in arcs.iter() {
                visit([file, context, from.into(), to.into()])?;
            }
        }
    }
    Ok(())
}

/// The header of the database, and the table of its tables (fileformat.html, sections 1.3 and 2.6).
fn first_page_of(roots: &[Root; 7], count: u32) -> Option<Box<[u8; PAGE]>> {
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
    let mut page = first_page(&records)?;
    let header = [
        &b"SQLite format 3\0"[..],
        &(PAGE as u16).to_be_bytes(),
        // Rollback journal; no reserved bytes; the fractions of a page that SQLite prescribes.
        &[1, 1, 0, 64, 32, 32],
        // Changed once; that many pages; no free ones.
        &1u32.to_be_bytes(),
        &count.to_be_bytes(),
        &[0; 8],
        // One change of the schema for each table; schema format 4.
        &(roots.len() as u32).to_be_bytes(),
        &4u32.to_be_bytes(),
        &[0; 8],
        // UTF-8.
        &1u32.to_be_bytes(),
        &[0; 32],
        // The count of pages is that of the first change, made by this version of SQLite.
        &1u32.to_be_bytes(),
        &rusqlite::version_number().to_be_bytes(),
    ]
    .concat();
    page.get_mut(..header.len())?.copy_from_slice(&header);
    Some(page)
}
