//! Batches of rows, for a database that is larger than the memory it may take.

use super::btree::Table;
use super::read_tables::{Database, IdLookup, Part, in_parts};
use super::{NeedsSqlite, PlainResult};
use crate::data::LineArc;
use crate::data::contexts::ContextId;
use crate::data::rows::Runs;
use crate::formats::sqlite::rows::{Contexts, FileIds, Ids};

impl Database {
    /// Calls `visit` for lines and then for arcs, in the order of their tables, in batches of about `bytes`
    /// of the file. Returns how many rows name a file or context that is not known.
    pub(in super::super) fn each_batch<E: From<NeedsSqlite>>(
        &self,
        files: &FileIds,
        contexts: &Ids<ContextId>,
        bytes: u64,
        mut visit: impl FnMut(Runs<u8>, Runs<LineArc>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let lookup = IdLookup { files, contexts, count: 0, merge: Contexts::Kept };
        let table = Table::new(&self.file, self.layout.lines)?;
        let read = |leaves: &[u32]| lookup.lines_kept(&table, leaves);
        let lines = self.each_part(&table, bytes, read, |rows| visit(rows, Runs::default()))?;
        let table = Table::new(&self.file, self.layout.arcs)?;
        let read = |leaves: &[u32]| lookup.arcs_kept(&table, leaves);
        let arcs = self.each_part(&table, bytes, read, |rows| visit(Runs::default(), rows))?;
        Ok(lines + arcs)
    }

    fn each_part<T: Send, E: From<NeedsSqlite>>(
        &self,
        table: &Table<'_>,
        bytes: u64,
        read: impl Fn(&[u32]) -> PlainResult<Part<T>> + Sync + Send,
        mut visit: impl FnMut(Runs<T>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut orphans = 0;
        for leaves in table.leaves.chunks(self.leaves_of(table, bytes)) {
            for part in in_parts(leaves, &read)? {
                orphans += part.orphans;
                visit(part.rows)?;
            }
        }
        Ok(orphans)
    }

    /// Returns how many leaves of a table are about `bytes` of the file, including their overflow pages.
    fn leaves_of(&self, table: &Table<'_>, bytes: u64) -> usize {
        let size = u64::from(self.file.count()) * self.file.page_size() as u64;
        let of_one = size / (table.leaves.len() as u64).max(1);
        usize::try_from(bytes / of_one.max(1)).unwrap_or(usize::MAX).max(1)
    }
}
