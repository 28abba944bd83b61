//! Finds the arcs of `if` statements, and conditions that are constant.

use ruff_python_ast::{BoolOp, Expr, Number, StmtIf, UnaryOp};

use super::analyze::Analyzer;
use super::starts::{ArcStart, Cause, Exits};

impl<'a> Analyzer<'a> {
    /// Adds the arcs of an `if` with its `elif` and `else` clauses. For Python, an `elif` is an
    /// `if` in an `else`.
    pub(super) fn if_exits(&mut self, node: &'a StmtIf, line: i32) -> Exits {
        let mut exits = Exits::default();
        let mut start = line;
        let mut test = &*node.test;
        let mut body = &node.body;
        let mut clauses = node.elif_else_clauses.iter();
        loop {
            let constant = constant_test(test);
            if constant != Some(false) {
                let entry = ArcStart::new(start, Cause::NeverTrue);
                exits.append(self.body(body, Exits::one(entry)));
            }
            if constant == Some(true) {
                return exits;
            }
            let otherwise = ArcStart::new(start, Cause::AlwaysTrue);
            let Some(clause) = clauses.next() else {
                exits.add(otherwise);
                return exits;
            };
            let Some(elif_test) = &clause.test else {
                exits.append(self.body(&clause.body, Exits::one(otherwise)));
                return exits;
            };
            let elif = self.line_at(clause);
            if !self.has_code(elif) {
                exits.add(otherwise);
                return exits;
            }
            self.add_jump(otherwise, elif);
            (start, test, body) = (elif, elif_test, &clause.body);
        }
    }
}

/// Returns the truth of a condition that is constant for coverage.py's `is_constant_test_expr`: a
/// literal, `__debug__`, or a combination of these with `not`, `and` and `or`. CPython evaluates
/// more than that.
///
/// The recursion is bounded: only parentheses nest `and` and `or` deeply, and the parser limits
/// them.
pub(super) fn constant_test(test: &Expr) -> Option<bool> {
    let mut expr = test;
    let mut negated = false;
    while let Expr::UnaryOp(not) = expr {
        if not.op != UnaryOp::Not {
            return None;
        }
        negated = !negated;
        expr = &not.operand;
    }
    Some(truth(expr)? != negated)
}

fn truth(expr: &Expr) -> Option<bool> {
    Some(match expr {
        Expr::BooleanLiteral(literal) => literal.value,
        Expr::NoneLiteral(_) => false,
        Expr::EllipsisLiteral(_) => true,
        Expr::StringLiteral(literal) => !literal.value.is_empty(),
        Expr::BytesLiteral(literal) => literal.value.bytes().next().is_some(),
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(value) => *value != 0_u8,
            Number::Float(value) => *value != 0.0,
            Number::Complex { real, imag } => *real != 0.0 || *imag != 0.0,
        },
        Expr::Name(name) if name.id.as_str() == "__debug__" => true,
        Expr::BoolOp(node) => {
            let mut values = node.values.iter().map(constant_test);
            match node.op {
                BoolOp::And => values.try_fold(true, |all, value| Some(value? && all))?,
                BoolOp::Or => values.try_fold(false, |any, value| Some(value? || any))?,
            }
        }
        _ => return None,
    })
}
