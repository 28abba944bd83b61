//! What the data file holds already, when it is added to.

use std::path::Path;

use super::spill::Run;
use crate::data::CoverageData;
use crate::data::contexts::ContextId;
use crate::data::merging::{Merging, PathTable};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::{DataFile, FileIdentity, is_blank};

/// Of so much of the file the rows are read at once, even if they take too much memory.
const LEAST_PORTION: u64 = 1 << 20;

/// The rows of the data file.
pub(super) struct Base {
    /// All of it, but for rows of lines and arcs that take too much memory.
    pub(super) data: CoverageData,
    /// Those rows.
    pub(super) runs: Vec<Run>,
    /// How much memory the rows take that are in memory.
    pub(super) size: usize,
    /// The state of the file that was read.
    pub(super) identity: FileIdentity,
}

/// What has been read.
struct Reading {
    merging: Merging,
    contexts: Vec<ContextId>,
    runs: Vec<Run>,
}

impl Base {
    /// Read the data file, if there is one, and hold at most half of `memory` bytes of its rows, or none.
    pub(super) fn load(
        data_file: &Path,
        drop_contexts: bool,
        memory: Option<usize>,
    ) -> Result<Option<Self>> {
        let Ok(identity) = FileIdentity::of_path(data_file) else { return Ok(None) };
        if is_blank(data_file) {
            let data = CoverageData::new();
            return Ok(Some(Self { data, runs: Vec::new(), size: 0, identity }));
        }
        let file = DataFile::open_in_place(data_file).map_err(not_appendable)?;
        if file.is_recovered() {
            let message = "cannot be appended to: it has a journal or log that SQLite must take in first, as \
                 `sqlite3 FILE .tables` does";
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
        // Rows can take more memory than bytes of the file.
        let portion = (half as u64 / 4).max(LEAST_PORTION);
        let mut paths = PathTable::default();
        let files: Vec<usize> = file.stored_paths().map(|path| paths.number(path.into())).collect();
        let take = |reading: &mut Reading| -> Result<()> {
            reading.runs.extend(Run::take(&mut reading.merging, paths.all(), data_file)?);
            Ok(())
        };
        let (mut reading, rows) = file.read_in_portions(
            portion,
            |names| {
                let mut merging = Merging::default();
                let contexts = merging.add_names(names, &files, paths.all())?;
                Ok(Reading { merging, contexts, runs: Vec::new() })
            },
            |reading, lines, arcs| {
                reading.merging.add_runs(lines, arcs, &files, &reading.contexts);
                if reading.merging.size() > half { take(reading) } else { Ok(()) }
            },
        )?;
        // The data file would be replaced, and nobody would have them any more.
        if rows.orphans > 0 {
            let message = format!(
                "{} of its rows name a file or a context that it does not have",
                rows.orphans
            );
            return Err(Error::new(ErrorKind::Corrupt, message).with_path(data_file));
        }
        if !reading.runs.is_empty() {
            take(&mut reading)?;
        }
        let size = reading.merging.size();
        let mut data = reading.merging.into_data(rows.measurement, paths.all());
        data.replace_meta(rows.meta);
        Ok(Self { data, runs: reading.runs, size, identity })
    }
}

/// Adds to an error about the content of the data file what the user can do.
fn not_appendable(err: Error) -> Error {
    match err.kind() {
        ErrorKind::Io | ErrorKind::Busy => err,
        _ => err.reworded(|reason| {
            format!("cannot be appended to: {reason}; move it away, and combine again")
        }),
    }
}
