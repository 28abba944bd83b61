//! Writing [`CoverageData`] as a database of schema 7.

use std::fs::File;
use std::path::Path;
use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::vtab::array::{self, Array};
use rusqlite::{Connection, OpenFlags, Statement, params};

use super::row_source::{RowSource, by_rank, meta_rows, ranked_contexts};
use super::schema::SCHEMA;
use super::{SCHEMA_VERSION, from_sqlite, pages};
use crate::data::contexts::ContextTable;
use crate::data::file_record::FileRecord;
use crate::data::{ArcSet, CoverageData, FilePath, LineArc};
use crate::error::{Error, Result};

/// Writes `data` as SQLite, schema 7, to an empty or absent file at `path`.
///
/// coverage.py can read the file, report on it and append to it. Equal data gives equal bytes: files and
/// contexts get their ids in the order of their names, and rows are in the order of the ids. The file is not
/// synced to disk, and is not replaced in one step: [`Combiner`](crate::combine::Combiner) does that.
///
/// # Errors
///
/// Returns [`ErrorKind::Io`](crate::ErrorKind::Io) if SQLite cannot write.
///
/// # Examples
///
/// ```
/// use pulpcov_core::formats::{DataFile, sqlite};
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join(".coverage");
/// let mut data = CoverageData::new();
/// data.add_lines("app.py", "", &Numbits::from_iter([1, 2]))?;
/// sqlite::write(&data, &path)?;
/// assert_eq!(DataFile::open(&path)?.read()?.data, data);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(data: &CoverageData, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    // SQLite reports what is wrong if the file is not empty.
    if std::fs::metadata(path).is_ok_and(|m| m.len() > 0) {
        return write_through_sql(data, path);
    }
    let file = File::options().write(true).create(true).truncate(false).open(path);
    let written = file.map_err(Error::from).and_then(|file| write_rows(data, &file));
    written.map_err(|err| err.with_path(path))
}

/// Writes rows, which need not be in memory, to an empty file as [`write()`] does. Does not use the file's
/// name, which may lead to another file by now.
pub(crate) fn write_rows(rows: &dyn RowSource, file: &File) -> Result<()> {
    Ok(pages::write(rows, file)?)
}

/// Writes data as [`write()`] does, by inserting row after row.
pub(super) fn write_through_sql(data: &CoverageData, path: &Path) -> Result<()> {
    write_database(data, path).map_err(|err| from_sqlite(err).with_path(path))
}

fn write_database(data: &CoverageData, path: &Path) -> rusqlite::Result<()> {
    let connection = create(path)?;
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(SCHEMA)?;
    connection.execute("INSERT INTO coverage_schema (version) VALUES (?1)", [SCHEMA_VERSION])?;
    write_meta(&connection, data)?;
    let ranks = write_contexts(&connection, data.context_table())?;
    write_files(&connection, data, &ranks)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, err)| err)
}

/// Creates the database. The file is new and no other process uses it, so SQLite needs no journal, no locks
/// and no syncing.
fn create(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    // Every row names a file and a context that were just written, so they need not be looked up.
    connection.pragma_update(None, "foreign_keys", false)?;
    array::load_module(&connection)?;
    Ok(connection)
}

fn write_meta(connection: &Connection, data: &CoverageData) -> rusqlite::Result<()> {
    let mut insert = connection.prepare("INSERT INTO meta (key, value) VALUES (?1, ?2)")?;
    for (key, value) in meta_rows(data) {
        insert.execute([key, value])?;
    }
    Ok(())
}

/// Writes the contexts in the order of their names. Returns their ids in the database, by the index of the
/// context.
fn write_contexts(connection: &Connection, contexts: &ContextTable) -> rusqlite::Result<Vec<i64>> {
    let mut insert = connection.prepare("INSERT INTO context (id, context) VALUES (?1, ?2)")?;
    for (id, context) in (1i64..).zip(contexts.sorted_ids()) {
        insert.execute(params![id, contexts.name(context)])?;
    }
    Ok(ranked_contexts(contexts))
}

fn write_files(
    connection: &Connection,
    data: &CoverageData,
    ranks: &[i64],
) -> rusqlite::Result<()> {
    let mut files =
        connection.prepare("INSERT INTO file (id, path) VALUES (?1, CAST(?2 AS TEXT))")?;
    let mut tracers = connection.prepare("INSERT INTO tracer (file_id, tracer) VALUES (?1, ?2)")?;
    for (id, (path, record)) in (1i64..).zip(data.records()) {
        files.execute(params![id, path.as_bytes()])?;
        if !record.tracer.is_empty() {
            tracers.execute(params![id, &*record.tracer])?;
        }
    }
    let mut rows = RowWriter::new(connection)?;
    (1i64..).zip(data.records()).try_for_each(|(id, file)| rows.write(id, file, ranks))
}

/// Inserts all arcs of a file and context in one statement. Its cursors stay at the end of the table and of
/// the index, where the next row goes. One statement per row takes 1.5 times as long. `OR FAIL` tells SQLite
/// not to undo anything if a row fails, so it need not remember how to.
const INSERT_ARCS: &str = "INSERT OR FAIL INTO arc (file_id, context_id, fromno, tono)
    SELECT ?1, ?2, value >> 32, (value << 32) >> 32 FROM rarray(?3)";

/// Packs arcs into integers: `from` in the high half, `to` in the low half.
fn packed(arcs: &ArcSet) -> Array {
    let pack = |(from, to): LineArc| Value::Integer(i64::from(from) << 32 | i64::from(to as u32));
    Rc::new(arcs.iter().map(pack).collect())
}

struct RowWriter<'a> {
    lines: Statement<'a>,
    arcs: Statement<'a>,
}

impl<'a> RowWriter<'a> {
    fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            lines: connection.prepare(
                "INSERT INTO line_bits (file_id, context_id, numbits) VALUES (?1, ?2, ?3)",
            )?,
            arcs: connection.prepare(INSERT_ARCS)?,
        })
    }

    fn write(
        &mut self,
        file: i64,
        (_, record): (&FilePath, &FileRecord),
        ranks: &[i64],
    ) -> rusqlite::Result<()> {
        for (context, lines) in by_rank(&record.lines, ranks) {
            self.lines.execute(params![file, context, lines.as_bytes()])?;
        }
        for (context, arcs) in by_rank(&record.arcs, ranks) {
            self.arcs.execute(params![file, context, packed(arcs)])?;
        }
        Ok(())
    }
}
