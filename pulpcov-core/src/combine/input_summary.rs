//! What became of the inputs.

use std::path::Path;

use super::gather::Outcome;
use crate::data::Measurement;
use crate::error::{Error, ErrorKind};
use crate::folder::Entry;
use crate::formats::{FileIdentity, READ_BITS};
use crate::text::printable;

/// The inputs by their outcome.
pub(super) struct InputSummary<'i> {
    pub(super) read: Vec<(&'i Path, Option<Measurement>)>,
    pub(super) duplicates: usize,
    pub(super) left_out: Vec<Error>,
    pub(super) consumed: Vec<(&'i Entry, FileIdentity)>,
    /// The read permissions that all inputs have in common.
    pub(super) read_bits: u32,
}

impl<'i> InputSummary<'i> {
    pub(super) fn new(inputs: &'i [Entry], outcomes: Vec<Outcome>, left_out: Vec<Error>) -> Self {
        let failed: Vec<bool> =
            outcomes.iter().map(|outcome| matches!(outcome, Outcome::Failed(_))).collect();
        let mut summary = Self {
            read: Vec::new(),
            duplicates: 0,
            left_out,
            consumed: Vec::new(),
            read_bits: READ_BITS,
        };
        for (input, outcome) in inputs.iter().zip(outcomes) {
            let path = input.path();
            match outcome {
                Outcome::Read { identity, measurement, orphan_rows, read_bits } => {
                    summary.read.push((path, measurement));
                    summary.read_bits &= read_bits;
                    match orphan_rows {
                        0 => summary.consumed.push((input, identity)),
                        rows => summary.left_out.push(orphans(path, rows)),
                    }
                }
                // The first input with these bytes could not be read, so neither can this one.
                Outcome::Duplicate { of, .. } if failed.get(of) == Some(&true) => {
                    summary.left_out.push(same_bytes(path, inputs.get(of)));
                }
                Outcome::Duplicate { identity, .. } => {
                    summary.duplicates += 1;
                    summary.consumed.push((input, identity));
                }
                Outcome::Failed(err) => summary.left_out.push(err),
            }
        }
        summary
    }
}

fn orphans(path: &Path, rows: u64) -> Error {
    let message = format!(
        "{rows} of its rows name a file or a context that it does not have; the others are combined"
    );
    Error::new(ErrorKind::Corrupt, message).with_path(path)
}

/// Returns the error of an input whose bytes equal those of `first`, which could not be read. The reason is
/// reported for `first` only.
fn same_bytes(path: &Path, first: Option<&Entry>) -> Error {
    let first = first.map(|input| input.path().to_string_lossy()).unwrap_or_default();
    Error::new(ErrorKind::Corrupt, format!("the same bytes as {}", printable(&first)))
        .with_path(path)
}
