//! Room on the stack for trees that are deep.
//!
//! A tree is walked, and dropped, by recursion. `a.b.c` and `1 + 1 + 1` nest one level for each
//! operator without a bracket in sight, so a line can nest as deep as it is long; the parser
//! makes room for itself, and whoever handles its tree has to as well.

use ruff_python_ast::token::{Token, TokenKind};

/// What one level takes at most, in builds that are not optimised too.
const BYTES_PER_LEVEL: usize = 4 * 1024;

/// Levels that every stack has room for.
const SHALLOW: usize = 100;

/// CPython stops at some thousand levels.
pub(crate) const MOST_LEVELS: usize = 50_000;

/// Run `work` on a stack with room for a tree of `levels`.
pub(crate) fn with_room<T>(levels: usize, work: impl FnOnce() -> T) -> T {
    if levels <= SHALLOW { work() } else { stacker::grow(levels * BYTES_PER_LEVEL, work) }
}

/// The levels that the tree of a logical line has at most, in a suite at this indentation.
///
/// Each token but a name, a literal or a comma may be a level; a comma ends those that were begun
/// in its brackets, and a bracket's end those inside of it.
pub(crate) fn levels(line: &[Token], indentation: usize) -> usize {
    // A short line is not worth a closer look.
    let bound = indentation + line.len();
    if bound <= SHALLOW { bound } else { levels_of_line(line, indentation) }
}

fn levels_of_line(line: &[Token], indentation: usize) -> usize {
    let mut most = indentation;
    let mut level = indentation;
    // The level inside of each open bracket.
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
