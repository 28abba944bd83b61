//! Finds the arcs of `match` statements.

use ruff_python_ast::StmtMatch;

use super::analyze::Analyzer;
use super::starts::{ArcStart, Cause, Exits};
use crate::python::irrefutable_cases::is_irrefutable;

impl<'a> Analyzer<'a> {
    /// Adds arcs from each `case` to the next one, which is tried if the pattern does not match,
    /// and from each `case` to its body.
    pub(super) fn match_exits(&mut self, node: &'a StmtMatch, line: i32) -> Exits {
        let mut exits = Exits::default();
        let mut last = line;
        for case in &node.cases {
            let start = self.line_at(&case.pattern);
            self.add_jump(ArcStart::new(last, Cause::AlwaysMatched), start);
            let entry = ArcStart::new(start, Cause::NeverMatched);
            exits.append(self.body(&case.body, Exits::one(entry)));
            last = start;
        }
        if !node.cases.last().is_some_and(is_irrefutable) {
            exits.add(ArcStart::new(last, Cause::AlwaysMatched));
        }
        exits
    }
}
