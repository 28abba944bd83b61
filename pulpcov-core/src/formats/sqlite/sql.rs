//! Reading the rows of a data file through SQL, whatever its schema and layout.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::connection::Source;
use super::rows::{FileIds, Ids};
use super::schema::{Lines, Schema};
use super::snapshot::Snapshot;
use super::sql_rows::{Table, blob, integer, optional_text, text};
use super::{from_sqlite, utf16};
use crate::data::contexts::{ContextId, ContextTable};
use crate::data::path::PathList;
use crate::data::rows::{Rows, Runs};
use crate::data::stored_text::StoredText;
use crate::data::{ArcSet, LineArc, Numbits};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::limits::{self, BitmapBudget, MAX_NUMBITS};

/// A data file that is open in SQLite.
pub(super) struct Database {
    source: Source,
    schema: &'static Schema,
}

impl Database {
    pub(super) fn open(snapshot: Snapshot) -> Result<Self> {
        let source = Source::open(snapshot)?;
        let schema = Schema::of(&source.connection)?;
        utf16::check(&source, schema)?;
        Ok(Self { source, schema })
    }

    pub(super) fn schema_version(&self) -> i64 {
        self.schema.version
    }

    /// Returns the paths in the order of their table, and a map from SQLite's ids to indexes into these
    /// paths.
    pub(super) fn files(&self) -> Result<(PathList, FileIds)> {
        let mut paths = PathList::default();
        let mut ids = Vec::new();
        Table::new(&self.source, "file").each("SELECT id, path FROM file", |row| {
            let path = text(row, 1)?;
            ids.push((integer(row, 0)?, ids.len()));
            paths.push(path);
            Ok(())
        })?;
        Ok((paths, FileIds::new(ids)))
    }

    /// Reads all other rows.
    pub(super) fn rows(&self, files: &FileIds) -> Result<Rows> {
        let (contexts, context_ids) = self.contexts()?;
        let mut lookup = IdLookup { files, contexts: &context_ids, orphans: 0, last: None };
        let lines = self.lines(&mut lookup)?;
        let arcs = self.arcs(&mut lookup)?;
        let tracers = self.tracers(&mut lookup)?;
        let orphans = lookup.orphans;
        let meta = self.meta()?;
        let (lines, arcs) = (vec![lines], vec![arcs]);
        Ok(Rows { contexts, lines, arcs, tracers, meta, orphans, ..Rows::default() })
    }

    fn contexts(&self) -> Result<(ContextTable, Ids<ContextId>)> {
        let mut table = ContextTable::default();
        let mut ids = Vec::new();
        Table::new(&self.source, "context").each(self.schema.contexts, |row| {
            ids.push((integer(row, 0)?, table.intern(text(row, 1)?)));
            Ok(())
        })?;
        Ok((table, Ids::new(ids)))
    }

    fn lines(&self, lookup: &mut IdLookup<'_>) -> Result<Runs<u8>> {
        match self.schema.lines {
            Lines::Bitmaps(query) => self.bitmaps(query, lookup),
            Lines::Rows(query) => self.line_rows(query, lookup),
        }
    }

    fn bitmaps(&self, query: &str, lookup: &mut IdLookup<'_>) -> Result<Runs<u8>> {
        let mut runs = Runs::default();
        Table::new(&self.source, "line_bits").each(query, |row| {
            let bits = blob(row, 3)?;
            if bits.len() > MAX_NUMBITS {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!("a numbits of {} bytes", bits.len()),
                ));
            }
            if let Some((file, context)) = lookup.of(row)? {
                runs.push(file, context, bits);
            }
            Ok(())
        })?;
        Ok(runs)
    }

    fn line_rows(&self, query: &str, lookup: &mut IdLookup<'_>) -> Result<Runs<u8>> {
        let mut lines = Runs::default();
        Table::of_numbers(&self.source, "line").each(query, |row| {
            let line = limits::line(integer(row, 3)?)?;
            if let Some((file, context)) = lookup.of(row)? {
                lines.add(file, context, line);
            }
            Ok(())
        })?;
        let mut budget = BitmapBudget::for_size(self.source.size);
        gathered(lines, |runs, file, context, lines: Vec<i32>| {
            budget.take(lines.iter().copied().max().unwrap_or(0))?;
            runs.push(file, context, Numbits::from_iter(lines).as_bytes());
            Ok(())
        })
    }

    fn arcs(&self, lookup: &mut IdLookup<'_>) -> Result<Runs<LineArc>> {
        let mut arcs = Runs::default();
        Table::of_numbers(&self.source, "arc").each(self.schema.arcs, |row| {
            let arc = (limits::arc_end(integer(row, 3)?)?, limits::arc_end(integer(row, 4)?)?);
            if let Some((file, context)) = lookup.of(row)? {
                arcs.add(file, context, arc);
            }
            Ok(())
        })?;
        gathered(arcs, |runs, file, context, arcs: Vec<LineArc>| {
            runs.push(file, context, ArcSet::from(arcs).as_slice());
            Ok(())
        })
    }

    fn tracers(&self, lookup: &mut IdLookup<'_>) -> Result<HashMap<usize, Box<str>>> {
        let mut tracers = HashMap::new();
        Table::new(&self.source, "tracer").each("SELECT file_id, tracer FROM tracer", |row| {
            let name = optional_text(row, 1)?.unwrap_or(StoredText::EMPTY).as_str().into();
            match lookup.files.get(integer(row, 0)?) {
                Some(file) => drop(tracers.insert(file, name)),
                None => lookup.orphans += 1,
            }
            Ok(())
        })?;
        Ok(tracers)
    }

    fn meta(&self) -> Result<BTreeMap<String, String>> {
        let mut meta = BTreeMap::new();
        Table::new(&self.source, "meta").each(self.schema.meta, |row| {
            let value = match row.get_ref(1).map_err(from_sqlite)? {
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Text(_) => text(row, 1)?.as_str().to_owned(),
                _ => return Ok(()),
            };
            meta.insert(text(row, 0)?.as_str().to_owned(), value);
            Ok(())
        })?;
        Ok(meta)
    }
}

/// The known files and contexts, by their ids in the database.
struct IdLookup<'a> {
    files: &'a FileIds,
    contexts: &'a Ids<ContextId>,
    orphans: u64,
    /// The ids of the last row, and what they stand for. Rows in sequence mostly have the same ids.
    last: Option<((i64, i64), (usize, ContextId))>,
}

impl IdLookup<'_> {
    /// Returns the file and the context of a row, whose ids are in columns 1 and 2, if the rows of the file are
    /// wanted. Counts a row without a known file and context as an orphan.
    fn of(&mut self, row: &Row<'_>) -> Result<Option<(usize, ContextId)>> {
        let ids = (integer(row, 1)?, integer(row, 2)?);
        let is_wanted = |&(file, _): &(usize, ContextId)| self.files.is_wanted(file);
        if let Some((_, found)) = self.last.filter(|last| last.0 == ids) {
            return Ok(Some(found).filter(is_wanted));
        }
        let found = self.files.get(ids.0).zip(self.contexts.get(ids.1));
        self.orphans += u64::from(found.is_none());
        self.last = found.map(|found| (ids, found));
        Ok(found.filter(is_wanted))
    }
}

/// Makes one run per file and context, from all of their values.
fn gathered<T: Copy, U>(
    mut values: Runs<T>,
    mut push: impl FnMut(&mut Runs<U>, usize, ContextId, Vec<T>) -> Result<()>,
) -> Result<Runs<U>> {
    let mut runs = Runs::default();
    values.sort();
    for (file, of_file) in values.by_file() {
        for (context, slices) in of_file.by_context() {
            push(&mut runs, file, context, slices.flatten().copied().collect())?;
        }
    }
    Ok(runs)
}
