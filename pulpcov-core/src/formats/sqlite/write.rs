//! Writing [`CoverageData`] as a database of schema 7.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::vtab::array::{self, Array};
use rusqlite::{Connection, OpenFlags, Statement, params};

use super::{SCHEMA_VERSION, from_sqlite, pages};
use crate::data::authors::META_KEY;
use crate::data::by_context::{ByContext, Union};
use crate::data::contexts::ContextTable;
use crate::data::file_record::FileRecord;
use crate::data::{ArcSet, Authors, CoverageData, FilePath, LineArc, Measurement};
use crate::error::{Error, ErrorKind, Result};

/// The SQL text with which coverage.py creates its tables (`sqldata.py`, `SCHEMA`).
pub(super) const SCHEMA: &str = include_str!("schema7.sql");

/// Writes `data` as SQLite, schema 7, to an empty or absent file at `path`.
///
/// coverage.py can read the file, report on it and append to it. Equal data gives equal bytes: files and
/// contexts get their ids in the order of their names, and rows are in the order of the ids. The file is not
/// synced to disk, and is not replaced in one step: [`Combiner`](crate::combine::Combiner) does that.
///
/// # Errors
///
/// Returns [`ErrorKind::Io`](crate::ErrorKind::Io) if SQLite cannot write.
pub fn write(data: &CoverageData, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    // SQLite reports what is wrong if the file is not empty, or if metadata and rows both say what was
    // measured.
    if has_two_measurements(data) || std::fs::metadata(path).is_ok_and(|m| m.len() > 0) {
        return write_through_sql(data, path);
    }
    let file = File::options().write(true).create(true).truncate(false).open(path);
    let written = file.map_err(Error::from).and_then(|file| write_rows(data, &file));
    written.map_err(|err| err.with_path(path))
}

/// Writes rows, which need not be in memory, to an empty file as [`write()`] does. Does not use the file's
/// name, which may lead to another file by now.
pub(crate) fn write_rows(rows: &dyn RowSource, file: &File) -> Result<()> {
    refuse_two_measurements(rows)?;
    Ok(pages::write(rows, file)?)
}

pub(super) fn refuse_two_measurements(rows: &dyn RowSource) -> Result<()> {
    if has_two_measurements(rows) {
        let message = "the metadata says `has_arcs`, and the rows say it too";
        return Err(Error::new(ErrorKind::NotRepresentable, message));
    }
    Ok(())
}

/// Returns whether the metadata and the rows both say what was measured.
fn has_two_measurements(rows: &dyn RowSource) -> bool {
    rows.meta().contains_key("has_arcs") && rows.measurement().is_some()
}

/// A source of the rows for a data file. It is read once for each large table and once for the table's index.
pub(crate) trait RowSource: Sync {
    fn measurement(&self) -> Option<Measurement>;
    fn meta(&self) -> &BTreeMap<String, String>;
    /// Returns the files that only other users' data files name, each with these users.
    fn authors(&self) -> Vec<(&FilePath, &Authors)>;
    fn contexts(&self) -> &ContextTable;
    /// Returns an upper bound on the number of rows.
    fn count(&self) -> u64;
    /// Returns the paths and their plugins, in the order of the paths.
    fn files(&self) -> Vec<(&FilePath, &str)>;
    /// Returns the rows of one file.
    fn record(&self, path: &FilePath) -> io::Result<Cow<'_, FileRecord>>;
}

impl RowSource for CoverageData {
    fn measurement(&self) -> Option<Measurement> {
        self.measurement()
    }

    fn meta(&self) -> &BTreeMap<String, String> {
        self.meta()
    }

    fn authors(&self) -> Vec<(&FilePath, &Authors)> {
        let all = self.records().map(|(path, record)| (path, &record.authors));
        all.filter(|(_, authors)| **authors != Authors::Caller).collect()
    }

    fn contexts(&self) -> &ContextTable {
        self.context_table()
    }

    fn count(&self) -> u64 {
        self.row_count()
    }

    fn files(&self) -> Vec<(&FilePath, &str)> {
        self.records().map(|(path, record)| (path, &*record.tracer)).collect()
    }

    fn record(&self, path: &FilePath) -> io::Result<Cow<'_, FileRecord>> {
        let known = self.record_of(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Cow::Borrowed(known))
    }
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

/// Returns the rows of the table `meta`. Each key occurs once.
pub(super) fn meta_rows(rows: &dyn RowSource) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let is_authors = |key: &str| key.starts_with(META_KEY);
    let meta = rows.meta().iter().filter(|(key, _)| !is_authors(key));
    let mut all: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        meta.map(|(key, value)| (key.into(), value.into())).collect();
    if let Some(measurement) = rows.measurement() {
        let has_arcs = if measurement == Measurement::Arcs { "1" } else { "0" };
        all.push(("has_arcs".into(), has_arcs.into()));
    }
    let row = |(path, authors): (&FilePath, &Authors)| {
        (format!("{META_KEY}{}", path.as_str()).into(), authors.to_string().into())
    };
    all.extend(rows.authors().into_iter().map(row));
    all
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

/// Returns the ids of the contexts in the database, by the index of the context. The ids are in the order of
/// the names.
pub(super) fn ranked_contexts(contexts: &ContextTable) -> Vec<i64> {
    let mut ranks = vec![0; contexts.len()];
    for (id, context) in (1..).zip(contexts.sorted_ids()) {
        if let Some(rank) = ranks.get_mut(context.index()) {
            *rank = id;
        }
    }
    ranks
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

pub(super) fn by_rank<'a, T: Union>(sets: &'a ByContext<T>, ranks: &[i64]) -> Vec<(i64, &'a T)> {
    let rank =
        |(id, set): (crate::data::contexts::ContextId, &'a T)| Some((*ranks.get(id.index())?, set));
    let mut ranked: Vec<_> = sets.iter().filter_map(rank).collect();
    ranked.sort_unstable_by_key(|entry| entry.0);
    ranked
}
