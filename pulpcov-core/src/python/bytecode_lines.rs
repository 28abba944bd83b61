//! Finds the lines that CPython's compiler generates code for.
//!
//! coverage.py compiles a file and collects the lines in the line tables of all code objects
//! (`bytecode.ByteParser.find_statements`). A line is in a table if the optimizer keeps an
//! instruction of it, and the optimizer keeps instructions that are reachable:
//!
//! - Jumps in Python are structured, so one walk over the syntax tree shows what is reachable. A
//!   conditional jump on a constant is taken always or never.
//! - Each reachable statement keeps an instruction. Where the optimizer removes the last
//!   instruction of a line, it leaves a `NOP` (`remove_redundant_nops` in `flowgraph.c`). Only
//!   `global`, `nonlocal`, a `del` of nothing and some annotations have no instructions.
//! - The code object of an unreachable function can stay among the constants, together with its
//!   lines: see [`super::kept_code`].
//!
//! Only the first line of each statement or clause is collected. Its other lines are reachable
//! exactly when the first is, and coverage.py maps them to the first.

use ruff_python_ast::{
    Decorator, ExceptHandler, Expr, Pattern, Stmt, StmtAnnAssign, StmtClassDef, StmtFor,
    StmtFunctionDef, StmtIf, StmtMatch, StmtTry, StmtWhile, StmtWith,
};
use ruff_text_size::{Ranged, TextRange};

use super::PythonVersion;
use super::constant::{Outcome, formats_nothing};
use super::dunder_annotate::{is_annotate, lines_of_inner_code};
use super::kept_code::{CodeSource, Scope, kept_code_objects};
use super::line_set::LineSet;
use super::syntax::Syntax;
use super::walk::{for_each_body, line_of};

/// Returns the first lines of everything that `version` compiles to instructions.
pub(crate) fn bytecode_lines(syntax: &Syntax, version: PythonVersion) -> LineSet {
    let mut walk = Walk {
        syntax,
        version,
        defers_annotations: version >= PythonVersion::Py314
            && !has_future_annotations(syntax.body()),
        has_future_annotations: has_future_annotations(syntax.body()),
        lines: LineSet::new(syntax.line_count()),
    };
    walk.code_object(Scope::Module, syntax.body());
    walk.mark_annotations_setup();
    walk.lines
}

/// Returns whether the module has `from __future__ import annotations`.
fn has_future_annotations(body: &[Stmt]) -> bool {
    body.iter().any(|statement| match statement {
        Stmt::ImportFrom(import) => {
            import.module.as_ref().is_some_and(|module| module.as_str() == "__future__")
                && import.names.iter().any(|name| name.name.as_str() == "annotations")
        }
        _ => false,
    })
}

/// A block that `break`, `continue` and `return` leave.
#[derive(Debug, Clone, Copy)]
enum Block {
    Loop {
        broken: bool,
    },
    /// The `finally` suite runs before the block is left. If its end is unreachable, `ends` is
    /// false.
    Finally {
        ends: bool,
    },
}

/// A code object that is being walked.
struct CodeObject {
    scope: Scope,
    blocks: Vec<Block>,
    /// The number of statements around the current statement, inside the code object, that may skip
    /// it.
    conditions: usize,
    /// The ranges of unreachable statements.
    dead: Vec<TextRange>,
}

struct Walk<'a> {
    syntax: &'a Syntax<'a>,
    version: PythonVersion,
    defers_annotations: bool,
    has_future_annotations: bool,
    lines: LineSet,
}

impl Walk<'_> {
    fn code_object(&mut self, scope: Scope, body: &[Stmt]) {
        let mut code = CodeObject { scope, blocks: Vec::new(), conditions: 0, dead: Vec::new() };
        // A function's docstring is only a constant, but a module or class stores its docstring.
        let start = usize::from(scope == Scope::Function && has_docstring(body));
        let ends = self.suite(&mut code, body.get(start..).unwrap_or_default(), true);
        if !code.dead.is_empty() {
            for source in kept_code_objects(self.version, scope, body, &code.dead, ends) {
                self.mark_kept_code(source);
            }
        }
    }

    /// Marks the first statement of a module that has annotations. The compiler prepares for
    /// annotations on that line, even if the statement itself has no code.
    fn mark_annotations_setup(&mut self) {
        let Some(first) = self.syntax.body().first() else { return };
        let line = line_of(self.syntax, first);
        if !self.lines.contains(line) && has_annotations(self.syntax.body()) {
            self.lines.insert(line);
        }
    }

    /// Marks the lines of a code object that stays although its definition is unreachable.
    ///
    /// The code object starts on the line of the first decorator, if there is one. The line of
    /// `def` or `class` has no code then, because the instructions of the definition are gone.
    fn mark_kept_code(&mut self, source: CodeSource<'_>) {
        match source {
            CodeSource::Expression(expr) => self.mark(expr),
            CodeSource::Statement(statement) => {
                self.mark(statement);
                match statement {
                    Stmt::FunctionDef(function) => {
                        self.code_object(Scope::Function, &function.body)
                    }
                    Stmt::ClassDef(class) => self.code_object(Scope::Class, &class.body),
                    _ => {}
                }
            }
        }
    }

    /// Walks statements. Returns whether their end is reachable.
    fn suite(&mut self, code: &mut CodeObject, body: &[Stmt], mut reached: bool) -> bool {
        for statement in body {
            if !reached {
                let end = body.last().map_or(statement.end(), Ranged::end);
                code.dead.push(TextRange::new(statement.start(), end));
                return false;
            }
            reached = self.statement(code, statement);
        }
        reached
    }

    /// Walks a reachable statement. Returns whether its end is reachable.
    fn statement(&mut self, code: &mut CodeObject, statement: &Stmt) -> bool {
        match statement {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::If(node) => return with_condition(code, |code| self.if_(code, node)),
            Stmt::While(node) => return with_condition(code, |code| self.while_(code, node)),
            Stmt::For(node) => return with_condition(code, |code| self.for_(code, node)),
            Stmt::Try(node) => return with_condition(code, |code| self.try_(code, node)),
            Stmt::With(node) => return with_condition(code, |code| self.with(code, node)),
            Stmt::Match(node) => return with_condition(code, |code| self.match_(code, node)),
            Stmt::AnnAssign(node) => {
                if self.has_code(code, node) {
                    self.mark(node);
                }
            }
            Stmt::Delete(node) => {
                if node.targets.iter().any(deletes_something) {
                    self.mark(node);
                }
            }
            Stmt::Expr(node) => {
                // The compiler gives the text of such an f-string no line.
                if formats_nothing(&node.value, self.version).is_none_or(str::is_empty) {
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
                break_loop(&mut code.blocks);
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
        self.mark_definition(node, &node.decorator_list);
        if !is_annotate(node) {
            self.code_object(Scope::Function, &node.body);
            return;
        }
        let none = LineSet::new(self.syntax.line_count());
        let outside = std::mem::replace(&mut self.lines, none);
        self.code_object(Scope::Function, &node.body);
        let inside = std::mem::replace(&mut self.lines, outside);
        self.lines.extend(lines_of_inner_code(self.syntax, self.version, node, inside.to_vec()));
    }

    fn class(&mut self, node: &StmtClassDef) {
        self.mark_definition(node, &node.decorator_list);
        self.code_object(Scope::Class, &node.body);
    }

    fn mark_definition(&mut self, node: impl Ranged, decorators: &[Decorator]) {
        for decorator in decorators {
            self.mark(decorator);
        }
        self.lines.insert(self.syntax.definition_line(node, decorators));
    }

    fn if_(&mut self, code: &mut CodeObject, node: &StmtIf) -> bool {
        self.mark(node);
        let outcome = self.outcome(&node.test);
        let mut ends = self.suite(code, &node.body, outcome.can_be_true);
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
            ends |= self.suite(code, &clause.body, enters);
        }
        ends || reached
    }

    fn while_(&mut self, code: &mut CodeObject, node: &StmtWhile) -> bool {
        self.mark(node);
        let outcome = self.outcome(&node.test);
        let broken = self.loop_body(code, &node.body, outcome.can_be_true);
        self.suite(code, &node.orelse, outcome.can_be_false) || broken
    }

    fn for_(&mut self, code: &mut CodeObject, node: &StmtFor) -> bool {
        self.mark(node);
        let broken = self.loop_body(code, &node.body, true);
        self.suite(code, &node.orelse, true) || broken
    }

    /// Walks the body of a loop. Returns whether a `break` of the loop is reachable.
    fn loop_body(&mut self, code: &mut CodeObject, body: &[Stmt], reached: bool) -> bool {
        code.blocks.push(Block::Loop { broken: false });
        self.suite(code, body, reached);
        matches!(code.blocks.pop(), Some(Block::Loop { broken: true }))
    }

    /// Walks a `try`. Its handlers, and the copy of `finally` for exceptions, are reachable if the
    /// `try` is, even if its body cannot raise, because its `SETUP_FINALLY` refers to them.
    fn try_(&mut self, code: &mut CodeObject, node: &StmtTry) -> bool {
        self.mark(node);
        let finally_ends = self.suite(code, &node.finalbody, true);
        if self.version == PythonVersion::Py311 {
            self.mark_cleanup(&node.finalbody);
        }
        code.blocks.push(Block::Finally { ends: finally_ends });
        let body_ends = self.suite(code, &node.body, true);
        let mut ends = self.suite(code, &node.orelse, body_ends);
        for ExceptHandler::ExceptHandler(handler) in &node.handlers {
            self.mark(handler);
            ends |= self.suite(code, &handler.body, true);
        }
        // The end is reachable even if each `except*` suite raises: the compiler's code collects
        // the exceptions, and goes on if there are none.
        ends |= node.is_star;
        code.blocks.pop();
        ends && finally_ends
    }

    /// Marks the line of the instructions that clean up after an exception in `finally`. In 3.11,
    /// it is the line of the statement that the compiler visited last, even if that is unreachable
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

    /// Walks a `with`. Its end is always reachable, because the context manager may swallow an
    /// exception.
    fn with(&mut self, code: &mut CodeObject, node: &StmtWith) -> bool {
        self.mark(node);
        self.suite(code, &node.body, true);
        true
    }

    fn match_(&mut self, code: &mut CodeObject, node: &StmtMatch) -> bool {
        self.mark(node);
        let mut ends = false;
        let mut reached = true;
        for case in &node.cases {
            if reached {
                self.mark(case);
            }
            let guard = case.guard.as_deref().map(|guard| self.outcome(guard));
            let enters = reached && guard.is_none_or(|guard| guard.can_be_true);
            ends |= self.suite(code, &case.body, enters);
            reached &= can_fail(&case.pattern) || guard.is_some_and(|guard| guard.can_be_false);
        }
        ends || reached
    }

    /// Returns whether an annotation compiles to instructions (`codegen_annassign`).
    fn has_code(&self, code: &CodeObject, node: &StmtAnnAssign) -> bool {
        if node.value.is_some() || !matches!(&*node.target, Expr::Name(_)) {
            return true;
        }
        if code.scope == Scope::Function {
            return false;
        }
        if !node.simple {
            // Up to 3.13, the annotation of `(name): annotation` is evaluated and dropped.
            return !self.has_future_annotations && self.version < PythonVersion::Py314;
        }
        // From 3.14 on, annotations are evaluated on demand. An annotation has code only if it is
        // conditional: the code notes that it was reached (`_PyCompile_AddDeferredAnnotation`). In
        // a module, every annotation is conditional, because something may read the annotations
        // before the module ends.
        !self.defers_annotations || code.scope == Scope::Module || code.conditions > 0
    }
}

/// Returns whether a variable is annotated outside functions and classes.
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

/// Calls `walk` inside a statement that may skip some of its parts.
fn with_condition<T>(code: &mut CodeObject, walk: impl FnOnce(&mut CodeObject) -> T) -> T {
    code.conditions += 1;
    let result = walk(code);
    code.conditions -= 1;
    result
}

/// Marks the loop that a `break` leaves, unless a `finally` in between never ends.
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

/// Returns whether a target of `del` deletes anything. `del ()` is allowed and does nothing.
fn deletes_something(target: &Expr) -> bool {
    match target {
        Expr::Tuple(tuple) => tuple.elts.iter().any(deletes_something),
        Expr::List(list) => list.elts.iter().any(deletes_something),
        _ => true,
    }
}

/// Returns whether a pattern may fail to match.
fn can_fail(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::MatchAs(binding) => binding.pattern.as_deref().is_some_and(can_fail),
        Pattern::MatchOr(choice) => choice.patterns.iter().all(can_fail),
        _ => true,
    }
}
