//! Checks `global` and `nonlocal` (`symtable.c`).
//!
//! Such a statement must come before any other use of the name. For `nonlocal`, an outer function
//! must bind the name. Files without these statements are not checked, because no use of a name is
//! wrong there.

use std::collections::HashMap;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Alias, Comprehension, ExceptHandler, Expr, ExprContext, Identifier, Parameters, Pattern, Stmt,
    TypeParam,
};

use super::future::Features;
use super::{FirstErrors, Stage};
use crate::python::PythonVersion;
use crate::python::syntax::Syntax;
use crate::text::py_repr;

pub(super) fn check(
    syntax: &Syntax,
    version: PythonVersion,
    features: Features,
    errors: &mut FirstErrors,
) {
    if !syntax.token_summary().declares_names() {
        return;
    }
    let mut table = Table {
        syntax,
        errors,
        annotations_have_scopes: features.annotations || version >= PythonVersion::Py314,
        scopes: vec![Scope::new(None, Kind::Module)],
        current: 0,
    };
    table.visit_body(syntax.body());
    table.resolve();
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Module,
    Class,
    Function,
    Comprehension,
    Annotation,
}

/// How a scope uses a name.
#[derive(Debug, Clone, Copy, Default)]
struct Uses {
    parameter: bool,
    bound: bool,
    /// Bound by an import. Unlike other bindings, it may come before `global`.
    imported: bool,
    annotated: bool,
    read: bool,
    global: bool,
    nonlocal: bool,
}

struct Scope<'a> {
    parent: Option<usize>,
    kind: Kind,
    names: HashMap<&'a str, Uses>,
    /// The names that `global` and `nonlocal` declare, with the lines of the statements.
    declared: Vec<(&'a str, i32)>,
}

impl Scope<'_> {
    fn new(parent: Option<usize>, kind: Kind) -> Self {
        Self { parent, kind, names: HashMap::new(), declared: Vec::new() }
    }
}

struct Table<'a, 'e> {
    syntax: &'a Syntax<'a>,
    errors: &'e mut FirstErrors,
    annotations_have_scopes: bool,
    /// Outer scopes come before inner ones.
    scopes: Vec<Scope<'a>>,
    current: usize,
}

impl<'a> Table<'a, '_> {
    fn in_scope(&mut self, kind: Kind, walk: impl FnOnce(&mut Self)) {
        let outside = self.current;
        self.scopes.push(Scope::new(Some(outside), kind));
        self.current = self.scopes.len() - 1;
        walk(self);
        self.current = outside;
    }

    fn with_name(&mut self, scope: usize, name: &'a str, change: impl FnOnce(&mut Uses)) {
        if let Some(scope) = self.scopes.get_mut(scope) {
            change(scope.names.entry(name).or_default());
        }
    }

    fn bind(&mut self, name: &'a str) {
        self.with_name(self.current, name, |uses| uses.bound = true);
    }

    fn kind(&self) -> Kind {
        self.scopes.get(self.current).map_or(Kind::Module, |scope| scope.kind)
    }

    fn uses(&self, name: &str) -> Uses {
        let scope = self.scopes.get(self.current);
        scope.and_then(|scope| scope.names.get(name)).copied().unwrap_or_default()
    }

    /// Binds the target of `:=`. Inside comprehensions, `:=` binds in the scope around all of them.
    fn bind_around_comprehensions(&mut self, name: &'a str) {
        let mut scope = self.current;
        while let Some(Scope { kind: Kind::Comprehension, parent: Some(parent), .. }) =
            self.scopes.get(scope)
        {
            scope = *parent;
        }
        self.with_name(scope, name, |uses| uses.bound = true);
    }

    /// Declares names, like `symtable_visit_stmt` for `Global_kind` and `Nonlocal_kind`.
    fn declare(&mut self, names: &'a [Identifier], line: i32, word: &str) {
        for name in names.iter().map(Identifier::as_str) {
            let uses = self.uses(name);
            let quoted = py_repr(name);
            let message = if uses.parameter {
                Some(format!("name {quoted} is parameter and {word}"))
            } else if uses.read {
                Some(format!("name {quoted} is used prior to {word} declaration"))
            } else if uses.annotated {
                Some(format!("annotated name {quoted} can't be {word}"))
            } else if uses.bound {
                Some(format!("name {quoted} is assigned to before {word} declaration"))
            } else {
                None
            };
            if let Some(message) = message {
                self.errors.add(Stage::Symbols, line, message);
            }
            self.with_name(self.current, name, |uses| match word {
                "global" => uses.global = true,
                _ => uses.nonlocal = true,
            });
            if let Some(scope) = self.scopes.get_mut(self.current) {
                scope.declared.push((name, line));
            }
        }
    }

    fn annotated(&mut self, name: &'a str, line: i32) {
        let uses = self.uses(name);
        if (uses.global || uses.nonlocal) && self.kind() != Kind::Module {
            let word = if uses.global { "global" } else { "nonlocal" };
            let message = format!("annotated name {} can't be {word}", py_repr(name));
            self.errors.add(Stage::Symbols, line, message);
        }
        self.with_name(self.current, name, |uses| {
            uses.annotated = true;
            uses.bound = true;
        });
    }

    fn visit_defaults_and_annotations(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter() {
            if let Some(default) = parameter.default() {
                self.visit_expr(default);
            }
            if let Some(annotation) = parameter.annotation() {
                self.visit_annotation(annotation);
            }
        }
    }

    fn add_parameter_names(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter() {
            let name = parameter.name().as_str();
            self.with_name(self.current, name, |uses| uses.parameter = true);
        }
    }

    fn comprehension(&mut self, generators: &'a [Comprehension], elements: &[&'a Expr]) {
        let Some((first, others)) = generators.split_first() else { return };
        self.visit_expr(&first.iter);
        self.in_scope(Kind::Comprehension, |table| {
            table.visit_expr(&first.target);
            first.ifs.iter().for_each(|test| table.visit_expr(test));
            others.iter().for_each(|generator| table.visit_comprehension(generator));
            elements.iter().for_each(|element| table.visit_expr(element));
        });
    }

    /// Checks that an outer function binds each `nonlocal` name, like `analyze_name`.
    fn resolve(&mut self) {
        for index in 0..self.scopes.len() {
            // An error in an outer scope comes first, even if an inner scope has one on an earlier
            // line.
            if self.errors.resolution.is_some() {
                return;
            }
            let Some(scope) = self.scopes.get(index) else { return };
            for (name, line) in &scope.declared {
                let uses = scope.names.get(name).copied().unwrap_or_default();
                let quoted = py_repr(name);
                if uses.global && uses.nonlocal {
                    let message = format!("name {quoted} is nonlocal and global");
                    self.errors.add(Stage::Resolution, *line, message);
                } else if uses.nonlocal && scope.kind == Kind::Module {
                    let message = "nonlocal declaration not allowed at module level";
                    self.errors.add(Stage::Resolution, *line, message);
                } else if uses.nonlocal && !self.is_bound_around(scope.parent, name) {
                    let message = format!("no binding for nonlocal {quoted} found");
                    self.errors.add(Stage::Resolution, *line, message);
                }
            }
        }
    }

    fn is_bound_around(&self, mut scope: Option<usize>, name: &str) -> bool {
        while let Some(around) = scope.and_then(|index| self.scopes.get(index)) {
            if around.kind == Kind::Class && name == "__class__" {
                return true;
            }
            if matches!(around.kind, Kind::Function | Kind::Comprehension)
                && let Some(uses) = around.names.get(name)
            {
                if uses.global {
                    return false;
                }
                if (uses.bound || uses.imported || uses.parameter) && !uses.nonlocal {
                    return true;
                }
            }
            scope = around.parent;
        }
        false
    }
}

impl<'a> Visitor<'a> for Table<'a, '_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let line = self.syntax.first_line(statement);
        match statement {
            Stmt::Global(node) => self.declare(&node.names, line, "global"),
            Stmt::Nonlocal(node) => self.declare(&node.names, line, "nonlocal"),
            Stmt::FunctionDef(node) => {
                self.bind(node.name.as_str());
                node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.visit_defaults_and_annotations(&node.parameters);
                if let Some(returns) = &node.returns {
                    self.visit_annotation(returns);
                }
                self.in_scope(Kind::Function, |table| {
                    if let Some(parameters) = &node.type_params {
                        table.visit_type_params(parameters);
                    }
                    table.add_parameter_names(&node.parameters);
                    table.visit_body(&node.body);
                });
            }
            Stmt::ClassDef(node) => {
                self.bind(node.name.as_str());
                node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                if let Some(arguments) = &node.arguments {
                    self.visit_arguments(arguments);
                }
                self.in_scope(Kind::Class, |table| table.visit_body(&node.body));
            }
            Stmt::AnnAssign(node) => {
                match &*node.target {
                    Expr::Name(name) if node.simple => self.annotated(name.id.as_str(), line),
                    target => self.visit_expr(target),
                }
                self.visit_annotation(&node.annotation);
                if let Some(value) = &node.value {
                    self.visit_expr(value);
                }
            }
            _ => visitor::walk_stmt(self, statement),
        }
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        if self.annotations_have_scopes {
            self.in_scope(Kind::Annotation, |table| table.visit_expr(annotation));
        } else {
            self.visit_expr(annotation);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                let is_read = name.ctx == ExprContext::Load;
                // `super()` uses `__class__`.
                if is_read
                    && name.id.as_str() == "super"
                    && !matches!(self.kind(), Kind::Module | Kind::Class)
                {
                    self.with_name(self.current, "__class__", |uses| uses.read = true);
                }
                // CPython replaces `__debug__` by its value before it looks at names.
                let is_constant = is_read && name.id.as_str() == "__debug__";
                self.with_name(self.current, name.id.as_str(), |uses| {
                    uses.read |= is_read && !is_constant;
                    uses.bound |= !is_read;
                });
            }
            Expr::Named(node) => {
                if let Expr::Name(name) = &*node.target {
                    self.bind_around_comprehensions(name.id.as_str());
                }
                self.visit_expr(&node.value);
            }
            Expr::Lambda(node) => {
                if let Some(parameters) = &node.parameters {
                    self.visit_defaults_and_annotations(parameters);
                }
                self.in_scope(Kind::Function, |table| {
                    if let Some(parameters) = &node.parameters {
                        table.add_parameter_names(parameters);
                    }
                    table.visit_expr(&node.body);
                });
            }
            Expr::ListComp(node) => self.comprehension(&node.generators, &[&node.elt]),
            Expr::SetComp(node) => self.comprehension(&node.generators, &[&node.elt]),
            Expr::Generator(node) => self.comprehension(&node.generators, &[&node.elt]),
            Expr::DictComp(node) => {
                let elements: Vec<&Expr> =
                    node.key.as_deref().into_iter().chain([&*node.value]).collect();
                self.comprehension(&node.generators, &elements);
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_alias(&mut self, alias: &'a Alias) {
        let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
        let name = name.split('.').next().unwrap_or(name);
        self.with_name(self.current, name, |uses| uses.imported = true);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(node) = handler;
        if let Some(name) = &node.name {
            self.bind(name.as_str());
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_type_param(&mut self, parameter: &'a TypeParam) {
        self.bind(parameter.name().as_str());
        visitor::walk_type_param(self, parameter);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(node) => node.name.as_ref(),
            Pattern::MatchStar(node) => node.name.as_ref(),
            Pattern::MatchMapping(node) => node.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name.as_str());
        }
        visitor::walk_pattern(self, pattern);
    }
}

#[cfg(test)]
mod tests {
    use crate::python::{AnalyzeOptions, PythonSource};

    #[test]
    fn a_constant_is_no_use_of_a_name() {
        let refused = |text: &[u8]| {
            let source = PythonSource::decode(text.to_vec()).unwrap();
            source.analyze(&AnalyzeOptions::new().unwrap()).is_err()
        };
        assert!(!refused(b"if __debug__: x = 1\nglobal __debug__\n"));
        assert!(refused(b"def f():\n if x: y = 1\n global x\n"));
    }
}
