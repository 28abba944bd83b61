//! The lines that CPython's compiler gives code to.
//!
//! coverage.py compiles a file and collects the lines of all code objects' line tables
//! (`bytecode.ByteParser.find_statements`). A statement has a line there when its instructions
//! survive the optimiser, and those survive when something reaches them:
//!
//! - Jumps in Python are structured, so what is reached can be told from the syntax tree, in one
//!   walk from top to bottom; a conditional jump on a constant is no jump or always one.
//! - Every statement that is reached keeps an instruction: where the optimiser removes the last
//!   one of a line it leaves a `NOP` (`remove_redundant_nops` in `flowgraph.c`). The statements
//!   without instructions are `global`, `nonlocal`, a `del` of nothing, some annotations.
//! - The code object of a function that nothing reaches can stay among the constants, and with
//!   it its lines: see [`super::leftovers`].
//!
//! Lines are those of the first token of each logical line that a statement or clause has; the
//! lines inside a logical line have the same fate, and coverage.py maps them to the first.

use ruff_python_ast::{
    Decorator, ExceptHandler, Expr, Pattern, Stmt, StmtAnnAssign, StmtClassDef, StmtFor,
    StmtFunctionDef, StmtIf, StmtMatch, StmtTry, StmtWhile, StmtWith,
};
use ruff_text_size::{Ranged, TextRange};

use super::PythonVersion;
use super::annotate::{is_annotate, lines_of_inner_code};
use super::constant::Outcome;
use super::leftovers::{CodeSource, Scope, leftovers};
use super::lines::LineSet;
use super::syntax::Syntax;
use super::walk::{for_each_body, line_of};

/// The first lines of everything that `version` compiles to instructions.
pub(crate) fn bytecode_lines(syntax: &Syntax, version: PythonVersion) -> LineSet {
    let mut walk = Walk {
        syntax,
        version,
        defers_annotations: version >= PythonVersion::Py314 && !imports_annotations(syntax.body()),
        keeps_annotations: imports_annotations(syntax.body()),
        lines: LineSet::new(syntax.line_count()),
    };
    walk.unit(Scope::Module, syntax.body());
    walk.annotated_module();
    walk.lines
}

/// Whether the module has `from __future__ import annotations`.
fn imports_annotations(body: &[Stmt]) -> bool {
    body.iter().any(|statement| match statement {
        Stmt::ImportFrom(import) => {
            import.module.as_ref().is_some_and(|module| module.as_str() == "__future__")
                && import.names.iter().any(|name| name.name.as_str() == "annotations")
        }
        _ => false,
    })
}

/// A block that `break`, `continue` and `return` leave on their way.
#[derive(Debug, Clone, Copy)]
enum Block {
    Loop {
        broken: bool,
    },
    /// The `finally` suite runs first, and may never come to its end.
    Finally {
        ends: bool,
    },
}

/// One code object on the way.
struct Unit {
    scope: Scope,
    blocks: Vec<Block>,
    /// How many statements around this one may not run, within the code object.
    conditions: usize,
    /// The statements that nothing reaches.
    dead: Vec<TextRange>,
}

struct Walk<'a> {
    syntax: &'a Syntax<'a>,
    version: PythonVersion,
    defers_annotations: bool,
    keeps_annotations: bool,
    lines: LineSet,
}

impl Walk<'_> {
    fn unit(&mut self, scope: Scope, body: &[Stmt]) {
        let mut unit = Unit { scope, blocks: Vec::new(), conditions: 0, dead: Vec::new() };
        // A function's docstring is a constant; a module or class stores it.
        let start = usize::from(scope == Scope::Function && has_docstring(body));
        let ends = self.suite(&mut unit, body.get(start..).unwrap_or_default(), true);
        if !unit.dead.is_empty() {
            for source in leftovers(self.version, scope, body, &unit.dead, ends) {
                self.leftover(source);
            }
        }
    }

    /// A module makes room for annotations, if it has any, where its first statement is.
    fn annotated_module(&mut self) {
        let Some(first) = self.syntax.body().first() else { return };
        let line = line_of(self.syntax, first);
        if !self.lines.contains(line) && has_annotations(self.syntax.body()) {
            self.lines.insert(line);
        }
    }

    /// A code object that is there though the instructions that would use it are not: they would
    /// have had the line of `def` or `class`, which so is the first decorator's if there is one.
    fn leftover(&mut self, source: CodeSource<'_>) {
        match source {
            CodeSource::Expression(expr) => self.mark(expr),
            CodeSource::Statement(statement) => {
                self.mark(statement);
                match statement {
                    Stmt::FunctionDef(function) => self.unit(Scope::Function, &function.body),
                    Stmt::ClassDef(class) => self.unit(Scope::Class, &class.body),
                    _ => {}
                }
            }
        }
    }

    /// Walk statements; whether their end is reached.
    fn suite(&mut self, unit: &mut Unit, body: &[Stmt], mut reached: bool) -> bool {
        for statement in body {
            if !reached {
                let end = body.last().map_or(statement.end(), Ranged::end);
                unit.dead.push(TextRange::new(statement.start(), end));
                return false;
            }
            reached = self.statement(unit, statement);
        }
        reached
    }

    /// Walk a statement that is reached; whether its end is.
    fn statement(&mut self, unit: &mut Unit, statement: &Stmt) -> bool {
        match statement {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::If(node) => return conditional(unit, |unit| self.if_(unit, node)),
            Stmt::While(node) => return conditional(unit, |unit| self.while_(unit, node)),
            Stmt::For(node) => return conditional(unit, |unit| self.for_(unit, node)),
            Stmt::Try(node) => return conditional(unit, |unit| self.try_(unit, node)),
            Stmt::With(node) => return conditional(unit, |unit| self.with(unit, node)),
            Stmt::Match(node) => return conditional(unit, |unit| self.match_(unit, node)),
            Stmt::AnnAssign(node) => {
                if self.has_code(unit, node) {
                    self.mark(node);
                }
            }
            Stmt::Delete(node) => {
                if node.targets.iter().any(deletes_something) {
                    self.mark(node);
                }
            }
            Stmt::Global(_) | Stmt::Nonlocal(_) => {}
            Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_) => {
                self.mark(statement);
                return false;
            }
            Stmt::Break(_) => {
                self.mark(statement);
                break_loop(&mut unit.blocks);
                return false;
            }
            Stmt::Assert(node) => {
                self.mark(node);
                return self.outcome(&node.test).can_be_true;
            }
            _ => self.mark(statement),
        }
        true
    }

    fn outcome(&self, test: &Expr) -> Outcome {
        Outcome::of(test, self.version)
    }

    fn mark(&mut self, node: impl Ranged) {
        self.lines.insert(self.syntax.first_line(node));
    }

    fn function(&mut self, node: &StmtFunctionDef) {
        self.decorated(node, &node.decorator_list);
        if !is_annotate(node) {
            self.unit(Scope::Function, &node.body);
            return;
        }
        let none = LineSet::new(self.syntax.line_count());
        let outside = std::mem::replace(&mut self.lines, none);
        self.unit(Scope::Function, &node.body);
        let inside = std::mem::replace(&mut self.lines, outside);
        self.lines.extend(lines_of_inner_code(self.syntax, self.version, node, inside.to_vec()));
    }

    fn class(&mut self, node: &StmtClassDef) {
        self.decorated(node, &node.decorator_list);
        self.unit(Scope::Class, &node.body);
    }

    fn decorated(&mut self, node: impl Ranged, decorators: &[Decorator]) {
        for decorator in decorators {
            self.mark(decorator);
        }
        self.lines.insert(self.syntax.definition_line(node, decorators));
    }

    fn if_(&mut self, unit: &mut Unit, node: &StmtIf) -> bool {
        self.mark(node);
        let outcome = self.outcome(&node.test);
        let mut ends = self.suite(unit, &node.body, outcome.can_be_true);
        let mut reached = outcome.can_be_false;
        for clause in &node.elif_else_clauses {
            let mut enters = reached;
            if let Some(test) = &clause.test {
                if reached {
                    self.mark(clause);
                }
                let outcome = self.outcome(test);
                enters &= outcome.can_be_true;
                reached &= outcome.can_be_false;
            } else {
                reached = false;
            }
            ends |= self.suite(unit, &clause.body, enters);
        }
        ends || reached
    }

    fn while_(&mut self, unit: &mut Unit, node: &StmtWhile) -> bool {
        self.mark(node);
        let outcome = self.outcome(&node.test);
        let broken = self.loop_body(unit, &node.body, outcome.can_be_true);
        self.suite(unit, &node.orelse, outcome.can_be_false) || broken
    }

    fn for_(&mut self, unit: &mut Unit, node: &StmtFor) -> bool {
        self.mark(node);
        let broken = self.loop_body(unit, &node.body, true);
        self.suite(unit, &node.orelse, true) || broken
    }

    /// Whether a `break` of the loop is reached.
    fn loop_body(&mut self, unit: &mut Unit, body: &[Stmt], reached: bool) -> bool {
        unit.blocks.push(Block::Loop { broken: false });
        self.suite(unit, body, reached);
        matches!(unit.blocks.pop(), Some(Block::Loop { broken: true }))
    }

    /// Handlers and the copy of `finally` for exceptions hang on the `SETUP_FINALLY` of a `try`,
    /// so they are reached with it, whether or not its body can raise.
    fn try_(&mut self, unit: &mut Unit, node: &StmtTry) -> bool {
        self.mark(node);
        let finally_ends = self.suite(unit, &node.finalbody, true);
        if self.version == PythonVersion::Py311 {
            self.mark_cleanup(&node.finalbody);
        }
        unit.blocks.push(Block::Finally { ends: finally_ends });
        let body_ends = self.suite(unit, &node.body, true);
        let mut ends = self.suite(unit, &node.orelse, body_ends);
        for ExceptHandler::ExceptHandler(handler) in &node.handlers {
            self.mark(handler);
            ends |= self.suite(unit, &handler.body, true);
        }
        // What an `except*` suite raises is collected, and raised only if there was something.
        ends |= node.is_star;
        unit.blocks.pop();
        ends && finally_ends
    }

    /// In 3.11 the instructions that clean up after an exception in `finally` have the line that
    /// the compiler was at last, even of a statement that nothing reaches
    /// (`compiler_try_finally` in `compile.c`).
    fn mark_cleanup(&mut self, finalbody: &[Stmt]) {
        match finalbody.last() {
            None
            | Some(Stmt::For(_) | Stmt::While(_) | Stmt::Try(_) | Stmt::With(_) | Stmt::Match(_)) =>
                {}
            Some(Stmt::If(node)) => {
                let last = node.elif_else_clauses.last().map_or(&node.body, |clause| &clause.body);
                self.mark_cleanup(last);
            }
            Some(last) => self.mark(last),
        }
    }

    /// The context manager may swallow an exception, so the end is always reached.
    fn with(&mut self, unit: &mut Unit, node: &StmtWith) -> bool {
        self.mark(node);
        self.suite(unit, &node.body, true);
        true
    }

    fn match_(&mut self, unit: &mut Unit, node: &StmtMatch) -> bool {
        self.mark(node);
        let mut ends = false;
        let mut reached = true;
        for case in &node.cases {
            if reached {
                self.mark(case);
            }
            let guard = case.guard.as_deref().map(|guard| self.outcome(guard));
            let enters = reached && guard.is_none_or(|guard| guard.can_be_true);
            ends |= self.suite(unit, &case.body, enters);
            reached &= can_fail(&case.pattern) || guard.is_some_and(|guard| guard.can_be_false);
        }
        ends || reached
    }

    /// `codegen_annassign`: what an annotation without a value compiles to.
    fn has_code(&self, unit: &Unit, node: &StmtAnnAssign) -> bool {
        if node.value.is_some() || !matches!(&*node.target, Expr::Name(_)) {
            return true;
        }
        if unit.scope == Scope::Function {
            return false;
        }
        if !node.simple {
            // Up to 3.13 the annotation of `(name): annotation` is evaluated and dropped.
            return !self.keeps_annotations && self.version < PythonVersion::Py314;
        }
        // From 3.14 on annotations are evaluated on demand; what remains is to note that an
        // annotation ran which may not have (`_PyCompile_AddDeferredAnnotation`). In a module
        // that holds for every annotation, since someone may look before its end.
        !self.defers_annotations || unit.scope == Scope::Module || unit.conditions > 0
    }
}

/// Whether a variable is annotated, outside of functions and classes.
fn has_annotations(body: &[Stmt]) -> bool {
    let mut todo: Vec<&Stmt> = body.iter().collect();
    while let Some(statement) = todo.pop() {
        match statement {
            Stmt::AnnAssign(_) => return true,
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            _ => for_each_body(statement, |body| todo.extend(body)),
        }
    }
    false
}

/// Do something within a statement that may not run all of its parts.
fn conditional<T>(unit: &mut Unit, walk: impl FnOnce(&mut Unit) -> T) -> T {
    unit.conditions += 1;
    let result = walk(unit);
    unit.conditions -= 1;
    result
}

/// A `break`: it reaches the end of the loop unless a `finally` on the way never ends.
fn break_loop(blocks: &mut [Block]) {
    for block in blocks.iter_mut().rev() {
        match block {
            Block::Loop { broken } => {
                *broken = true;
                return;
            }
            Block::Finally { ends: true } => {}
            Block::Finally { ends: false } => return,
        }
    }
}

fn has_docstring(body: &[Stmt]) -> bool {
    matches!(body.first(), Some(Stmt::Expr(first)) if first.value.is_string_literal_expr())
}

/// `del ()` is allowed, and nothing.
fn deletes_something(target: &Expr) -> bool {
    match target {
        Expr::Tuple(tuple) => tuple.elts.iter().any(deletes_something),
        Expr::List(list) => list.elts.iter().any(deletes_something),
        _ => true,
    }
}

/// Whether a subject may not match the pattern.
fn can_fail(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::MatchAs(binding) => binding.pattern.as_deref().is_some_and(can_fail),
        Pattern::MatchOr(choice) => choice.patterns.iter().all(can_fail),
        _ => true,
    }
}
