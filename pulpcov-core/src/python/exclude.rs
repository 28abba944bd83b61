//! What an excluded line takes with it: suites, decorated functions and classes, last cases.
//!
//! coverage.py's `PythonParser._raw_parse` (parser.py).

use std::ops::RangeInclusive;

use ruff_python_ast::token::TokenKind;
use ruff_text_size::Ranged;

use super::cases::exclude_last_case;
use super::lines::LineSet;
use super::multiline::MultilineMap;
use super::outline::is_content;
use super::syntax::Syntax;
use super::walk::{self, Definition, Node};

/// What is excluded.
#[derive(Debug)]
pub(crate) struct Excluded {
    pub(crate) lines: LineSet,
    /// First lines of statements that are not excluded themselves, but all of whose code is on
    /// excluded lines: where a parenthesis is all that stands on the first line.
    pub(crate) without_code: LineSet,
}

impl Excluded {
    /// Exclude lines that are all of a statement, but for what stands before its first node.
    pub(super) fn statement(&mut self, multiline: &MultilineMap, lines: RangeInclusive<i32>) {
        self.without_code.insert(multiline.first_line(*lines.start()));
        self.lines.insert_range(lines);
    }
}

/// Everything that is excluded, given the lines that match a pattern and those with code.
pub(crate) fn excluded_lines(
    syntax: &Syntax,
    multiline: &MultilineMap,
    matching: LineSet,
    with_code: &LineSet,
) -> Excluded {
    let last = syntax.line_count();
    if matching.is_empty() {
        return Excluded { lines: matching, without_code: LineSet::new(last) };
    }
    let mut lines = matching;
    exclude_suites(syntax, &mut lines);
    let first_lines = lines.iter().map(|line| multiline.first_line(line));
    let lines = LineSet::of(last, first_lines);
    let mut excluded = Excluded { lines, without_code: LineSet::new(last) };
    // A node comes before its children: a definition takes its body with it, whatever is in it.
    for node in walk::statements(syntax.body()) {
        match node {
            Node::Stmt(stmt) => {
                if let Some(definition) = Definition::of(stmt) {
                    exclude_definition(syntax, multiline, definition, &mut excluded);
                }
            }
            Node::Case(case) => {
                exclude_last_case(syntax, multiline, case, with_code, &mut excluded);
            }
        }
    }
    excluded
}

/// A colon of an excluded statement excludes what is indented below it.
///
/// The colon decides, not the header's line: the pattern may match anywhere before it, or behind
/// it on the same line. An annotation's colon counts as well; nothing is indented below that.
fn exclude_suites(syntax: &Syntax, excluded: &mut LineSet) {
    let mut indent = 0_i32;
    let mut nesting = 0_i32;
    let mut first_line = None;
    // The indentation of the statement whose suite is being excluded.
    let mut excluding: Option<i32> = None;
    for token in syntax.tokens() {
        match token.kind() {
            TokenKind::Indent => indent += 1,
            TokenKind::Dedent => indent -= 1,
            TokenKind::Newline => first_line = None,
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => nesting += 1,
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => nesting -= 1,
            TokenKind::Colon if nesting == 0 && excluding.is_none() => {
                let line = syntax.first_line(token);
                if excluded.intersects(first_line.unwrap_or(line)..=line) {
                    excluded.insert(line);
                    excluding = Some(indent);
                }
            }
            _ => {}
        }
        if first_line.is_none() && is_content(token.kind()) {
            first_line = Some(syntax.first_line(token));
            excluding = excluding.filter(|&outside| indent > outside);
            if excluding.is_some() {
                excluded.insert(syntax.line(token.end()));
            }
        }
    }
}

/// An excluded decorator or signature excludes the whole definition.
fn exclude_definition(
    syntax: &Syntax,
    multiline: &MultilineMap,
    definition: Definition<'_>,
    excluded: &mut Excluded,
) {
    let first = definition.first_line(syntax);
    if excluded.lines.intersects(first..=definition.keyword_line(syntax)) {
        excluded.statement(multiline, first..=definition.last_line(syntax));
    }
}

/// The lines of docstrings: of the module, of functions and of classes.
pub(crate) fn docstring_lines(syntax: &Syntax) -> LineSet {
    let mut lines = LineSet::new(syntax.line_count());
    let definitions = walk::definitions(syntax.body()).map(Definition::body);
    for body in std::iter::once(syntax.body()).chain(definitions) {
        if let Some(first) = body.first()
            && let Some(expr) = first.as_expr_stmt()
            && expr.value.is_string_literal_expr()
        {
            lines.insert_range(syntax.first_line(first)..=syntax.last_line(first));
        }
    }
    lines
}
