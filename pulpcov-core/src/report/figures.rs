//! Percentages and counts in words.

use crate::results::{Floor, Numbers, Precision, display_covered, display_covered_below};
use crate::text::{branches, plural};

/// Returns the percentage of counts, as text.
pub(super) fn percent(numbers: Numbers, precision: Precision) -> String {
    format!("{}%", display_covered(numbers.percent_covered(), precision))
}

/// Returns the percentage and the counts in words: `75% covered: 3 of 4 statements`.
pub(super) fn covered(numbers: Numbers, precision: Precision) -> String {
    format!("{} covered: {}", percent(numbers, precision), counts(numbers))
}

/// Returns what [`covered`] does. If it is below a floor, it is not shown as the floor.
pub(super) fn covered_below(numbers: Numbers, floor: Floor, precision: Precision) -> String {
    let percent = display_covered_below(numbers.percent_covered(), floor, precision);
    format!("{percent}% covered: {}", counts(numbers))
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
