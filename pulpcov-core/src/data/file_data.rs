//! A view of a measured file.

use super::by_context::{ByContext, Union};
use super::contexts::ContextTable;
use super::file_record::FileRecord;
use super::{ArcSet, Authors, FilePath, Numbits};

/// A file of a [`CoverageData`](super::CoverageData), with the names of its contexts.
#[derive(Clone, Copy, Debug)]
pub struct FileData<'a> {
    pub(super) path: &'a FilePath,
    pub(super) record: &'a FileRecord,
    pub(super) contexts: &'a ContextTable,
}

impl<'a> FileData<'a> {
    /// Returns whether the file has rows. Without rows, only its name is known.
    pub fn has_rows(&self) -> bool {
        self.record.has_rows()
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &'a FilePath {
        self.path
    }

    /// Returns the plugin that traced the file, which is empty for ordinary Python.
    pub fn tracer(&self) -> &'a str {
        &self.record.tracer
    }

    /// Returns the authors of the data files that name the file.
    pub fn authors(&self) -> &'a Authors {
        &self.record.authors
    }

    /// Returns the lines of each context, sorted by the context's name. Empty if arcs were measured.
    pub fn lines_by_context(&self) -> Vec<(&'a str, &'a Numbits)> {
        self.named(&self.record.lines)
    }

    /// Returns the arcs of each context, sorted by the context's name. Empty if lines were measured.
    pub fn arcs_by_context(&self) -> Vec<(&'a str, &'a ArcSet)> {
        self.named(&self.record.arcs)
    }

    fn named<T: Union>(&self, sets: &'a ByContext<T>) -> Vec<(&'a str, &'a T)> {
        let mut named: Vec<_> =
            sets.iter().map(|(id, set)| (self.contexts.name(id), set)).collect();
        named.sort_unstable_by_key(|entry| entry.0);
        named
    }
}
