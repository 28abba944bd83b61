//! From the tables of a data file to [`CoverageData`].

use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::connection::Source;
use super::from_sqlite;
use super::schema::{Lines, Schema};
use super::snapshot::Snapshot;
use crate::data::by_context::ByContext;
use crate::data::contexts::{ContextId, ContextTable};
use crate::data::coverage_data::FileRecord;
use crate::data::{ArcSet, CoverageData, FilePath, LineArc, Measurement, Numbits};
use crate::error::{Error, ErrorKind, Position, Result};
use crate::formats::data_file::Decoded;
use crate::formats::data_file::input::Input;
use crate::formats::limits::{self, BitmapBudget, MAX_NUMBITS};

/// An open database that is a data file.
pub(crate) struct Reader {
    source: Source,
    schema: &'static Schema,
    /// In the order of the table `file`.
    paths: Vec<FilePath>,
    /// From SQLite's id to the index in `paths`.
    file_index: HashMap<i64, usize>,
}

impl Reader {
    /// Take a snapshot of the database, and read which files it measured.
    pub(crate) fn open(input: &mut Input) -> Result<(Self, Option<[u8; 32]>)> {
        let snapshot = Snapshot::take(input)?;
        let digest =
            snapshot.companion.is_none().then(|| *blake3::hash(&snapshot.bytes).as_bytes());
        Ok((Self::new(Source::open(snapshot)?)?, digest))
    }

    /// Open a database that is in memory already.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::new(Source::open(Snapshot { bytes, companion: None })?)
    }

    fn new(source: Source) -> Result<Self> {
        let schema = Schema::of(&source.connection)?;
        let mut paths = Vec::new();
        let mut file_index = HashMap::new();
        Table::new(&source, "file").each("SELECT id, path FROM file", |row| {
            file_index.insert(integer(row, 0)?, paths.len());
            paths.push(FilePath::from(text(row, 1)?));
            Ok(())
        })?;
        Ok(Self { source, schema, paths, file_index })
    }

    pub(crate) fn schema_version(&self) -> i64 {
        self.schema.version
    }

    pub(crate) fn paths(&self) -> &[FilePath] {
        &self.paths
    }

    /// Give the files new paths; those that get the same one become one.
    pub(crate) fn rename(&mut self, mut new_path: impl FnMut(&FilePath) -> FilePath) {
        self.paths.iter_mut().for_each(|path| *path = new_path(path));
    }

    /// Read all rows.
    pub(crate) fn read(self) -> Result<Decoded> {
        let (contexts, context_ids) = self.contexts()?;
        let mut keys =
            Keys { files: &self.file_index, contexts: &context_ids, orphans: 0, last: None };
        let lines = self.lines(&mut keys)?;
        let arcs = self.arcs(&mut keys)?;
        let tracers = self.tracers(&mut keys)?;
        let orphan_rows = keys.orphans;

        let meta = self.meta()?;
        let measurement = measurement(&lines, &arcs, meta.get("has_arcs").map(String::as_str))?;
        let files = records(self.paths, tracers, lines, arcs, contexts.len())?;
        let mut data = CoverageData::from_records(measurement, contexts, files);
        meta.into_iter()
            .filter(|(key, _)| key != "has_arcs")
            .for_each(|(key, value)| data.set_meta(key, value));
        Ok(Decoded { data, orphan_rows })
    }

    fn contexts(&self) -> Result<(ContextTable, HashMap<i64, ContextId>)> {
        let mut table = ContextTable::default();
        let mut ids = HashMap::new();
        Table::new(&self.source, "context").each(self.schema.contexts, |row| {
            let name = std::str::from_utf8(text(row, 1)?)
                .map_err(|_| Error::new(ErrorKind::Corrupt, "the context's name is not UTF-8"))?;
            ids.insert(integer(row, 0)?, table.intern(name));
            Ok(())
        })?;
        Ok((table, ids))
    }

    fn lines(&self, keys: &mut Keys<'_>) -> Result<Vec<Vec<(ContextId, Numbits)>>> {
        match self.schema.lines {
            Lines::Bitmaps(query) => self.bitmaps(query, keys),
            Lines::Rows(query) => self.line_rows(query, keys),
        }
    }

    fn bitmaps(&self, query: &str, keys: &mut Keys<'_>) -> Result<Vec<Vec<(ContextId, Numbits)>>> {
        let mut by_file = self.per_file();
        Table::new(&self.source, "line_bits").each(query, |row| {
            let bits = blob(row, 3)?;
            if bits.len() > MAX_NUMBITS {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!("a numbits of {} bytes", bits.len()),
                ));
            }
            if let Some((file, context)) = keys.of(row)? {
                push(&mut by_file, file, (context, Numbits::from_bytes(bits)));
            }
            Ok(())
        })?;
        Ok(by_file)
    }

    fn line_rows(
        &self,
        query: &str,
        keys: &mut Keys<'_>,
    ) -> Result<Vec<Vec<(ContextId, Numbits)>>> {
        let mut runs = Runs::new(self.paths.len());
        Table::of_numbers(&self.source, "line").each(query, |row| {
            let line = limits::line(integer(row, 3)?)?;
            if let Some((file, context)) = keys.of(row)? {
                runs.push(file, context, line);
            }
            Ok(())
        })?;
        let mut budget = BitmapBudget::for_size(self.source.size);
        let mut to_numbits = |(context, lines): (ContextId, Vec<u32>)| {
            budget.take(lines.iter().copied().max().unwrap_or(0))?;
            Ok((context, lines.into_iter().collect()))
        };
        runs.finish()
            .into_iter()
            .map(|file| file.into_iter().map(&mut to_numbits).collect())
            .collect()
    }

    fn arcs(&self, keys: &mut Keys<'_>) -> Result<Vec<Vec<(ContextId, ArcSet)>>> {
        let mut runs: Runs<LineArc> = Runs::new(self.paths.len());
        Table::of_numbers(&self.source, "arc").each(self.schema.arcs, |row| {
            let arc = (limits::arc_end(integer(row, 3)?)?, limits::arc_end(integer(row, 4)?)?);
            if let Some((file, context)) = keys.of(row)? {
                runs.push(file, context, arc);
            }
            Ok(())
        })?;
        let to_set = |(context, arcs): (ContextId, Vec<LineArc>)| (context, ArcSet::from(arcs));
        Ok(runs.finish().into_iter().map(|file| file.into_iter().map(to_set).collect()).collect())
    }

    fn tracers(&self, keys: &mut Keys<'_>) -> Result<HashMap<usize, Box<str>>> {
        let mut tracers = HashMap::new();
        Table::new(&self.source, "tracer").each("SELECT file_id, tracer FROM tracer", |row| {
            let name = String::from_utf8_lossy(optional_text(row, 1)?.unwrap_or_default()).into();
            match keys.files.get(&integer(row, 0)?) {
                Some(&file) => drop(tracers.insert(file, name)),
                None => keys.orphans += 1,
            }
            Ok(())
        })?;
        Ok(tracers)
    }

    fn meta(&self) -> Result<BTreeMap<String, String>> {
        let mut meta = BTreeMap::new();
        Table::new(&self.source, "meta").each(self.schema.meta, |row| {
            let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let value = match row.get_ref(1).map_err(from_sqlite)? {
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Text(value) => lossy(value),
                _ => return Ok(()),
            };
            meta.insert(lossy(text(row, 0)?), value);
            Ok(())
        })?;
        Ok(meta)
    }

    fn per_file<T>(&self) -> Vec<Vec<T>> {
        std::iter::repeat_with(Vec::new).take(self.paths.len()).collect()
    }
}

/// Which of a row's files and contexts are known.
struct Keys<'a> {
    files: &'a HashMap<i64, usize>,
    contexts: &'a HashMap<i64, ContextId>,
    orphans: u64,
    /// The row before mostly had the same ids.
    last: Option<((i64, i64), (usize, ContextId))>,
}

impl Keys<'_> {
    /// The file and the context of a row, in its columns 1 and 2.
    fn of(&mut self, row: &Row<'_>) -> Result<Option<(usize, ContextId)>> {
        let ids = (integer(row, 1)?, integer(row, 2)?);
        if let Some((_, found)) = self.last.filter(|last| last.0 == ids) {
            return Ok(Some(found));
        }
        let found = self.files.get(&ids.0).copied().zip(self.contexts.get(&ids.1).copied());
        self.orphans += u64::from(found.is_none());
        self.last = found.map(|found| (ids, found));
        Ok(found)
    }
}

/// Rows of single values, gathered by file and context; consecutive rows mostly share both.
struct Runs<T> {
    by_file: Vec<Vec<(ContextId, Vec<T>)>>,
}

impl<T> Runs<T> {
    fn new(files: usize) -> Self {
        Self { by_file: std::iter::repeat_with(Vec::new).take(files).collect() }
    }

    fn push(&mut self, file: usize, context: ContextId, value: T) {
        let Some(runs) = self.by_file.get_mut(file) else { return };
        match runs.last_mut() {
            Some((last, values)) if *last == context => values.push(value),
            _ => runs.push((context, vec![value])),
        }
    }

    /// One run a file and context.
    fn finish(mut self) -> Vec<Vec<(ContextId, Vec<T>)>> {
        for runs in &mut self.by_file {
            runs.sort_by_key(|run| run.0);
            runs.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    earlier.1.append(&mut later.1);
                }
                same
            });
        }
        self.by_file
    }
}

/// What was measured: the rows say it, and `meta` where there are none.
fn measurement(
    lines: &[Vec<(ContextId, Numbits)>],
    arcs: &[Vec<(ContextId, ArcSet)>],
    has_arcs: Option<&str>,
) -> Result<Option<Measurement>> {
    let any_lines = lines.iter().any(|file| !file.is_empty());
    let any_arcs = arcs.iter().any(|file| !file.is_empty());
    match (any_lines, any_arcs) {
        (true, true) => Err(Error::new(ErrorKind::Corrupt, "it holds both lines and arcs")),
        (true, false) => Ok(Some(Measurement::Lines)),
        (false, true) => Ok(Some(Measurement::Arcs)),
        (false, false) => {
            Ok(has_arcs
                .map(|flag| if flag == "0" { Measurement::Lines } else { Measurement::Arcs }))
        }
    }
}

/// The files by path. Where renaming made one of several, they are merged in order.
fn records(
    paths: Vec<FilePath>,
    mut tracers: HashMap<usize, Box<str>>,
    lines: Vec<Vec<(ContextId, Numbits)>>,
    arcs: Vec<Vec<(ContextId, ArcSet)>>,
    contexts: usize,
) -> Result<BTreeMap<FilePath, FileRecord>> {
    let same_ids = ContextId::first(contexts);
    let mut files = BTreeMap::<FilePath, FileRecord>::new();
    for (index, (path, (lines, arcs))) in
        paths.into_iter().zip(lines.into_iter().zip(arcs)).enumerate()
    {
        let tracer = tracers.remove(&index).unwrap_or_default();
        let (lines, arcs) = (ByContext::from_unsorted(lines), ByContext::from_unsorted(arcs));
        let record = FileRecord { tracer, lines, arcs };
        match files.entry(path) {
            Entry::Vacant(entry) => drop(entry.insert(record)),
            Entry::Occupied(mut entry) => {
                let path = entry.key().clone();
                entry.get_mut().become_one_with(record, &path, &same_ids)?;
            }
        }
    }
    Ok(files)
}

fn push<T>(by_file: &mut [Vec<T>], file: usize, value: T) {
    if let Some(rows) = by_file.get_mut(file) {
        rows.push(value);
    }
}

/// A table that is read row by row, with its name and the row's for errors.
struct Table<'a> {
    connection: &'a Connection,
    name: &'static str,
    size: u64,
    /// Text and blobs in it are refused when their row is visited.
    numbers: bool,
}

impl<'a> Table<'a> {
    fn new(source: &'a Source, name: &'static str) -> Self {
        Self { connection: &source.connection, name, size: source.size, numbers: false }
    }

    /// A table of many rows of numbers.
    fn of_numbers(source: &'a Source, name: &'static str) -> Self {
        Self { numbers: true, ..Self::new(source, name) }
    }

    /// Read the rows of `query`, which must not pass over any row of the table.
    fn each(&self, query: &str, mut visit: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        let at = |rowid| Position::Row { table: self.name.into(), rowid };
        let located = |err| from_sqlite(err).at(at(None));
        let mut statement = self.connection.prepare(query).map_err(located)?;
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
}

/// A row takes two bytes of the file at least. More rows are pages that point at each other.
const LEAST_ROW: u64 = 2;

/// How many bytes the row's text and blobs take at least. More than the file has are many rows
/// that share them. Text of three bytes takes two in UTF-16.
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

fn integer(row: &Row<'_>, column: usize) -> Result<i64> {
    match row.get_ref(column).map_err(from_sqlite)? {
        ValueRef::Integer(number) => Ok(number),
        other => Err(unexpected(row, column, &other)),
    }
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8]> {
    match row.get_ref(column).map_err(from_sqlite)? {
        ValueRef::Text(text) => Ok(text),
        other => Err(unexpected(row, column, &other)),
    }
}

fn optional_text<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<&'a [u8]>> {
    match row.get_ref(column).map_err(from_sqlite)? {
        ValueRef::Null => Ok(None),
        _ => text(row, column).map(Some),
    }
}

fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8]> {
    match row.get_ref(column).map_err(from_sqlite)? {
        ValueRef::Blob(bytes) => Ok(bytes),
        other => Err(unexpected(row, column, &other)),
    }
}

fn unexpected(row: &Row<'_>, column: usize, value: &ValueRef<'_>) -> Error {
    let name = row.as_ref().column_name(column).unwrap_or("?").to_owned();
    Error::new(ErrorKind::Corrupt, format!("unexpected {} in column {name}", value.data_type()))
}
