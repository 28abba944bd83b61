//! Finds the lines of functions named `__annotate__`, which coverage.py ignores.
//!
//! From Python 3.14 on, the compiler puts annotations into code objects of that name, and
//! coverage.py skips these code objects (`ByteParser._child_parsers`, bytecode.py). So it also
//! skips a function that a programmer has named `__annotate__`. It does not skip code objects
//! inside that function, such as nested functions.

use std::ops::RangeInclusive;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::PythonVersion;
use super::syntax::Syntax;

pub(crate) fn is_annotate(function: &StmtFunctionDef) -> bool {
    function.name.as_str() == "__annotate__"
}

/// Returns those of `lines` that belong to code objects inside `function`. `lines` are the lines of
/// all statements in the function, sorted.
pub(crate) fn lines_of_inner_code(
    syntax: &Syntax,
    version: PythonVersion,
    function: &StmtFunctionDef,
    mut lines: Vec<i32>,
) -> Vec<i32> {
    let mut inner = InnerCode { syntax, version, lines: &lines, ranges: Vec::new() };
    inner.visit_body(&function.body);
    let ranges = inner.ranges;
    lines.retain(|line| ranges.iter().any(|range| range.contains(line)));
    lines
}

struct InnerCode<'a> {
    syntax: &'a Syntax<'a>,
    version: PythonVersion,
    /// The lines of all statements in the function, sorted.
    lines: &'a [i32],
    ranges: Vec<RangeInclusive<i32>>,
}

impl InnerCode<'_> {
    fn add(&mut self, node: impl Ranged) {
        let (first, last) = (self.syntax.first_line(&node), self.syntax.last_line(&node));
        // An expression may start on a later line than its statement. Only the statement's line is
        // in `lines`.
        let before = self.lines.partition_point(|&line| line <= first);
        let first = before.checked_sub(1).and_then(|index| self.lines.get(index)).unwrap_or(&first);
        self.ranges.push(*first..=last);
    }
}

impl<'a> Visitor<'a> for InnerCode<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => self.add(stmt),
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let is_code = match expr {
            Expr::Lambda(_) | Expr::Generator(_) => true,
            // Python 3.12 and later inline these.
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) => {
                self.version < PythonVersion::Py312
            }
            _ => false,
        };
        if is_code {
            self.add(expr);
        } else {
            walk_expr(self, expr);
        }
    }
}
