//! What changed between two versions of a source, as Python sees it.

use std::collections::HashMap;
use std::mem;
use std::ops::RangeInclusive;

use ruff_python_ast::comparable::ComparableStmt;
use ruff_python_ast::{ExceptHandler, Expr, Stmt};
use ruff_text_size::Ranged;

use super::syntax::Syntax;
use super::{PythonSource, PythonVersion};

/// What changed between two versions of a source.
///
/// The syntax trees are compared. So comments, docstrings and formatting make no difference.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::SourceChange;
///
/// let old = b"X = 1\ndef f():\n    return X\n";
/// let change = SourceChange::between(old, b"X = 1\n\ndef f():\n    return X + 1  # more\n");
/// let SourceChange::Functions(functions) = change else { panic!() };
/// assert_eq!((functions[0].name.as_str(), functions[0].lines.clone()), ("f", 3..=3));
///
/// assert_eq!(SourceChange::between(old, b"X = 2\ndef f():\n    return X\n"), SourceChange::Module);
/// assert_eq!(SourceChange::between(old, b"X = 1\ndef f():\n    '''Doc.'''\n    return X\n"), SourceChange::Nothing);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceChange {
    /// The programs are the same.
    Nothing,
    /// Only docstrings with examples changed, which `doctest` runs.
    Doctests,
    /// Only the bodies of functions changed.
    Functions(Vec<ChangedFunction>),
    /// Something changed that runs when the module is imported: at module or class level, in a decorator, a default or a
    /// signature. Also if a version is not Python.
    Module,
}

/// A function whose body changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFunction {
    /// The qualified name, such as `Cart.add`.
    pub name: String,
    /// The lines of its body in the old version.
    pub lines: RangeInclusive<i32>,
}

impl SourceChange {
    /// Compares two versions of a source.
    pub fn between(old: &[u8], new: &[u8]) -> Self {
        if old == new {
            return Self::Nothing;
        }
        let (Some(old), Some(new)) = (Outline::of(old), Outline::of(new)) else {
            return Self::Module;
        };
        if !are_equal(&old.tree, &new.tree) {
            return Self::Module;
        }
        let changed = old.changed_functions(&new);
        match changed.is_empty() {
            false => Self::Functions(changed),
            true if old.examples != new.examples => Self::Doctests,
            true => Self::Nothing,
        }
    }
}

fn are_equal(old: &[Stmt], new: &[Stmt]) -> bool {
    let same = |(old, new)| ComparableStmt::from(old) == ComparableStmt::from(new);
    old.len() == new.len() && old.iter().zip(new).all(same)
}

/// A syntax tree whose functions have no bodies, and the bodies.
#[derive(Default)]
struct Outline {
    tree: Vec<Stmt>,
    functions: Vec<Function>,
    /// The docstrings with examples.
    examples: Vec<String>,
}

struct Function {
    name: String,
    lines: RangeInclusive<i32>,
    /// The body, in which inner functions have no bodies.
    body: Vec<Stmt>,
}

impl Outline {
    fn of(bytes: &[u8]) -> Option<Self> {
        let source = PythonSource::decode(bytes).ok()?;
        let syntax = Syntax::parse(source.text(), PythonVersion::NEWEST).ok()?;
        Some(syntax.walk_with_stack(|syntax| {
            let mut tree = syntax.body().to_vec();
            let mut hollower = Hollower { syntax, scope: Vec::new(), outline: Self::default() };
            hollower.take_docstring(&mut tree);
            hollower.visit(&mut tree);
            Self { tree, ..hollower.outline }
        }))
    }

    /// Returns the functions whose bodies differ, which is also true of one that is gone. If all else is equal, both
    /// versions have the same functions except inside of functions that differ.
    fn changed_functions(&self, new: &Self) -> Vec<ChangedFunction> {
        let mut by_name = HashMap::<&str, Vec<&Function>>::new();
        for function in &new.functions {
            by_name.entry(&function.name).or_default().push(function);
        }
        // Several functions have the same name: a property's getter and setter, for example.
        let mut seen = HashMap::<&str, usize>::new();
        let mut changed = Vec::new();
        for function in &self.functions {
            let number = seen.entry(&function.name).or_default();
            let other = by_name.get(function.name.as_str()).and_then(|all| all.get(*number));
            *number += 1;
            if other.is_none_or(|other| !are_equal(&function.body, &other.body)) {
                let (name, lines) = (function.name.clone(), function.lines.clone());
                changed.push(ChangedFunction { name, lines });
            }
        }
        changed
    }
}

/// Takes the bodies of functions out of a tree.
struct Hollower<'s> {
    syntax: &'s Syntax<'s>,
    /// The names of the functions and classes around.
    scope: Vec<String>,
    outline: Outline,
}

impl Hollower<'_> {
    fn visit(&mut self, body: &mut [Stmt]) {
        body.iter_mut().for_each(|stmt| self.visit_stmt(stmt));
    }

    fn visit_stmt(&mut self, stmt: &mut Stmt) {
        match stmt {
            Stmt::FunctionDef(node) => {
                self.scope.push(node.name.to_string());
                let mut body: Vec<Stmt> = mem::take(&mut node.body).into_iter().collect();
                let lines = self.lines(&body);
                self.take_docstring(&mut body);
                // The outer function comes first.
                let at = self.outline.functions.len();
                self.visit(&mut body);
                let function = Function { name: self.scope.join("."), lines, body };
                self.outline.functions.insert(at, function);
                self.scope.pop();
            }
            Stmt::ClassDef(node) => {
                self.scope.push(node.name.to_string());
                let mut body: Vec<Stmt> = mem::take(&mut node.body).into_iter().collect();
                self.take_docstring(&mut body);
                self.visit(&mut body);
                node.body = body.into_iter().collect();
                self.scope.pop();
            }
            Stmt::For(node) => {
                self.visit(&mut node.body);
                self.visit(&mut node.orelse);
            }
            Stmt::While(node) => {
                self.visit(&mut node.body);
                self.visit(&mut node.orelse);
            }
            Stmt::If(node) => {
                self.visit(&mut node.body);
                node.elif_else_clauses.iter_mut().for_each(|clause| self.visit(&mut clause.body));
            }
            Stmt::With(node) => self.visit(&mut node.body),
            Stmt::Match(node) => node.cases.iter_mut().for_each(|case| self.visit(&mut case.body)),
            Stmt::Try(node) => {
                self.visit(&mut node.body);
                for ExceptHandler::ExceptHandler(handler) in &mut node.handlers {
                    self.visit(&mut handler.body);
                }
                self.visit(&mut node.orelse);
                self.visit(&mut node.finalbody);
            }
            _ => {}
        }
    }

    fn lines(&self, body: &[Stmt]) -> RangeInclusive<i32> {
        let start = body.first().map_or(0, |first| self.syntax.line(first.start()));
        start..=body.last().map_or(0, |last| self.syntax.last_line(last))
    }

    /// Removes the docstring of a body, and keeps it if it has examples.
    fn take_docstring(&mut self, body: &mut Vec<Stmt>) {
        let Some(Stmt::Expr(first)) = body.first() else { return };
        let Expr::StringLiteral(text) = &*first.value else { return };
        let text = text.value.to_str();
        if text.contains(">>>") {
            self.outline.examples.push(text.to_owned());
        }
        body.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(old: &str, new: &str) -> SourceChange {
        SourceChange::between(old.as_bytes(), new.as_bytes())
    }

    /// Returns the names and old lines of the functions that changed.
    fn functions(old: &str, new: &str) -> Vec<(String, RangeInclusive<i32>)> {
        match between(old, new) {
            SourceChange::Functions(all) => all.into_iter().map(|f| (f.name, f.lines)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn formatting_comments_and_docstrings_are_nothing() {
        let old = "'''Doc.'''\nclass A:\n    'doc'\n    def f(self, a=(1, 2)):\n        'doc'\n        return a  # c\n";
        let new = "class A:\n\n    def f(\n        self,\n        a=(1,\n           2),\n    ):\n        return (a)\n";
        assert_eq!(between(old, new), SourceChange::Nothing);
        assert_eq!(between("x = 'a'\n", "x = \"a\"\r\n"), SourceChange::Nothing);
    }

    #[test]
    fn examples_of_docstrings_are_tests() {
        let old = "def f():\n    '''\n    >>> f()\n    1\n    '''\n    return 1\n";
        assert_eq!(
            between(old, &old.replace("    1\n    '''", "    2\n    '''")),
            SourceChange::Doctests
        );
    }

    #[test]
    fn bodies_are_told_from_what_runs_at_import() {
        let old = "import a\nX = 1\nclass C(B):\n    y = 2\n    @d\n    def f(self, z=3):\n        return lambda: X\n";
        for (from, to) in [
            ("import a", "import b"),
            ("X = 1", "X = 2"),
            ("C(B)", "C(D)"),
            ("y = 2", "y = 3"),
            ("@d", "@e"),
            ("z=3", "z=4"),
            ("def f", "async def f"),
            ("X = 1\n", "X = 1\ndef g(): pass\n"),
            ("X\n", "X\n    def g(self): pass\n"),
        ] {
            assert_eq!(between(old, &old.replacen(from, to, 1)), SourceChange::Module, "{to}");
        }
        assert_eq!(functions(old, &old.replace(": X", ": Y")), [("C.f".to_owned(), 7..=7)]);
    }

    #[test]
    fn inner_functions_are_functions() {
        let old = "def f():\n    x = 1\n    def g():\n        return x\n    return g\n";
        assert_eq!(
            functions(old, &old.replace("return x", "return -x")),
            [("f.g".to_owned(), 4..=4)]
        );
        assert_eq!(functions(old, &old.replace("x = 1", "x = 2")), [("f".to_owned(), 2..=5)]);
        let without = "def f():\n    x = 1\n    return g\n";
        assert_eq!(functions(old, without), [("f".to_owned(), 2..=5), ("f.g".to_owned(), 4..=4)]);
    }

    #[test]
    fn functions_of_one_name_are_told_apart() {
        let old = "class C:\n    @property\n    def x(self):\n        return 1\n    @x.setter\n    def x(self, v):\n        pass\n";
        assert_eq!(functions(old, &old.replace("pass", "self.v = v")), [("C.x".to_owned(), 7..=7)]);
    }

    #[test]
    fn what_is_no_python_may_be_anything() {
        assert_eq!(between("x = 1\n", "x = \n"), SourceChange::Module);
        assert_eq!(between("x = \n", "x = 1\n"), SourceChange::Module);
        assert_eq!(between("x = \n", "x = \n"), SourceChange::Nothing);
    }
}
