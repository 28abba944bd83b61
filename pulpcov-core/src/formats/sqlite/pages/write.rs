//! Writing a whole database of schema 7: from the second page to the last, and then the first page.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufWriter, Write};

use super::build_tree::{PageWriter, TableSizer, Tree};
use super::encode::{Columns, Field, NumberCell, record, record_len, row_len_of};
use super::file_position::{FilePosition, write_at};
use super::first_page::{Header, Root, first_page_of};
use super::sync_while_writing::{self, SyncRequests};
use crate::data::contexts::ContextId;
use crate::data::{FilePath, LineArc, Measurement};
use crate::formats::sqlite::SCHEMA_VERSION;
use crate::formats::sqlite::row_source::{RowSource, by_rank, meta_rows, ranked_contexts};

/// The number of bytes that are written at a time.
const BUFFER: usize = 1 << 20;

/// The number of row lengths to collect before they are measured. There can be more, because a set is never
/// split.
const LENGTHS_AT_ONCE: usize = 1 << 12;

/// Whether two threads can write to one file at the same time, each at its own position.
const CAN_WRITE_IN_PARALLEL: bool = cfg!(unix);

/// The minimum number of rows for writing a table and its index at the same time.
const MIN_ROWS_PARALLEL: u64 = 20_000;

/// The number of sets that are touched before they are needed. The sets are scattered in memory.
const PREFETCHED_SETS: usize = 16;

/// Whether to sync parts of a file while it is written. On macOS, every sync would wait for everything in the
/// disk's own cache.
const SYNC_WHILE_WRITING: bool = cfg!(target_os = "linux");

/// The minimum number of rows for syncing parts of the file.
const MIN_ROWS_SYNCED: u64 = 500_000;

/// Writes `rows` to an empty file.
///
/// The metadata must not contain `has_arcs`. The measurement of `rows` gives that value.
pub(in super::super) fn write(rows: &dyn RowSource, file: &File) -> io::Result<()> {
    let pages = write_from(rows, file, 2)?;
    let tables = pages.roots.len() as u32;
    let header =
        Header { count: pages.end - 1, changes: 1, schema_changes: tables, ..Header::default() };
    pages.write_first(file, &header)
}

/// Tables that have been written. The first page does not name them yet.
pub(in super::super) struct WrittenTables {
    roots: [Root; 7],
    /// The number of the page after the tables.
    pub(in super::super) end: u32,
}

/// Writes the tables of `rows` to the pages from `start` on.
pub(in super::super) fn write_from(
    rows: &dyn RowSource,
    file: &File,
    start: u32,
) -> io::Result<WrittenTables> {
    let tables = Tables {
        rows,
        files: rows.files(),
        ranks: ranked_contexts(rows.contexts()),
        contexts: rows.contexts().sorted_ids(),
    };
    let write = |syncs| {
        let in_parallel = CAN_WRITE_IN_PARALLEL && rows.count() >= MIN_ROWS_PARALLEL;
        let mut pages = Pages { file, next: start, in_parallel, syncs };
        Ok(WrittenTables { roots: tables.write(&mut pages)?, end: pages.next })
    };
    match SYNC_WHILE_WRITING && rows.count() >= MIN_ROWS_SYNCED {
        true => sync_while_writing::write_with(file, write),
        false => write(SyncRequests::default()),
    }
}

impl WrittenTables {
    /// Writes the first page, which makes all of these tables the database's at once.
    pub(in super::super) fn write_first(&self, file: &File, header: &Header) -> io::Result<()> {
        let first = first_page_of(&self.roots, header)
            .ok_or_else(|| io::Error::other("the schema does not fit on the first page"))?;
        write_at(file, &first[..], 0)
    }
}

/// The pages of a file. Those before `next` are written or taken.
struct Pages<'a> {
    file: &'a File,
    next: u32,
    /// Whether to write a table and its index at the same time.
    in_parallel: bool,
    syncs: SyncRequests,
}

impl Pages<'_> {
    /// Writes a tree. Returns the number of its root page.
    fn tree(
        &mut self,
        write: impl FnOnce(&mut PageWriter<BufWriter<FilePosition<'_>>>) -> io::Result<u32>,
    ) -> io::Result<u32> {
        let out = FilePosition::of_page(self.file, self.next, self.syncs.clone());
        let out = BufWriter::with_capacity(BUFFER, out);
        let mut pages = PageWriter::new(out, self.next);
        let root = write(&mut pages)?;
        self.next = pages.next();
        pages.into_inner().flush()?;
        Ok(root)
    }
}

struct Tables<'a> {
    rows: &'a dyn RowSource,
    files: Vec<(&'a FilePath, &'a str)>,
    /// The id of each context in the database, by the index of the context.
    ranks: Vec<i64>,
    /// The contexts, in the order of their ids in the database.
    contexts: Vec<ContextId>,
}

impl Tables<'_> {
    /// Writes the tables and indexes in the order of the schema.
    fn write(&self, pages: &mut Pages<'_>) -> io::Result<[Root; 7]> {
        let root = |table, rows| Root { table, rows, index: None };
        let indexed = |table, (rows, index)| Root { table, rows, index: Some(index) };
        let version = [(1, [Field::Integer(SCHEMA_VERSION)])];
        let meta = meta_rows(self.rows);
        let entries = meta.iter().map(|(key, value)| [key, value].map(|of| text(of.as_bytes())));
        let mut keys: Vec<_> = meta.iter().map(|(key, _)| key.as_bytes()).zip(1..).collect();
        keys.sort_unstable();
        let paths = || self.files.iter().map(|(path, _)| path.as_bytes()).zip(1..);
        let names = || self.contexts.iter().map(|&id| self.rows.contexts().name(id));
        let names = || names().map(str::as_bytes).zip(1..);
        let named = |(name, id)| (id, [Field::Null, text(name)]);
        let tracers = (1..).zip(&self.files).filter(|(_, (_, tracer))| !tracer.is_empty());
        let tracers = tracers.map(|(id, (_, tracer))| named((tracer.as_bytes(), id)));
        Ok([
            root("coverage_schema", pages.tree(|out| small_table(out, version))?),
            indexed(
                "meta",
                (
                    pages.tree(|out| small_table(out, (1..).zip(entries)))?,
                    pages.tree(|out| index_of_names(out, keys))?,
                ),
            ),
            indexed(
                "file",
                (
                    pages.tree(|out| small_table(out, paths().map(named)))?,
                    pages.tree(|out| index_of_names(out, paths()))?,
                ),
            ),
            indexed(
                "context",
                (
                    pages.tree(|out| small_table(out, names().map(named)))?,
                    pages.tree(|out| index_of_names(out, names()))?,
                ),
            ),
            indexed(
                "line_bits",
                table_and_index(
                    pages,
                    |out| self.lines(out),
                    |first| self.measure_lines(first),
                    |out| self.index_of_lines(out),
                )?,
            ),
            indexed(
                "arc",
                table_and_index(
                    pages,
                    |out| self.arcs(out),
                    |first| self.measure_arcs(first),
                    |out| self.index_of_arcs(out),
                )?,
            ),
            root("tracer", pages.tree(|out| small_table(out, tracers))?),
        ])
    }

    fn lines(&self, out: &mut PageWriter<impl Write>) -> io::Result<u32> {
        let (mut row, mut rowid) = (Vec::new(), 0);
        let mut table = Tree::table(out);
        self.each_bitmap(|file, context, numbits| {
            rowid += 1;
            let ids = [file, context].map(|id| Field::Integer(id.into()));
            record(&mut row, &[ids[0], ids[1], Field::Blob(numbits)]);
            table.row(rowid, &row)
        })?;
        table.finish()
    }

    /// Returns the number of the page after the table, if the table begins with the page `first`.
    fn measure_lines(&self, first: u32) -> io::Result<u32> {
        let mut rowid = 0;
        let mut table = TableSizer::table(first);
        self.each_bitmap(|file, context, numbits| {
            rowid += 1;
            let ids = [file, context].map(|id| Field::Integer(id.into()));
            table.row(rowid, record_len(&[ids[0], ids[1], Field::Blob(numbits)]));
            Ok(())
        })?;
        table.finish()
    }

    fn index_of_lines(&self, out: &mut PageWriter<impl Write>) -> io::Result<u32> {
        let mut rowid = 0;
        let mut index = Tree::index(out);
        self.each_bitmap(|file, context, _| {
            rowid += 1;
            let keys = Columns::two(file, context);
            let rowid = Columns::rowid(rowid);
            index.number_entry(&NumberCell::entry(&keys, &Columns::default(), &rowid))
        })?;
        index.finish()
    }

    fn arcs(&self, out: &mut PageWriter<impl Write>) -> io::Result<u32> {
        let mut rowid = 0;
        let mut table = Tree::table(out);
        self.each_arc(|keys, (from, to)| {
            rowid += 1;
            table.number_row(rowid, &NumberCell::row(rowid, keys, &Columns::two(from, to)))
        })?;
        table.finish()
    }

    /// Returns the number of the page after the table, if the table begins with the page `first`.
    fn measure_arcs(&self, first: u32) -> io::Result<u32> {
        let (mut lengths, mut rowid) = (Vec::new(), 1);
        let mut table = TableSizer::table(first);
        self.each_arc_set(|keys, arcs| {
            lengths.extend(arcs.iter().map(|&(from, to)| row_len_of(keys, from, to)));
            if lengths.len() >= LENGTHS_AT_ONCE {
                table.number_rows(rowid, &lengths);
                rowid += lengths.len() as u64;
                lengths.clear();
            }
            Ok(())
        })?;
        table.number_rows(rowid, &lengths);
        table.finish()
    }

    fn index_of_arcs(&self, out: &mut PageWriter<impl Write>) -> io::Result<u32> {
        let mut rowid = 0;
        let mut index = Tree::index(out);
        self.each_arc(|keys, (from, to)| {
            rowid += 1;
            let (arc, rowid) = (Columns::two(from, to), Columns::rowid(rowid));
            index.number_entry(&NumberCell::entry(keys, &arc, &rowid))
        })?;
        index.finish()
    }

    /// Calls `visit(file, context, numbits)` in the order of the rows.
    fn each_bitmap(
        &self,
        mut visit: impl FnMut(i32, i32, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.rows.measurement() == Some(Measurement::Arcs) {
            return Ok(());
        }
        for (file, (path, _)) in (1..).zip(&self.files) {
            for sets in by_rank(&self.rows.record(path)?.lines, &self.ranks).chunks(PREFETCHED_SETS)
            {
                prefetch(sets.iter().map(|(_, lines)| lines.as_bytes()));
                for (context, lines) in sets {
                    visit(file, id(*context)?, lines.as_bytes())?;
                }
            }
        }
        Ok(())
    }

    /// Calls `visit(file and context, arc)` in the order of the rows.
    fn each_arc(
        &self,
        mut visit: impl FnMut(&Columns, LineArc) -> io::Result<()>,
    ) -> io::Result<()> {
        self.each_arc_set(|keys, arcs| arcs.iter().try_for_each(|&arc| visit(keys, arc)))
    }

    /// Calls `visit(file and context, their arcs)` in the order of the rows.
    fn each_arc_set(
        &self,
        mut visit: impl FnMut(&Columns, &[LineArc]) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.rows.measurement() == Some(Measurement::Lines) {
            return Ok(());
        }
        for (file, (path, _)) in (1..).zip(&self.files) {
            for sets in by_rank(&self.rows.record(path)?.arcs, &self.ranks).chunks(PREFETCHED_SETS)
            {
                prefetch(sets.iter().map(|(_, arcs)| arcs.as_slice()));
                for (context, arcs) in sets {
                    visit(&Columns::two(file, id(*context)?), arcs.as_slice())?;
                }
            }
        }
        Ok(())
    }
}

/// Touches sets, so that the processor loads them at the same time and not one after another.
fn prefetch<'s, T: Copy + 's>(sets: impl Iterator<Item = &'s [T]>) {
    sets.for_each(|set| {
        black_box((set.first().copied(), set.last().copied()));
    });
}

fn id(number: i64) -> io::Result<i32> {
    i32::try_from(number).map_err(io::Error::other)
}

/// Writes a table and its index. If there are many rows, writes both at the same time: the table is measured
/// first, and the index begins where the table will end.
fn table_and_index<'f>(
    pages: &mut Pages<'f>,
    table: impl FnOnce(&mut PageWriter<BufWriter<FilePosition<'_>>>) -> io::Result<u32> + Send,
    measure: impl FnOnce(u32) -> io::Result<u32> + Send,
    index: impl FnOnce(&mut PageWriter<BufWriter<FilePosition<'_>>>) -> io::Result<u32> + Send,
) -> io::Result<(u32, u32)> {
    if !pages.in_parallel {
        return Ok((pages.tree(table)?, pages.tree(index)?));
    }
    let Pages { file, next, in_parallel, ref syncs } = *pages;
    let (table, index) = join(
        || -> io::Result<_> {
            let mut pages: Pages<'f> = Pages { file, next, in_parallel, syncs: syncs.clone() };
            Ok((pages.tree(table)?, pages.next))
        },
        || -> io::Result<_> {
            let begin = measure(next)?;
            let mut pages = Pages { file, next: begin, in_parallel, syncs: syncs.clone() };
            Ok((pages.tree(index)?, begin, pages.next))
        },
    );
    let ((table, end), (index, begin, next)) = (table?, index?);
    if begin != end {
        return Err(io::Error::other("a table was measured wrongly"));
    }
    pages.next = next;
    Ok((table, index))
}

fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    rayon::join(a, b)
}

fn text(bytes: &[u8]) -> Field<'_> {
    Field::Text(bytes)
}

/// Writes a table of rows by their rowids.
fn small_table<'f, const N: usize>(
    out: &mut PageWriter<impl Write>,
    rows: impl IntoIterator<Item = (u64, [Field<'f>; N])>,
) -> io::Result<u32> {
    let mut row = Vec::new();
    let mut table = Tree::table(out);
    for (rowid, fields) in rows {
        record(&mut row, &fields);
        table.row(rowid, &row)?;
    }
    table.finish()
}

/// Writes the index of a table of names. The names must ascend.
fn index_of_names<'n>(
    out: &mut PageWriter<impl Write>,
    names: impl IntoIterator<Item = (&'n [u8], u64)>,
) -> io::Result<u32> {
    let mut entry = Vec::new();
    let mut index = Tree::index(out);
    for (name, id) in names {
        record(&mut entry, &[Field::Text(name), Field::Integer(id as i64)]);
        index.entry(&entry)?;
    }
    index.finish()
}
