//! What changed between two versions of a source, as Python sees it.

use std::collections::HashMap;
use std::mem;
use std::ops::RangeInclusive;

use ruff_python_ast::comparable::ComparableStmt;
use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
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
    /// The same as [`Module`](Self::Module) or [`Functions`](Self::Functions), and docstrings with examples changed as well.
    ModuleAndDoctests,
}

/// A function whose body changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFunction {
    /// The qualified name, such as `Cart.add`.
    pub name: String,
    /// The lines in the old version that ran if the function ran: its body, or the whole function if Python drops the body,
    /// as it does with a docstring.
    pub lines: RangeInclusive<i32>,
    /// Whether a decorator may keep what the function returns, as `functools.cache` does. Then several tests may depend on
    /// what ran in one.
    pub keeps_results: bool,
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
        let is_same_module = are_equal(&old.tree, &new.tree)
            && old.surrogates == new.surrogates
            && old.are_generators(&new);
        let changed = old.changed_functions(&new);
        match (is_same_module && changed.is_empty(), old.examples != new.examples) {
            (true, false) => Self::Nothing,
            (true, true) => Self::Doctests,
            (false, true) => Self::ModuleAndDoctests,
            (false, false) if is_same_module => Self::Functions(changed),
            (false, false) => Self::Module,
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
    /// The escapes of surrogates. The parser has one character for all of them.
    surrogates: Vec<String>,
}

struct Function {
    name: String,
    /// The name, with the number of each part among those of the same name: of a property's getter and setter, for example.
    key: String,
    lines: RangeInclusive<i32>,
    is_generator: bool,
    keeps_results: bool,
    /// The body, in which inner functions have no bodies.
    body: Vec<Stmt>,
}

impl Outline {
    fn of(bytes: &[u8]) -> Option<Self> {
        let source = PythonSource::decode(bytes).ok()?;
        let syntax = Syntax::parse(source.text(), PythonVersion::NEWEST).ok()?;
        Some(syntax.walk_with_stack(|syntax| {
            let mut tree = syntax.body().to_vec();
            let mut hollower = Hollower::new(syntax);
            hollower.take_docstring(&mut tree);
            hollower.visit(&mut tree);
            Self { tree, surrogates: surrogates(source.text()), ..hollower.outline }
        }))
    }

    /// Returns the functions whose bodies differ, which is also true of one that is gone. If all else is equal, both
    /// versions have the same functions except inside of functions that differ.
    fn changed_functions(&self, new: &Self) -> Vec<ChangedFunction> {
        let by_key = new.by_key();
        let is_changed = |function: &&Function| {
            let other = by_key.get(function.key.as_str());
            other.is_none_or(|other| !are_equal(&function.body, &other.body))
        };
        let changed = self.functions.iter().filter(is_changed).map(|function| ChangedFunction {
            name: function.name.clone(),
            lines: function.lines.clone(),
            keeps_results: function.keeps_results,
        });
        changed.collect()
    }

    fn by_key(&self) -> HashMap<&str, &Function> {
        self.functions.iter().map(|function| (function.key.as_str(), function)).collect()
    }

    /// Returns whether the same functions are generators. What calls a generator runs nothing of its body, and so is not known
    /// to depend on it.
    fn are_generators(&self, new: &Self) -> bool {
        let by_key = new.by_key();
        self.functions.iter().all(|function| {
            let other = by_key.get(function.key.as_str());
            other.is_none_or(|other| function.is_generator == other.is_generator)
        })
    }
}

/// Returns the escapes of surrogates in a source.
fn surrogates(text: &str) -> Vec<String> {
    let escapes = text.match_indices("\\u").chain(text.match_indices("\\U0000"));
    let mut found: Vec<(usize, String)> = escapes
        .filter_map(|(at, start)| {
            let digits = text.get(at + start.len()..)?.get(..4)?;
            let is_surrogate = (0xd800..0xe000).contains(&u32::from_str_radix(digits, 16).ok()?);
            is_surrogate.then(|| (at, digits.to_ascii_lowercase()))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, digits)| digits).collect()
}

/// Returns whether a function with this body is a generator.
fn is_generator(body: &[Stmt]) -> bool {
    struct Finder(bool);
    impl<'a> Visitor<'a> for Finder {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
                walk_stmt(self, stmt);
            }
        }

        fn visit_expr(&mut self, expr: &'a Expr) {
            match expr {
                Expr::Yield(_) | Expr::YieldFrom(_) => self.0 = true,
                Expr::Lambda(_) => {}
                _ => walk_expr(self, expr),
            }
        }
    }
    let mut finder = Finder(false);
    body.iter().for_each(|stmt| finder.visit_stmt(stmt));
    finder.0
}

/// Returns whether a decorator may keep what a function returns: a cache by its name, or a fixture.
fn keeps_results(decorator: &Expr) -> bool {
    let name = match decorator {
        Expr::Call(call) => return keeps_results(&call.func),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        Expr::Name(name) => name.id.as_str(),
        _ => return false,
    };
    let name = name.to_ascii_lowercase();
    ["cache", "memo", "once", "singleton", "lazy", "fixture"].iter().any(|word| name.contains(word))
}

/// Returns whether Python drops a statement, so that no line of it runs.
fn is_dropped(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Global(_) | Stmt::Nonlocal(_) => true,
        Stmt::Expr(expr) => expr.value.is_string_literal_expr(),
        _ => false,
    }
}

/// Takes the bodies of functions out of a tree.
struct Hollower<'s> {
    syntax: &'s Syntax<'s>,
    /// The names of the functions and classes around, and their keys.
    scope: Vec<String>,
    keys: Vec<String>,
    /// How often each key without its last number was seen.
    seen: HashMap<String, usize>,
    outline: Outline,
}

impl<'s> Hollower<'s> {
    fn new(syntax: &'s Syntax<'s>) -> Self {
        let (scope, keys, seen) = (Vec::new(), Vec::new(), HashMap::new());
        Self { syntax, scope, keys, seen, outline: Outline::default() }
    }

    fn enter(&mut self, name: &str) {
        self.scope.push(name.to_owned());
        let outer = self.keys.last().map(String::as_str).unwrap_or_default();
        let key = format!("{outer}.{name}");
        let number = self.seen.entry(key.clone()).or_default();
        *number += 1;
        self.keys.push(format!("{key}#{number}"));
    }

    fn leave(&mut self) {
        self.scope.pop();
        self.keys.pop();
    }

    fn visit(&mut self, body: &mut [Stmt]) {
        body.iter_mut().for_each(|stmt| self.visit_stmt(stmt));
    }

    fn visit_stmt(&mut self, stmt: &mut Stmt) {
        match stmt {
            Stmt::FunctionDef(node) => {
                self.enter(&node.name);
                let mut body: Vec<Stmt> = mem::take(&mut node.body).into_iter().collect();
                let mut lines = self.lines(&body);
                if body.iter().all(is_dropped) {
                    // Python says that the function's first line ran: that of its first decorator, or `def`.
                    lines = self.syntax.line(node.start())..=*lines.end();
                }
                let is_generator = is_generator(&body);
                self.take_docstring(&mut body);
                // The outer function comes first.
                let at = self.outline.functions.len();
                self.visit(&mut body);
                let function = Function {
                    name: self.scope.join("."),
                    key: self.keys.last().cloned().unwrap_or_default(),
                    lines,
                    is_generator,
                    keeps_results: node
                        .decorator_list
                        .iter()
                        .any(|decorator| keeps_results(&decorator.expression)),
                    body,
                };
                self.outline.functions.insert(at, function);
                self.leave();
            }
            Stmt::ClassDef(node) => {
                self.enter(&node.name);
                let mut body: Vec<Stmt> = mem::take(&mut node.body).into_iter().collect();
                self.take_docstring(&mut body);
                self.visit(&mut body);
                node.body = body.into_iter().collect();
                self.leave();
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
    fn a_body_that_python_drops_is_the_whole_function() {
        let old = "class A:\n    @d\n    def f(self):\n        'Doc.'\n\ndef g():\n    global x\n";
        assert_eq!(
            functions(old, &old.replace("'Doc.'", "'Doc.'\n        return 1")),
            [("A.f".to_owned(), 2..=4)]
        );
        assert_eq!(
            functions(old, &old.replace("global x", "global x\n    x = 1")),
            [("g".to_owned(), 6..=7)]
        );
    }

    #[test]
    fn what_a_caller_sees_is_the_module() {
        let old = "def f():\n    yield 1\n";
        assert_eq!(between(old, "def f():\n    return [1]\n"), SourceChange::Module);
        assert_eq!(functions(old, "def f():\n    yield 2\n").len(), 1);
        // The parser has one character for all surrogates.
        let old = "def f():\n    return '\\ud800'\n";
        assert_eq!(between(old, &old.replace("ud800", "udfff")), SourceChange::Module);
        assert_eq!(between(old, &old.replace("ud800", "uD800")), SourceChange::Nothing);
    }

    #[test]
    fn caches_keep_results() {
        for decorator in ["cache", "functools.lru_cache(maxsize=1)", "cached_property"] {
            let old = format!("@{decorator}\ndef f():\n    return 1\n");
            let change = between(&old, &old.replace("return 1", "return 2"));
            let SourceChange::Functions(functions) = change else { panic!("{change:?}") };
            assert!(functions[0].keeps_results, "{decorator}");
        }
    }

    #[test]
    fn inner_functions_belong_to_their_outer_one() {
        let old = "class C:\n    def x(self):\n        return 1\n    def x(self, v):\n        def g():\n            return 1\n        return g\n";
        let new = "class C:\n    def x(self):\n        def g():\n            return 1\n        return 1\n    def x(self, v):\n        def g():\n            return 2\n        return g\n";
        assert_eq!(functions(old, new), [("C.x".to_owned(), 3..=3), ("C.x.g".to_owned(), 6..=6)]);
    }

    #[test]
    fn examples_change_beside_the_rest() {
        let old = "def f():\n    return 1\n";
        let new = "def f():\n    '''\n    >>> f()\n    2\n    '''\n    return 2\n";
        assert_eq!(between(old, new), SourceChange::ModuleAndDoctests);
    }

    #[test]
    fn what_is_no_python_may_be_anything() {
        assert_eq!(between("x = 1\n", "x = \n"), SourceChange::Module);
        assert_eq!(between("x = \n", "x = 1\n"), SourceChange::Module);
        assert_eq!(between("x = \n", "x = \n"), SourceChange::Nothing);
    }
}
