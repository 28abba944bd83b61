//! What the HTML report shows of a gate.

use super::GateReport;
use super::words::Problem;
use crate::gates::{Bound, FileVerdict, Measure, Outcome, Shortfall};
use crate::results::Floor;

/// What is said of a file that is below its floor.
pub(in crate::report) struct FileBelow {
    pub(in crate::report) name: String,
    /// Whether it fails. Otherwise, it is allowed to be below.
    pub(in crate::report) fails: bool,
    /// A sentence.
    pub(in crate::report) words: String,
    /// The percentage that is asked of its lines and branches together, if that is asked.
    pub(in crate::report) floor: Option<Floor>,
}

impl GateReport<'_> {
    /// Returns what is said of each file that is below its floor.
    pub(in crate::report) fn files_below(&self) -> Vec<FileBelow> {
        let is_below = |file: &&FileVerdict| file.outcome() != Outcome::Passes;
        let said = |file: &FileVerdict| {
            let fails = file.outcome() == Outcome::Fails;
            let Problem { what, remedy, .. } = self.of_file(file);
            let remedy = if fails { format!(": {remedy}") } else { String::new() };
            let words = format!("{}{remedy}", what.plain());
            FileBelow { name: file.name().to_owned(), fails, words, floor: floor(file) }
        };
        self.verdict.files().iter().filter(is_below).map(said).collect()
    }

    /// Returns what fails beside measured files, in sentences.
    pub(in crate::report) fn other_sentences(&self) -> Vec<String> {
        let sentence = |problem: Problem| {
            format!("{}: {}: {}", problem.about, problem.what.plain(), problem.remedy)
        };
        self.other_problems().map(sentence).collect()
    }

    /// Returns whether nothing fails.
    pub(in crate::report) fn passes(&self) -> bool {
        self.verdict.passes()
    }
}

/// Returns the percentage that a file does not reach, of all that its own percentage counts.
fn floor(file: &FileVerdict) -> Option<Floor> {
    let counts_all = |measure| match measure {
        Measure::Both => true,
        Measure::Lines => file.numbers().branches == 0,
        _ => false,
    };
    file.missed().iter().map(Shortfall::limit).find_map(|limit| match limit.bound() {
        Bound::Floor(floor) if counts_all(limit.measure()) => Some(floor),
        _ => None,
    })
}
