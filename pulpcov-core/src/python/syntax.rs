//! Parses source text to a syntax tree, tokens and a line index.
//!
//! Of this folder, only this module and `identifiers` import `ruff_python_parser`. Trees, tokens and
//! ranges are ruff's ([`ruff_python_ast`], [`ruff_text_size`]), and are not part of the public API.
//! Line numbers start at 1, as in coverage.py.

use memchr::memchr;
use ruff_python_ast::token::Token;
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Decorator, ModModule, Stmt};
use ruff_python_parser::{
    Mode, ParseOptions, Parsed, UnsupportedSyntaxError, UnsupportedSyntaxErrorKind,
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::PythonVersion;
use super::line_index::LineIndex;
use super::not_python::NotPython;
use super::parser_limits::{dropped_depth, has_deep_brackets};
use super::refusal::{Reparsed, has_wrong_indentation, reparse};
use super::stack;
use super::token_summary::TokenSummary;

/// CPython's message where it has no better one.
const INVALID: &str = "invalid syntax";

const TOO_DEEP: &str = "too many levels of nesting";

/// Checks that ruff's parser has the stack and the time for a text.
fn check_depth(text: &str, version: PythonVersion) -> Result<(), NotPython> {
    let is_too_deep = dropped_depth(text) > stack::MAX_DEPTH;
    if !is_too_deep && !has_deep_brackets(text) {
        return Ok(());
    }
    match reparse(text, version) {
        Reparsed::Refused(why) => Err(why),
        // The text is not as deep as it seemed, because CPython's grammar accepts no text that
        // deep.
        Reparsed::Accepted(_) => Ok(()),
        Reparsed::Unknown if is_too_deep => Err(NotPython::new(TOO_DEEP, None)),
        Reparsed::Unknown => Ok(()),
    }
}

/// A source text that parses.
#[derive(Debug)]
pub(crate) struct Syntax<'t> {
    text: &'t str,
    parsed: Parsed<ModModule>,
    lines: LineIndex,
    token_summary: TokenSummary,
    /// What CPython's compiler refuses in a text that only CPython's grammar could parse.
    compiler_error: Option<NotPython>,
}

impl<'t> Syntax<'t> {
    /// Parses a text that [`decode`](super::decode::decode) returned. Its lines end in `\n`.
    pub(crate) fn parse(text: &'t str, version: PythonVersion) -> Result<Self, NotPython> {
        let lines = LineIndex::new(text)?;
        if memchr(0, text.as_bytes()).is_some() {
            return Err(NotPython::new("source code string cannot contain null bytes", None));
        }
        let options = ParseOptions::from(Mode::Module)
            .with_target_version(ruff_python_ast::PythonVersion::PY311);
        check_depth(text, version)?;
        let dropped = dropped_depth(text).min(stack::MAX_DEPTH);
        let parsed =
            stack::with_stack_for(dropped, || ruff_python_parser::parse_unchecked(text, options));
        let token_summary = TokenSummary::new(parsed.tokens());
        let depth = token_summary.max_depth();
        if depth > stack::MAX_DEPTH {
            // Dropping this tree would take a stack as deep as the tree.
            std::mem::forget(parsed);
            return Err(NotPython::new(TOO_DEEP, None));
        }
        let error = parsed.errors().first().map(|error| error.location.start().to_usize());
        let error = error.or_else(|| has_wrong_indentation(text, version).then_some(0));
        let mut compiler_error = None;
        if let Some(at) = error {
            let line = lines.line_at(at);
            let refused = match reparse(text, version) {
                // The tree of ruff's parser may be wrong after the error, but it is all there is.
                Reparsed::Accepted(why) => {
                    compiler_error = why;
                    None
                }
                Reparsed::Refused(why) => Some(why),
                Reparsed::Unknown => Some(NotPython::new(INVALID, Some(line))),
            };
            if let Some(refused) = refused {
                stack::with_stack_for(depth, move || drop(parsed));
                return Err(refused);
            }
        }
        let Some(parsed) = parsed.try_into_module() else {
            return Err(NotPython::new("invalid syntax", Some(1)));
        };
        Ok(Self { text, parsed, lines, token_summary, compiler_error })
    }

    /// Calls `work` with enough stack to walk the tree. Then drops the tree, also with enough
    /// stack.
    pub(crate) fn walk_with_stack<T>(self, work: impl FnOnce(&Self) -> T) -> T {
        stack::with_stack_for(self.token_summary.max_depth(), move || work(&self))
    }

    /// Checks that `version` knows the syntax of the text.
    pub(crate) fn check_version(&self, version: PythonVersion) -> Result<(), NotPython> {
        let unknown = first_unknown(self.parsed.unsupported_syntax_errors(), version);
        if unknown.is_none() { Ok(()) } else { self.check_grammar(version) }
    }

    /// Checks that CPython's grammar accepts the text.
    pub(crate) fn check_grammar(&self, version: PythonVersion) -> Result<(), NotPython> {
        match reparse(self.text, version) {
            Reparsed::Accepted(_) => Ok(()),
            Reparsed::Refused(why) => Err(why),
            Reparsed::Unknown => Err(NotPython::new(INVALID, Some(1))),
        }
    }

    /// Returns what CPython's compiler refuses in a text that only CPython's grammar could parse,
    /// and the line.
    pub(crate) fn compiler_error(&self) -> Option<(i32, &str)> {
        self.compiler_error.as_ref()?.line_and_message()
    }

    /// Returns the text that was parsed.
    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// Returns what the tokens show.
    pub(crate) fn token_summary(&self) -> &TokenSummary {
        &self.token_summary
    }

    /// Returns whether a line has at least `bytes` bytes, including its newline.
    pub(crate) fn has_line_as_long_as(&self, bytes: usize) -> bool {
        let starts = self.lines.starts();
        let ends = starts.iter().skip(1).copied().chain([self.text.len() as u32]);
        starts.iter().zip(ends).any(|(start, end)| (end - start) as usize >= bytes)
    }

    /// Returns the module's statements.
    pub(crate) fn body(&self) -> &[Stmt] {
        &self.parsed.syntax().body
    }

    /// Returns all tokens, including comments and blank lines.
    pub(crate) fn tokens(&self) -> &[Token] {
        self.parsed.tokens()
    }

    /// Returns the text of a range.
    pub(crate) fn slice(&self, range: TextRange) -> &str {
        self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default()
    }

    /// Returns the line of an offset.
    pub(crate) fn line(&self, offset: TextSize) -> i32 {
        self.lines.line_at(offset.to_usize())
    }

    /// Returns the number of lines, including an empty line after the last newline.
    pub(crate) fn line_count(&self) -> i32 {
        self.lines.line_count()
    }

    /// Returns Python's `lineno` of a node.
    pub(crate) fn first_line(&self, node: impl Ranged) -> i32 {
        self.line(node.start())
    }

    /// Returns Python's `lineno` of a function or class. Ruff's nodes start with the first
    /// decorator, but Python's do not.
    pub(crate) fn definition_line(&self, node: impl Ranged, decorators: &[Decorator]) -> i32 {
        let Some(last) = decorators.last() else { return self.first_line(node) };
        let after = self.tokens().partition_point(|token| token.start() < last.end());
        let is_blank = |kind: TokenKind| {
            kind.is_trivia() || matches!(kind, TokenKind::Newline | TokenKind::NonLogicalNewline)
        };
        let rest = self.tokens().get(after..).unwrap_or_default();
        let keyword = rest.iter().find(|token| !is_blank(token.kind()));
        keyword.map_or_else(|| self.first_line(node), |token| self.first_line(token))
    }

    /// Returns Python's `end_lineno` of a node.
    pub(crate) fn last_line(&self, node: impl Ranged) -> i32 {
        self.line(node.end())
    }
}

/// Returns the first Python version that knows a syntax that 3.11 does not know.
fn first_version(kind: &UnsupportedSyntaxErrorKind) -> FirstVersion {
    use UnsupportedSyntaxErrorKind as Kind;
    match kind {
        Kind::TypeParameterList | Kind::TypeAliasStatement | Kind::Pep701FString(_) => {
            FirstVersion::Known(PythonVersion::Py312)
        }
        Kind::TypeParamDefault => FirstVersion::Known(PythonVersion::Py313),
        Kind::UnparenthesizedExceptionTypes | Kind::TemplateStrings => {
            FirstVersion::Known(PythonVersion::Py314)
        }
        Kind::LazyImportStatement | Kind::UnpackingInComprehension(_) => {
            FirstVersion::Known(PythonVersion::Py315)
        }
        _ => FirstVersion::NotYetKnown,
    }
}

/// The first Python version that knows a syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FirstVersion {
    Known(PythonVersion),
    /// Newer than the newest [`PythonVersion`].
    NotYetKnown,
}

/// Returns the first syntax that `version` does not know.
fn first_unknown(
    unsupported: &[UnsupportedSyntaxError],
    version: PythonVersion,
) -> Option<&UnsupportedSyntaxError> {
    let version = FirstVersion::Known(version);
    let unknown = unsupported.iter().filter(|error| first_version(&error.kind) > version);
    unknown.min_by_key(|error| error.range.start())
}
