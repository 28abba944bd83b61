//! The rows of a data file in batches, so that they need not all be in memory at once.

use super::pages::{self, NeedsSqlite};
use super::read::{Database, Reader, measurement};
use super::rows::{Contexts, FileIds};
use super::sql;
use crate::data::LineArc;
use crate::data::measurement::HAS_ARCS;
use crate::data::rows::{Rows, Runs};
use crate::error::{Error, ErrorKind, Result};

/// Why reading stopped.
enum BatchError {
    NeedsSqlite,
    Failed(Error),
}

impl From<NeedsSqlite> for BatchError {
    fn from(_: NeedsSqlite) -> Self {
        Self::NeedsSqlite
    }
}

impl From<Error> for BatchError {
    fn from(err: Error) -> Self {
        Self::Failed(err)
    }
}

impl Reader {
    /// Streams line and arc rows in batches of about `bytes` of the file. `begin` receives everything else
    /// first and makes a value; `add` adds each batch to that value. Returns the value, and the rows without
    /// lines and arcs.
    ///
    /// A data file that only SQLite can read is read as a whole. If this turns out after the first batches,
    /// the value is dropped and `begin` is called again.
    pub(crate) fn read_in_batches<T>(
        mut self,
        contexts: Contexts,
        bytes: u64,
        begin: impl Fn(&mut Rows) -> Result<T>,
        mut add: impl FnMut(&mut T, Runs<u8>, Runs<LineArc>) -> Result<()>,
    ) -> Result<(T, Rows)> {
        if let Database::Plain(plain) = self.database {
            let begin = |rows: &mut Rows| {
                rows.authors = self.authors.clone();
                rows.take_listed_authors(&self.paths);
                begin(rows)
            };
            match read_plain(&plain, &self.file_index, contexts, bytes, begin, &mut add) {
                Ok(read) if plain.source().is_unchanged()? => return Ok(read),
                Ok(_) => {
                    return Err(Error::new(ErrorKind::Busy, "the file changed while it was read"));
                }
                Err(BatchError::Failed(err)) => return Err(err),
                Err(BatchError::NeedsSqlite) => {}
            }
            let snapshot = plain.into_source().into_snapshot()?;
            self.database = Database::Any(sql::Database::open(snapshot)?);
        }
        let mut rows = self.into_rows(contexts, &mut Vec::new())?;
        let mut made = begin(&mut rows)?;
        rows.take_parts().try_for_each(|(lines, arcs)| add(&mut made, lines, arcs))?;
        Ok((made, rows))
    }
}

/// Reads a plain database in batches.
fn read_plain<T>(
    database: &pages::Database,
    files: &FileIds,
    merge: Contexts,
    bytes: u64,
    begin: impl Fn(&mut Rows) -> Result<T>,
    mut add: impl FnMut(&mut T, Runs<u8>, Runs<LineArc>) -> Result<()>,
) -> std::result::Result<(T, Rows), BatchError> {
    let (mut rows, contexts) = database.rows_of_small_tables(files, merge)?;
    // On an error, the SQL path reads the file again, so that an error in lines or arcs is reported before
    // this one.
    let mut made = begin(&mut rows).map_err(|_| BatchError::NeedsSqlite)?;
    let (mut any_lines, mut any_arcs) = (false, false);
    let orphans = database.each_batch::<BatchError>(files, &contexts, bytes, |lines, arcs| {
        any_lines |= !lines.is_empty();
        any_arcs |= !arcs.is_empty();
        Ok(add(&mut made, lines, arcs)?)
    })?;
    rows.orphans += orphans;
    rows.measurement = measurement(any_lines, any_arcs, rows.meta.remove(HAS_ARCS))?;
    Ok((made, rows))
}
