//! From the rows of tables to what a data set is made of.

use std::collections::{BTreeMap, HashMap};

use super::btree::Table;
use super::layout::Layout;
use super::record::{Value, values};
use super::store::{PageFile, Store};
use super::{Plain, Unusual};
use crate::data::contexts::{ContextId, ContextTable};
use crate::data::{FilePath, LineArc, Numbits};
use crate::formats::limits::{self, MAX_NUMBITS};
use crate::formats::sqlite::SCHEMA_VERSION;
use crate::formats::sqlite::rows::{ArcTotals, ByFile, Contexts, Ids, LineTotals, Rows, Runs};

/// How many pages of a table one task reads.
#[cfg(feature = "parallel")]
const PAGES_A_TASK: usize = 64;

/// A data file of schema 7 that is as plain as coverage.py makes it.
pub(in super::super) struct Database {
    file: PageFile,
    layout: Layout,
}

impl Database {
    /// Find the tables of a database, or give it back.
    pub(in super::super) fn new(file: PageFile) -> Result<Self, PageFile> {
        match layout(&file) {
            Ok(layout) => Ok(Self { file, layout }),
            Err(Unusual) => Err(file),
        }
    }

    /// What SQLite is to read.
    pub(in super::super) fn into_store(self) -> Store {
        self.file.into_store()
    }

    /// Where it is read from.
    pub(in super::super) fn store(&self) -> &Store {
        self.file.store()
    }

    /// The paths in the order of their table, and from SQLite's ids to places among them.
    pub(in super::super) fn files(&self) -> Plain<(Vec<FilePath>, Ids<usize>)> {
        let mut paths = Vec::new();
        let mut ids = Vec::new();
        Table::new(&self.file, self.layout.files)?.each(|rowid, record| {
            let [id, path] = values(record)?;
            id.rowid_alias()?;
            ids.push((rowid, paths.len()));
            paths.push(FilePath::from(path.text()?));
            Ok(())
        })?;
        Ok((paths, Ids::new(ids)))
    }

    /// All other rows.
    pub(in super::super) fn rows(
        &self,
        files: &Ids<usize>,
        count: usize,
        merge: Contexts,
    ) -> Plain<Rows> {
        let (mut contexts, context_ids) = self.contexts()?;
        if merge == Contexts::Merged && contexts.len() > 0 {
            contexts = ContextTable::default();
            contexts.intern("");
        }
        let keys = Keys { files, contexts: &context_ids, count, merge };
        let (lines, line_orphans) = self.lines(&keys)?;
        let (arcs, arc_orphans) = self.arcs(&keys)?;
        let (tracers, tracer_orphans) = self.tracers(files)?;
        Ok(Rows {
            contexts,
            lines,
            arcs,
            tracers,
            meta: self.meta()?,
            orphans: line_orphans + arc_orphans + tracer_orphans,
        })
    }

    fn contexts(&self) -> Plain<(ContextTable, Ids<ContextId>)> {
        let mut table = ContextTable::default();
        let mut ids = Vec::new();
        Table::new(&self.file, self.layout.contexts)?.each(|rowid, record| {
            let [id, name] = values(record)?;
            id.rowid_alias()?;
            let name = std::str::from_utf8(name.text()?).map_err(|_| Unusual)?;
            ids.push((rowid, table.intern(name)));
            Ok(())
        })?;
        Ok((table, Ids::new(ids)))
    }

    fn lines(&self, keys: &Keys<'_>) -> Plain<(ByFile<Numbits>, u64)> {
        let table = Table::new(&self.file, self.layout.lines)?;
        match keys.merge {
            Contexts::Kept => {
                let parts = in_parts(&table, |leaves| keys.lines_kept(&table, leaves))?;
                let mut by_file: Vec<_> =
                    std::iter::repeat_with(Vec::new).take(keys.count).collect();
                let mut orphans = 0;
                for part in parts {
                    orphans += part.orphans;
                    for (file, context, lines) in part.rows {
                        if let Some(rows) = by_file.get_mut(file) {
                            Vec::push(rows, (context, lines));
                        }
                    }
                }
                Ok((by_file, orphans))
            }
            Contexts::Merged => {
                let parts = in_parts(&table, |leaves| keys.lines_merged(&table, leaves))?;
                let mut all = LineTotals::new(keys.count);
                let mut orphans = 0;
                for part in parts {
                    orphans += part.orphans;
                    all.absorb(part.rows);
                }
                Ok((all.finish(ContextId::ONLY), orphans))
            }
        }
    }

    fn arcs(&self, keys: &Keys<'_>) -> Plain<(ByFile<Vec<LineArc>>, u64)> {
        let table = Table::new(&self.file, self.layout.arcs)?;
        let mut orphans = 0;
        match keys.merge {
            Contexts::Kept => {
                let mut runs = Runs::new(keys.count);
                for part in in_parts(&table, |leaves| keys.arcs_kept(&table, leaves))? {
                    orphans += part.orphans;
                    part.rows
                        .into_iter()
                        .for_each(|(file, context, arcs)| runs.append(file, context, arcs));
                }
                Ok((runs.finish(), orphans))
            }
            Contexts::Merged => {
                let mut all = ArcTotals::new(keys.count);
                for part in in_parts(&table, |leaves| keys.arcs_merged(&table, leaves))? {
                    orphans += part.orphans;
                    all.absorb(part.rows);
                }
                Ok((all.finish(ContextId::ONLY), orphans))
            }
        }
    }

    fn tracers(&self, files: &Ids<usize>) -> Plain<(HashMap<usize, Box<str>>, u64)> {
        let mut tracers = HashMap::new();
        let mut orphans = 0;
        Table::new(&self.file, self.layout.tracers)?.each(|rowid, record| {
            let [file, name] = values(record)?;
            file.rowid_alias()?;
            let name = match name {
                Value::Null => "".into(),
                name => String::from_utf8_lossy(name.text()?).into(),
            };
            match files.get(rowid) {
                Some(file) => drop(tracers.insert(file, name)),
                None => orphans += 1,
            }
            Ok(())
        })?;
        Ok((tracers, orphans))
    }

    fn meta(&self) -> Plain<BTreeMap<String, String>> {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut meta = BTreeMap::new();
        Table::new(&self.file, self.layout.meta)?.each(|_, record| {
            let [key, value] = values(record)?;
            meta.insert(lossy(key.text()?), lossy(value.text()?));
            Ok(())
        })?;
        Ok(meta)
    }
}

fn layout(file: &PageFile) -> Plain<Layout> {
    let layout = Layout::of(file)?;
    let mut versions = Vec::new();
    Table::new(file, layout.version)?.each(|_, record| {
        let [version] = values(record)?;
        versions.push(version.integer()?);
        Ok(())
    })?;
    if versions == [SCHEMA_VERSION] { Ok(layout) } else { Err(Unusual) }
}

/// What a row's ids stand for, and what is to be done with its context.
struct Keys<'a> {
    files: &'a Ids<usize>,
    contexts: &'a Ids<ContextId>,
    /// How many files there are.
    count: usize,
    merge: Contexts,
}

/// Rows with their file and context, in the order of the table.
type Found<T> = Vec<(usize, ContextId, T)>;

/// The rows of some pages.
struct Part<T> {
    rows: T,
    orphans: u64,
}

impl Keys<'_> {
    fn find(&self, file: i64, context: i64) -> Option<(usize, ContextId)> {
        Some((self.files.get(file)?, self.contexts.get(context)?))
    }

    /// `visit(file, context, numbits)` for the rows that name known ones; how many do not.
    fn each_bitmap(
        &self,
        table: &Table<'_>,
        leaves: &[u32],
        mut visit: impl FnMut(usize, ContextId, &[u8]),
    ) -> Plain<u64> {
        let mut orphans = 0;
        table.each_of(leaves, |_, record| {
            let [file, context, bits] = values(record)?;
            let (file, context, bits) = (file.integer()?, context.integer()?, bits.blob()?);
            if bits.len() > MAX_NUMBITS {
                return Err(Unusual);
            }
            match self.find(file, context) {
                Some((file, context)) => visit(file, context, bits),
                None => orphans += 1,
            }
            Ok(())
        })?;
        Ok(orphans)
    }

    fn lines_kept(&self, table: &Table<'_>, leaves: &[u32]) -> Plain<Part<Found<Numbits>>> {
        let mut rows = Vec::new();
        let orphans = self.each_bitmap(table, leaves, |file, context, bits| {
            rows.push((file, context, Numbits::from_bytes(bits)));
        })?;
        Ok(Part { rows, orphans })
    }

    fn lines_merged(&self, table: &Table<'_>, leaves: &[u32]) -> Plain<Part<LineTotals>> {
        let mut rows = LineTotals::new(self.count);
        let orphans = self.each_bitmap(table, leaves, |file, _, bits| rows.add(file, bits))?;
        Ok(Part { rows, orphans })
    }

    /// `visit(file, context, arcs)` for the runs of rows of the same known file and context; how many rows name others.
    fn each_run(
        &self,
        table: &Table<'_>,
        leaves: &[u32],
        mut visit: impl FnMut(usize, ContextId, &[LineArc]),
    ) -> Plain<u64> {
        let mut orphans = 0;
        let mut ids = None;
        let mut found = None;
        let mut run = Vec::new();
        let mut end_run = |found: Option<(usize, ContextId)>, run: &mut Vec<LineArc>| {
            match found {
                Some((file, context)) => visit(file, context, run),
                None => orphans += run.len() as u64,
            }
            run.clear();
        };
        table.each_of(leaves, |_, record| {
            let [file, context, from, to] = values(record)?;
            let row_ids = Some((file.integer()?, context.integer()?));
            if row_ids != ids {
                end_run(found, &mut run);
                ids = row_ids;
                found = row_ids.and_then(|(file, context)| self.find(file, context));
            }
            let end = |value: Value<'_>| limits::arc_end(value.integer()?).map_err(|_| Unusual);
            run.push((end(from)?, end(to)?));
            Ok(())
        })?;
        end_run(found, &mut run);
        Ok(orphans)
    }

    fn arcs_kept(&self, table: &Table<'_>, leaves: &[u32]) -> Plain<Part<Found<Vec<LineArc>>>> {
        let mut rows = Vec::new();
        let orphans = self.each_run(table, leaves, |file, context, arcs| {
            rows.push((file, context, arcs.to_vec()));
        })?;
        Ok(Part { rows, orphans })
    }

    fn arcs_merged(&self, table: &Table<'_>, leaves: &[u32]) -> Plain<Part<ArcTotals>> {
        let mut rows = ArcTotals::new(self.count);
        let orphans = self.each_run(table, leaves, |file, _, arcs| rows.add(file, arcs))?;
        Ok(Part { rows, orphans })
    }
}

/// Read the pages of a table on all cores; the parts are in the order of the table.
#[cfg(feature = "parallel")]
fn in_parts<T: Send>(
    table: &Table<'_>,
    read: impl Fn(&[u32]) -> Plain<T> + Sync + Send,
) -> Plain<Vec<T>> {
    use rayon::prelude::*;
    let tasks = table.leaves.len().div_ceil(PAGES_A_TASK).min(2 * rayon::current_num_threads());
    if tasks < 2 {
        return Ok(vec![read(&table.leaves)?]);
    }
    table.leaves.par_chunks(table.leaves.len().div_ceil(tasks)).map(read).collect()
}

#[cfg(not(feature = "parallel"))]
fn in_parts<T>(table: &Table<'_>, read: impl Fn(&[u32]) -> Plain<T>) -> Plain<Vec<T>> {
    Ok(vec![read(&table.leaves)?])
}
