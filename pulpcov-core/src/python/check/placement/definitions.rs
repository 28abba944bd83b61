//! Checks functions, classes and their parameters.

use ruff_python_ast::visitor::Visitor;
use ruff_python_ast::{
    Decorator, Identifier, Parameters, StmtClassDef, StmtFunctionDef, TypeParam, TypeParams,
};
use ruff_text_size::Ranged;

use super::{DEBUG_NOT_ASSIGNABLE, Kind, Walk};
use crate::python::PythonVersion;
use crate::python::check::Stage;
use crate::python::check::repeated_names::first_repeated;
use crate::text::py_repr;

impl<'a> Walk<'a, '_> {
    /// Checks the name of a function or class. CPython reports the line of `def` or `class`, not
    /// that of the first decorator.
    pub(super) fn bind_definition(
        &mut self,
        name: &Identifier,
        node: impl Ranged,
        decorators: &[Decorator],
    ) {
        if name.as_str() == "__debug__" {
            let line = self.syntax.definition_line(node, decorators);
            self.errors.add(Stage::moved_in_3_14(self.version), line, DEBUG_NOT_ASSIGNABLE);
        }
    }

    pub(super) fn function(&mut self, node: &'a StmtFunctionDef) {
        self.bind_definition(&node.name, node, &node.decorator_list);
        node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
        self.defaults(&node.parameters);
        self.generic(node.type_params.as_deref(), |walk| {
            walk.annotations(&node.parameters);
            if let Some(returns) = &node.returns {
                walk.visit_annotation(returns);
            }
        });
        let scope = self.in_scope(Kind::Function { is_async: node.is_async }, |walk| {
            let line = walk.syntax.definition_line(node, &node.decorator_list);
            walk.parameters(&node.parameters, line);
            walk.visit_body(&node.body);
        });
        if let (true, true, Some(line)) = (node.is_async, scope.yields, scope.returns_value) {
            let message = "'return' with value in async generator";
            self.errors.add(Stage::Code, line, message);
        }
    }

    pub(super) fn class(&mut self, node: &'a StmtClassDef) {
        self.bind_definition(&node.name, node, &node.decorator_list);
        node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
        self.generic(node.type_params.as_deref(), |walk| {
            if let Some(arguments) = &node.arguments {
                let line = walk.syntax.definition_line(node, &node.decorator_list);
                walk.names_of_keywords(arguments, line);
                walk.arguments(arguments);
            }
        });
        self.in_scope(Kind::Class, |walk| walk.visit_body(&node.body));
    }

    /// Walks type parameters. Then calls `walk` in a scope that can use them.
    pub(super) fn generic(
        &mut self,
        parameters: Option<&'a TypeParams>,
        walk: impl FnOnce(&mut Self),
    ) {
        let Some(parameters) = parameters else { return walk(self) };
        self.type_parameters(parameters);
        self.in_scope(Kind::Deferred { what: "the definition of a generic" }, walk);
    }

    pub(super) fn type_parameters(&mut self, parameters: &'a TypeParams) {
        let names = || parameters.iter().map(|parameter| parameter.name().as_str());
        let repeated = first_repeated(names);
        let mut has_default = false;
        for (place, parameter) in parameters.iter().enumerate() {
            let name = parameter.name();
            self.bind(name, parameter);
            if let Some((name, _)) = repeated.filter(|(_, again)| *again == place) {
                let message = format!("duplicate type parameter {}", py_repr(name));
                self.refuse(Stage::Symbols, parameter, message);
            }
            if let TypeParam::TypeVar(variable) = parameter
                && let Some(bound) = &variable.bound
            {
                let is_choice = bound.is_tuple_expr() && self.version >= PythonVersion::Py313;
                let what = if is_choice { "a TypeVar constraint" } else { "a TypeVar bound" };
                self.deferred(what, bound);
            }
            match parameter.default() {
                Some(default) => {
                    has_default = true;
                    let what = match parameter {
                        TypeParam::TypeVar(_) => "a TypeVar default",
                        TypeParam::TypeVarTuple(_) => "a TypeVarTuple default",
                        TypeParam::ParamSpec(_) => "a ParamSpec default",
                    };
                    self.deferred(what, default);
                }
                None if has_default => {
                    let name = py_repr(name.as_str());
                    let message =
                        format!("non-default type parameter {name} follows default type parameter");
                    self.refuse(Stage::Code, parameter, message);
                }
                None => {}
            }
        }
    }

    pub(super) fn defaults(&mut self, parameters: &'a Parameters) {
        let defaults = parameters.iter_non_variadic_params().filter_map(|p| p.default());
        defaults.for_each(|default| self.visit_expr(default));
    }

    pub(super) fn annotations(&mut self, parameters: &'a Parameters) {
        for annotation in parameters.iter().filter_map(|parameter| parameter.annotation()) {
            self.visit_annotation(annotation);
        }
    }

    /// Checks the parameters of a function on `line`. For `__debug__`, Python 3.11 reports that
    /// line.
    pub(super) fn parameters(&mut self, parameters: &Parameters, line: i32) {
        let repeated = first_repeated(|| parameter_names(parameters).map(Identifier::as_str));
        for (place, name) in parameter_names(parameters).enumerate() {
            if self.version > PythonVersion::Py311 {
                self.bind(name, name);
            } else if name.as_str() == "__debug__" {
                self.errors.add(Stage::Code, line, DEBUG_NOT_ASSIGNABLE);
            }
            if repeated.is_some_and(|(_, again)| again == place) {
                let is_new = self.version >= PythonVersion::Py315;
                let what = if is_new { "parameter" } else { "argument" };
                let quoted = py_repr(name.as_str());
                let message = format!("duplicate {what} {quoted} in function definition");
                self.refuse(Stage::Symbols, name, message);
            }
        }
    }
}

/// Returns the names of parameters, in the order of `symtable_visit_arguments`.
fn parameter_names(parameters: &Parameters) -> impl Iterator<Item = &Identifier> {
    let starred = parameters.vararg.iter().chain(&parameters.kwarg);
    let others = parameters.iter_non_variadic_params().map(|other| &other.parameter.name);
    others.chain(starred.map(|starred| &starred.name))
}
