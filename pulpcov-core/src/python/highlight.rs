//! Splits source text into lines of classified tokens, for highlighting.
//!
//! This is coverage.py's `source_token_lines` (phystokens.py), including its quirks, because
//! reports show them. Tabs are expanded first. White space at the end of a line is dropped.

use std::borrow::Cow;
use std::collections::BTreeSet;

use memchr::{memchr, memchr_iter, memrchr};
use ruff_python_ast::Stmt;
use ruff_python_ast::token::TokenKind;
use ruff_text_size::Ranged;

use super::PythonVersion;
use super::not_python::NotPython;
use super::syntax::Syntax;
use super::token_summary::is_content;
use super::walk::{self, Node};

/// The class of a token. [`as_str`](Self::as_str) returns coverage.py's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenClass {
    /// White space before a token.
    Whitespace,
    /// A keyword. Words such as `match`, `case` and `type` are in this class only where they are
    /// keywords.
    Keyword,
    /// A name.
    Name,
    /// A number.
    Number,
    /// A string or bytes. Before Python 3.12, also a whole f-string.
    String,
    /// A quote or a piece of text of an f-string, from Python 3.12 on.
    FString,
    /// A quote or a piece of text of a t-string.
    TString,
    /// An operator or a delimiter.
    Operator,
    /// A comment.
    Comment,
    /// A backslash that continues a line.
    Continuation,
    /// A character of a name that the tokenizer of Python 3.11 does not accept.
    Error,
}

impl TokenClass {
    /// Returns the name that coverage.py writes into `class` attributes of the HTML report.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::TokenClass;
    ///
    /// assert_eq!(TokenClass::Keyword.as_str(), "key");
    /// assert_eq!(TokenClass::Operator.as_str(), "op");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whitespace => "ws",
            Self::Keyword => "key",
            Self::Name => "nam",
            Self::Number => "num",
            Self::String => "str",
            Self::FString => "fst",
            Self::TString => "tst",
            Self::Operator => "op",
            Self::Comment => "com",
            Self::Continuation => "xx",
            Self::Error => "err",
        }
    }
}

/// A token, or the part of a token that is on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceToken {
    /// The class of the token.
    pub class: TokenClass,
    /// The text of the token.
    pub text: String,
}

/// The tokens of one line.
pub type TokenLine = Vec<SourceToken>;

/// Returns the tokens of each line of `text`.
pub(crate) fn token_lines(text: &str, version: PythonVersion) -> Result<Vec<TokenLine>, NotPython> {
    let text = expand_tabs(text);
    let syntax = Syntax::parse(&text, version)?;
    Ok(syntax.walk_with_stack(|syntax| highlight(syntax, version)))
}

fn highlight(syntax: &Syntax, version: PythonVersion) -> Vec<TokenLine> {
    let mut highlighter = Highlighter {
        source: syntax.text(),
        soft_keyword_lines: soft_keyword_lines(syntax, version),
        soft_keywords: match version {
            PythonVersion::Py311 => &["_", "case", "match"],
            PythonVersion::Py312 | PythonVersion::Py313 | PythonVersion::Py314 => {
                &["_", "case", "match", "type"]
            }
            PythonVersion::Py315 => &["_", "case", "lazy", "match", "type"],
        },
        lines: Vec::new(),
        line: Vec::new(),
        column: 0,
        at: Place { line: 1, column: 0, offset: 0 },
    };
    let mut continuations = Continuations::new(syntax.text());
    for token in python_tokens(syntax, version) {
        let (start, end) = highlighter.places(&token);
        if let Some(column) = continuations.backslash_before(&token, start, end) {
            highlighter.backslash(column);
        }
        highlighter.token(&token, start, end);
    }
    highlighter.finish()
}

/// Expands tabs, like Python's `str.expandtabs(8)`.
fn expand_tabs(text: &str) -> Cow<'_, str> {
    if memchr(b'\t', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut expanded = String::with_capacity(text.len() + text.len() / 8);
    let mut column = 0_usize;
    for c in text.chars() {
        match c {
            '\t' => {
                let width = 8 - column % 8;
                expanded.extend(std::iter::repeat_n(' ', width));
                column += width;
            }
            '\n' | '\r' => {
                expanded.push(c);
                column = 0;
            }
            c => {
                expanded.push(c);
                column += 1;
            }
        }
    }
    Cow::Owned(expanded)
}

/// Python's `keyword.kwlist`.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Returns the lines on which a soft keyword, if it comes first, is a keyword and not a name.
fn soft_keyword_lines(syntax: &Syntax, version: PythonVersion) -> BTreeSet<i32> {
    let mut lines = BTreeSet::new();
    for node in walk::statements(syntax.body()) {
        match node {
            Node::Stmt(Stmt::Match(node)) => {
                lines.insert(syntax.first_line(node));
            }
            Node::Stmt(Stmt::TypeAlias(node)) if version >= PythonVersion::Py312 => {
                lines.insert(syntax.first_line(node));
            }
            Node::Stmt(Stmt::Import(node)) if node.is_lazy => {
                lines.insert(syntax.first_line(node));
            }
            Node::Stmt(Stmt::ImportFrom(node)) if node.is_lazy => {
                lines.insert(syntax.first_line(node));
            }
            Node::Case(case) => {
                lines.insert(syntax.first_line(&case.pattern));
            }
            Node::Stmt(_) => {}
        }
    }
    lines
}

/// A token as Python's `tokenize` returns it.
#[derive(Debug, Clone, Copy)]
struct PyToken {
    kind: PyTokenKind,
    start: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PyTokenKind {
    /// A token that is shown as it is.
    Shown(TokenClass),
    /// A piece of text in an f-string or a t-string.
    Middle(TokenClass),
    /// The end of a line, inside a statement or after it.
    Newline,
    /// An indent or a dedent.
    Layout,
}

/// Converts ruff's tokens to Python's. In Python, a dedent is where the next statement starts, and
/// before 3.12 a whole f-string is one string.
fn python_tokens(syntax: &Syntax, version: PythonVersion) -> Vec<PyToken> {
    let is_old = version < PythonVersion::Py312;
    let mut tokens = Vec::with_capacity(syntax.tokens().len());
    let mut dedents = 0;
    let mut strings = OpenStrings::default();
    for token in syntax.tokens() {
        let (start, end) = (token.start().to_usize(), token.end().to_usize());
        let kind = match token.kind() {
            TokenKind::EndOfFile => continue,
            TokenKind::Dedent => {
                dedents += 1;
                continue;
            }
            kind => kind,
        };
        if is_old && let Some(outermost) = strings.closed_by(kind, start) {
            let kind = PyTokenKind::Shown(TokenClass::String);
            tokens.push(PyToken { kind, start: outermost, end });
            continue;
        }
        if is_content(kind) {
            let dedent = PyToken { kind: PyTokenKind::Layout, start, end: start };
            tokens.extend(std::iter::repeat_n(dedent, std::mem::take(&mut dedents)));
        }
        if strings.depth > 0 {
            continue;
        }
        let text = syntax.slice(token.range());
        let whole = PyToken { kind: classify(kind), start, end };
        match whole.kind {
            PyTokenKind::Middle(_) => split_at_braces(whole, text, &mut tokens),
            PyTokenKind::Shown(TokenClass::Name) if is_old && !text.is_ascii() => {
                split_at_marks(whole, text, &mut tokens);
            }
            PyTokenKind::Shown(TokenClass::Operator)
                if version == PythonVersion::Py313 && text == ">" =>
            {
                push_greater(whole, syntax, &mut tokens);
            }
            _ => tokens.push(whole),
        }
    }
    tokens
}

/// The f-strings and t-strings around the current token.
#[derive(Debug, Default)]
struct OpenStrings {
    depth: u32,
    /// The offset at which the outermost string starts.
    start: usize,
}

impl OpenStrings {
    /// Returns the offset at which the outermost string starts, if this token ends it.
    fn closed_by(&mut self, kind: TokenKind, start: usize) -> Option<usize> {
        match kind {
            TokenKind::FStringStart | TokenKind::TStringStart => {
                if self.depth == 0 {
                    self.start = start;
                }
                self.depth += 1;
                None
            }
            TokenKind::FStringEnd | TokenKind::TStringEnd => {
                self.depth = self.depth.saturating_sub(1);
                (self.depth == 0).then_some(self.start)
            }
            _ => None,
        }
    }
}

/// Adds a `>`, or makes it one token with a `<` directly before it. Python 3.13 has the token `<>`,
/// which is an operator after `from __future__ import barry_as_FLUFL`.
fn push_greater(greater: PyToken, syntax: &Syntax, tokens: &mut Vec<PyToken>) {
    match tokens.last_mut() {
        Some(last) if syntax.text().get(last.start..greater.start) == Some("<") => {
            last.end = greater.end;
        }
        _ => tokens.push(greater),
    }
}

/// Splits the text of an f-string as Python does: after each doubled brace, and after each
/// `\N{...}`.
fn split_at_braces(whole: PyToken, text: &str, tokens: &mut Vec<PyToken>) {
    let mut start = whole.start;
    let mut bytes = text.bytes().zip(whole.start..).peekable();
    while let Some((byte, at)) = bytes.next() {
        let doubled =
            matches!(byte, b'{' | b'}') && bytes.next_if(|&(next, _)| next == byte).is_some();
        if doubled || byte == b'}' {
            let end = at + if doubled { 2 } else { 1 };
            tokens.push(PyToken { start, end, ..whole });
            start = end;
        }
    }
    if start < whole.end {
        tokens.push(PyToken { start, ..whole });
    }
}

/// Splits a name as Python 3.11 does, where a name is what `\w+` matches. Other characters are
/// errors.
fn split_at_marks(whole: PyToken, text: &str, tokens: &mut Vec<PyToken>) {
    let mut start = whole.start;
    for (at, c) in text.char_indices().filter(|&(_, c)| !is_word(c)) {
        let at = whole.start + at;
        if start < at {
            tokens.push(PyToken { start, end: at, ..whole });
        }
        start = at + c.len_utf8();
        tokens.push(PyToken { kind: PyTokenKind::Shown(TokenClass::Error), start: at, end: start });
    }
    if start < whole.end {
        tokens.push(PyToken { start, ..whole });
    }
}

/// Returns whether Python's `\w` matches a character: a letter, a number or an underscore.
fn is_word(c: char) -> bool {
    use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
    let group = c.general_category_group();
    c == '_' || matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
}

fn classify(kind: TokenKind) -> PyTokenKind {
    PyTokenKind::Shown(match kind {
        TokenKind::Newline | TokenKind::NonLogicalNewline => return PyTokenKind::Newline,
        TokenKind::Indent | TokenKind::Dedent => return PyTokenKind::Layout,
        TokenKind::FStringMiddle => return PyTokenKind::Middle(TokenClass::FString),
        TokenKind::TStringMiddle => return PyTokenKind::Middle(TokenClass::TString),
        TokenKind::FStringStart | TokenKind::FStringEnd => TokenClass::FString,
        TokenKind::TStringStart | TokenKind::TStringEnd => TokenClass::TString,
        TokenKind::String => TokenClass::String,
        TokenKind::Int | TokenKind::Float | TokenKind::Complex => TokenClass::Number,
        TokenKind::Comment => TokenClass::Comment,
        TokenKind::Name => TokenClass::Name,
        kind if kind.is_keyword() => TokenClass::Name,
        _ => TokenClass::Operator,
    })
}

/// Returns the text of an f-string as coverage.py shows it. coverage.py gets single braces from
/// `tokenize`, and doubles all of them, even those of `\N{...}`.
fn double_braces(text: &str) -> Cow<'_, str> {
    if text.ends_with("{{") || text.ends_with("}}") || !text.contains(['{', '}']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('{', "{{").replace('}', "}}"))
}

/// Returns the text of a t-string as coverage.py shows it, with the single braces of `tokenize`.
fn single_braces(text: &str) -> Cow<'_, str> {
    match text.strip_suffix("{{").or_else(|| text.strip_suffix("}}")) {
        Some(_) => Cow::Borrowed(text.get(..text.len() - 1).unwrap_or(text)),
        None => Cow::Borrowed(text),
    }
}

/// A place in the text. The column counts characters.
#[derive(Debug, Clone, Copy)]
struct Place {
    line: usize,
    column: usize,
    offset: usize,
}

impl Place {
    fn advance(self, source: &str, offset: usize) -> Self {
        let passed = source.get(self.offset..offset).unwrap_or_default();
        match memrchr(b'\n', passed.as_bytes()) {
            None => Self { line: self.line, column: self.column + passed.chars().count(), offset },
            Some(last) => Self {
                line: self.line + memchr_iter(b'\n', passed.as_bytes()).count(),
                column: passed.get(last + 1..).unwrap_or_default().chars().count(),
                offset,
            },
        }
    }
}

/// Finds backslashes that continue a line, like coverage.py's `_phys_tokens`.
struct Continuations<'a> {
    source: &'a str,
    /// The lines of the first token that ended on `last_line`.
    last_lines: &'a str,
    last_line: usize,
    /// The text of the last token that was not a newline.
    last_text: &'a str,
}

impl<'a> Continuations<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, last_lines: "", last_line: 0, last_text: "" }
    }

    /// Returns the column of the backslash that continues the previous line, if there is one before
    /// `token`.
    fn backslash_before(&mut self, token: &PyToken, start: Place, end: Place) -> Option<usize> {
        // A newline token ends on its own line, not on the next.
        let end = if token.kind == PyTokenKind::Newline { start } else { end };
        let mut backslash = None;
        if end.line != self.last_line {
            if self.is_continued(token) {
                let line = self.last_lines.trim_end_matches('\n').rsplit('\n').next();
                backslash = line.map(|line| line.chars().count().saturating_sub(1));
            }
            self.last_lines = self.lines_of(start, end);
        }
        if token.kind != PyTokenKind::Newline {
            self.last_text = self.source.get(token.start..token.end).unwrap_or_default();
        }
        self.last_line = end.line;
        backslash
    }

    fn is_continued(&self, token: &PyToken) -> bool {
        if !self.last_lines.ends_with("\\\n") || self.last_text.ends_with('\\') {
            return false;
        }
        match token.kind {
            // The backslash is part of the string, unless the string starts on the next line.
            PyTokenKind::Shown(TokenClass::String) => {
                self.last_lines.trim_end_matches([' ', '\\', '\n']).ends_with(self.last_text)
            }
            PyTokenKind::Middle(TokenClass::FString) => false,
            _ => true,
        }
    }

    fn lines_of(&self, start: Place, end: Place) -> &'a str {
        let bytes = self.source.as_bytes();
        let before = bytes.get(..start.offset).unwrap_or_default();
        let behind = bytes.get(end.offset..).unwrap_or_default();
        let from = memrchr(b'\n', before).map_or(0, |at| at + 1);
        let to = memchr(b'\n', behind).map_or(bytes.len(), |at| end.offset + at + 1);
        self.source.get(from..to).unwrap_or_default()
    }
}

/// Collects tokens into lines, like coverage.py's `source_token_lines`.
struct Highlighter<'a> {
    source: &'a str,
    soft_keyword_lines: BTreeSet<i32>,
    /// Python's `keyword.softkwlist`.
    soft_keywords: &'static [&'static str],
    lines: Vec<TokenLine>,
    line: TokenLine,
    /// The column at which the last token of the line ended.
    column: usize,
    at: Place,
}

impl Highlighter<'_> {
    fn places(&mut self, token: &PyToken) -> (Place, Place) {
        let start = self.at.advance(self.source, token.start);
        self.at = start.advance(self.source, token.end);
        (start, self.at)
    }

    fn backslash(&mut self, column: usize) {
        self.push(TokenClass::Continuation, "\\", column);
        self.end_line();
    }

    fn token(&mut self, token: &PyToken, start: Place, end: Place) {
        let text = self.source.get(token.start..token.end).unwrap_or_default();
        let class = match token.kind {
            PyTokenKind::Newline => return self.end_line(),
            PyTokenKind::Layout => return,
            PyTokenKind::Shown(class) | PyTokenKind::Middle(class) => class,
        };
        let text = match token.kind {
            PyTokenKind::Middle(TokenClass::FString) => double_braces(text),
            PyTokenKind::Middle(_) => single_braces(text),
            _ => Cow::Borrowed(text),
        };
        let mut column = start.column;
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                self.end_line();
                column = 0;
            }
            if !part.is_empty() {
                self.indent_to(column);
                let class = self.class_of(class, part, start.line);
                self.line.push(SourceToken { class, text: part.to_owned() });
                self.column = match token.kind {
                    PyTokenKind::Middle(_) => column + part.chars().count(),
                    _ => end.column,
                };
            }
        }
    }

    fn push(&mut self, class: TokenClass, text: &str, column: usize) {
        self.indent_to(column);
        self.line.push(SourceToken { class, text: text.to_owned() });
    }

    fn indent_to(&mut self, column: usize) {
        if column > self.column {
            let text = " ".repeat(column - self.column);
            self.line.push(SourceToken { class: TokenClass::Whitespace, text });
        }
    }

    fn class_of(&self, class: TokenClass, text: &str, line: usize) -> TokenClass {
        if class != TokenClass::Name {
            return class;
        }
        let soft = || {
            let at_start = matches!(
                self.line.as_slice(),
                [] | [SourceToken { class: TokenClass::Whitespace, .. }]
            );
            at_start
                && self.soft_keywords.contains(&text)
                && i32::try_from(line).is_ok_and(|line| self.soft_keyword_lines.contains(&line))
        };
        if KEYWORDS.contains(&text) || soft() { TokenClass::Keyword } else { TokenClass::Name }
    }

    fn end_line(&mut self) {
        self.lines.push(std::mem::take(&mut self.line));
        self.column = 0;
    }

    fn finish(mut self) -> Vec<TokenLine> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.lines
    }
}
