//! Statements and expressions in places where CPython does not have them.
//!
//! What belongs to a function outside of one, `await` where nothing is asynchronous, jumps out of
//! no loop, stars that nothing unpacks, arguments named twice, assignments to `__debug__`.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Alias, Arguments, Comprehension, ConversionFlag, Decorator, ExceptHandler, Expr, ExprContext,
    Identifier, InterpolatedElement, InterpolatedStringElement, Parameters, Stmt, StmtAnnAssign,
    StmtClassDef, StmtFunctionDef, StmtImportFrom, StmtTry, TypeParam, TypeParams,
};
use ruff_text_size::Ranged;

use super::future::{Features, is_future};
use super::patterns::{WrongKeyword, first_repeated, wrong_keyword};
use super::suspects::Suspects;
use super::{Errors, Stage, patterns};
use crate::python::PythonVersion;
use crate::python::syntax::Syntax;
use crate::text::py_repr;

const NOT_ASSIGNED: &str = "cannot assign to __debug__";

const NOT_UNPACKED: &str = "can't use starred expression here";

pub(super) fn check(
    syntax: &Syntax,
    version: PythonVersion,
    features: Features,
    errors: &mut Errors,
) {
    check_suspects(syntax, Suspects::new(syntax), version, features, errors);
}

fn check_suspects<'a>(
    syntax: &'a Syntax,
    suspects: Suspects<'a>,
    version: PythonVersion,
    features: Features,
    errors: &mut Errors,
) {
    let scopes = vec![Scope::new(Kind::Module)];
    let mut walk = Walk { syntax, suspects, version, features, errors, scopes, format_specs: 0 };
    walk.visit_body(syntax.body());
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Module,
    Class,
    Function {
        is_async: bool,
    },
    Lambda,
    Comprehension {
        what: &'static str,
    },
    /// An expression that is evaluated on demand, and what CPython calls it.
    Deferred {
        what: &'static str,
    },
}

impl Kind {
    fn is_async(self) -> bool {
        matches!(self, Self::Function { is_async: true })
    }

    fn is_comprehension(self) -> bool {
        matches!(self, Self::Comprehension { .. })
    }
}

/// CPython's frame blocks, as far as they matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Loop,
    ExceptStar,
    Other,
}

struct Scope<'a> {
    kind: Kind,
    blocks: Vec<Block>,
    /// The line where one more block than are left to a generator was opened.
    crowded: Option<i32>,
    yields: bool,
    /// A comprehension that awaits something.
    awaits: bool,
    /// The first `return` with a value.
    returns_value: Option<i32>,
    /// The iteration variables of a comprehension.
    targets: Vec<&'a str>,
    /// What `:=` assigns to in a comprehension.
    assigned: Vec<&'a str>,
    /// How many iterables of comprehensions are around.
    iterables: usize,
    /// How many `try` statements are around.
    tries: usize,
}

impl Scope<'_> {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            blocks: Vec::new(),
            crowded: None,
            yields: false,
            awaits: false,
            returns_value: None,
            targets: Vec::new(),
            assigned: Vec::new(),
            iterables: 0,
            tries: 0,
        }
    }
}

struct Walk<'a, 'e> {
    syntax: &'a Syntax<'a>,
    /// Expressions without any are passed over.
    suspects: Suspects<'a>,
    version: PythonVersion,
    features: Features,
    errors: &'e mut Errors,
    /// The innermost last; never empty.
    scopes: Vec<Scope<'a>>,
    /// How many format specifications of f-strings are around.
    format_specs: usize,
}

impl<'a> Walk<'a, '_> {
    fn refuse(&mut self, stage: Stage, node: impl Ranged, message: impl Into<String>) {
        self.errors.add(stage, self.syntax.first_line(node), message);
    }

    fn kind(&self) -> Kind {
        self.scopes.last().map_or(Kind::Module, |scope| scope.kind)
    }

    fn scope(&mut self, change: impl FnOnce(&mut Scope<'a>)) {
        if let Some(scope) = self.scopes.last_mut() {
            change(scope);
        }
    }

    /// Walk what has a scope of its own.
    fn scoped(&mut self, kind: Kind, walk: impl FnOnce(&mut Self)) -> Scope<'a> {
        self.scopes.push(Scope::new(kind));
        walk(self);
        let scope = self.scopes.pop().unwrap_or_else(|| Scope::new(kind));
        self.check_crowd(&scope);
        scope
    }

    /// From 3.12 on generators and coroutines have a block around everything.
    fn check_crowd(&mut self, scope: &Scope<'_>) {
        let wrapped = scope.yields || scope.kind.is_async();
        if let Some(line) = scope.crowded
            && wrapped
            && self.version >= PythonVersion::Py312
        {
            self.errors.add(Stage::Code, line, "too many statically nested blocks");
        }
    }

    /// `_PyCompile_PushFBlock`: `CO_MAXBLOCKS` of them.
    fn in_blocks(&mut self, blocks: &[Block], node: impl Ranged, walk: impl FnOnce(&mut Self)) {
        let most = if self.version >= PythonVersion::Py312 { 21 } else { 20 };
        let line = self.syntax.first_line(node);
        let mut count = 0;
        self.scope(|scope| {
            scope.blocks.extend(blocks);
            count = scope.blocks.len();
            if count == most {
                scope.crowded.get_or_insert(line);
            }
        });
        if count > most {
            self.errors.add(Stage::Code, line, "too many statically nested blocks");
        }
        walk(self);
        self.scope(|scope| scope.blocks.truncate(scope.blocks.len().saturating_sub(blocks.len())));
    }

    fn bind(&mut self, name: &Identifier, node: impl Ranged) {
        if name.as_str() == "__debug__" {
            self.refuse_debug(node);
        }
    }

    fn refuse_debug(&mut self, node: impl Ranged) {
        self.refuse(Stage::moved(self.version), node, NOT_ASSIGNED);
    }

    /// `def` and `class` are where they say so.
    fn bind_definition(&mut self, name: &Identifier, node: impl Ranged, decorators: &[Decorator]) {
        if name.as_str() == "__debug__" {
            let line = self.syntax.definition_line(node, decorators);
            self.errors.add(Stage::moved(self.version), line, NOT_ASSIGNED);
        }
    }

    fn function(&mut self, node: &'a StmtFunctionDef) {
        self.bind_definition(&node.name, node, &node.decorator_list);
        node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
        self.defaults(&node.parameters);
        self.generic(node.type_params.as_deref(), |walk| {
            walk.annotations(&node.parameters);
            if let Some(returns) = &node.returns {
                walk.visit_annotation(returns);
            }
        });
        let scope = self.scoped(Kind::Function { is_async: node.is_async }, |walk| {
            let line = walk.syntax.definition_line(node, &node.decorator_list);
            walk.parameters(&node.parameters, line);
            walk.visit_body(&node.body);
        });
        if let (true, true, Some(line)) = (node.is_async, scope.yields, scope.returns_value) {
            let message = "'return' with value in async generator";
            self.errors.add(Stage::Code, line, message);
        }
    }

    fn class(&mut self, node: &'a StmtClassDef) {
        self.bind_definition(&node.name, node, &node.decorator_list);
        node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
        self.generic(node.type_params.as_deref(), |walk| {
            if let Some(arguments) = &node.arguments {
                walk.visit_arguments(arguments);
            }
        });
        self.scoped(Kind::Class, |walk| walk.visit_body(&node.body));
    }

    /// Walk type parameters, and what they are in scope of.
    fn generic(&mut self, parameters: Option<&'a TypeParams>, walk: impl FnOnce(&mut Self)) {
        let Some(parameters) = parameters else { return walk(self) };
        self.type_parameters(parameters);
        self.scoped(Kind::Deferred { what: "the definition of a generic" }, walk);
    }

    fn type_parameters(&mut self, parameters: &'a TypeParams) {
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

    fn deferred(&mut self, what: &'static str, expr: &'a Expr) {
        self.scoped(Kind::Deferred { what }, |walk| walk.unpacked(expr));
    }

    fn defaults(&mut self, parameters: &'a Parameters) {
        let defaults = parameters.iter_non_variadic_params().filter_map(|p| p.default());
        defaults.for_each(|default| self.visit_expr(default));
    }

    fn annotations(&mut self, parameters: &'a Parameters) {
        for annotation in parameters.iter().filter_map(|parameter| parameter.annotation()) {
            self.visit_annotation(annotation);
        }
    }

    /// Of a function in a line, which is what 3.11 names.
    fn parameters(&mut self, parameters: &Parameters, line: i32) {
        let repeated = first_repeated(|| named(parameters).map(Identifier::as_str));
        for (place, name) in named(parameters).enumerate() {
            if self.version > PythonVersion::Py311 {
                self.bind(name, name);
            } else if name.as_str() == "__debug__" {
                self.errors.add(Stage::Code, line, NOT_ASSIGNED);
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

    fn try_(&mut self, node: &'a StmtTry) {
        self.scope(|scope| scope.tries += 1);
        self.parts_of_try(node);
        self.scope(|scope| scope.tries -= 1);
    }

    fn parts_of_try(&mut self, node: &'a StmtTry) {
        let is_finally = !node.finalbody.is_empty();
        let finally: &[Block] = if is_finally { &[Block::Other] } else { &[] };
        self.in_blocks(finally, node, |walk| {
            let except: &[Block] = if node.handlers.is_empty() { &[] } else { &[Block::Other] };
            walk.in_blocks(except, node, |walk| walk.visit_body(&node.body));
            for (position, handler) in node.handlers.iter().enumerate() {
                let ExceptHandler::ExceptHandler(handler) = handler;
                if handler.type_.is_none() && position + 1 < node.handlers.len() {
                    walk.refuse(Stage::Code, handler, "default 'except:' must be last");
                }
                if let Some(type_) = &handler.type_ {
                    walk.visit_expr(type_);
                }
                if let Some(name) = &handler.name {
                    walk.bind(name, handler);
                }
                let group = if node.is_star { Block::ExceptStar } else { Block::Other };
                walk.in_blocks(&[group, Block::Other], handler, |walk| {
                    walk.visit_body(&handler.body);
                });
            }
            walk.visit_body(&node.orelse);
        });
        if let Some(first) = node.finalbody.first() {
            self.in_blocks(finally, first, |walk| walk.visit_body(&node.finalbody));
        }
    }

    /// `check_lazy_import_context`: a lazy import stands at module level, and in no `try`. Is this one in its place?
    fn lazy_import(&mut self, node: impl Ranged, what: &str) -> bool {
        let scope = self.scopes.last();
        let place = match self.kind() {
            Kind::Class => "classes",
            Kind::Module if scope.is_none_or(|scope| scope.tries == 0) => return true,
            Kind::Module => "try/except blocks",
            _ => "functions",
        };
        self.refuse(Stage::Symbols, node, format!("{what} not allowed inside {place}"));
        false
    }

    fn lazy_import_from(&mut self, node: &StmtImportFrom) {
        let is_star = node.names.iter().any(|alias| alias.name.as_str() == "*");
        if is_future(node) {
            self.refuse(Stage::Parser, node, "lazy from __future__ import is not allowed");
            return;
        }
        if self.lazy_import(node, "lazy from ... import") && is_star {
            self.refuse(Stage::Symbols, node, "lazy from ... import * is not allowed");
        }
    }

    fn imported(&mut self, statement: &Stmt, names: &[Alias]) {
        for alias in names {
            let name = alias.asname.as_ref().unwrap_or(&alias.name);
            // `import a.b` binds `a`.
            if name.split('.').next() == Some("__debug__") {
                let is_late = self.version >= PythonVersion::Py314;
                self.refuse_debug(if is_late { alias.range() } else { statement.range() });
            }
        }
    }

    fn future_import(&mut self, node: &StmtImportFrom) {
        if node.start() > self.features.last {
            let stage = Stage::moved(self.version);
            let message = "from __future__ imports must occur at the beginning of the file";
            self.refuse(stage, node, message);
        }
        // The parser has `<>` for `!=` behind it.
        self.errors.is_no_grammar |= self.version >= PythonVersion::Py313
            && node.names.iter().any(|alias| alias.name.as_str() == "barry_as_FLUFL");
    }

    /// `codegen_annassign`
    fn annotated(&mut self, node: &'a StmtAnnAssign) {
        let is_late = self.version >= PythonVersion::Py314;
        let is_only_named =
            is_late && !node.simple && node.target.is_name_expr() && node.value.is_none();
        if is_late && !is_only_named {
            self.symbols(&node.target);
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

    /// A target is before the value for the symbol table, and behind it where code is made. That tells from 3.14 on.
    fn symbols(&mut self, target: &'a Expr) {
        if self.version >= PythonVersion::Py314 {
            self.without_code(true, |walk| walk.visit_expr(target));
        }
    }

    /// `codegen_check_ann_subscr`: each part of the index is evaluated on its own.
    fn annotated_index(&mut self, index: &Expr) {
        match index {
            Expr::Tuple(parts) => parts.iter().for_each(|part| self.annotated_index(part)),
            Expr::Starred(_) => self.refuse(Stage::Code, index, NOT_UNPACKED),
            _ => {}
        }
    }

    /// Walk what is perhaps not compiled.
    fn without_code(&mut self, is_without: bool, walk: impl FnOnce(&mut Self)) {
        let outside = self.errors.is_without_code;
        self.errors.is_without_code |= is_without;
        walk(self);
        self.errors.is_without_code = outside;
    }

    /// `codegen_unwind_fblock_stack`: `except*` suites run to their end.
    fn jump(&mut self, statement: &Stmt) {
        let to_loop = !matches!(statement, Stmt::Return(_));
        let blocks = self.scopes.last().map(|scope| scope.blocks.as_slice()).unwrap_or_default();
        let stops =
            |block: &&Block| **block == Block::ExceptStar || to_loop && **block == Block::Loop;
        let stop = blocks.iter().rev().find(stops);
        let message = match (stop, statement) {
            (Some(Block::ExceptStar), _) => {
                "'break', 'continue' and 'return' cannot appear in an except* block"
            }
            (None, Stmt::Break(_)) => "'break' outside loop",
            (None, Stmt::Continue(_)) => "'continue' not properly in loop",
            _ => return,
        };
        self.refuse(Stage::Code, statement, message);
    }

    fn return_(&mut self, statement: &'a Stmt, value: Option<&'a Expr>) {
        if !matches!(self.kind(), Kind::Function { .. }) {
            self.refuse(Stage::Code, statement, "'return' outside function");
        }
        self.jump(statement);
        if let Some(value) = value {
            let line = self.syntax.first_line(statement);
            self.scope(|scope| _ = scope.returns_value.get_or_insert(line));
            self.visit_expr(value);
        }
    }

    fn only_async(&mut self, node: impl Ranged, what: &str) {
        if !self.kind().is_async() {
            let stage = Stage::moved(self.version);
            self.refuse(stage, node, format!("'{what}' outside async function"));
        }
    }

    fn refuse_deferred(&mut self, expr: &Expr, what: &str) {
        if let Kind::Deferred { what: place } = self.kind() {
            self.refuse(Stage::Symbols, expr, format!("{what} cannot be used within {place}"));
        }
    }

    fn yield_(&mut self, expr: &'a Expr) {
        self.refuse_deferred(expr, "yield expression");
        match self.kind() {
            Kind::Comprehension { what } => {
                self.refuse(Stage::Symbols, expr, format!("'yield' inside {what}"));
            }
            Kind::Module | Kind::Class => {
                let is_told = expr.is_yield_from_expr() && self.version >= PythonVersion::Py313;
                let what = if is_told { "yield from" } else { "yield" };
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

    fn await_(&mut self, expr: &'a Expr) {
        self.refuse_deferred(expr, "await expression");
        let stage = Stage::moved(self.version);
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

    fn comprehension(
        &mut self,
        expr: &'a Expr,
        what: &'static str,
        generators: &'a [Comprehension],
        elements: &[&'a Expr],
    ) {
        let Some((first, others)) = generators.split_first() else { return };
        let is_async = generators.iter().any(|generator| generator.is_async);
        if is_async && self.version < PythonVersion::Py314 {
            self.asynchronous(expr);
        }
        self.iterable(&first.iter);
        let scope = self.scoped(Kind::Comprehension { what }, |walk| {
            walk.generator(first);
            for generator in others {
                walk.generator_target(&generator.target);
                walk.iterable(&generator.iter);
                walk.generator(generator);
            }
            elements.iter().for_each(|element| walk.unpacked(element));
        });
        if scope.awaits && !expr.is_generator_expr() {
            self.asynchronous(expr);
            self.scope(|scope| scope.awaits = true);
        }
    }

    /// A comprehension that awaits.
    fn asynchronous(&mut self, expr: &Expr) {
        let is_allowed = self.kind().is_async() || self.kind().is_comprehension();
        if !is_allowed && !expr.is_generator_expr() {
            let message = "asynchronous comprehension outside of an asynchronous function";
            self.refuse(Stage::moved(self.version), expr, message);
        }
    }

    fn iterable(&mut self, iterable: &'a Expr) {
        self.scope(|scope| scope.iterables += 1);
        self.visit_expr(iterable);
        self.scope(|scope| scope.iterables -= 1);
    }

    /// A generator of a comprehension, its iterable excepted.
    fn generator(&mut self, generator: &'a Comprehension) {
        let mut targets = Vec::new();
        collect_names(&generator.target, &mut targets);
        self.scope(|scope| {
            scope.targets.extend(targets);
            scope.awaits |= generator.is_async;
        });
        self.target(&generator.target);
        generator.ifs.iter().for_each(|test| self.visit_expr(test));
    }

    fn generator_target(&mut self, target: &'a Expr) {
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

    /// `symtable_handle_namedexpr`, `symtable_extend_namedexpr_scope`.
    fn named(&mut self, expr: &'a Expr, target: &'a Expr) {
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

    /// The target of an assignment.
    fn target(&mut self, target: &'a Expr) {
        if let Expr::Starred(starred) = target {
            let message = "starred assignment target must be in a list or tuple";
            self.refuse(Stage::Code, target, message);
            self.visit_expr(&starred.value);
        } else {
            self.visit_expr(target);
        }
    }

    /// Elements, arguments: where a star unpacks.
    fn unpacked(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Starred(starred) => self.visit_expr(&starred.value),
            _ => self.visit_expr(expr),
        }
    }

    /// `unpack_helper`: `a, *b = ...`.
    fn elements(&mut self, expr: &Expr, elements: &'a [Expr], context: ExprContext) {
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
        elements.iter().for_each(|element| self.unpacked(element));
    }

    fn interpolation(&mut self, element: &'a InterpolatedElement) {
        let is_3_11 = self.version == PythonVersion::Py311;
        if is_3_11
            && (element.expression.is_starred_expr()
                || may_have_wrong_conversion(self.syntax, element))
        {
            self.errors.is_no_grammar = true;
        }
        if !(is_3_11 && element.expression.is_starred_expr()) {
            self.visit_expr(&element.expression);
        }
        let Some(spec) = &element.format_spec else { return };
        // The tokenizer counts other than the parser of 3.11 did.
        let most = if is_3_11 { 1 } else { 2 };
        for inner in spec.elements.iter().filter_map(|element| element.as_interpolation()) {
            self.errors.is_no_grammar |= self.format_specs >= most;
            self.format_specs += 1;
            self.interpolation(inner);
            self.format_specs -= 1;
        }
    }
}

/// The parser of 3.11 wants a letter of ASCII as a conversion, and `}` or `:` right behind it.
fn may_have_wrong_conversion(syntax: &Syntax, element: &InterpolatedElement) -> bool {
    let text = syntax.slice(element.range());
    let spec = element.format_spec.as_ref().map(|spec| spec.start() - element.start());
    let before = text.get(..spec.map_or(text.len(), |at| at.to_usize())).unwrap_or_default();
    element.conversion != ConversionFlag::None
        && !before.trim_end_matches(['}', ':']).ends_with(|c: char| c.is_ascii_alphabetic())
}

/// The names of parameters, in the order of `symtable_visit_arguments`.
fn named(parameters: &Parameters) -> impl Iterator<Item = &Identifier> {
    let starred = parameters.vararg.iter().chain(&parameters.kwarg);
    let others = parameters.iter_non_variadic_params().map(|other| &other.parameter.name);
    others.chain(starred.map(|starred| &starred.name))
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

impl<'a> Visitor<'a> for Walk<'a, '_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(node) => self.function(node),
            Stmt::ClassDef(node) => self.class(node),
            Stmt::Return(node) => self.return_(statement, node.value.as_deref()),
            Stmt::Break(_) | Stmt::Continue(_) => self.jump(statement),
            Stmt::Assign(node) => {
                node.targets.iter().for_each(|target| self.symbols(target));
                self.visit_expr(&node.value);
                node.targets.iter().for_each(|target| self.target(target));
            }
            Stmt::AnnAssign(node) => self.annotated(node),
            Stmt::AugAssign(node) => {
                self.symbols(&node.target);
                self.visit_expr(&node.value);
                match &*node.target {
                    // Up to 3.13 nobody looks at the name.
                    Expr::Attribute(target) if self.version < PythonVersion::Py314 => {
                        self.visit_expr(&target.value);
                    }
                    target => self.visit_expr(target),
                }
            }
            Stmt::For(node) => {
                if node.is_async {
                    self.only_async(node, "async for");
                }
                self.symbols(&node.target);
                self.visit_expr(&node.iter);
                self.target(&node.target);
                self.in_blocks(&[Block::Loop], node, |walk| walk.visit_body(&node.body));
                self.visit_body(&node.orelse);
            }
            Stmt::While(node) => {
                self.visit_expr(&node.test);
                self.in_blocks(&[Block::Loop], node, |walk| walk.visit_body(&node.body));
                self.visit_body(&node.orelse);
            }
            Stmt::With(node) => {
                if node.is_async {
                    self.only_async(node, "async with");
                }
                for item in &node.items {
                    self.visit_expr(&item.context_expr);
                    if let Some(target) = &item.optional_vars {
                        self.target(target);
                    }
                }
                let blocks = vec![Block::Other; node.items.len()];
                self.in_blocks(&blocks, node, |walk| walk.visit_body(&node.body));
            }
            Stmt::Try(node) => self.try_(node),
            Stmt::Match(node) => {
                patterns::check(self.syntax, self.version, &node.cases, self.errors);
                visitor::walk_stmt(self, statement);
            }
            Stmt::Import(node) => {
                if node.is_lazy {
                    self.lazy_import(node, "lazy import");
                }
                self.imported(statement, &node.names);
            }
            Stmt::ImportFrom(node) => {
                if node.is_lazy {
                    self.lazy_import_from(node);
                }
                if is_future(node) {
                    self.future_import(node);
                }
                let is_star = node.names.iter().any(|alias| alias.name.as_str() == "*");
                if is_star && self.kind() != Kind::Module && !node.is_lazy {
                    let message = "import * only allowed at module level";
                    self.refuse(Stage::Symbols, node, message);
                }
                self.imported(statement, &node.names);
            }
            Stmt::TypeAlias(node) => {
                if let Some(parameters) = &node.type_params {
                    self.type_parameters(parameters);
                }
                match &*node.name {
                    Expr::Name(name)
                        if name.id.as_str() == "__debug__"
                            && self.version < PythonVersion::Py314 =>
                    {
                        self.refuse_debug(statement);
                    }
                    name => self.visit_expr(name),
                }
                self.deferred("a type alias", &node.value);
            }
            _ => visitor::walk_stmt(self, statement),
        }
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        let is_text = self.features.annotations;
        self.without_code(is_text, |walk| {
            if is_text || walk.version >= PythonVersion::Py314 {
                walk.deferred("an annotation", annotation);
            } else {
                walk.unpacked(annotation);
            }
        });
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if !self.suspects.any_in(expr.range()) {
            return;
        }
        match expr {
            Expr::Name(node) => {
                if node.ctx != ExprContext::Load && node.id.as_str() == "__debug__" {
                    let verb = if node.ctx == ExprContext::Del { "delete" } else { "assign to" };
                    let stage = Stage::moved(self.version);
                    self.refuse(stage, node, format!("cannot {verb} __debug__"));
                }
            }
            Expr::Attribute(node) => {
                let is_deleted = node.ctx == ExprContext::Del;
                // Up to 3.13 such an attribute may be deleted.
                let is_bound = node.ctx == ExprContext::Store
                    || is_deleted && self.version >= PythonVersion::Py314;
                if is_bound && node.attr.as_str() == "__debug__" {
                    let verb = if is_deleted { "delete" } else { "assign to" };
                    let stage = Stage::moved(self.version);
                    let message = format!("cannot {verb} __debug__");
                    let is_late = self.version >= PythonVersion::Py314;
                    let place = if is_late { node.range() } else { node.attr.range() };
                    self.refuse(stage, place, message);
                }
                self.visit_expr(&node.value);
            }
            Expr::Starred(node) => {
                self.refuse(Stage::Code, node, NOT_UNPACKED);
                self.visit_expr(&node.value);
            }
            Expr::Tuple(node) => self.elements(expr, &node.elts, node.ctx),
            Expr::List(node) => self.elements(expr, &node.elts, node.ctx),
            Expr::Set(node) => self.elements(expr, &node.elts, ExprContext::Load),
            Expr::Yield(_) | Expr::YieldFrom(_) => self.yield_(expr),
            Expr::Await(_) => self.await_(expr),
            Expr::Named(node) => {
                self.named(expr, &node.target);
                visitor::walk_expr(self, expr);
            }
            Expr::Lambda(node) => {
                if let Some(parameters) = &node.parameters {
                    self.defaults(parameters);
                }
                self.scoped(Kind::Lambda, |walk| {
                    if let Some(parameters) = &node.parameters {
                        walk.parameters(parameters, walk.syntax.first_line(node));
                    }
                    walk.visit_expr(&node.body);
                });
            }
            Expr::ListComp(node) => {
                self.comprehension(expr, "list comprehension", &node.generators, &[&node.elt]);
            }
            Expr::SetComp(node) => {
                self.comprehension(expr, "set comprehension", &node.generators, &[&node.elt]);
            }
            Expr::Generator(node) => {
                self.comprehension(expr, "generator expression", &node.generators, &[&node.elt]);
            }
            Expr::DictComp(node) => {
                let elements: Vec<&Expr> =
                    node.key.as_deref().into_iter().chain([&*node.value]).collect();
                self.comprehension(expr, "dict comprehension", &node.generators, &elements);
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_arguments(&mut self, arguments: &'a Arguments) {
        let names = || arguments.keywords.iter().filter_map(|keyword| keyword.arg.as_ref());
        let wrong = wrong_keyword(|| names().map(Identifier::as_str), self.version);
        match wrong.and_then(|(place, wrong)| Some((names().nth(place)?, wrong))) {
            // The call is what 3.11 names.
            Some((_, WrongKeyword::Debug)) if self.version == PythonVersion::Py311 => {
                self.refuse(Stage::Code, arguments, NOT_ASSIGNED);
            }
            // After the arguments without names.
            Some((_, WrongKeyword::Debug)) if self.version >= PythonVersion::Py314 => {}
            Some((name, WrongKeyword::Debug)) => self.refuse_debug(name),
            Some((name, WrongKeyword::Repeated(word))) => {
                self.refuse(Stage::Code, name, format!("keyword argument repeated: {word}"));
            }
            None => {}
        }
        arguments.args.iter().for_each(|argument| self.unpacked(argument));
        if let (Some((place, WrongKeyword::Debug)), true) =
            (wrong, self.version >= PythonVersion::Py314)
            && let Some(name) = names().nth(place)
        {
            self.refuse_debug(name);
        }
        arguments.keywords.iter().for_each(|keyword| self.visit_expr(&keyword.value));
    }

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        if let InterpolatedStringElement::Interpolation(element) = element {
            self.interpolation(element);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::future;
    use super::*;

    const PARTS: [&str; 41] = [
        "x",
        "f(a=1)",
        "f(a=1, a=2)",
        "f(b=(a, 1), *a, a=X, a=2)",
        "f(__debug__=1)",
        "(yield)",
        "(yield from x)",
        "(await x)",
        "(y := X)",
        "[y := X for y in z]",
        "[i for i in (j := X)]",
        "[[(y := 1) for a in b] for y in X]",
        "[X async for x in y]",
        "{X: 1 for *x in y}",
        "lambda: X",
        "lambda q, q: X",
        "lambda __debug__=X: 1",
        "f'{x!r }{X}'",
        "f'{a:{b:{c}}}'",
        "t'{a:{b:{c:{d}}}}'",
        "f'{*a}'",
        "*X",
        "(*X)",
        "(*X, 1)",
        "[*X, *a]",
        "{**X}",
        "x.__debug__",
        "__debug__",
        "__debu\u{ff47}__",
        "X[a:X]",
        "X[*a]",
        "X if x else X",
        "X + (X)",
        "not X",
        "'é'",
        "x == X",
        "(x, X)",
        "{'a': X}",
        "x(X)(X)",
        "x.y(X).z",
        "(X)",
    ];

    const STATEMENTS: [&str; 18] = [
        "X",
        "X = X",
        "x, *y, *z = X",
        "X: X = X",
        "x += X",
        "return X",
        "del X",
        "assert X, X",
        "for X in X: X",
        "with X as X: X",
        "async def f(x=X, *y: X) -> X: X",
        "def f(x=X):\n  def g(): return X\n  X",
        "class C(X, a=X): X",
        "@X\ndef f(): return X",
        "if X: X\nelif X: X",
        "while X: break",
        "type T[S: X] = X",
        "match X:\n  case {'a': x, **y} if X: X",
    ];

    /// Source text with something in the place of every `X`.
    fn source() -> impl Strategy<Value = String> {
        let parts = prop::collection::vec(prop::sample::select(&PARTS[..]), 12);
        let statement = (prop::sample::select(&STATEMENTS[..]), parts).prop_map(|(text, parts)| {
            let filled =
                parts.iter().fold(text.to_owned(), |text, part| text.replacen('X', part, 1));
            filled.replace('X', "x") + "\n"
        });
        prop::collection::vec(statement, 1..4).prop_map(|statements| statements.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn nothing_is_wrong_with_what_is_passed_over(
            source in source(),
            version in prop::sample::select(&[PythonVersion::Py311, PythonVersion::Py314][..]),
        ) {
            let Ok(syntax) = Syntax::parse(&source, version) else { return Ok(()) };
            let Ok(features) = future::check(&syntax) else { return Ok(()) };
            let errors_of = |suspects| {
                let mut errors = Errors::default();
                check_suspects(&syntax, suspects, version, features, &mut errors);
                format!("{errors:?}")
            };
            prop_assert_eq!(errors_of(Suspects::new(&syntax)), errors_of(Suspects::all()));
        }
    }
}
