//! Finds the arcs of `for` and `while` loops.

use ruff_python_ast::{Stmt, StmtFor, StmtWhile};

use super::analyze::Analyzer;
use super::blocks::Block;
use super::branches::constant_test;
use super::starts::{ArcStart, Cause, Exits};

impl<'a> Analyzer<'a> {
    pub(super) fn for_exits(&mut self, node: &'a StmtFor, line: i32) -> Exits {
        let mut exits = self.loop_body(&node.body, line, Cause::LoopNeverStarted);
        let done = ArcStart::new(line, Cause::LoopDidNotComplete);
        exits.append(self.body(&node.orelse, Exits::one(done)));
        exits
    }

    pub(super) fn while_exits(&mut self, node: &'a StmtWhile, line: i32) -> Exits {
        let mut exits = self.loop_body(&node.body, line, Cause::NeverTrue);
        let done = ArcStart::new(line, Cause::AlwaysTrue);
        if !node.orelse.is_empty() {
            exits.append(self.body(&node.orelse, Exits::one(done)));
        } else if constant_test(&node.test).is_none() {
            exits.add(done);
        }
        exits
    }

    /// Adds the arcs of a loop's body, which starts at the line `top` and goes back to it. Returns
    /// the starts of the arcs that leave the loop by `break`.
    fn loop_body(&mut self, body: &'a [Stmt], top: i32, not_entered: Cause) -> Exits {
        self.blocks.push(Block::Loop { start: top, breaks: Exits::default() });
        let ends = self.body(body, Exits::one(ArcStart::new(top, not_entered)));
        for end in ends.into_sorted() {
            self.add_jump(end, top);
        }
        match self.blocks.pop() {
            Some(Block::Loop { breaks, .. }) => breaks,
            _ => Exits::default(),
        }
    }
}
