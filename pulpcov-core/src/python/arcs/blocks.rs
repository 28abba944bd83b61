//! The blocks around a statement, and how jumps leave them.

use super::analyze::Analyzer;
use super::describe::Action;
use super::starts::{ArcStart, Exits};

/// What a jump has to get out of.
#[derive(Debug)]
pub(super) enum Block {
    Loop {
        start: i32,
        /// The `break`s that leave the loop.
        breaks: Exits,
    },
    Function {
        start: i32,
    },
    Try {
        /// The first `except`; none while in a handler, in `else`, or without handlers.
        handler: Option<i32>,
    },
}

/// Each returns the exits to the next statement: none, a jump goes elsewhere.
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
            self.add_flow(start, target);
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

    /// An exception goes to the nearest `try`; one without handlers swallows it here.
    pub(super) fn leave_by_raise(&mut self, start: ArcStart) -> Exits {
        let catcher = self.blocks.iter().rev().find(|block| !matches!(block, Block::Loop { .. }));
        match catcher {
            Some(Block::Try { handler: Some(handler) }) => {
                let handler = *handler;
                self.add_flow(start, handler);
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
