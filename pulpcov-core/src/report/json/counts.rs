//! The counts of a file, of a region, or of the whole report.

use serde::Serialize;

use crate::results::{Numbers, Precision, display_covered};

/// The counts of a file, of a region, or of the whole report.
#[derive(Serialize)]
pub(crate) struct Counts {
    covered_lines: usize,
    num_statements: usize,
    percent_covered: f64,
    percent_covered_display: String,
    missing_lines: usize,
    excluded_lines: usize,
    percent_statements_covered: f64,
    percent_statements_covered_display: String,
    #[serde(flatten)]
    branches: Option<BranchCounts>,
}

#[derive(Serialize)]
struct BranchCounts {
    num_branches: usize,
    num_partial_branches: usize,
    covered_branches: usize,
    missing_branches: usize,
    percent_branches_covered: f64,
    percent_branches_covered_display: String,
}

impl Counts {
    pub(crate) fn new(numbers: Numbers, precision: Precision, has_arcs: bool) -> Self {
        let display = |percent| display_covered(percent, precision);
        Self {
            covered_lines: numbers.executed(),
            num_statements: numbers.statements,
            percent_covered: numbers.percent_covered(),
            percent_covered_display: display(numbers.percent_covered()),
            missing_lines: numbers.missing,
            excluded_lines: numbers.excluded,
            percent_statements_covered: numbers.percent_statements(),
            percent_statements_covered_display: display(numbers.percent_statements()),
            branches: has_arcs.then(|| BranchCounts {
                num_branches: numbers.branches,
                num_partial_branches: numbers.partial_branches,
                covered_branches: numbers.executed_branches(),
                missing_branches: numbers.missing_branches,
                percent_branches_covered: numbers.percent_branches(),
                percent_branches_covered_display: display(numbers.percent_branches()),
            }),
        }
    }
}
