//! What became of the inputs.

use std::path::{Path, PathBuf};

use super::gather::{Examined, Outcome};
use crate::data::Measurement;
use crate::error::{Error, ErrorKind};
use crate::folder::Entry;
use crate::formats::{FileIdentity, READ_BITS};
use crate::text::printable;

/// The inputs by their outcome.
pub(super) struct InputSummary<'i> {
    pub(super) read: Vec<(PathBuf, Option<Measurement>)>,
    pub(super) duplicates: usize,
    pub(super) left_out: Vec<Error>,
    /// An error for each archive without data that nobody has named.
    pub(super) without_data: Vec<Error>,
    /// The files whose rows are in the result. Archives are not among them.
    pub(super) consumed: Vec<(&'i Entry, FileIdentity)>,
    /// The read permissions that all inputs have in common.
    pub(super) read_bits: u32,
}

impl<'i> InputSummary<'i> {
    /// Sums up what became of the `inputs`, and of what was in them, which follows.
    pub(super) fn new(inputs: &'i [Entry], examined: Vec<Examined>, left_out: Vec<Error>) -> Self {
        let failed: Vec<Option<PathBuf>> = examined.iter().map(failed).collect();
        let mut summary = Self {
            read: Vec::new(),
            duplicates: 0,
            left_out,
            without_data: Vec::new(),
            consumed: Vec::new(),
            read_bits: READ_BITS,
        };
        let entries = inputs.iter().map(Some).chain(std::iter::repeat(None));
        for (entry, Examined { path, outcome }) in entries.zip(examined) {
            match outcome {
                Outcome::Read { identity, measurement, orphan_rows, read_bits } => {
                    summary.read_bits &= read_bits;
                    match orphan_rows {
                        0 => summary.consumed.extend(entry.map(|entry| (entry, identity))),
                        rows => summary.left_out.push(orphans(&path, rows)),
                    }
                    summary.read.push((path, measurement));
                }
                Outcome::Duplicate { identity, of } => match failed.get(of) {
                    // The first input with these bytes could not be read, so neither can this one.
                    Some(Some(first)) => summary.left_out.push(same_bytes(&path, first)),
                    _ => {
                        summary.duplicates += 1;
                        summary.consumed.extend(entry.map(|entry| (entry, identity)));
                    }
                },
                Outcome::Failed(err) => summary.left_out.push(err),
                #[cfg(feature = "archives")]
                Outcome::Container => {}
                #[cfg(feature = "archives")]
                Outcome::Nothing(err) => summary.without_data.push(err),
            }
        }
        summary
    }
}

/// Returns the path of an input that could not be read.
fn failed(examined: &Examined) -> Option<PathBuf> {
    matches!(examined.outcome, Outcome::Failed(_)).then(|| examined.path.clone())
}

fn orphans(path: &Path, rows: u64) -> Error {
    let message = format!(
        "{rows} of its rows name a file or a context that it does not have; the others are combined"
    );
    Error::new(ErrorKind::Corrupt, message).with_path(path)
}

/// Returns the error of an input whose bytes equal those of `first`, which could not be read. The reason is
/// reported for `first` only.
fn same_bytes(path: &Path, first: &Path) -> Error {
    let first = first.to_string_lossy();
    Error::new(ErrorKind::Corrupt, format!("the same bytes as {}", printable(&first)))
        .with_path(path)
}
