//! A measured file of a data set.

use super::by_context::{ByContext, SET_OVERHEAD};
use super::conflict::tracer_conflict;
use super::contexts::ContextId;
use super::{ArcSet, Authors, FilePath, Numbits};
use crate::error::Result;

/// The rows of a measured file. Only one of `lines` and `arcs` is ever filled.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileRecord {
    pub(crate) tracer: Box<str>,
    /// Whether the file had rows that were moved elsewhere.
    pub(super) was_measured: bool,
    pub(crate) authors: Authors,
    pub(crate) lines: ByContext<Numbits>,
    pub(crate) arcs: ByContext<ArcSet>,
}

impl FileRecord {
    pub(super) fn absorb(&mut self, other: Self, ids: &[ContextId]) {
        self.authors.join(&other.authors);
        self.was_measured |= other.was_measured;
        if self.tracer.is_empty() {
            self.tracer.clone_from(&other.tracer);
        }
        self.absorb_rows(other, ids);
    }

    /// Adds the rows of `other`, but not its tracer or authors.
    pub(crate) fn absorb_rows(&mut self, other: Self, ids: &[ContextId]) {
        self.lines.absorb(other.lines, ids);
        self.arcs.absorb(other.arcs, ids);
    }

    /// Merges another file that was renamed to the same path.
    pub(crate) fn merge_renamed(
        &mut self,
        other: Self,
        path: &FilePath,
        ids: &[ContextId],
    ) -> Result<()> {
        self.set_tracer(&other.tracer, path)?;
        self.absorb(other, ids);
        Ok(())
    }

    pub(super) fn set_tracer(&mut self, tracer: &str, path: &FilePath) -> Result<()> {
        if self.tracer.is_empty() {
            self.tracer = tracer.into();
        } else if !tracer.is_empty() && *self.tracer != *tracer {
            return Err(tracer_conflict(path, &self.tracer, tracer));
        }
        Ok(())
    }

    /// Returns the record without its rows.
    pub(super) fn without_rows(&self) -> Self {
        Self {
            tracer: self.tracer.clone(),
            was_measured: self.was_measured || self.has_rows(),
            authors: self.authors.clone(),
            ..Self::default()
        }
    }

    /// Returns the plugin that traced the file, which is empty for Python itself. Returns `None` if the file
    /// has neither a plugin nor rows: coverage.py lets any plugin own a file that it never saw run
    /// (coverage.py 7.17.5, `CoverageData.update`).
    pub(super) fn plugin(&self) -> Option<&str> {
        let is_known = !self.tracer.is_empty() || self.was_measured || self.has_rows();
        is_known.then_some(&*self.tracer)
    }

    pub(super) fn has_rows(&self) -> bool {
        !self.lines.is_empty() || !self.arcs.is_empty()
    }

    pub(crate) fn arcs_to_lines(&mut self) {
        for (id, arcs) in std::mem::take(&mut self.arcs).iter() {
            self.lines.add(id, arcs.lines().collect());
        }
    }

    /// Returns the approximate size of the rows in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        let lines = self.lines.iter().map(|(_, lines)| SET_OVERHEAD + lines.as_bytes().len());
        let arcs = self.arcs.iter().map(|(_, arcs)| SET_OVERHEAD + size_of_val(arcs.as_slice()));
        lines.chain(arcs).sum()
    }
}
