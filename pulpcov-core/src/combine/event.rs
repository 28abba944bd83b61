//! What a combine reports while it runs.

use std::path::Path;

use crate::error::Error;

/// A step of [`Combiner::run`](super::Combiner::run).
///
/// Several threads report events, so inputs are not reported in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Another combine holds the lock on this folder, and this one waits.
    Waiting {
        /// The folder.
        folder: &'a Path,
    },
    /// An earlier combine was killed after it wrote the data file and before it had deleted its inputs. The
    /// data file holds the only copy of some rows, so this combine appends to it.
    Resuming {
        /// The data file.
        data_file: &'a Path,
    },
    /// The inputs were found.
    Found {
        /// The number of inputs, without the data files in archives.
        inputs: usize,
    },
    /// An input was read and merged.
    Read {
        /// The input.
        path: &'a Path,
    },
    /// An input holds the same bytes as another one.
    Duplicate {
        /// The input.
        path: &'a Path,
    },
    /// An input is an archive or a compressed file. The data files in it are inputs, too. It is not deleted.
    Archive {
        /// The input.
        path: &'a Path,
    },
    /// An input cannot be read and stays where it is.
    Unreadable {
        /// The input.
        path: &'a Path,
        /// Why.
        error: &'a Error,
    },
    /// All inputs are read, and the result is being written.
    Writing {
        /// Line rows and arc rows in the result. With [`Combiner::memory`](super::Combiner::memory) the
        /// result may have fewer.
        rows: u64,
    },
    /// The result is durable, and the inputs are being deleted.
    Deleting {
        /// The number of inputs.
        inputs: usize,
    },
}
