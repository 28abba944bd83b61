//! Which lines are one statement: from every line of a statement to its first.
//!
//! coverage.py's `multiline_map_from_tokens` (parser.py).

use memchr::memchr_iter;
use ruff_python_ast::token::TokenKind;
use ruff_text_size::{Ranged, TextSize};

use super::syntax::Syntax;

/// The first line of the statement that a line belongs to, for statements of several lines.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "report", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct MultilineMap {
    /// Indexed by line; 0 where the line is not in a statement of several lines.
    first: Vec<i32>,
}

impl MultilineMap {
    pub(crate) fn new(syntax: &Syntax) -> Self {
        let mut map = Self { first: vec![0; syntax.line_count() as usize + 2] };
        let mut lines = LineCursor::new(syntax.text());
        let mut start = None;
        for token in syntax.tokens() {
            if token.kind() == TokenKind::Newline {
                if let Some(first) = start.take() {
                    map.record(first, lines.advance_to(token.start()));
                }
            } else if start.is_none() && is_content(token.kind()) {
                start = Some(lines.advance_to(token.start()));
            }
        }
        map
    }

    fn record(&mut self, first: i32, last: i32) {
        if first == last {
            return;
        }
        if let Some(lines) = self.first.get_mut(first as usize..=last as usize) {
            lines.fill(first);
        }
    }

    /// The first line of the statement that `line` is in; an exit keeps its sign.
    pub(crate) fn first_line(&self, line: i32) -> i32 {
        match self.first.get(line.unsigned_abs() as usize) {
            None | Some(0) => line,
            Some(first) => first * line.signum(),
        }
    }

    /// Every line of a statement of several lines, with the statement's first line.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i32, i32)> + '_ {
        (0..).zip(&self.first).filter(|&(_, &first)| first != 0).map(|(line, &first)| (line, first))
    }
}

/// Whether a token belongs to a statement: neither white space, nor layout, nor a comment.
pub(crate) fn is_content(kind: TokenKind) -> bool {
    !matches!(
        kind,
        TokenKind::Newline
            | TokenKind::NonLogicalNewline
            | TokenKind::Comment
            | TokenKind::Indent
            | TokenKind::Dedent
            | TokenKind::EndOfFile
    )
}

/// Line numbers of offsets that only grow.
pub(crate) struct LineCursor<'a> {
    text: &'a [u8],
    at: usize,
    line: i32,
}

impl<'a> LineCursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, line: 1 }
    }

    /// The line of `offset`, which is not before the last one asked for.
    pub(crate) fn advance_to(&mut self, offset: TextSize) -> i32 {
        let offset = offset.to_usize();
        if let Some(passed) = self.text.get(self.at..offset) {
            self.line += memchr_iter(b'\n', passed).count() as i32;
            self.at = offset;
        }
        self.line
    }
}
