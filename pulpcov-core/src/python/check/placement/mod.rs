//! Finds statements and expressions where CPython does not allow them.
//!
//! - `annotations`: annotations, and other expressions that are evaluated later.
//! - `comprehensions`: comprehensions, and assignments inside expressions.
//! - `definitions`: functions, classes and their parameters.
//! - `blocks_and_jumps`: blocks, and jumps such as `break` outside a loop.
//! - `imports`: lazy imports, and those of `__future__`.
//! - `fstring_fields`: fields of f-strings and t-strings.
//! - `yield_await`: `yield` outside a function, and `await` outside an async function.
//! - `targets`: assignments to `__debug__`, and stars that unpack nothing.
//!
//! Names of keyword arguments are checked here.

mod annotations;
mod blocks_and_jumps;
mod comprehensions;
mod definitions;
mod fstring_fields;
mod imports;
mod targets;
mod yield_await;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Arguments, Expr, ExprContext, Identifier, InterpolatedStringElement, Stmt};
use ruff_text_size::Ranged;

use super::future::{Features, is_future};
use super::repeated_names::{WrongKeyword, wrong_keyword};
use super::suspects::Suspects;
use super::{FirstErrors, Stage, match_patterns};
use crate::python::PythonVersion;
use crate::python::syntax::Syntax;

const DEBUG_NOT_ASSIGNABLE: &str = "cannot assign to __debug__";

const STAR_NOT_ALLOWED: &str = "can't use starred expression here";

pub(super) fn check(
    syntax: &Syntax,
    version: PythonVersion,
    features: Features,
    errors: &mut FirstErrors,
) {
    check_suspects(syntax, Suspects::new(syntax), version, features, errors);
}

fn check_suspects<'a>(
    syntax: &'a Syntax,
    suspects: Suspects<'a>,
    version: PythonVersion,
    features: Features,
    errors: &mut FirstErrors,
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
    /// An expression that is evaluated on demand, and CPython's name for it.
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

/// The frame blocks of CPython that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Loop,
    ExceptStar,
    Other,
}

struct Scope<'a> {
    kind: Kind,
    blocks: Vec<Block>,
    /// The line of the first block that a generator has no room for.
    generator_overflow: Option<i32>,
    yields: bool,
    /// Whether something is awaited in the scope. A comprehension is asynchronous then.
    awaits: bool,
    /// The line of the first `return` with a value.
    returns_value: Option<i32>,
    /// The iteration variables of a comprehension.
    targets: Vec<&'a str>,
    /// The names that `:=` assigns to in a comprehension.
    assigned: Vec<&'a str>,
    /// The number of comprehension iterables around the current expression.
    iterables: usize,
    /// The number of `try` statements around the current statement.
    tries: usize,
}

impl Scope<'_> {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            blocks: Vec::new(),
            generator_overflow: None,
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
    /// Expressions without any suspect are skipped.
    suspects: Suspects<'a>,
    version: PythonVersion,
    features: Features,
    errors: &'e mut FirstErrors,
    /// The innermost scope is last. Never empty.
    scopes: Vec<Scope<'a>>,
    /// The number of format specifications of f-strings around the current field.
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

    /// Walks something that has its own scope. Returns that scope.
    fn in_scope(&mut self, kind: Kind, walk: impl FnOnce(&mut Self)) -> Scope<'a> {
        self.scopes.push(Scope::new(kind));
        walk(self);
        let scope = self.scopes.pop().unwrap_or_else(|| Scope::new(kind));
        self.check_generator_blocks(&scope);
        scope
    }

    /// Checks the number of blocks in a generator or coroutine. From 3.12 on, it has a block around
    /// its whole body.
    fn check_generator_blocks(&mut self, scope: &Scope<'_>) {
        let wrapped = scope.yields || scope.kind.is_async();
        if let Some(line) = scope.generator_overflow
            && wrapped
            && self.version >= PythonVersion::Py312
        {
            self.errors.add(Stage::Code, line, "too many statically nested blocks");
        }
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
                node.targets.iter().for_each(|target| self.visit_as_symbol_table(target));
                self.visit_expr(&node.value);
                node.targets.iter().for_each(|target| self.target(target));
            }
            Stmt::AnnAssign(node) => self.annotated_assignment(node),
            Stmt::AugAssign(node) => {
                self.visit_as_symbol_table(&node.target);
                self.visit_expr(&node.value);
                match &*node.target {
                    // Up to 3.13, CPython does not check the attribute's name.
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
                self.visit_as_symbol_table(&node.target);
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
                match_patterns::check(self.syntax, self.version, &node.cases, self.errors);
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
                let star = node.names.iter().find(|alias| alias.name.as_str() == "*");
                if let Some(star) = star.filter(|_| self.kind() != Kind::Module && !node.is_lazy) {
                    let message = "import * only allowed at module level";
                    self.refuse(Stage::Symbols, star, message);
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
                walk.maybe_starred(annotation);
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
                    let stage = Stage::moved_in_3_14(self.version);
                    self.refuse(stage, node, format!("cannot {verb} __debug__"));
                }
            }
            Expr::Attribute(node) => {
                let is_deleted = node.ctx == ExprContext::Del;
                // Up to 3.13, CPython allows `del x.__debug__`.
                let is_bound = node.ctx == ExprContext::Store
                    || is_deleted && self.version >= PythonVersion::Py314;
                if is_bound && node.attr.as_str() == "__debug__" {
                    let verb = if is_deleted { "delete" } else { "assign to" };
                    let stage = Stage::moved_in_3_14(self.version);
                    let message = format!("cannot {verb} __debug__");
                    let is_late = self.version >= PythonVersion::Py314;
                    let place = if is_late { node.range() } else { node.attr.range() };
                    self.refuse(stage, place, message);
                }
                self.visit_expr(&node.value);
            }
            Expr::Starred(node) => {
                self.refuse(Stage::Code, node, STAR_NOT_ALLOWED);
                self.visit_expr(&node.value);
            }
            Expr::Tuple(node) => self.elements(expr, &node.elts, node.ctx),
            Expr::List(node) => self.elements(expr, &node.elts, node.ctx),
            Expr::Set(node) => self.elements(expr, &node.elts, ExprContext::Load),
            Expr::Yield(_) | Expr::YieldFrom(_) => self.yield_(expr),
            Expr::Await(_) => self.await_(expr),
            Expr::Named(node) => {
                self.named_expression(expr, &node.target);
                visitor::walk_expr(self, expr);
            }
            Expr::Call(node) => {
                self.names_of_keywords(&node.arguments, self.syntax.first_line(node));
                self.visit_expr(&node.func);
                self.arguments(&node.arguments);
            }
            Expr::Lambda(node) => {
                if let Some(parameters) = &node.parameters {
                    self.defaults(parameters);
                }
                self.in_scope(Kind::Lambda, |walk| {
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

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        if let InterpolatedStringElement::Interpolation(element) = element {
            self.interpolation(element);
        }
    }
}

impl<'a> Walk<'a, '_> {
    /// Checks the names of keyword arguments of a call or a class, which starts on `line`. CPython's compiler does so before it
    /// generates code for what is called.
    fn names_of_keywords(&mut self, arguments: &'a Arguments, line: i32) {
        match wrong_name(arguments, self.version) {
            // Python 3.11 reports the line of the call, not that of the keyword.
            Some((_, WrongKeyword::Debug)) if self.version == PythonVersion::Py311 => {
                self.errors.add(Stage::Code, line, DEBUG_NOT_ASSIGNABLE);
            }
            // This check comes after those of positional arguments, in `arguments`.
            Some((_, WrongKeyword::Debug)) if self.version >= PythonVersion::Py314 => {}
            Some((name, WrongKeyword::Debug)) => self.refuse_debug(name),
            Some((name, WrongKeyword::Repeated(word))) => {
                self.refuse(Stage::Code, name, format!("keyword argument repeated: {word}"));
            }
            None => {}
        }
    }

    /// Walks the arguments of a call or a class.
    fn arguments(&mut self, arguments: &'a Arguments) {
        arguments.args.iter().for_each(|argument| self.maybe_starred(argument));
        if let Some((name, WrongKeyword::Debug)) = wrong_name(arguments, self.version)
            && self.version >= PythonVersion::Py314
        {
            self.refuse_debug(name);
        }
        arguments.keywords.iter().for_each(|keyword| self.visit_expr(&keyword.value));
    }
}

/// Returns the first name of a keyword argument that CPython refuses.
fn wrong_name(
    arguments: &Arguments,
    version: PythonVersion,
) -> Option<(&Identifier, WrongKeyword<'_>)> {
    let names = || arguments.keywords.iter().filter_map(|keyword| keyword.arg.as_ref());
    let (place, wrong) = wrong_keyword(|| names().map(Identifier::as_str), version)?;
    Some((names().nth(place)?, wrong))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::future;
    use super::*;
    use crate::python::{AnalyzeOptions, PythonSource};

    #[test]
    fn a_star_is_refused_at_its_own_line() {
        let source = PythonSource::decode(b"def f():\n from\\\n x import\\\n *\n").unwrap();
        let error = source.analyze(&AnalyzeOptions::new().unwrap()).unwrap_err().to_string();
        assert!(error.contains("import * only allowed") && error.contains("line 4"), "{error}");
    }

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

    /// Returns source text with an expression in place of each `X`.
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
        fn skipped_expressions_have_no_errors(
            source in source(),
            version in prop::sample::select(&[PythonVersion::Py311, PythonVersion::Py314][..]),
        ) {
            let Ok(syntax) = Syntax::parse(&source, version) else { return Ok(()) };
            let Ok(features) = future::check(&syntax) else { return Ok(()) };
            let errors_of = |suspects| {
                let mut errors = FirstErrors::default();
                check_suspects(&syntax, suspects, version, features, &mut errors);
                format!("{errors:?}")
            };
            prop_assert_eq!(errors_of(Suspects::new(&syntax)), errors_of(Suspects::all()));
        }
    }
}
