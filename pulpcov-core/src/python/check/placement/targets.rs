//! Checks targets of assignments, and stars.

use ruff_python_ast::visitor::Visitor;
use ruff_python_ast::{Expr, ExprContext, Identifier};
use ruff_text_size::Ranged;

use super::{DEBUG_NOT_ASSIGNABLE, Walk};
use crate::python::check::Stage;

impl<'a> Walk<'a, '_> {
    pub(super) fn bind(&mut self, name: &Identifier, node: impl Ranged) {
        if name.as_str() == "__debug__" {
            self.refuse_debug(node);
        }
    }

    pub(super) fn refuse_debug(&mut self, node: impl Ranged) {
        self.refuse(Stage::moved_in_3_14(self.version), node, DEBUG_NOT_ASSIGNABLE);
    }

    /// Checks the target of an assignment.
    pub(super) fn target(&mut self, target: &'a Expr) {
        if let Expr::Starred(starred) = target {
            let message = "starred assignment target must be in a list or tuple";
            self.refuse(Stage::Code, target, message);
            self.visit_expr(&starred.value);
        } else {
            self.visit_expr(target);
        }
    }

    /// Checks an element or argument, in which a star is allowed.
    pub(super) fn maybe_starred(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Starred(starred) => self.visit_expr(&starred.value),
            _ => self.visit_expr(expr),
        }
    }

    /// Checks the elements of a list, tuple or set. In a target such as `a, *b = ...`, this follows
    /// `unpack_helper`.
    pub(super) fn elements(&mut self, expr: &Expr, elements: &'a [Expr], context: ExprContext) {
        if context == ExprContext::Store {
            let mut stars = elements.iter().enumerate().filter(|(_, e)| e.is_starred_expr());
            if let Some((before, _)) = stars.next() {
                if stars.next().is_some() {
                    let message = "multiple starred expressions in assignment";
                    self.refuse(Stage::Code, expr, message);
                }
                if before >= 1 << 8 || elements.len() - before > 1 << 23 {
                    let message = "too many expressions in star-unpacking assignment";
                    self.refuse(Stage::Code, expr, message);
                }
            }
        }
        elements.iter().for_each(|element| self.maybe_starred(element));
    }
}
