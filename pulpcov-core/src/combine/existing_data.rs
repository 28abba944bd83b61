//! The rows that the data file already holds when a combine appends to it.

use std::path::Path;

use super::spill::SpillFile;
use crate::data::CoverageData;
use crate::data::contexts::ContextId;
use crate::data::merging::{Merging, PathTable};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::{DataFile, FileIdentity, is_blank};

/// The smallest batch of the file that is read at once, in bytes, even if its rows take too much memory.
const MIN_BATCH: u64 = 1 << 20;

/// The data file that a combine appends to.
pub(super) struct ExistingData {
    /// Everything in the file, except line and arc rows that take too much memory.
    pub(super) data: CoverageData,
    /// Line and arc rows that are not in `data`.
    pub(super) spill_files: Vec<SpillFile>,
    /// The memory of the rows in `data`, in bytes.
    pub(super) size: usize,
    /// The state of the file when it was read.
    pub(super) identity: FileIdentity,
}

/// What has been read so far.
struct Reading {
    merging: Merging,
    contexts: Vec<ContextId>,
    spill_files: Vec<SpillFile>,
}

impl ExistingData {
    /// Reads the data file, and returns `None` if there is none. Keeps at most half of `memory` bytes of rows
    /// in memory; if there are more, all rows go to spill files.
    pub(super) fn load(
        data_file: &Path,
        drop_contexts: bool,
        memory: Option<usize>,
    ) -> Result<Option<Self>> {
        let Ok(identity) = FileIdentity::of_path(data_file) else { return Ok(None) };
        if is_blank(data_file) {
            let data = CoverageData::new();
            return Ok(Some(Self { data, spill_files: Vec::new(), size: 0, identity }));
        }
        let file = DataFile::open_in_place(data_file).map_err(not_appendable)?;
        if file.is_recovered() {
            let message = "cannot be appended to: it has a journal or log that SQLite must take in first, as \
                 `sqlite3 FILE .tables` does if it may write beside the file";
            return Err(Error::new(ErrorKind::Busy, message).with_path(data_file));
        }
        let identity = file.identity().clone();
        Self::read(file.drop_contexts(drop_contexts), data_file, memory, identity)
            .map_err(not_appendable)
            .map(Some)
    }

    fn read(
        file: DataFile,
        data_file: &Path,
        memory: Option<usize>,
        identity: FileIdentity,
    ) -> Result<Self> {
        let half = memory.map_or(usize::MAX, |bytes| bytes / 2);
        // Rows can take more memory than they take bytes in the file.
        let batch = (half as u64 / 4).max(MIN_BATCH);
        let mut paths = PathTable::default();
        let files: Vec<usize> = file.stored_paths().map(|path| paths.number(path.into())).collect();
        let take = |reading: &mut Reading| -> Result<()> {
            reading.spill_files.extend(SpillFile::take(
                &mut reading.merging,
                paths.all(),
                data_file,
            )?);
            Ok(())
        };
        let (mut reading, rows) = file.read_in_batches(
            batch,
            |names| {
                let mut merging = Merging::default();
                let contexts = merging.add_names(names, &files, paths.all())?;
                Ok(Reading { merging, contexts, spill_files: Vec::new() })
            },
            |reading, lines, arcs| {
                reading.merging.add_runs(lines, arcs, &files, &reading.contexts);
                if reading.merging.size() > half { take(reading) } else { Ok(()) }
            },
        )?;
        // The result replaces the data file, so these rows would be lost.
        if rows.orphans > 0 {
            let message = format!(
                "{} of its rows name a file or a context that it does not have",
                rows.orphans
            );
            return Err(Error::new(ErrorKind::Corrupt, message).with_path(data_file));
        }
        if !reading.spill_files.is_empty() {
            take(&mut reading)?;
        }
        let size = reading.merging.size();
        let mut data = reading.merging.into_data(rows.measurement, paths.all());
        data.replace_meta(rows.meta);
        Ok(Self { data, spill_files: reading.spill_files, size, identity })
    }
}

/// Adds advice for the user to an error about the content of the data file.
fn not_appendable(err: Error) -> Error {
    match err.kind() {
        ErrorKind::Io | ErrorKind::Busy => err,
        _ => err.reworded(|reason| {
            format!("cannot be appended to: {reason}; move it away, and combine again")
        }),
    }
}
