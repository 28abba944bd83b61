//! Walks the statements of a file, and collects arcs.

use ruff_python_ast::Stmt;
use ruff_text_size::Ranged;

use super::Arc;
use super::blocks::Block;
use super::describe::{Action, Descriptions, Fragment};
use super::starts::{ArcStart, Cause, Exits};
use super::with_rewrites::Withs;
use crate::python::line_set::LineSet;
use crate::python::multiline::MultilineMap;
use crate::python::syntax::Syntax;
use crate::python::walk::{self, Definition};

/// Returns the arcs of a file, what to say about them, and the `with` statements.
pub(super) fn analyze(
    syntax: &Syntax,
    multiline: &MultilineMap,
    statements: &LineSet,
    with_reasons: bool,
) -> (Vec<Arc>, Descriptions, Withs) {
    let mut analyzer = Analyzer {
        syntax,
        multiline,
        statements,
        with_reasons,
        plain_arcs: Vec::new(),
        fragments: Vec::new(),
        names: Vec::new(),
        blocks: Vec::new(),
        withs: Withs::new(syntax.line_count()),
    };
    analyzer.add_module();
    for definition in walk::definitions(syntax.body()) {
        analyzer.add_function_or_class_body(definition);
    }
    let descriptions = Descriptions::new(analyzer.fragments, analyzer.names);
    let arcs = descriptions.arcs().chain(super::sorted(analyzer.plain_arcs));
    (super::sorted(arcs.collect()), descriptions, analyzer.withs)
}

pub(super) struct Analyzer<'a> {
    syntax: &'a Syntax<'a>,
    multiline: &'a MultilineMap,
    statements: &'a LineSet,
    /// Whether to keep the reasons why arcs are not taken.
    with_reasons: bool,
    /// The arcs without a [`Fragment`].
    plain_arcs: Vec<Arc>,
    fragments: Vec<Fragment>,
    /// The functions and classes: the line that each starts on, and its name.
    names: Vec<(i32, Box<str>)>,
    /// The blocks around the current statement, inside its code object.
    pub(super) blocks: Vec<Block>,
    pub(super) withs: Withs,
}

impl<'a> Analyzer<'a> {
    fn add_module(&mut self) {
        let start = self.multiline.first_line(1);
        if self.syntax.body().is_empty() {
            self.add_arc(start, -start);
            return;
        }
        for exit in self.body(self.syntax.body(), Exits::default()).into_sorted() {
            self.add_exit(exit, -start, Action::ExitModule);
        }
    }

    fn add_function_or_class_body(&mut self, definition: Definition<'a>) {
        let start = self.first_line_of(definition);
        if self.with_reasons {
            self.names.push((start, definition.name().into()));
        }
        match definition {
            Definition::Function(node) => {
                self.blocks.push(Block::Function { start });
                let exits = self.body(&node.body, Exits::default());
                self.leave_by_return(exits);
                self.blocks.pop();
            }
            Definition::Class(node) => {
                for exit in self.body(&node.body, Exits::default()).into_sorted() {
                    self.add_exit(exit, -start, Action::ExitClass);
                }
            }
        }
    }

    /// Adds the arcs of a list of statements that is entered from `entries`. Returns the exits.
    ///
    /// Statements without code are skipped.
    pub(super) fn body(&mut self, body: &'a [Stmt], entries: Exits) -> Exits {
        let mut exits = entries;
        for stmt in body {
            let line = self.line_of(stmt);
            if !self.has_code(line) {
                continue;
            }
            for start in exits.into_sorted() {
                self.add_jump(start, line);
            }
            exits = self.exits_of(stmt, line);
        }
        exits
    }

    /// Adds the arcs inside a statement. Returns the exits to the next statement.
    fn exits_of(&mut self, stmt: &'a Stmt, line: i32) -> Exits {
        match stmt {
            Stmt::FunctionDef(node) => self.add_decorator_arcs(Definition::Function(node)),
            Stmt::ClassDef(node) => self.add_decorator_arcs(Definition::Class(node)),
            Stmt::If(node) => self.if_exits(node, line),
            Stmt::For(node) => self.for_exits(node, line),
            Stmt::While(node) => self.while_exits(node, line),
            Stmt::With(node) => self.with_exits(node, line),
            Stmt::Try(node) => self.try_exits(node, line),
            Stmt::Match(node) => self.match_exits(node, line),
            Stmt::Break(_) => self.leave_by_break(ArcStart::new(line, Cause::BreakNotExecuted)),
            Stmt::Continue(_) => {
                self.leave_by_continue(ArcStart::new(line, Cause::ContinueNotExecuted))
            }
            Stmt::Raise(_) => self.leave_by_raise(ArcStart::new(line, Cause::RaiseNotExecuted)),
            Stmt::Return(_) => {
                let start = ArcStart::new(line, Cause::ReturnNotExecuted);
                self.leave_by_return(Exits::one(start))
            }
            _ => Exits::one(ArcStart::plain(line)),
        }
    }

    /// Adds the arcs from each decorator to the next one, and from the last to `def` or `class`.
    /// The body is another code object.
    fn add_decorator_arcs(&mut self, definition: Definition<'a>) -> Exits {
        let main_line = definition.keyword_line(self.syntax);
        let mut last: Option<i32> = None;
        for decorator in definition.decorators() {
            let line = self.line_at(&decorator.expression);
            if let Some(last) = last
                && last != line
            {
                self.add_arc(last, line);
            }
            last = Some(line);
        }
        if let Some(last) = last {
            self.add_arc(last, main_line);
        }
        Exits::one(ArcStart::plain(main_line))
    }

    /// Returns the first line of the statement that contains `node`.
    pub(super) fn line_at(&self, node: impl Ranged) -> i32 {
        self.multiline.first_line(self.syntax.first_line(node))
    }

    pub(super) fn line_of(&self, stmt: &Stmt) -> i32 {
        match Definition::of(stmt) {
            Some(definition) => self.first_line_of(definition),
            None => self.line_at(stmt),
        }
    }

    fn first_line_of(&self, definition: Definition<'_>) -> i32 {
        self.multiline.first_line(definition.first_line(self.syntax))
    }

    pub(super) fn has_code(&self, line: i32) -> bool {
        self.statements.contains(line)
    }

    /// Adds an arc that needs no description.
    pub(super) fn add_arc(&mut self, from: i32, to: i32) {
        self.plain_arcs.push((from, to));
        self.withs.note_entry((from, to));
    }

    /// Adds an arc to another line.
    pub(super) fn add_jump(&mut self, start: ArcStart, to: i32) {
        self.add_exit(start, to, Action::Jump);
    }

    pub(super) fn add_exit(&mut self, start: ArcStart, to: i32, action: Action) {
        let arc = (start.line, to);
        if !self.with_reasons {
            return self.add_arc(arc.0, arc.1);
        }
        self.withs.note_entry(arc);
        self.fragments.push(Fragment { arc, cause: start.cause, action });
    }
}
