//! Why CPython refuses a text, in its words.
//!
//! The parser that we use takes nearly the same texts as CPython's, and stops at nearly the same places; but it is a parser
//! of its own, with its own idea of what is wrong. So a text that it refuses is parsed once more, by CPython's grammar:
//!
//! - `tokenizer`: CPython's tokens, with what is wrong in them;
//! - `grammar`: the rules of a version, read from `grammar.peg`;
//! - `parser`: the rules, tried as CPython tries them;
//! - `reasons`: what an alternative that is an error says;
//! - `strings`, `fstrings`: what may be in a string, and in an f-string of 3.11.
//!
//! This is slow, some microseconds a token, and takes a time that is linear in the text.

mod fstrings;
mod grammar;
mod parser;
mod reasons;
mod strings;
mod tokenizer;

use self::parser::{Parser, Refusal, Verdict};
use self::tokenizer::Tokenizer;
use super::PythonVersion;
use super::syntax::NotPython;

/// What CPython says of a text that another parser refuses.
#[derive(Debug)]
pub(crate) enum Reparsed {
    /// Its form is Python's. The compiler may refuse it all the same.
    Accepted(Option<NotPython>),
    Refused(NotPython),
    /// It is too deep, or it would take too long to tell.
    Unknown,
}

/// Parse a text by CPython's grammar. It ends in a newline.
pub(crate) fn reparse(text: &str, version: PythonVersion) -> Reparsed {
    let not_python = |refusal: Refusal| NotPython::new(refusal.message, Some(refusal.line));
    match Parser::new(text, version, 0).file() {
        Verdict::Accepted(later) => Reparsed::Accepted(later.map(not_python)),
        Verdict::Refused(refusal) => Reparsed::Refused(not_python(refusal)),
        Verdict::GivenUp => match Tokenizer::new(text, version, 0).error() {
            Some((message, line)) => Reparsed::Refused(NotPython::new(message, Some(line))),
            None => Reparsed::Unknown,
        },
    }
}

/// May CPython refuse the indentation of a text that another parser accepts? It wants it to be the same whether a tab is eight
/// columns or one.
pub(crate) fn has_wrong_indentation(text: &str, version: PythonVersion) -> bool {
    let is_blank = |c: u8| matches!(c, b' ' | b'\t' | b'\x0c');
    let has_tab = |line: &str| line.bytes().take_while(|c| is_blank(*c)).any(|c| c != b' ');
    memchr::memchr2(b'\t', b'\x0c', text.as_bytes()).is_some()
        && text.lines().any(has_tab)
        && Tokenizer::new(text, version, 0).error().is_some()
}
