//! Finds and excludes `case` clauses that match everything, which are the `else` of a `match`.

use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{Expr, MatchCase, Pattern};

use super::constant::fold;
use super::excluded::Excluded;
use super::line_set::LineSet;
use super::multiline::MultilineMap;
use super::syntax::Syntax;
use super::walk;

/// Returns whether a `case` matches everything that reaches it: its pattern is a wildcard or a
/// name, and it has no guard.
pub(crate) fn is_irrefutable(case: &MatchCase) -> bool {
    if case.guard.is_some() {
        return false;
    }
    let mut pattern = &case.pattern;
    while let Pattern::MatchOr(or) = pattern {
        let Some(last) = or.patterns.last() else { return false };
        pattern = last;
    }
    loop {
        let Pattern::MatchAs(capture) = pattern else { return false };
        match &capture.pattern {
            Some(inner) => pattern = inner,
            None => return true,
        }
    }
}

/// Excludes an irrefutable `case` if its whole body is excluded.
///
/// coverage.py compares the excluded lines with all lines of the body that have code. But it
/// excludes a statement only by its first line. So the `case` stays if a statement in its body has
/// code on a later line.
pub(super) fn exclude_last_case(
    syntax: &Syntax,
    multiline: &MultilineMap,
    case: &MatchCase,
    with_code: &LineSet,
    excluded: &mut Excluded,
) {
    let (true, Some(first), Some(last)) =
        (is_irrefutable(case), case.body.first(), case.body.last())
    else {
        return;
    };
    let body = walk::line_of(syntax, first)..=syntax.last_line(last);
    let mut first_lines = body.filter(|&line| with_code.contains(line)).peekable();
    if first_lines.peek().is_none() || !first_lines.all(|line| excluded.lines.contains(line)) {
        return;
    }
    let mut lines = CodeLines { syntax, lines: Vec::new() };
    lines.visit_body(&case.body);
    let is_left = |&line: &i32| {
        with_code.contains(multiline.first_line(line)) && !excluded.lines.contains(line)
    };
    if !lines.lines.iter().any(is_left) {
        let pattern = &case.pattern;
        excluded
            .exclude_statement(multiline, syntax.first_line(pattern)..=syntax.last_line(pattern));
    }
}

/// Collects the lines on which expressions have instructions, not only the first lines of
/// statements.
struct CodeLines<'a> {
    syntax: &'a Syntax<'a>,
    lines: Vec<i32>,
}

impl<'a> Visitor<'a> for CodeLines<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        self.lines.push(self.syntax.first_line(expr));
        match expr {
            // CPython loads an attribute on the line of the attribute's name.
            Expr::Attribute(attribute) => self.lines.push(self.syntax.last_line(&attribute.attr)),
            expr if is_folded(expr) => return,
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// Returns whether the compiler makes one constant of an expression, so that only its first line
/// has code. It does so for constant expressions, and for lists and sets that it fills from a
/// constant tuple (`starunpack_helper` of CPython).
fn is_folded(expr: &Expr) -> bool {
    match expr {
        Expr::List(list) => list.elts.len() > 2 && list.elts.iter().all(is_constant),
        Expr::Set(set) => set.elts.len() > 2 && set.elts.iter().all(is_constant),
        expr => is_constant(expr),
    }
}

fn is_constant(expr: &Expr) -> bool {
    fold(expr).is_some()
}
