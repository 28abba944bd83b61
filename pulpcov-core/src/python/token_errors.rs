//! The first error that CPython's tokenizer finds in a text that does not parse.
//!
//! CPython reports it before any error of its parser, wherever in the file it is: the parser
//! has the rest of the text tokenized before it says what it found
//! (`_PyPegen_tokenize_full_source_to_check_for_errors` in `pegen_errors.c`). But errors that the
//! tokenizer leaves to its caller to word (`E_DEDENT`, `E_TABSPACE`, `E_LINECONT`) only end that.

use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::{Ranged, TextSize};

use super::explain::Reported;

/// What CPython says, and where.
pub(super) type Found = (String, TextSize);

const LEADING_ZEROS: &str = "leading zeros in decimal integer literals are not permitted; \
                             use an 0o prefix for octal integers";
const UNINDENT: &str = "unindent does not match any outer indentation level";

/// The tokenizer's error that CPython reports where our parser's is at `reported.range`.
pub(super) fn first(reported: &Reported<'_>) -> Option<Found> {
    let worded = [literal(reported), number(reported), bracket(reported)];
    let unworded = [continuation(reported), indentation(reported)];
    let first = |found: Vec<Option<Found>>| found.into_iter().flatten().min_by_key(|(_, at)| *at);
    let (worded, unworded) = (first(worded.into()), first(unworded.into()));
    let is_met = |found: &Found| found.1 <= reported.range.start();
    match (worded, unworded) {
        (worded, Some(unworded)) if worded.as_ref().is_none_or(|worded| unworded.1 < worded.1) => {
            Some(unworded).filter(is_met)
        }
        // `_PyPegen_set_syntax_error` does not look on.
        (worded, _) if reported.message == "Unexpected indentation" => worded.filter(is_met),
        (worded, _) => worded,
    }
}

/// Strings without an end, and characters that are no part of any token.
fn literal(reported: &Reported<'_>) -> Option<Found> {
    let found = reported.lexical.iter().filter_map(|(message, range)| {
        let at = range.start();
        match message.as_str() {
            "missing closing quote in string literal" => Some(unterminated(reported, at)),
            "bytes can only contain ASCII literal characters" => Some((message.clone(), at)),
            _ => Some((unknown_character(message)?, at)),
        }
    });
    found.min_by_key(|(_, at)| *at)
}

fn continuation(reported: &Reported<'_>) -> Option<Found> {
    let is_found =
        |message: &str| message == "Expected a newline after line continuation character";
    let found = reported.lexical.iter().find(|(message, _)| is_found(message));
    found.map(|(_, range)| {
        ("unexpected character after line continuation character".to_owned(), range.start())
    })
}

fn unterminated(reported: &Reported<'_>, start: TextSize) -> Found {
    let literal = reported.text.get(start.to_usize()..).unwrap_or_default();
    let quotes = literal.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let is_triple = quotes.starts_with("\"\"\"") || quotes.starts_with("'''");
    let (kind, last) = if is_triple {
        ("triple-quoted string", reported.lines.last_line())
    } else {
        ("string", reported.lines.line_at(start.to_usize()))
    };
    (format!("unterminated {kind} literal (detected at line {last})"), start)
}

/// `$`, `?` and a lone `!` are tokens to CPython, which its parser has no use for.
fn unknown_character(message: &str) -> Option<String> {
    let character = message.strip_prefix("Got unexpected token ")?.chars().next()?;
    let code = u32::from(character);
    if character.is_ascii_graphic() {
        return None;
    }
    Some(if crate::text::is_printable(character) {
        format!("invalid character '{character}' (U+{code:04X})")
    } else {
        format!("invalid non-printable character U+{code:04X}")
    })
}

/// `0777`, and `verify_end_of_number`: a name sticks to a number.
fn number(reported: &Reported<'_>) -> Option<Found> {
    let is_octal = |token: &&Token| {
        token.kind() == TokenKind::Unknown && has_leading_zeros(reported.slice(token.range()))
    };
    let octal = reported.tokens.iter().find(is_octal);
    let octal = octal.map(|token| (LEADING_ZEROS.to_owned(), token.start()));
    let stuck = reported.tokens.windows(2).find_map(|pair| match pair {
        [number, next] if number.end() == next.start() => {
            let message = stuck_number(reported.slice(number.range()), number.kind(), next)?;
            Some((message.to_owned(), number.start()))
        }
        _ => None,
    });
    octal.into_iter().chain(stuck).min_by_key(|(_, at)| *at)
}

fn stuck_number(literal: &str, kind: TokenKind, next: &Token) -> Option<&'static str> {
    if next.kind() != TokenKind::Name {
        return None;
    }
    let prefix = literal.get(..2).unwrap_or_default().to_ascii_lowercase();
    match kind {
        TokenKind::Int => Some(match prefix.as_str() {
            "0x" => "invalid hexadecimal literal",
            "0o" => "invalid octal literal",
            "0b" => "invalid binary literal",
            _ => "invalid decimal literal",
        }),
        TokenKind::Float => Some("invalid decimal literal"),
        TokenKind::Complex => Some("invalid imaginary literal"),
        _ => None,
    }
}

/// `0777`: octal up to Python 2.
fn has_leading_zeros(literal: &str) -> bool {
    let digits = literal.bytes().filter(|b| *b != b'_');
    literal.starts_with('0')
        && literal.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && digits.clone().any(|b| b != b'0')
}

/// A bracket that closes nothing, or another kind of bracket.
fn bracket(reported: &Reported<'_>) -> Option<Found> {
    let mut open: Vec<&Token> = Vec::new();
    for token in reported.tokens {
        let opening = match token.kind() {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                open.push(token);
                continue;
            }
            TokenKind::Rpar => TokenKind::Lpar,
            TokenKind::Rsqb => TokenKind::Lsqb,
            TokenKind::Rbrace => TokenKind::Lbrace,
            _ => continue,
        };
        let closing = reported.slice(token.range());
        let Some(last) = open.pop() else {
            return Some((format!("unmatched '{closing}'"), token.start()));
        };
        if last.kind() != opening {
            return Some((mismatch(reported, last, token), token.start()));
        }
    }
    None
}

fn mismatch(reported: &Reported<'_>, open: &Token, close: &Token) -> String {
    let (opening, closing) = (reported.slice(open.range()), reported.slice(close.range()));
    let line = |token: &Token| reported.lines.line_at(token.start().to_usize());
    let mut message =
        format!("closing parenthesis '{closing}' does not match opening parenthesis '{opening}'");
    if line(open) != line(close) {
        message += &format!(" on line {}", line(open));
    }
    message
}

/// `tok_get`: indentation has to be the same whether a tab is eight columns or one.
fn indentation(reported: &Reported<'_>) -> Option<Found> {
    const TABS: &str = "inconsistent use of tabs and spaces in indentation";
    let mut levels = vec![(0, 0)];
    for start in logical_lines(reported) {
        let columns = columns(reported.text.get(start.to_usize()..).unwrap_or_default());
        let found = |message: &str| Some((message.to_owned(), start));
        let top = *levels.last()?;
        if columns.0 > top.0 {
            if columns.1 <= top.1 {
                return found(TABS);
            }
            levels.push(columns);
            continue;
        }
        while levels.last().is_some_and(|level| level.0 > columns.0) {
            levels.pop();
        }
        let top = *levels.last()?;
        if columns.0 != top.0 {
            return found(UNINDENT);
        }
        if columns.1 != top.1 {
            return found(TABS);
        }
    }
    None
}

/// Where the lines start that begin a statement.
fn logical_lines(reported: &Reported<'_>) -> impl Iterator<Item = TextSize> {
    let mut begins = true;
    reported.tokens.iter().filter_map(move |token| match token.kind() {
        TokenKind::Newline => {
            begins = true;
            None
        }
        TokenKind::Indent | TokenKind::Dedent | TokenKind::NonLogicalNewline => None,
        kind if kind.is_trivia() || kind == TokenKind::EndOfFile => None,
        _ => std::mem::take(&mut begins).then(|| line_start(reported.text, token.start())),
    })
}

fn line_start(text: &str, at: TextSize) -> TextSize {
    let before = text.get(..at.to_usize()).unwrap_or_default();
    TextSize::try_from(before.rfind('\n').map_or(0, |newline| newline + 1)).unwrap_or(at)
}

/// The columns of a line's first character, with tabs of eight and of one.
fn columns(line: &str) -> (usize, usize) {
    let mut columns = (0, 0);
    for byte in line.bytes() {
        columns = match byte {
            b' ' => (columns.0 + 1, columns.1 + 1),
            b'\t' => ((columns.0 / 8 + 1) * 8, columns.1 + 1),
            b'\x0c' => (0, 0),
            _ => break,
        };
    }
    columns
}
