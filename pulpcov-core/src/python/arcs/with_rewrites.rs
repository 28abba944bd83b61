//! Changes the arcs that leave `with` statements.
//!
//! When the body of a `with` ends, Python traces the line of the `with` once more. But a reader of
//! a report expects the body to go to the next statement. So recorded and possible arcs are both
//! changed, as coverage.py's `with_jump_fixers` and `fix_with_jumps` do (parser.py).

use std::collections::{BTreeMap, BTreeSet};

use super::Arc;
use crate::python::line_set::LineSet;

/// What the walk over the statements finds about `with` statements.
#[derive(Debug)]
pub(super) struct Withs {
    current: Vec<i32>,
    all: LineSet,
    /// Arcs from a `with` into its body.
    entries: BTreeSet<Arc>,
    /// Arcs from a body back to its `with`.
    exits: BTreeSet<Arc>,
}

impl Withs {
    pub(super) fn new(last_line: i32) -> Self {
        Self {
            current: Vec::new(),
            all: LineSet::new(last_line),
            entries: BTreeSet::new(),
            exits: BTreeSet::new(),
        }
    }

    pub(super) fn enter(&mut self, line: i32) {
        self.current.push(line);
        self.all.insert(line);
    }

    pub(super) fn leave(&mut self, line: i32) {
        self.current.retain(|&start| start != line);
    }

    /// Notes an arc from a body back to its `with`.
    pub(super) fn note_exit(&mut self, arc: Arc) {
        self.exits.insert(arc);
    }

    /// Notes an arc that is being added, if it starts at a `with` whose body is being walked.
    pub(super) fn note_entry(&mut self, arc: Arc) {
        if self.current.contains(&arc.0) {
            self.entries.insert(arc);
        }
    }

    /// Returns how to change arcs. `arcs` are all arcs of the file, sorted.
    pub(super) fn rewrites(&self, arcs: &[Arc]) -> WithRewrites {
        let mut next: BTreeMap<i32, i32> = BTreeMap::new();
        for &(from, to) in arcs {
            if self.all.contains(from) && !self.entries.contains(&(from, to)) {
                next.entry(from).or_insert(to);
            }
        }
        let mut rewrites = BTreeMap::new();
        for &(end, start) in &self.exits {
            // A `with` has no next statement at the end of a `finally` that only exceptions or
            // jumps enter. Then its arc stays.
            if next.contains_key(&start) {
                rewrites.insert((end, start), Some((end, self.final_next(start, &next))));
            }
        }
        for (&start, &to) in &next {
            // If the body is on the line of its `with`, this arc alone records that the `with` was
            // left.
            if !self.exits.contains(&(start, start)) {
                rewrites.insert((start, to), None);
            }
        }
        WithRewrites(rewrites)
    }

    /// Returns where the program goes after the `with` that starts at `start`. If that `with` ends
    /// the body of another `with`, this is where the other one goes.
    fn final_next(&self, start: i32, next: &BTreeMap<i32, i32>) -> i32 {
        let mut start = start;
        let mut target = start;
        // Each step leaves a `with`, so there are no more steps than `with` statements.
        for _ in 0..=next.len() {
            let Some(&to) = next.get(&start) else { break };
            target = to;
            if !self.exits.contains(&(start, to)) {
                break;
            }
            start = to;
        }
        target
    }
}

/// Arcs to replace; `None` removes the arc.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct WithRewrites(BTreeMap<Arc, Option<Arc>>);

impl WithRewrites {
    pub(super) fn rewrite(&self, arcs: impl IntoIterator<Item = Arc>) -> impl Iterator<Item = Arc> {
        arcs.into_iter().filter_map(|arc| self.0.get(&arc).copied().unwrap_or(Some(arc)))
    }
}
