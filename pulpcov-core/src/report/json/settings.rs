//! Settings for a file and for all regions in it.

use super::contexts::LineContexts;
use super::counts::Counts;
use crate::results::{Analysis, Precision};

/// Settings for a file and for all regions in it.
#[derive(Clone, Copy)]
pub(super) struct RenderSettings<'a> {
    pub(super) precision: Precision,
    /// The contexts of the file, if the report shows them.
    pub(super) contexts: Option<&'a LineContexts<'a>>,
}

impl RenderSettings<'_> {
    pub(super) fn counts(self, analysis: &Analysis) -> Counts {
        Counts::new(analysis.numbers(), self.precision, analysis.has_arcs())
    }
}
