//! Finds the possible arcs of a source text: from which line the program can go to which line.
//!
//! This is coverage.py's `AstArcAnalyzer` (parser.py). A negative line is the exit of the code
//! object that starts on that line. Any line can raise an exception, but only `raise` has an arc
//! for it.
//!
//! - `analyze`: walks the statements, and collects arcs.
//! - `blocks`: loops, functions and `try` statements around a statement.
//! - `jumps`: jumps out of these blocks.
//! - `branches`: `if` statements, and conditions that are constant.
//! - `loops`: `for` and `while` statements.
//! - `match_statements`: `match` statements.
//! - `try_statements`: `try` statements.
//! - `with_statements`: `with` statements.
//! - `with_rewrites`: how to change the arcs that leave `with` statements.
//! - `starts`: where arcs start, and why they may not be taken.
//! - `describe`: sentences about arcs that were not taken.

mod analyze;
mod blocks;
mod branches;
mod describe;
mod jumps;
mod loops;
mod match_statements;
mod starts;
mod try_statements;
mod with_rewrites;
mod with_statements;

use self::describe::Descriptions;
use self::with_rewrites::WithRewrites;
use super::line_set::LineSet;
use super::multiline::MultilineMap;
use super::syntax::Syntax;

/// An arc: from a line to a line.
pub(crate) type Arc = (i32, i32);

/// The possible arcs of a file, and what to say about them.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Arcs {
    possible: Vec<Arc>,
    rewrites: WithRewrites,
    descriptions: Descriptions,
}

impl Arcs {
    /// Finds the arcs of a file whose statements start on the lines `statements`. Without
    /// `with_reasons`, the reasons why arcs are not taken are not kept.
    pub(crate) fn new(
        syntax: &Syntax,
        multiline: &MultilineMap,
        statements: &LineSet,
        with_reasons: bool,
    ) -> Self {
        let (found, descriptions, withs) =
            analyze::analyze(syntax, multiline, statements, with_reasons);
        let rewrites = withs.rewrites(&found);
        let possible = rewrites
            .rewrite(found)
            .map(|(from, to)| (multiline.first_line(from), multiline.first_line(to)))
            .filter(|(from, to)| from != to);
        let possible = sorted(possible.collect());
        Self { possible, rewrites, descriptions }
    }

    /// Returns the possible arcs, sorted.
    pub(crate) fn possible(&self) -> &[Arc] {
        &self.possible
    }

    /// Maps recorded arcs to the form of the possible arcs, like coverage.py's `translate_arcs`.
    /// The result is sorted.
    pub(crate) fn translate(
        &self,
        arcs: impl IntoIterator<Item = Arc>,
        multiline: &MultilineMap,
    ) -> Vec<Arc> {
        let rewritten = self.rewrites.rewrite(arcs);
        sorted(rewritten.map(|(a, b)| (multiline.first_line(a), multiline.first_line(b))).collect())
    }

    /// Returns why an arc was not taken, in English: `line 1 didn't jump to line 2 because ...`.
    pub(crate) fn missing_description(&self, arc: Arc) -> String {
        self.descriptions.describe_missing(arc)
    }

    /// Returns what an arc does, in English: `jump to line 2`.
    pub(crate) fn description(&self, arc: Arc) -> String {
        self.descriptions.describe_action(arc)
    }
}

/// Sorts arcs, and removes duplicates. The sort is stable, because that is fast for arcs: they come
/// in sorted runs, one function after another.
fn sorted(mut arcs: Vec<Arc>) -> Vec<Arc> {
    arcs.sort();
    arcs.dedup();
    arcs
}
