//! What other tools measured, beside the data.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::file_choice::{FileChoice, Patterns};
use super::naming::Candidate;
use super::outcome::Task;
use super::sources::{Sources, read_source};
use super::summary::{Detail, FileSummary, OtherFile};
use super::warning::Warning;
use crate::foreign::{self, Counts, Report, language};
use crate::python::Facts;
use crate::results::Analysis;
use crate::{Authors, CoverageData, FilePath, Result};

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
        let others: HashSet<&Path> =
            self.others.iter().map(|(candidate, _)| candidate.path.as_path()).collect();
        tasks.retain(|task| !others.contains(task.candidate.path.as_path()));
    }

    /// Compares the files that only other tools measured with their sources. Returns them in the order of their languages and names,
    /// with warnings. A file without a source is an error.
    pub(super) fn into_files(
        self,
        sources: &dyn Sources,
        detail: Detail,
    ) -> Vec<Result<(OtherFile, Option<Warning>)>> {
        use rayon::prelude::*;
        let mut others = self.others;
        others.sort_by(|(a, _), (b, _)| {
            (language(&a.name), &a.name).cmp(&(language(&b.name), &b.name))
        });
        let others = others.into_par_iter();
        others.map(|(candidate, file)| other_file(candidate, file, sources, detail)).collect()
    }
}

/// Returns the lines of a file that ran.
fn ran(file: &foreign::File) -> impl Iterator<Item = i32> {
    let counts = file.total();
    let ran = counts.lines().iter().filter(|(_, hits)| *hits > 0);
    ran.filter_map(|(line, _)| i32::try_from(*line).ok()).collect::<Vec<_>>().into_iter()
}

fn other_file(
    candidate: Candidate,
    counts: &foreign::File,
    sources: &dyn Sources,
    detail: Detail,
) -> Result<(OtherFile, Option<Warning>)> {
    let lines = line_count(&read_source(sources, &candidate.path, &Authors::Caller)?);
    let total = counts.total();
    let last = total.lines().last().map_or(0, |(line, _)| *line);
    let warning = (last > lines).then(|| {
        let path = candidate.path.clone();
        Warning::OtherMismatch { path, counted: last, lines }
    });
    let analysis = analysis(&total, lines);
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
    Ok((OtherFile { language, counts: counts.clone(), file }, warning))
}

/// Returns the number of lines, the last of which may have no end.
fn line_count(source: &[u8]) -> u32 {
    let ends = memchr::memchr_iter(b'\n', source).count();
    let is_cut = source.last().is_some_and(|last| *last != b'\n');
    u32::try_from(ends + usize::from(is_cut)).unwrap_or(u32::MAX)
}

/// Compares the lines and branches that a tool knows with those that ran. Lines that the source does not have are left out.
fn analysis(counts: &Counts, last: u32) -> Analysis {
    let line = |line: u32| i32::try_from(line).ok().filter(|_| (1..=last).contains(&line));
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let lines = counts.lines().iter();
    let lines = lines.filter_map(|(number, hits)| Some((line(*number)?, *hits > 0)));
    let branches = counts.taken_branches().into_iter();
    let branches = branches
        .filter_map(|(number, (taken, all))| Some((line(number)?, (count(all), count(taken)))));
    Analysis::of_counts(lines, branches.collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::foreign::lcov;
    use crate::summarize::Summarizer;
    use crate::{CoverageData, ErrorKind, Numbits};

    #[test]
    fn lines_that_a_source_cannot_have_are_told_and_left_out() {
        let mut data = CoverageData::new();
        data.add_lines("a.py", "", &Numbits::from_iter([1])).unwrap();
        let text = b"SF:a.c\nDA:0,1\nDA:1,1\nDA:3,1\nDA:4294967295,1\nBRDA:4294967295,0,0,1\nend_of_record\n";
        let report = lcov::read(&text[..]).unwrap();
        let sources = |_: &Path| Ok(Some(b"one\ntwo\nthree".to_vec()));
        let summary = Summarizer::new(&data, &sources).with(&report).run().unwrap();
        assert_eq!(summary.other_files()[0].summary().analysis().unwrap().statements(), [1, 3]);
        let said: Vec<String> = summary.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "a.c has 3 lines, but another tool counted line 4294967295: it measured another version"
            ]
        );
    }

    #[test]
    fn a_file_without_a_source_stops_the_summary_unless_errors_are_ignored() {
        let mut data = CoverageData::new();
        data.add_lines("a.py", "", &Numbits::from_iter([1])).unwrap();
        let report = lcov::read(&b"SF:a.c\nDA:1,1\nend_of_record\n"[..]).unwrap();
        let sources = |path: &Path| Ok((path == "a.py").then(|| b"x = 1\n".to_vec()));
        let run =
            |ignore| Summarizer::new(&data, &sources).with(&report).ignore_errors(ignore).run();
        assert_eq!(run(false).unwrap_err().kind(), ErrorKind::NoSource);
        let summary = run(true).unwrap();
        assert!(summary.other_files().is_empty());
        assert_eq!(summary.warnings().len(), 1);
    }
}
