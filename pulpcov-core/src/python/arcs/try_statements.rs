//! Finds the arcs of `try` statements.

use ruff_python_ast::{ExceptHandler, StmtTry};

use super::analyze::Analyzer;
use super::blocks::Block;
use super::starts::{ArcStart, Cause, Exits};

impl<'a> Analyzer<'a> {
    pub(super) fn try_exits(&mut self, node: &'a StmtTry, line: i32) -> Exits {
        let handler = node.handlers.first().map(|handler| self.line_at(handler));
        self.blocks.push(Block::Try { handler });
        let mut exits = self.body(&node.body, Exits::one(ArcStart::plain(line)));
        self.blocks.pop();

        // Exceptions in handlers and in `else` go no further than to `finally`, if there is one.
        let has_finally = !node.finalbody.is_empty();
        if has_finally {
            self.blocks.push(Block::Try { handler: None });
        }
        let handled = self.handler_exits(node);
        if !node.orelse.is_empty() {
            exits = self.body(&node.orelse, exits);
        }
        exits.append(handled);
        if !has_finally {
            return exits;
        }
        self.blocks.pop();

        // The exits of `finally` lead on only if a suite before it can end without an exception or
        // a jump.
        let completes = !exits.is_empty();
        let final_exits = self.body(&node.finalbody, exits);
        if completes { final_exits } else { Exits::default() }
    }

    fn handler_exits(&mut self, node: &'a StmtTry) -> Exits {
        let mut exits = Exits::default();
        for handler in &node.handlers {
            let start = ArcStart::new(self.line_at(handler), Cause::NotRaised);
            let ExceptHandler::ExceptHandler(handler) = handler;
            exits.append(self.body(&handler.body, Exits::one(start)));
        }
        exits
    }
}
