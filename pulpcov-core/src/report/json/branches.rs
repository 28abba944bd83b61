//! The branches of a file or of a region.

use serde::Serialize;

use crate::results::Analysis;

#[derive(Serialize)]
pub(super) struct Branches<'a> {
    executed_branches: Vec<(i32, i32)>,
    missing_branches: &'a [(i32, i32)],
}

impl<'a> Branches<'a> {
    pub(super) fn new(analysis: &'a Analysis) -> Option<Self> {
        analysis.has_arcs().then(|| Self {
            executed_branches: analysis.executed_branch_arcs(),
            missing_branches: analysis.missing_branch_arcs(),
        })
    }
}
