//! Percentages and counts in words.

use crate::results::{Numbers, Precision, display_covered};
use crate::text::{branches, plural};

/// Returns the percentage of counts, as text.
pub(super) fn percent(numbers: Numbers, precision: Precision) -> String {
    format!("{}%", display_covered(numbers.percent_covered(), precision))
}

/// Returns the percentage and the counts in words: `75% covered: 3 of 4 statements`.
pub(super) fn covered(numbers: Numbers, precision: Precision) -> String {
    format!("{} covered: {}", percent(numbers, precision), counts(numbers))
}

/// Returns the counts in words: `3 of 4 statements and 1 of 2 branches`.
fn counts(numbers: Numbers) -> String {
    let (ran, statements) = numbers.ratio_statements();
    let (taken, all) = numbers.ratio_branches();
    let of_statements = format!("{ran} of {}", plural(statements, "statement"));
    match all {
        0 => of_statements,
        all => format!("{of_statements} and {taken} of {}", branches(all)),
    }
}
