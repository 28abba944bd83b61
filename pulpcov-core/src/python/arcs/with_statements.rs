//! Finds the arcs of `with` statements.

use ruff_python_ast::StmtWith;

use super::analyze::Analyzer;
use super::starts::{ArcStart, Exits};

impl<'a> Analyzer<'a> {
    /// Adds the arcs of a `with`. Up to Python 3.12.5, the program goes from the body to the line
    /// of the `with`. Later versions go to each context manager. All of these are in one statement,
    /// so they have the same first line.
    pub(super) fn with_exits(&mut self, node: &'a StmtWith, line: i32) -> Exits {
        self.withs.enter(line);
        let ends = self.body(&node.body, Exits::one(ArcStart::plain(line)));
        self.withs.leave(line);
        if ends.is_empty() {
            return ends;
        }
        for end in ends.into_sorted() {
            self.add_arc(end.line, line);
            self.withs.note_exit((end.line, line));
        }
        Exits::one(ArcStart::plain(line))
    }
}
