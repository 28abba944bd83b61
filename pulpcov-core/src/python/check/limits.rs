//! Checks the limits of CPython's tokenizer and of its integers.

use ruff_python_ast::token::{Token, TokenKind};

use crate::python::not_python::NotPython;
use crate::python::syntax::Syntax;

/// `MAXLEVEL` in CPython's `tokenizer.h`.
const MAX_BRACKETS: usize = 200;

/// One less than `MAXINDENT`, which includes column 0.
const MAX_INDENTS: usize = 99;

/// `_PY_LONG_DEFAULT_MAX_STR_DIGITS` in `pycore_long.h`.
const MAX_DIGITS: usize = 4300;

pub(super) fn check(syntax: &Syntax) -> Result<(), NotPython> {
    // A file with few levels and short lines exceeds no limit, because brackets and indents are
    // levels, and a number is on one line.
    if syntax.token_summary().max_depth() <= MAX_INDENTS && !syntax.has_line_as_long_as(MAX_DIGITS)
    {
        return Ok(());
    }
    let (mut brackets, mut indents) = (0_usize, 0_usize);
    for token in syntax.tokens() {
        match token.kind() {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => brackets += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                brackets = brackets.saturating_sub(1);
            }
            TokenKind::Indent => indents += 1,
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            TokenKind::Int => check_digits(syntax, token)?,
            _ => {}
        }
        if brackets > MAX_BRACKETS {
            return refuse(syntax, token, "too many nested parentheses");
        }
        if indents > MAX_INDENTS {
            return refuse(syntax, token, "too many levels of indentation");
        }
    }
    Ok(())
}

fn refuse(syntax: &Syntax, token: &Token, message: &str) -> Result<(), NotPython> {
    Err(NotPython::new(message, Some(syntax.first_line(token))))
}

/// Refuses a decimal integer of too many digits, because its conversion takes quadratic time. Other
/// bases have no limit.
fn check_digits(syntax: &Syntax, token: &Token) -> Result<(), NotPython> {
    let literal = syntax.slice(ruff_text_size::Ranged::range(token));
    if literal.len() <= MAX_DIGITS || literal.bytes().any(|b| b.is_ascii_alphabetic()) {
        return Ok(());
    }
    let digits = literal.bytes().filter(u8::is_ascii_digit).count();
    if digits <= MAX_DIGITS {
        return Ok(());
    }
    let message = format!(
        "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion: value has \
         {digits} digits; use sys.set_int_max_str_digits() to increase the limit - Consider \
         hexadecimal for huge integer literals to avoid decimal conversion limits."
    );
    refuse(syntax, token, &message)
}
