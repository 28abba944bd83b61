//! The sentences of all formats.

use std::ops::RangeInclusive;

use super::GateReport;
use crate::gates::{
    FileComparison, FileVerdict, Flapping, FlappingFile, GroupVerdict, JudgedBy, Outcome,
    RegionComparison,
};
use crate::report::sentence::Sentence;
use crate::results::Numbers;
use crate::text::{branches, plural};

/// What is wrong, with the file that it is about, if it is about one.
pub(super) struct Problem {
    pub(super) file: Option<String>,
    /// What it is about: a file, or a rule.
    pub(super) about: String,
    /// How much is missing, and what asks for more.
    pub(super) what: Sentence,
    /// What makes it pass.
    pub(super) remedy: String,
    /// How many lines and branches are missing. A file that was not measured has the most.
    pub(super) weight: usize,
}

impl GateReport<'_> {
    /// Returns what the allowances come from.
    fn allowance(&self) -> &'static str {
        if self.comparison.is_some() { "baseline" } else { "ratchet" }
    }

    /// Returns everything that fails: files, rules, and files that were not measured.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let files = self.verdict.failing_files().map(|file| self.of_file(file));
        files.chain(self.other_problems()).collect()
    }

    /// Returns what fails beside measured files.
    pub(super) fn other_problems(&self) -> impl Iterator<Item = Problem> {
        let groups = self.verdict.failing_groups().map(of_group);
        let unmeasured = self.verdict.unmeasured().iter().map(|name| Problem {
            file: Some(self.shown(name)),
            about: self.shown(name),
            what: Sentence::new(format!("not measured, though the {} has it", self.allowance())),
            weight: usize::MAX,
            remedy: match self.comparison {
                Some(_) => "measure it, or leave it out of both with --omit".to_owned(),
                None => "measure it, or remove its line from the ratchet".to_owned(),
            },
        });
        groups.chain(unmeasured)
    }

    pub(super) fn of_file(&self, file: &FileVerdict) -> Problem {
        let mut what =
            Sentence::new(format!("{}, ", missing(file.numbers()))).then(self.judge(file));
        if let Some(allowed) = file.allowed() {
            what = what.words(format!("; the {} allows {allowed}", self.allowance()));
        }
        Problem {
            file: Some(self.shown(file.name())),
            about: self.shown(file.name()),
            what,
            remedy: file.remedies().join("; "),
            weight: weight(file.numbers()),
        }
    }

    /// Returns what judges a file.
    fn judge(&self, file: &FileVerdict) -> Sentence {
        let limits = file.limits();
        match file.judged_by() {
            JudgedBy::Rule(rule) => Sentence::new("rule ")
                .name(self.verdict.rule_name(rule))
                .words(format!(": {limits}")),
            JudgedBy::NewFiles => Sentence::new(format!("floor of new files {limits}")),
            JudgedBy::Floor => Sentence::new(format!("floor {limits}")),
        }
    }

    /// Returns the end of a report: how many fail.
    pub(in crate::report) fn total(&self) -> String {
        let all = self.verdict.files().len();
        let failing = self.verdict.failing_files().count();
        let mut parts = vec![match failing {
            0 => format!("{} {}", plural(all, "file"), if all == 1 { "passes" } else { "pass" }),
            1 => format!("1 of {} fails", plural(all, "file")),
            _ => format!("{failing} of {} fail", plural(all, "file")),
        }];
        let rules = self.verdict.failing_groups().count();
        if rules > 0 {
            parts.push(match rules {
                1 => "1 rule fails".to_owned(),
                _ => format!("{rules} rules fail"),
            });
        }
        match self.verdict.unmeasured().len() {
            0 => {}
            1 => parts.push("1 was not measured".to_owned()),
            count => parts.push(format!("{count} were not measured")),
        }
        let is_allowed = |file: &&FileVerdict| file.outcome() == Outcome::Allowed;
        match self.verdict.files().iter().filter(is_allowed).count() {
            0 => {}
            1 => parts.push(format!("1 is below its floor, as the {} allows", self.allowance())),
            count => parts
                .push(format!("{count} are below their floor, as the {} allows", self.allowance())),
        }
        parts.join("; ")
    }

    /// Says that the ratchet could allow less.
    pub(super) fn note(&self) -> Option<String> {
        let lowers = self.verdict.lowers();
        let is_ratchet = self.comparison.is_none() && lowers > 0;
        is_ratchet.then(|| {
            format!("the ratchet can fall: `--update` would lower or remove {}", entries(lowers))
        })
    }

    /// Returns what became of files since the baseline, of those that fell, are new, or are gone.
    pub(super) fn changes(&self) -> Vec<(&FileComparison, Sentence)> {
        let files = self.comparison.map(|comparison| comparison.files()).unwrap_or_default();
        files.iter().filter_map(|file| Some((file, self.change(file)?))).collect()
    }

    fn change(&self, file: &FileComparison) -> Option<Sentence> {
        Some(match (file.before(), file.now()) {
            (None, Some(now)) => Sentence::new(format!("new, {}", missing(now))),
            (Some(before), None) => Sentence::new(format!("gone, with {}", missing(before))),
            _ if file.more_missing() == (0, 0) => return None,
            _ => {
                let more = format!("{} missing than before", more(file.more_missing()));
                match file.old_name() {
                    Some(old) => {
                        Sentence::new(format!("{more} (before: ")).name(self.shown(old)).words(")")
                    }
                    None => Sentence::new(more),
                }
            }
        })
    }
}

fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

fn of_group(group: &GroupVerdict) -> Problem {
    let remedies: Vec<String> = group.missed().iter().map(|missed| missed.remedy()).collect();
    let numbers = group.numbers();
    Problem {
        file: None,
        about: format!("rule {}", group.name()),
        what: Sentence::new(format!(
            "{} in {} together: {}",
            missing(numbers),
            plural(numbers.files, "file"),
            group.limits()
        )),
        remedy: remedies.join("; "),
        weight: weight(numbers),
    }
}

fn weight(numbers: Numbers) -> usize {
    numbers.missing + numbers.missing_branches
}

/// Returns how much is missing: `12 of 40 lines and 3 of 8 branches missing`.
pub(super) fn missing(numbers: Numbers) -> String {
    let lines = format!("{} of {}", numbers.missing, plural(numbers.statements, "line"));
    match numbers.branches {
        0 => format!("{lines} missing"),
        all => format!("{lines} and {} of {} missing", numbers.missing_branches, branches(all)),
    }
}

/// Returns what became of a function.
pub(super) fn region(region: &RegionComparison) -> String {
    let name = if region.name().is_empty() { "outside of functions" } else { region.name() };
    let new = if region.before().is_none() { ", new" } else { "" };
    format!("{name}{new}: {}", more(region.more_missing()))
}

fn more((lines, branches): (usize, usize)) -> String {
    let of_branches = format!("{branches} more branch{}", if branches == 1 { "" } else { "es" });
    match (lines, branches) {
        (lines, 0) => plural(lines, "more line"),
        (0, _) => of_branches,
        (lines, _) => format!("{} and {of_branches}", plural(lines, "more line")),
    }
}

/// Returns what flaps in a file, with its lines. Neighbouring lines that the same runs reach are together.
pub(super) fn flapping(
    flapping: &Flapping,
    file: &FlappingFile,
) -> Vec<(RangeInclusive<i32>, Sentence)> {
    let only_in = |what: String, runs: &[usize]| {
        let names = runs.iter().filter_map(|run| flapping.runs().get(*run));
        Sentence::new(format!("{what} only in ")).names(names.map(String::as_str))
    };
    let lines = neighbours(file.lines()).into_iter().map(|(lines, runs)| {
        let what = match (lines.start(), lines.end()) {
            (first, last) if first == last => format!("line {first}"),
            (first, last) => format!("lines {first}-{last}"),
        };
        (lines, only_in(what, runs))
    });
    let branches = file.branches().iter().map(|((from, to), runs)| {
        let target = if *to < 0 { "the exit".to_owned() } else { format!("line {to}") };
        (*from..=*from, only_in(format!("branch from line {from} to {target}"), runs))
    });
    let mut all: Vec<(RangeInclusive<i32>, Sentence)> = lines.chain(branches).collect();
    all.sort_by_key(|(lines, _)| *lines.start());
    all
}

/// Joins lines that follow each other and are reached by the same runs.
fn neighbours(lines: &[(i32, Vec<usize>)]) -> Vec<(RangeInclusive<i32>, &[usize])> {
    let mut ranges: Vec<(RangeInclusive<i32>, &[usize])> = Vec::new();
    for (line, runs) in lines {
        match ranges.last_mut() {
            Some((range, same)) if range.end().checked_add(1) == Some(*line) && same == runs => {
                *range = *range.start()..=*line;
            }
            _ => ranges.push((*line..=*line, runs)),
        }
    }
    ranges
}
