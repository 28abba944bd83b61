//! Reading the rows of tables as parts of a data set.

use std::collections::{BTreeMap, HashMap};

use super::btree::Table;
use super::layout::Layout;
use super::page_file::{ByteSource, PageFile};
use super::record::{Value, integers, values};
use super::{NeedsSqlite, PlainResult};
use crate::data::LineArc;
use crate::data::contexts::{ContextId, ContextTable};
use crate::data::path::PathList;
use crate::data::rows::{Rows, Runs};
use crate::data::stored_text::StoredText;
use crate::formats::limits::{self, MAX_NUMBITS};
use crate::formats::sqlite::SCHEMA_VERSION;
use crate::formats::sqlite::rows::{ArcTotals, Contexts, FileIds, Ids, LineTotals};

/// About how many pages of a table one task reads. On a large table, tasks read more.
const PAGES_A_TASK: usize = 64;

/// A data file of schema 7 that is as plain as coverage.py makes it.
pub(in super::super) struct Database {
    pub(super) file: PageFile,
    pub(super) layout: Layout,
}

impl Database {
    /// Finds the tables of a database. Returns the file if it is unusual.
    pub(in super::super) fn new(file: PageFile) -> Result<Self, PageFile> {
        match layout(&file) {
            Ok(layout) => Ok(Self { file, layout }),
            Err(NeedsSqlite) => Err(file),
        }
    }

    /// Returns the bytes, for SQLite to read.
    pub(in super::super) fn into_source(self) -> ByteSource {
        self.file.into_source()
    }

    /// Returns where the bytes are.
    pub(in super::super) fn source(&self) -> &ByteSource {
        self.file.source()
    }

    /// Returns the paths in the order of their table, and a map from SQLite's ids to indexes into these
    /// paths.
    pub(in super::super) fn files(&self) -> PlainResult<(PathList, FileIds)> {
        let mut paths = PathList::default();
        let mut ids = Vec::new();
        Table::new(&self.file, self.layout.files)?.each(|rowid, record| {
            let [id, path] = values(record)?;
            id.rowid_alias()?;
            ids.push((rowid, ids.len()));
            paths.push(path.stored_text()?);
            Ok(())
        })?;
        Ok((paths, FileIds::new(ids)))
    }

    /// Reads all other rows.
    pub(in super::super) fn rows(
        &self,
        files: &FileIds,
        count: usize,
        merge: Contexts,
    ) -> PlainResult<Rows> {
        let (mut rows, contexts) = self.rows_of_small_tables(files, merge)?;
        let lookup = IdLookup { files, contexts: &contexts, count, merge };
        let (lines, line_orphans) = self.lines(&lookup)?;
        let (arcs, arc_orphans) = self.arcs(&lookup)?;
        (rows.lines, rows.arcs) = (lines, arcs);
        rows.orphans += line_orphans + arc_orphans;
        Ok(rows)
    }

    /// Reads all other rows except lines and arcs. Returns them, and a map from SQLite's ids to contexts.
    pub(in super::super) fn rows_of_small_tables(
        &self,
        files: &FileIds,
        merge: Contexts,
    ) -> PlainResult<(Rows, Ids<ContextId>)> {
        let (contexts, ids) = self.contexts(merge)?;
        let (tracers, orphans) = self.tracers(files)?;
        let meta = self.meta()?;
        Ok((Rows { contexts, tracers, meta, orphans, ..Rows::default() }, ids))
    }

    /// Returns the contexts, and a map from SQLite's ids to them. If contexts are merged, every id stands for
    /// the unnamed context.
    fn contexts(&self, merge: Contexts) -> PlainResult<(ContextTable, Ids<ContextId>)> {
        let mut table = ContextTable::default();
        let mut ids = Vec::new();
        Table::new(&self.file, self.layout.contexts)?.each(|rowid, record| {
            let [id, name] = values(record)?;
            id.rowid_alias()?;
            let name = name.stored_text()?;
            let name = if merge == Contexts::Merged { StoredText::EMPTY } else { name };
            ids.push((rowid, table.intern(name)));
            Ok(())
        })?;
        Ok((table, Ids::new(ids)))
    }

    fn lines(&self, lookup: &IdLookup<'_>) -> PlainResult<(Vec<Runs<u8>>, u64)> {
        let table = Table::new(&self.file, self.layout.lines)?;
        split_parts(in_parts(&table.leaves, |leaves| match lookup.merge {
            Contexts::Kept => lookup.lines_kept(&table, leaves),
            Contexts::Merged => lookup.lines_merged(&table, leaves),
        }))
    }

    fn arcs(&self, lookup: &IdLookup<'_>) -> PlainResult<(Vec<Runs<LineArc>>, u64)> {
        let table = Table::new(&self.file, self.layout.arcs)?;
        split_parts(in_parts(&table.leaves, |leaves| match lookup.merge {
            Contexts::Kept => lookup.arcs_kept(&table, leaves),
            Contexts::Merged => lookup.arcs_merged(&table, leaves),
        }))
    }

    fn tracers(&self, files: &FileIds) -> PlainResult<(HashMap<usize, Box<str>>, u64)> {
        let mut tracers = HashMap::new();
        let mut orphans = 0;
        Table::new(&self.file, self.layout.tracers)?.each(|rowid, record| {
            let [file, name] = values(record)?;
            file.rowid_alias()?;
            let name = match name {
                Value::Null => "".into(),
                name => name.stored_text()?.as_str().into(),
            };
            match files.get(rowid) {
                Some(file) => drop(tracers.insert(file, name)),
                None => orphans += 1,
            }
            Ok(())
        })?;
        Ok((tracers, orphans))
    }

    fn meta(&self) -> PlainResult<BTreeMap<String, String>> {
        let text = |value: Value<'_>| Ok(value.stored_text()?.as_str().to_owned());
        let mut meta = BTreeMap::new();
        Table::new(&self.file, self.layout.meta)?.each(|_, record| {
            let [key, value] = values(record)?;
            meta.insert(text(key)?, text(value)?);
            Ok(())
        })?;
        Ok(meta)
    }
}

fn layout(file: &PageFile) -> PlainResult<Layout> {
    let layout = Layout::of(file)?;
    let mut versions = Vec::new();
    Table::new(file, layout.version)?.each(|_, record| {
        let [version] = values(record)?;
        versions.push(version.integer()?);
        Ok(())
    })?;
    if versions == [SCHEMA_VERSION] { Ok(layout) } else { Err(NeedsSqlite) }
}

/// What the ids of a row stand for, and what to do with its context.
pub(super) struct IdLookup<'a> {
    pub(super) files: &'a FileIds,
    pub(super) contexts: &'a Ids<ContextId>,
    /// The number of files.
    pub(super) count: usize,
    pub(super) merge: Contexts,
}

/// The rows of some pages.
pub(super) struct Part<T> {
    pub(super) rows: Runs<T>,
    pub(super) orphans: u64,
}

impl IdLookup<'_> {
    fn find(&self, file: i64, context: i64) -> Option<(usize, ContextId)> {
        Some((self.files.get(file)?, self.contexts.get(context)?))
    }

    /// Calls `visit(file, context, numbits)` for each row that names a known file and context. Returns the
    /// number of other rows.
    fn each_bitmap(
        &self,
        table: &Table<'_>,
        leaves: &[u32],
        mut visit: impl FnMut(usize, ContextId, &[u8]),
    ) -> PlainResult<u64> {
        let mut orphans = 0;
        table.each_of(leaves, |_, record| {
            let [file, context, bits] = values(record)?;
            let (file, context, bits) = (file.integer()?, context.integer()?, bits.blob()?);
            if bits.len() > MAX_NUMBITS {
                return Err(NeedsSqlite);
            }
            match self.find(file, context) {
                Some((file, context)) => {
                    if let Some(part) = self.files.wanted_part(file, bits) {
                        visit(file, context, part);
                    }
                }
                None => orphans += 1,
            }
            Ok(())
        })?;
        Ok(orphans)
    }

    pub(super) fn lines_kept(&self, table: &Table<'_>, leaves: &[u32]) -> PlainResult<Part<u8>> {
        let pages = leaves.len();
        let mut rows = Runs::with_room(table.rows_about(pages), table.bytes_about(pages));
        let orphans = self.each_bitmap(table, leaves, |file, context, bits| {
            rows.push(file, context, bits);
        })?;
        Ok(Part { rows, orphans })
    }

    fn lines_merged(&self, table: &Table<'_>, leaves: &[u32]) -> PlainResult<Part<u8>> {
        let mut rows = LineTotals::new(self.count);
        let orphans = self.each_bitmap(table, leaves, |file, _, bits| rows.add(file, bits))?;
        Ok(Part { rows: rows.finish(ContextId::ONLY), orphans })
    }

    /// Adds arcs to `rows`. Rows in sequence with the same known file and context are one run; calls `ended`
    /// after each run. Counts rows with an unknown file or context as orphans.
    fn runs_of_arcs(
        &self,
        table: &Table<'_>,
        leaves: &[u32],
        mut rows: Runs<LineArc>,
        mut ended: impl FnMut(&mut Runs<LineArc>),
    ) -> PlainResult<Part<LineArc>> {
        let mut orphans = 0;
        let mut ids = None;
        let mut found = None;
        let is_wanted = |&(file, _): &(usize, ContextId)| self.files.is_wanted(file);
        table.each_of(leaves, |_, record| {
            let [file, context, from, to] = integers(record)?;
            let row_ids = Some((file, context));
            if row_ids != ids {
                rows.end();
                ended(&mut rows);
                ids = row_ids;
                found = row_ids.and_then(|(file, context)| self.find(file, context));
                if let Some((file, context)) = found.filter(is_wanted) {
                    rows.begin(file, context);
                }
            }
            let end = |number| limits::arc_end(number).map_err(|_| NeedsSqlite);
            let arc = (end(from)?, end(to)?);
            match &found {
                Some(ids) if is_wanted(ids) => rows.push_value(arc),
                Some(_) => {}
                None => orphans += 1,
            }
            Ok(())
        })?;
        rows.end();
        ended(&mut rows);
        Ok(Part { rows, orphans })
    }

    pub(super) fn arcs_kept(
        &self,
        table: &Table<'_>,
        leaves: &[u32],
    ) -> PlainResult<Part<LineArc>> {
        let room = Runs::with_room(0, table.rows_about(leaves.len()));
        self.runs_of_arcs(table, leaves, room, |_| ())
    }

    fn arcs_merged(&self, table: &Table<'_>, leaves: &[u32]) -> PlainResult<Part<LineArc>> {
        let mut rows = ArcTotals::new(self.count);
        let part = self.runs_of_arcs(table, leaves, Runs::default(), |runs| {
            runs.drain(|file, arcs| rows.add(file, arcs));
        })?;
        Ok(Part { rows: rows.finish(ContextId::ONLY), orphans: part.orphans })
    }
}

/// Returns the rows of each part, and the number of orphans of all parts.
fn split_parts<T>(parts: PlainResult<Vec<Part<T>>>) -> PlainResult<(Vec<Runs<T>>, u64)> {
    let parts = parts?;
    let orphans = parts.iter().map(|part| part.orphans).sum();
    Ok((parts.into_iter().map(|part| part.rows).collect(), orphans))
}

/// Reads pages of a table on all cores. The parts are in the order of the table.
pub(super) fn in_parts<T: Send>(
    leaves: &[u32],
    read: impl Fn(&[u32]) -> PlainResult<T> + Sync + Send,
) -> PlainResult<Vec<T>> {
    use rayon::prelude::*;
    let tasks = leaves.len().div_ceil(PAGES_A_TASK).min(2 * rayon::current_num_threads());
    if tasks < 2 {
        return Ok(vec![read(leaves)?]);
    }
    leaves.par_chunks(leaves.len().div_ceil(tasks)).map(read).collect()
}
