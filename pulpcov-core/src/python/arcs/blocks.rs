//! The blocks around a statement.

use super::starts::Exits;

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
