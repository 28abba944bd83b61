//! Summarizes the tokens of a file in one pass, because a file has many tokens.

use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::stack;

/// What the tokens of a file show about its statements.
#[derive(Debug, Default)]
pub(crate) struct TokenSummary {
    logical_lines: Vec<TextRange>,
    max_depth: usize,
    declares_names: bool,
    /// Sorted.
    suspects: Vec<TextSize>,
}

impl TokenSummary {
    pub(crate) fn new(tokens: &[Token]) -> Self {
        let mut summary = Self::default();
        let mut indentation = 0;
        for line in tokens.split_inclusive(|token| token.kind() == TokenKind::Newline) {
            let (layout, content) = line.split_at(
                line.iter().position(|token| is_content(token.kind())).unwrap_or(line.len()),
            );
            indentation = indentation_after(indentation, layout);
            summary.max_depth = summary.max_depth.max(stack::max_depth(line, indentation));
            summary.add_line(content);
        }
        summary
    }

    fn add_line(&mut self, tokens: &[Token]) {
        if let [first, .., end] = tokens
            && end.kind() == TokenKind::Newline
        {
            self.logical_lines.push(TextRange::new(first.start(), end.start()));
        }
        let mut equals = 0;
        for token in tokens.iter().filter(|token| needs_a_look(token.kind())) {
            match token.kind() {
                TokenKind::Global | TokenKind::Nonlocal => self.declares_names = true,
                TokenKind::Equal if equals == 0 => equals += 1,
                _ => self.suspects.push(token.start()),
            }
        }
    }

    /// Returns the logical lines, each from its first token to the newline at its end.
    pub(crate) fn logical_lines(&self) -> &[TextRange] {
        &self.logical_lines
    }

    /// Returns an upper bound on the depth of the syntax tree. Open brackets, indents and operators
    /// count as levels.
    pub(crate) fn max_depth(&self) -> usize {
        self.max_depth
    }

    /// Returns whether there is a `global` or `nonlocal` statement.
    pub(crate) fn declares_names(&self) -> bool {
        self.declares_names
    }

    /// Returns the sorted offsets of tokens that make an expression worth checking: stars, `yield`,
    /// `await`, `async`, `:=`, `lambda`, and the starts of f-strings and t-strings. Each `=` of a
    /// logical line after the first is among them, because it may repeat the name of an argument.
    pub(crate) fn suspects(&self) -> &[TextSize] {
        &self.suspects
    }
}

/// Returns the indentation of a logical line, after the `layout` tokens in front of it.
fn indentation_after(before: usize, layout: &[Token]) -> usize {
    layout.iter().fold(before, |indentation, token| match token.kind() {
        TokenKind::Indent => indentation + 1,
        TokenKind::Dedent => indentation.saturating_sub(1),
        _ => indentation,
    })
}

/// Returns whether a token belongs to a statement. White space, layout and comments do not.
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

fn needs_a_look(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Global
            | TokenKind::Nonlocal
            | TokenKind::Star
            | TokenKind::Yield
            | TokenKind::Await
            | TokenKind::Async
            | TokenKind::ColonEqual
            | TokenKind::Lambda
            | TokenKind::Equal
            | TokenKind::FStringStart
            | TokenKind::TStringStart
    )
}
