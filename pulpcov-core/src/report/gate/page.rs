//! What the HTML report shows of a gate.

use super::GateReport;
use super::words::Problem;
use crate::gates::{FileVerdict, Outcome};

impl GateReport<'_> {
    /// Returns what is said of each file that is below its floor: its name, whether it fails, and a sentence.
    pub(in crate::report) fn files_below(&self) -> Vec<(String, bool, String)> {
        let is_below = |file: &&FileVerdict| file.outcome() != Outcome::Passes;
        let said = |file: &FileVerdict| {
            let fails = file.outcome() == Outcome::Fails;
            let Problem { what, remedy, .. } = self.of_file(file);
            let remedy = if fails { format!(": {remedy}") } else { String::new() };
            (file.name().to_owned(), fails, format!("{}{remedy}", what.plain()))
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
