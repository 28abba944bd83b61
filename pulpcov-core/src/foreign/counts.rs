//! What was counted in a file.

use std::collections::BTreeMap;

use super::functions::Functions;
use super::{Branches, Function};

/// What was counted in a file: how often lines, functions and branches ran.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::lcov;
///
/// let text = b"SF:a.c\nFN:1,main\nFNDA:2,main\nDA:1,2\nDA:3,0\nend_of_record\n";
/// let report = lcov::read(&text[..])?;
/// let counts = report.files().next().unwrap().1.total();
/// assert_eq!(counts.lines(), [(1, 2), (3, 0)]);
/// assert_eq!(counts.functions()[0].hits, 2);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sorted by line.
    lines: Vec<(u32, u64)>,
    checksums: BTreeMap<u32, Box<str>>,
    functions: Functions,
    branches: Branches,
    /// How many branches of a line were taken, and how many there are, if a tool says no more.
    branch_counts: BTreeMap<u32, (u32, u32)>,
    conditions: BTreeMap<Condition, Decided>,
}

/// A part of a condition that is sensitized if it alone decides (modified condition and decision coverage).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Condition {
    /// The line of the whole condition.
    pub line: u32,
    /// How many parts the whole condition has.
    pub group_size: u32,
    /// The place of the part among the others, from 0.
    pub index: u32,
    /// Whether the part decided by being false.
    pub is_false: bool,
    /// The part as it is written.
    pub expression: Box<str>,
}

/// How often a part of a condition decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decided {
    /// How often.
    pub hits: u64,
    /// Whether nobody expects that.
    pub is_excluded: bool,
}

impl Counts {
    /// Returns the lines and how often each ran, sorted by line.
    pub fn lines(&self) -> &[(u32, u64)] {
        &self.lines
    }

    /// Returns the checksums of lines, if the tool wrote some.
    pub fn checksums(&self) -> &BTreeMap<u32, Box<str>> {
        &self.checksums
    }

    /// Returns the functions, sorted by first line and name.
    pub fn functions(&self) -> &[Function] {
        self.functions.all()
    }

    /// Returns the branches.
    pub fn branches(&self) -> &Branches {
        &self.branches
    }

    /// Returns how many branches of a line were taken and how many there are, if a tool says no more. When reports are merged, the
    /// larger number of branches taken counts: it is the least that was taken.
    pub fn branch_counts(&self) -> &BTreeMap<u32, (u32, u32)> {
        &self.branch_counts
    }

    /// Returns for each line with branches how many were taken, and how many there are. Excluded branches do not count.
    pub fn taken_branches(&self) -> BTreeMap<u32, (u64, u64)> {
        let mut taken = BTreeMap::<u32, (u64, u64)>::new();
        for (line, block) in self.branches.blocks() {
            for branch in block.iter().filter(|branch| !branch.is_excluded) {
                let sums = taken.entry(line).or_default();
                sums.0 += u64::from(branch.taken.is_some_and(|taken| taken > 0));
                sums.1 += 1;
            }
        }
        for (&line, &(some, all)) in &self.branch_counts {
            // As many branches as have names are the same ones.
            let sums = taken.entry(line).or_default();
            *sums = match sums.1 == u64::from(all) {
                true => (sums.0.max(some.into()), sums.1),
                false => (sums.0 + u64::from(some), sums.1 + u64::from(all)),
            };
        }
        taken
    }

    /// Returns the lines whose branches have no names, with how many were taken and how many there are.
    pub(super) fn unnamed_branches(&self) -> impl Iterator<Item = (u32, (u32, u32))> {
        let mut named = BTreeMap::<u32, usize>::new();
        for (line, block) in self.branches.blocks() {
            *named.entry(line).or_default() +=
                block.iter().filter(|branch| !branch.is_excluded).count();
        }
        let counted = self.branch_counts.iter().map(|(line, counts)| (*line, *counts));
        counted.filter(move |(line, (_, all))| named.get(line) != Some(&(*all as usize)))
    }

    /// Returns the parts of conditions, and how often each decided.
    pub fn conditions(&self) -> &BTreeMap<Condition, Decided> {
        &self.conditions
    }

    pub(super) fn add_line(&mut self, line: u32, hits: u64) {
        match self.lines.last_mut() {
            Some(last) if last.0 == line => last.1 = last.1.saturating_add(hits),
            // `finish` sorts the lines.
            _ => self.lines.push((line, hits)),
        }
    }

    pub(super) fn add_checksum(&mut self, line: u32, checksum: &str) {
        self.checksums.insert(line, checksum.into());
    }

    pub(super) fn add_branch_count(&mut self, line: u32, (taken, all): (u32, u32)) {
        let known = self.branch_counts.entry(line).or_default();
        *known = (known.0.max(taken), known.1.max(all));
    }

    /// Returns the functions as a tracefile tells them.
    pub(super) fn bound_functions(&self) -> Vec<Function> {
        self.functions.bound()
    }

    pub(super) fn functions_mut(&mut self) -> &mut Functions {
        &mut self.functions
    }

    pub(super) fn branches_mut(&mut self) -> &mut Branches {
        &mut self.branches
    }

    /// Puts in order what was added.
    pub(super) fn finish(&mut self) {
        if !self.lines.is_sorted_by(|a, b| a.0 < b.0) {
            self.lines.sort_by_key(|line| line.0);
            self.lines.dedup_by(|line, before| {
                let is_same = line.0 == before.0;
                if is_same {
                    before.1 = before.1.saturating_add(line.1);
                }
                is_same
            });
        }
        self.functions.finish();
        self.branches.finish();
    }

    pub(super) fn add_condition(&mut self, condition: Condition, decided: Decided) {
        let known = self.conditions.entry(condition).or_default();
        known.hits = known.hits.saturating_add(decided.hits);
        known.is_excluded |= decided.is_excluded;
    }

    /// Returns whether other counts are of the same lines.
    pub(super) fn has_lines_of(&self, other: &Self) -> bool {
        self.lines.len() == other.lines.len()
            && self.lines.iter().zip(&other.lines).all(|(mine, other)| mine.0 == other.0)
    }

    /// Adds other counts.
    pub(super) fn merge(&mut self, other: Self) {
        if self.has_lines_of(&other) {
            for (mine, (_, hits)) in self.lines.iter_mut().zip(other.lines) {
                mine.1 = mine.1.saturating_add(hits);
            }
        } else {
            self.lines = united(&self.lines, &other.lines);
        }
        for (line, checksum) in other.checksums {
            // Of two, one has to be chosen whatever the order of the reports is.
            let known = self.checksums.entry(line).or_default();
            *known = std::mem::take(known).max(checksum);
        }
        self.functions.merge(other.functions);
        self.branches.merge(other.branches);
        for (line, counts) in other.branch_counts {
            self.add_branch_count(line, counts);
        }
        for (condition, decided) in other.conditions {
            self.add_condition(condition, decided);
        }
    }
}

/// Merges counts of the same file. Each is looked at only a few times, however many there are.
pub(super) fn merge_all(mut parts: Vec<Counts>) -> Counts {
    while parts.len() > 1 {
        let mut pairs = Vec::with_capacity(parts.len().div_ceil(2));
        let mut rest = parts.into_iter();
        while let Some(mut first) = rest.next() {
            if let Some(second) = rest.next() {
                first.merge(second);
            }
            pairs.push(first);
        }
        parts = pairs;
    }
    parts.pop().unwrap_or_default()
}

/// Unites sorted lines, and adds the counts of those that are in both.
fn united(mine: &[(u32, u64)], other: &[(u32, u64)]) -> Vec<(u32, u64)> {
    let mut all = Vec::with_capacity(mine.len().max(other.len()));
    let (mut mine, mut other) = (mine.iter().peekable(), other.iter().peekable());
    loop {
        match (mine.peek(), other.peek()) {
            (Some(a), Some(b)) if a.0 == b.0 => {
                all.push((a.0, a.1.saturating_add(b.1)));
                mine.next();
                other.next();
            }
            (Some(a), Some(b)) if a.0 < b.0 => all.extend(mine.next()),
            (_, Some(_)) => all.extend(other.next()),
            (Some(_), None) => all.extend(mine.next()),
            (None, None) => return all,
        }
    }
}
