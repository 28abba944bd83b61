//! Iterates over the statements of a syntax tree, without recursion.

use ruff_python_ast::{Decorator, ExceptHandler, MatchCase, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::{Ranged, TextSize};

use super::syntax::Syntax;

/// A statement, or a `case` of a `match`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Node<'a> {
    Stmt(&'a Stmt),
    Case(&'a MatchCase),
}

/// Returns each statement and each `case` of a tree, in the order of coverage.py's
/// `walk_statement_nodes` (parser.py): a node before its children, the last child first.
pub(crate) fn statements(body: &[Stmt]) -> impl Iterator<Item = Node<'_>> {
    let mut todo: Vec<Node<'_>> = body.iter().map(Node::Stmt).collect();
    std::iter::from_fn(move || {
        let node = todo.pop()?;
        match node {
            Node::Stmt(Stmt::Match(node)) => todo.extend(node.cases.iter().map(Node::Case)),
            Node::Stmt(stmt) => {
                for_each_body(stmt, |body| todo.extend(body.iter().map(Node::Stmt)));
            }
            Node::Case(case) => todo.extend(case.body.iter().map(Node::Stmt)),
        }
        Some(node)
    })
}

/// Returns each statement that contains statements, in the order of [`statements`].
pub(crate) fn compound_statements(body: &[Stmt]) -> impl Iterator<Item = &Stmt> {
    let mut todo: Vec<&Stmt> = body.iter().filter(|stmt| is_compound(stmt)).collect();
    std::iter::from_fn(move || {
        let stmt = todo.pop()?;
        for_each_body(stmt, |body| todo.extend(body.iter().filter(|stmt| is_compound(stmt))));
        Some(stmt)
    })
}

/// Returns each function and class of a tree, in the order of [`statements`].
pub(crate) fn definitions(body: &[Stmt]) -> impl Iterator<Item = Definition<'_>> {
    compound_statements(body).filter_map(Definition::of)
}

fn is_compound(stmt: &Stmt) -> bool {
    matches!(
        stmt,
        Stmt::FunctionDef(_)
            | Stmt::ClassDef(_)
            | Stmt::For(_)
            | Stmt::While(_)
            | Stmt::If(_)
            | Stmt::With(_)
            | Stmt::Match(_)
            | Stmt::Try(_)
    )
}

/// Calls `visit` with each list of statements directly inside `stmt`, in source order.
pub(crate) fn for_each_body<'a>(stmt: &'a Stmt, mut visit: impl FnMut(&'a [Stmt])) {
    match stmt {
        Stmt::FunctionDef(node) => visit(&node.body),
        Stmt::ClassDef(node) => visit(&node.body),
        Stmt::For(node) => {
            visit(&node.body);
            visit(&node.orelse);
        }
        Stmt::While(node) => {
            visit(&node.body);
            visit(&node.orelse);
        }
        Stmt::If(node) => {
            visit(&node.body);
            node.elif_else_clauses.iter().for_each(|clause| visit(&clause.body));
        }
        Stmt::With(node) => visit(&node.body),
        Stmt::Match(node) => node.cases.iter().for_each(|case| visit(&case.body)),
        Stmt::Try(node) => {
            visit(&node.body);
            node.handlers.iter().for_each(|ExceptHandler::ExceptHandler(h)| visit(&h.body));
            visit(&node.orelse);
            visit(&node.finalbody);
        }
        _ => {}
    }
}

/// The definition of a function or class.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Definition<'a> {
    Function(&'a StmtFunctionDef),
    Class(&'a StmtClassDef),
}

impl<'a> Definition<'a> {
    pub(crate) fn of(stmt: &'a Stmt) -> Option<Self> {
        match stmt {
            Stmt::FunctionDef(node) => Some(Self::Function(node)),
            Stmt::ClassDef(node) => Some(Self::Class(node)),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'a str {
        match self {
            Self::Function(node) => node.name.as_str(),
            Self::Class(node) => node.name.as_str(),
        }
    }

    pub(crate) fn body(self) -> &'a [Stmt] {
        match self {
            Self::Function(node) => &node.body,
            Self::Class(node) => &node.body,
        }
    }

    pub(crate) fn decorators(self) -> &'a [Decorator] {
        match self {
            Self::Function(node) => &node.decorator_list,
            Self::Class(node) => &node.decorator_list,
        }
    }

    fn start(self) -> TextSize {
        match self {
            Self::Function(node) => node.start(),
            Self::Class(node) => node.start(),
        }
    }

    pub(crate) fn last_line(self, syntax: &Syntax) -> i32 {
        match self {
            Self::Function(node) => syntax.last_line(node),
            Self::Class(node) => syntax.last_line(node),
        }
    }

    /// Returns the line of the first decorator's expression, or of `def` or `class` if there is no
    /// decorator.
    pub(crate) fn first_line(self, syntax: &Syntax) -> i32 {
        match self.decorators().first() {
            Some(decorator) => syntax.first_line(&decorator.expression),
            None => syntax.line(self.start()),
        }
    }

    /// Returns Python's `lineno`: the line of `def`, `async` or `class`, after the decorators.
    pub(crate) fn keyword_line(self, syntax: &Syntax) -> i32 {
        match self {
            Self::Function(node) => syntax.definition_line(node, &node.decorator_list),
            Self::Class(node) => syntax.definition_line(node, &node.decorator_list),
        }
    }
}

/// Returns Python's `lineno` of a statement. Ruff's definitions start with the first decorator, but
/// Python's do not.
pub(crate) fn line_of(syntax: &Syntax, stmt: &Stmt) -> i32 {
    match Definition::of(stmt) {
        Some(definition) => definition.keyword_line(syntax),
        None => syntax.first_line(stmt),
    }
}
