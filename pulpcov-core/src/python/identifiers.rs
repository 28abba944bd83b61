//! The names of Python, by the rules of ruff's parser.

use ruff_python_ast::Expr;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions, parse_expression, parse_unchecked};
use ruff_text_size::Ranged;

/// Returns whether a name may start with a character.
pub(crate) fn starts_identifier(c: char) -> bool {
    is_name(&c.to_string())
}

/// Returns whether a name may contain a character after its first.
pub(crate) fn continues_identifier(c: char) -> bool {
    is_name(&format!("a{c}"))
}

fn is_name(text: &str) -> bool {
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Expression));
    let first = parsed.tokens().first();
    parsed.errors().is_empty()
        && first.is_some_and(|token| {
            token.kind() == TokenKind::Name && token.range().len().to_usize() == text.len()
        })
}

/// Returns a name as Python normalizes it. Python takes compatible letters for the same letter.
pub(crate) fn normalized_name(text: &str) -> String {
    match parse_expression(text).as_ref().map(|parsed| parsed.expr()) {
        Ok(Expr::Name(name)) => name.id.to_string(),
        _ => text.to_owned(),
    }
}
