//! Finds the arcs of jumps, which leave blocks.

use super::analyze::Analyzer;
use super::blocks::Block;
use super::describe::Action;
use super::starts::{ArcStart, Exits};

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
