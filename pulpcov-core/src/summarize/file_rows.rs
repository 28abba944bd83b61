//! What ran of one file.

use crate::data::ContextSelection;
use crate::python::Facts;
use crate::results::Analysis;
use crate::{ArcSet, CoverageData, FilePath, Numbits};

/// The data of one file.
pub(super) enum FileRows {
    Lines(Numbits),
    Arcs(ArcSet),
}

impl FileRows {
    pub(super) fn of(
        data: &CoverageData,
        path: &FilePath,
        selection: Option<&ContextSelection>,
    ) -> Self {
        if data.has_arcs() {
            let arcs = match selection {
                Some(selection) => data.arcs_in(path, selection),
                None => data.arcs(path),
            };
            return Self::Arcs(arcs.unwrap_or_default());
        }
        let lines = match selection {
            Some(selection) => data.lines_in(path, selection),
            None => data.lines(path),
        };
        Self::Lines(lines.unwrap_or_default())
    }

    pub(super) fn lines(&self) -> Vec<i32> {
        match self {
            Self::Lines(lines) => lines.iter().collect(),
            Self::Arcs(arcs) => arcs.lines().collect(),
        }
    }

    pub(super) fn analyze(&self, lines: Vec<i32>, facts: &Facts) -> Analysis {
        match self {
            Self::Lines(_) => Analysis::of_lines(facts, lines),
            Self::Arcs(arcs) => Analysis::of_arcs(facts, lines, arcs.iter()),
        }
    }
}
