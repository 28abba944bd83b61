//! Checks `yield` and `await`.

use ruff_python_ast::Expr;
use ruff_python_ast::visitor;
use ruff_text_size::Ranged;

use super::{Kind, Walk};
use crate::python::PythonVersion;
use crate::python::check::Stage;

impl<'a> Walk<'a, '_> {
    pub(super) fn only_async(&mut self, node: impl Ranged, what: &str) {
        if !self.kind().is_async() {
            let stage = Stage::moved_in_3_14(self.version);
            self.refuse(stage, node, format!("'{what}' outside async function"));
        }
    }

    pub(super) fn yield_(&mut self, expr: &'a Expr) {
        self.refuse_deferred(expr, "yield expression");
        match self.kind() {
            Kind::Comprehension { what } => {
                self.refuse(Stage::Symbols, expr, format!("'yield' inside {what}"));
            }
            Kind::Module | Kind::Class => {
                let is_named_in_full =
                    expr.is_yield_from_expr() && self.version >= PythonVersion::Py313;
                let what = if is_named_in_full { "yield from" } else { "yield" };
                self.refuse(Stage::Code, expr, format!("'{what}' outside function"));
            }
            Kind::Function { is_async: true } if expr.is_yield_from_expr() => {
                self.refuse(Stage::Code, expr, "'yield from' inside async function");
            }
            _ => {}
        }
        self.scope(|scope| scope.yields = true);
        visitor::walk_expr(self, expr);
    }

    pub(super) fn await_(&mut self, expr: &'a Expr) {
        self.refuse_deferred(expr, "await expression");
        let stage = Stage::moved_in_3_14(self.version);
        match self.kind() {
            Kind::Module | Kind::Class => {
                self.refuse(stage, expr, "'await' outside function");
            }
            Kind::Lambda | Kind::Function { is_async: false } => {
                self.refuse(stage, expr, "'await' outside async function");
            }
            _ => {}
        }
        self.scope(|scope| scope.awaits = true);
        visitor::walk_expr(self, expr);
    }
}
