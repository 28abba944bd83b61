//! The arcs that are possible in a source text: from which line to which line it can go on.
//!
//! coverage.py's `AstArcAnalyzer` (parser.py). A negative line is the exit of the code object
//! that starts there. What is not a choice of the program is left out: an exception may leave
//! from anywhere, so no arcs are made for it but for `raise`.

mod analyze;
mod blocks;
mod branches;
mod describe;
mod loops;
mod matches;
mod starts;
mod tries;
mod withs;

use self::describe::Descriptions;
use self::withs::WithFixers;
use super::lines::LineSet;
use super::multiline::MultilineMap;
use super::syntax::Syntax;

/// From a line to a line.
pub(crate) type Arc = (i32, i32);

/// The possible arcs of a file and what to say about them.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Arcs {
    possible: Vec<Arc>,
    fixers: WithFixers,
    descriptions: Descriptions,
}

impl Arcs {
    /// Analyse a file whose statements begin on `statements`. Unless they are to be `explained`, nothing is kept of why
    /// an arc is not taken.
    pub(crate) fn new(
        syntax: &Syntax,
        multiline: &MultilineMap,
        statements: &LineSet,
        explained: bool,
    ) -> Self {
        let (found, descriptions, withs) =
            analyze::analyze(syntax, multiline, statements, explained);
        let fixers = withs.fixers(&found);
        let possible = fixers
            .fix(found)
            .map(|(from, to)| (multiline.first_line(from), multiline.first_line(to)))
            .filter(|(from, to)| from != to);
        let possible = sorted(possible.collect());
        Self { possible, fixers, descriptions }
    }

    /// Every possible arc, sorted.
    pub(crate) fn possible(&self) -> &[Arc] {
        &self.possible
    }

    /// Recorded arcs in the terms of the possible ones, sorted: coverage.py's `translate_arcs`.
    pub(crate) fn translate(
        &self,
        arcs: impl IntoIterator<Item = Arc>,
        multiline: &MultilineMap,
    ) -> Vec<Arc> {
        let fixed = self.fixers.fix(arcs);
        sorted(fixed.map(|(a, b)| (multiline.first_line(a), multiline.first_line(b))).collect())
    }

    /// Why an arc was not taken, in English: `line 1 didn't jump to line 2 because ...`.
    pub(crate) fn missing_description(&self, arc: Arc) -> String {
        self.descriptions.missing(arc)
    }

    /// What an arc does, in English: `jump to line 2`.
    pub(crate) fn description(&self, arc: Arc) -> String {
        self.descriptions.action(arc)
    }
}

/// Each arc once, in order. Arcs come in runs, function by function: a stable sort makes use of them.
fn sorted(mut arcs: Vec<Arc>) -> Vec<Arc> {
    arcs.sort();
    arcs.dedup();
    arcs
}
