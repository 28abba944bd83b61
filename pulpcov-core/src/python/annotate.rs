//! Functions that are named `__annotate__`.
//!
//! coverage.py leaves code objects of that name out: from Python 3.14 on the compiler makes them
//! of annotations. One that a programmer wrote is left out with them, but not what it contains
//! that is a code object of its own (`ByteParser._child_parsers`, bytecode.py).

use std::ops::RangeInclusive;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::PythonVersion;
use super::syntax::Syntax;

pub(crate) fn is_annotate(function: &StmtFunctionDef) -> bool {
    function.name.as_str() == "__annotate__"
}

/// Of the lines of a function's statements, which are sorted, those in code objects inside of it.
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
    /// The first lines of the function's statements.
    lines: &'a [i32],
    ranges: Vec<RangeInclusive<i32>>,
}

impl InnerCode<'_> {
    fn add(&mut self, node: impl Ranged) {
        let (first, last) = (self.syntax.first_line(&node), self.syntax.last_line(&node));
        // The first line of the statement that an expression is in.
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
            // Inlined since Python 3.12.
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
