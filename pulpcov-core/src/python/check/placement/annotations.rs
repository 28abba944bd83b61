//! Checks annotations, and other expressions that are evaluated later.

use ruff_python_ast::visitor::Visitor;
use ruff_python_ast::{Expr, StmtAnnAssign};

use super::{Kind, STAR_NOT_ALLOWED, Walk};
use crate::python::PythonVersion;
use crate::python::check::Stage;

impl<'a> Walk<'a, '_> {
    pub(super) fn deferred(&mut self, what: &'static str, expr: &'a Expr) {
        self.in_scope(Kind::Deferred { what }, |walk| walk.maybe_starred(expr));
    }

    pub(super) fn refuse_deferred(&mut self, expr: &Expr, what: &str) {
        if let Kind::Deferred { what: place } = self.kind() {
            self.refuse(Stage::Symbols, expr, format!("{what} cannot be used within {place}"));
        }
    }

    /// Checks an annotated assignment, like `codegen_annassign`.
    pub(super) fn annotated_assignment(&mut self, node: &'a StmtAnnAssign) {
        let is_late = self.version >= PythonVersion::Py314;
        let is_only_named =
            is_late && !node.simple && node.target.is_name_expr() && node.value.is_none();
        if is_late && !is_only_named {
            self.visit_as_symbol_table(&node.target);
        }
        if is_late {
            self.without_code(true, |walk| walk.visit_annotation(&node.annotation));
        }
        if let Some(value) = &node.value {
            self.visit_expr(value);
        }
        if !is_only_named {
            self.visit_expr(&node.target);
        }
        if let (Expr::Subscript(target), None) = (&*node.target, &node.value) {
            self.annotated_index(&target.slice);
        }
        let is_without_code =
            matches!(self.kind(), Kind::Function { .. }) || is_late && !node.simple;
        self.without_code(is_without_code, |walk| walk.visit_annotation(&node.annotation));
    }

    /// Walks a target as the symbol table does, before the value. Code generation visits the target
    /// after the value. The difference shows from 3.14 on.
    pub(super) fn visit_as_symbol_table(&mut self, target: &'a Expr) {
        if self.version >= PythonVersion::Py314 {
            self.without_code(true, |walk| walk.visit_expr(target));
        }
    }

    /// Checks the index of an annotated target, like `codegen_check_ann_subscr`. Each part of it is
    /// evaluated on its own.
    pub(super) fn annotated_index(&mut self, index: &Expr) {
        match index {
            Expr::Tuple(parts) => parts.iter().for_each(|part| self.annotated_index(part)),
            Expr::Starred(_) => self.refuse(Stage::Code, index, STAR_NOT_ALLOWED),
            _ => {}
        }
    }

    /// Calls `walk`. If `is_without` is true, CPython generates no code for what it visits.
    pub(super) fn without_code(&mut self, is_without: bool, walk: impl FnOnce(&mut Self)) {
        let outside = self.errors.in_part_without_code;
        self.errors.in_part_without_code |= is_without;
        walk(self);
        self.errors.in_part_without_code = outside;
    }
}
