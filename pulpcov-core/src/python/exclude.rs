//! Extends excluded lines to whole suites, decorated functions and classes, and last cases.
//!
//! This is coverage.py's `PythonParser._raw_parse` (parser.py).

use ruff_python_ast::token::TokenKind;
use ruff_text_size::Ranged;

use super::excluded::Excluded;
use super::irrefutable_cases::exclude_last_case;
use super::line_set::LineSet;
use super::multiline::MultilineMap;
use super::syntax::Syntax;
use super::token_summary::is_content;
use super::walk::{self, Definition, Node};

/// Returns everything that is excluded. `matching` are the lines that match an exclusion pattern,
/// and `with_code` are the lines that have code.
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
    // The walk visits a node before its children, so an excluded definition excludes its whole
    // body.
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

/// Excludes the suite of each clause that is excluded.
///
/// A clause is excluded if one of its lines, up to the line of the colon, is excluded. So a comment
/// after the colon counts if it is on the same line. The colon of an annotation is treated alike,
/// but has no suite.
fn exclude_suites(syntax: &Syntax, excluded: &mut LineSet) {
    let mut indent = 0_i32;
    let mut nesting = 0_i32;
    let mut first_line = None;
    // The indentation of the clause whose suite is being excluded.
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

/// Excludes a whole definition if one of its decorators or its signature is excluded.
fn exclude_definition(
    syntax: &Syntax,
    multiline: &MultilineMap,
    definition: Definition<'_>,
    excluded: &mut Excluded,
) {
    let first = definition.first_line(syntax);
    if excluded.lines.intersects(first..=definition.keyword_line(syntax)) {
        excluded.exclude_statement(multiline, first..=definition.last_line(syntax));
    }
}

/// Returns the lines of the docstrings of the module, its functions and its classes.
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
