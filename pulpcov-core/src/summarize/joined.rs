//! What other tools measured, beside the data.

use std::collections::HashMap;

use super::file_choice::{FileChoice, Patterns};
use super::naming::Candidate;
use super::outcome::Task;
use super::summary::{Detail, FileSummary, OtherFile};
use crate::foreign::{self, Counts, Report, language};
use crate::python::Facts;
use crate::results::Analysis;
use crate::{Authors, CoverageData, FilePath};

/// The files of a report of other tools.
#[derive(Default)]
pub(super) struct Joined<'r> {
    /// The lines that ran of files that the data has too, by their paths in the data.
    pub(super) also_ran: HashMap<FilePath, Vec<i32>>,
    /// The files that only other tools measured.
    others: Vec<(Candidate, &'r foreign::File)>,
}

impl<'r> Joined<'r> {
    pub(super) fn new(
        report: &'r Report,
        data: &CoverageData,
        choice: &FileChoice,
        patterns: &Patterns,
    ) -> Self {
        let mut joined = Self::default();
        for (candidate, file) in choice.others(report, patterns) {
            match data.file(&candidate.recorded).is_some() {
                true => joined.also_ran.entry(candidate.recorded).or_default().extend(ran(file)),
                false => joined.others.push((candidate, file)),
            }
        }
        joined
    }

    pub(super) fn is_empty(&self) -> bool {
        self.others.is_empty()
    }

    /// Removes the files that only other tools measured from those that were asked for.
    pub(super) fn leave_out(&self, tasks: &mut Vec<Task>) {
        tasks.retain(|task| {
            !self.others.iter().any(|(candidate, _)| candidate.path == task.candidate.path)
        });
    }

    /// Returns the files that only other tools measured, in the order of their languages and names.
    pub(super) fn into_files(self, detail: Detail) -> Vec<OtherFile> {
        let others = self.others.into_iter();
        let mut files: Vec<OtherFile> =
            others.map(|(candidate, file)| other_file(candidate, file, detail)).collect();
        files.sort_by(|a, b| (a.language, &a.file.name).cmp(&(b.language, &b.file.name)));
        files
    }
}

/// Returns the lines of a file that ran.
fn ran(file: &foreign::File) -> impl Iterator<Item = i32> {
    let counts = file.total();
    let ran = counts.lines().iter().filter(|(_, hits)| *hits > 0);
    ran.filter_map(|(line, _)| i32::try_from(*line).ok()).collect::<Vec<_>>().into_iter()
}

fn other_file(candidate: Candidate, counts: &foreign::File, detail: Detail) -> OtherFile {
    let analysis = analysis(&counts.total());
    let language = language(&candidate.name);
    let facts = || Facts::of_statements(analysis.statements().iter().copied(), []);
    let file = FileSummary {
        name: candidate.name,
        path: candidate.path,
        requested: candidate.requested,
        recorded: candidate.recorded,
        authors: Authors::Caller,
        is_python: false,
        numbers: analysis.numbers(),
        facts: (detail >= Detail::Everything).then(|| Box::new(facts())),
        analysis: (detail >= Detail::Lines).then(|| Box::new(analysis)),
    };
    OtherFile { language, counts: counts.clone(), file }
}

/// Compares the lines and branches that a tool knows with those that ran.
fn analysis(counts: &Counts) -> Analysis {
    let line = |line: u32| i32::try_from(line).ok().filter(|line| *line > 0);
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let lines = counts.lines().iter();
    let lines = lines.filter_map(|(number, hits)| Some((line(*number)?, *hits > 0)));
    let branches = counts.taken_branches().into_iter();
    let branches = branches
        .filter_map(|(number, (taken, all))| Some((line(number)?, (count(all), count(taken)))));
    Analysis::of_counts(lines, branches.collect())
}
