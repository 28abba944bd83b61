//! The blocks around a statement, and how jumps leave them.

use super::analyze::Analyzer;
use super::describe::Action;
use super::starts::{ArcStart, Exits};

/// A block that a jump may leave.
#[derive(Debug)]
pub(super) enum Block {
    Loop {
        start: i32,
        /// The starts of the arcs that leave the loop by `break`.
        breaks: Exits,
    },
    Function {
        start: i32,
    },
    Try {
        /// The line of the first `except`. `None` without handlers, and while in a handler or in
        /// `else`.
        handler: Option<i32>,
    },
}

/// Each method returns the exits to the next statement. There are none, because a jump goes
/// elsewhere.
impl Analyzer<'_> {
    pub(super) fn leave_by_break(&mut self, start: ArcStart) -> Exits {
        for block in self.blocks.iter_mut().rev() {
            if let Block::Loop { breaks, .. } = block {
                breaks.add(start);
                break;
            }
        }
        Exits::default()
    }

    pub(super) fn leave_by_continue(&mut self, start: ArcStart) -> Exits {
        let target = self.blocks.iter().rev().find_map(|block| match block {
            Block::Loop { start, .. } => Some(*start),
            _ => None,
        });
        if let Some(target) = target {
            self.add_jump(start, target);
        }
        Exits::default()
    }

    pub(super) fn leave_by_return(&mut self, exits: Exits) -> Exits {
        let function = self.blocks.iter().rev().find_map(|block| match block {
            Block::Function { start } => Some(*start),
            _ => None,
        });
        if let Some(function) = function {
            for exit in exits.into_sorted() {
                self.add_exit(exit, -function, Action::Return);
            }
        }
        Exits::default()
    }

    /// Adds an arc to the first handler of the nearest `try`, or else to the exit of the function.
    /// If the `try` has no handler, there is no arc.
    pub(super) fn leave_by_raise(&mut self, start: ArcStart) -> Exits {
        let catcher = self.blocks.iter().rev().find(|block| !matches!(block, Block::Loop { .. }));
        match catcher {
            Some(Block::Try { handler: Some(handler) }) => {
                let handler = *handler;
                self.add_jump(start, handler);
            }
            Some(Block::Function { start: function }) => {
                let function = *function;
                self.add_exit(start, -function, Action::Raise);
            }
            _ => {}
        }
        Exits::default()
    }
}
