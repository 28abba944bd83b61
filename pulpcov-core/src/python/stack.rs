//! Provides stack space for deep syntax trees.
//!
//! A tree is walked and dropped by recursion. Operators nest without brackets: each operator in
//! `a.b.c` or `1 + 1 + 1` is a level. So a line can nest as deep as it is long. The parser makes
//! room on the stack for itself, and everything that uses its tree has to do so too.

use ruff_python_ast::token::{Token, TokenKind};

/// The most stack that one level takes, even in builds that are not optimized.
const BYTES_PER_LEVEL: usize = 4 * 1024;

/// The depth that every stack has room for.
const ALWAYS_FITS: usize = 100;

/// The deepest tree that is accepted. CPython gives up after a few thousand levels.
pub(crate) const MAX_DEPTH: usize = 50_000;

/// Calls `work` on a stack that has room for a tree of `depth` levels.
pub(crate) fn with_stack_for<T>(depth: usize, work: impl FnOnce() -> T) -> T {
    if depth <= ALWAYS_FITS { work() } else { stacker::grow(depth * BYTES_PER_LEVEL, work) }
}

/// Returns an upper bound on the depth of the tree of a logical line in a suite at this
/// indentation.
///
/// Each token except a name, a literal or a comma may be a level. A comma ends the levels that
/// began before it in the same brackets. A closing bracket ends the levels inside its brackets.
pub(crate) fn max_depth(line: &[Token], indentation: usize) -> usize {
    // For a short line, the number of tokens is a good enough bound.
    let bound = indentation + line.len();
    if bound <= ALWAYS_FITS { bound } else { max_depth_of_line(line, indentation) }
}

fn max_depth_of_line(line: &[Token], indentation: usize) -> usize {
    let mut most = indentation;
    let mut level = indentation;
    // The level inside each open bracket.
    let mut brackets: Vec<usize> = Vec::new();
    for token in line {
        match token.kind() {
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                level += 1;
                brackets.push(level);
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                level = brackets.pop().unwrap_or(indentation);
            }
            TokenKind::Comma => level = brackets.last().copied().unwrap_or(indentation),
            TokenKind::Newline | TokenKind::Semi => {
                brackets.clear();
                level = indentation;
            }
            TokenKind::Indent
            | TokenKind::Dedent
            | TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::EndOfFile => {}
            _ => level += 1,
        }
        most = most.max(level);
    }
    most
}
