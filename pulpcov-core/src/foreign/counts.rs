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
    conditions: BTreeMap<Condition, u64>,
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
    /// Whether nobody expects that.
    pub is_excluded: bool,
    /// The part as it is written.
    pub expression: Box<str>,
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

    /// Returns the parts of conditions, and how often each decided.
    pub fn conditions(&self) -> &BTreeMap<Condition, u64> {
        &self.conditions
    }

    pub(super) fn add_line(&mut self, line: u32, hits: u64) {
        match self.lines.last_mut() {
            Some(last) if last.0 == line => last.1 = last.1.saturating_add(hits),
            Some(last) if last.0 > line => {
                match self.lines.binary_search_by_key(&line, |entry| entry.0) {
                    Ok(at) => {
                        if let Some(entry) = self.lines.get_mut(at) {
                            entry.1 = entry.1.saturating_add(hits);
                        }
                    }
                    Err(at) => self.lines.insert(at, (line, hits)),
                }
            }
            _ => self.lines.push((line, hits)),
        }
    }

    pub(super) fn add_checksum(&mut self, line: u32, checksum: &str) {
        self.checksums.insert(line, checksum.into());
    }

    pub(super) fn functions_mut(&mut self) -> &mut Functions {
        &mut self.functions
    }

    pub(super) fn branches_mut(&mut self) -> &mut Branches {
        &mut self.branches
    }

    /// Puts in order what was added.
    pub(super) fn finish(&mut self) {
        self.functions.finish();
        self.branches.finish();
    }

    pub(super) fn add_condition(&mut self, condition: Condition, hits: u64) {
        let known = self.conditions.entry(condition).or_default();
        *known = known.saturating_add(hits);
    }

    /// Returns whether other counts are of the same lines.
    pub(super) fn has_lines_of(&self, other: &Self) -> bool {
        self.lines.len() == other.lines.len()
            && self.lines.iter().zip(&other.lines).all(|(mine, other)| mine.0 == other.0)
    }

    /// Adds other counts. Returns whether they are of other lines.
    pub(super) fn merge(&mut self, other: Self) -> bool {
        let differs = !self.has_lines_of(&other);
        if differs {
            self.lines = united(&self.lines, &other.lines);
        } else {
            for (mine, (_, hits)) in self.lines.iter_mut().zip(other.lines) {
                mine.1 = mine.1.saturating_add(hits);
            }
        }
        self.checksums.extend(other.checksums);
        self.functions.merge(other.functions);
        self.branches.merge(other.branches);
        for (condition, hits) in other.conditions {
            self.add_condition(condition, hits);
        }
        differs
    }
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
