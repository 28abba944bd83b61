//! Checks comprehensions, and assignments inside expressions.

use ruff_python_ast::visitor::Visitor;
use ruff_python_ast::{Comprehension, Expr};

use super::{Kind, Walk};
use crate::python::PythonVersion;
use crate::python::check::Stage;
use crate::text::py_repr;

impl<'a> Walk<'a, '_> {
    pub(super) fn comprehension(
        &mut self,
        expr: &'a Expr,
        what: &'static str,
        generators: &'a [Comprehension],
        elements: &[&'a Expr],
    ) {
        let Some((first, others)) = generators.split_first() else { return };
        let is_async = generators.iter().any(|generator| generator.is_async);
        if is_async && self.version < PythonVersion::Py314 {
            self.check_async_comprehension(expr);
        }
        self.iterable(&first.iter);
        let scope = self.in_scope(Kind::Comprehension { what }, |walk| {
            walk.generator(first);
            for generator in others {
                walk.generator_target(&generator.target);
                walk.iterable(&generator.iter);
                walk.generator(generator);
            }
            elements.iter().for_each(|element| walk.maybe_starred(element));
        });
        if scope.awaits && !expr.is_generator_expr() {
            self.check_async_comprehension(expr);
            self.scope(|scope| scope.awaits = true);
        }
    }

    /// Checks a comprehension that awaits: it must be in an async function or another
    /// comprehension.
    pub(super) fn check_async_comprehension(&mut self, expr: &Expr) {
        let is_allowed = self.kind().is_async() || self.kind().is_comprehension();
        if !is_allowed && !expr.is_generator_expr() {
            let message = "asynchronous comprehension outside of an asynchronous function";
            self.refuse(Stage::moved_in_3_14(self.version), expr, message);
        }
    }

    pub(super) fn iterable(&mut self, iterable: &'a Expr) {
        self.scope(|scope| scope.iterables += 1);
        self.visit_expr(iterable);
        self.scope(|scope| scope.iterables -= 1);
    }

    /// Checks a `for` clause of a comprehension, except its iterable.
    pub(super) fn generator(&mut self, generator: &'a Comprehension) {
        let mut targets = Vec::new();
        collect_names(&generator.target, &mut targets);
        self.scope(|scope| {
            scope.targets.extend(targets);
            scope.awaits |= generator.is_async;
        });
        self.target(&generator.target);
        generator.ifs.iter().for_each(|test| self.visit_expr(test));
    }

    pub(super) fn generator_target(&mut self, target: &'a Expr) {
        let mut names = Vec::new();
        collect_names(target, &mut names);
        let assigned = self.scopes.last().map(|scope| scope.assigned.clone()).unwrap_or_default();
        if let Some(name) = names.into_iter().find(|name| assigned.contains(name)) {
            let message = format!(
                "comprehension inner loop cannot rebind assignment expression target {}",
                py_repr(name)
            );
            self.refuse(Stage::Symbols, target, message);
        }
    }

    /// Checks `:=`, like `symtable_handle_namedexpr` and `symtable_extend_namedexpr_scope`.
    pub(super) fn named_expression(&mut self, expr: &'a Expr, target: &'a Expr) {
        self.refuse_deferred(expr, "named expression");
        let Expr::Name(name) = target else { return };
        let name = name.id.as_str();
        if self.scopes.last().is_some_and(|scope| scope.iterables > 0) {
            let message =
                "assignment expression cannot be used in a comprehension iterable expression";
            self.refuse(Stage::Symbols, expr, message);
        }
        if !self.kind().is_comprehension() {
            return;
        }
        let mut message = None;
        for scope in self.scopes.iter_mut().rev() {
            match scope.kind {
                Kind::Comprehension { .. } if scope.targets.contains(&name) => {
                    message = Some(format!(
                        "assignment expression cannot rebind comprehension iteration variable {}",
                        py_repr(name)
                    ));
                    break;
                }
                Kind::Comprehension { .. } => scope.assigned.push(name),
                Kind::Class => {
                    message = Some(
                        "assignment expression within a comprehension cannot be used in a class body"
                            .to_owned(),
                    );
                    break;
                }
                _ => break,
            }
        }
        if let Some(message) = message {
            self.refuse(Stage::Symbols, expr, message);
        }
    }
}

fn collect_names<'a>(target: &'a Expr, names: &mut Vec<&'a str>) {
    match target {
        Expr::Name(name) => names.push(name.id.as_str()),
        Expr::Starred(starred) => collect_names(&starred.value, names),
        Expr::Tuple(tuple) => tuple.elts.iter().for_each(|item| collect_names(item, names)),
        Expr::List(list) => list.elts.iter().for_each(|item| collect_names(item, names)),
        _ => {}
    }
}
