//! What a combine tells while it runs.

use std::path::Path;

use crate::error::Error;

/// One step of [`Combiner::run`](super::Combiner::run).
///
/// Events come from several threads, so inputs are not reported in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Another combine holds this folder; waiting for it.
    Waiting {
        /// The folder.
        folder: &'a Path,
    },
    /// An earlier combine was killed after it wrote the data file and before it had deleted its
    /// inputs. What they held is only there now, so the data file is added to.
    Resuming {
        /// The data file.
        data_file: &'a Path,
    },
    /// This many inputs were found.
    Found {
        /// How many.
        inputs: usize,
    },
    /// An input's rows are in.
    Read {
        /// The input.
        path: &'a Path,
    },
    /// An input holds the same bytes as another one.
    Duplicate {
        /// The input.
        path: &'a Path,
    },
    /// An input cannot be read and is left where it is.
    LeftOut {
        /// The input.
        path: &'a Path,
        /// Why.
        error: &'a Error,
    },
    /// All inputs are read; the result is being written.
    Writing {
        /// Rows of lines, or arcs, in the result; with [`Combiner::memory`](super::Combiner::memory) maybe fewer.
        rows: u64,
    },
    /// The result is durable; the inputs are being deleted.
    Deleting {
        /// How many.
        inputs: usize,
    },
}
