//! What a source imports.

use std::collections::BTreeSet;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprCall, Stmt};
use serde::{Deserialize, Serialize};

use super::PythonSource;
use super::syntax::Syntax;
use crate::Result;

/// The longest text that is looked at as the name of a module.
const LONGEST_NAME: usize = 200;

/// The modules that a source names.
///
/// These are imports at any place, lazy ones too, calls of `importlib.import_module` and `__import__` with a constant,
/// and texts that look like the name of something in a module, such as the target of `mock.patch`. Imports for type
/// checkers only, in blocks of `if TYPE_CHECKING:`, are left out.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::PythonSource;
///
/// let source = PythonSource::decode(b"import os.path\nfrom .cart import Cart\n")?;
/// let imports = source.imports()?;
/// assert_eq!(imports.absolute().collect::<Vec<_>>(), ["os.path"]);
/// assert_eq!(imports.relative().collect::<Vec<_>>(), [(1, "cart"), (1, "cart.Cart")]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imports(Names);

/// What [`Imports`] hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Names {
    absolute: BTreeSet<String>,
    relative: BTreeSet<(u32, String)>,
    is_unknown: bool,
}

/// The form of [`Imports`] in the cache. The public type has none.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Imports")]
pub(super) struct StoredImports(Names);

impl Imports {
    /// Returns the imports of a file of which nothing is known: it may import any other.
    pub fn unknown() -> Self {
        Self(Names { is_unknown: true, ..Names::default() })
    }

    /// Returns whether nothing is known, as of a file that is not Python.
    pub fn is_unknown(&self) -> bool {
        self.0.is_unknown
    }

    /// Returns dotted names: of modules, of what is imported from them, and of what texts name. Some are no modules.
    pub fn absolute(&self) -> impl Iterator<Item = &str> {
        self.0.absolute.iter().map(String::as_str)
    }

    /// Returns names that start from a package: the number of dots, and the dotted name, which may be empty.
    pub fn relative(&self) -> impl Iterator<Item = (u32, &str)> {
        self.0.relative.iter().map(|(level, name)| (*level, name.as_str()))
    }

    fn add(&mut self, level: u32, name: &str) {
        match level {
            0 => drop(self.0.absolute.insert(name.to_owned())),
            _ => drop(self.0.relative.insert((level, name.to_owned()))),
        }
    }

    /// Adds a name that a text may be: `.name` is relative.
    fn add_text(&mut self, text: &str) {
        let name = text.trim_start_matches('.');
        let level = u32::try_from(text.len() - name.len()).unwrap_or(u32::MAX);
        self.add(level, name);
    }
}

impl PythonSource {
    /// Finds the modules that the source names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotPython`](crate::ErrorKind::NotPython), with the line, if Python refuses the text.
    pub fn imports(&self) -> Result<Imports> {
        Ok(self.names()?.imports)
    }
}

/// Finds what a source imports.
pub(super) fn imports(syntax: &Syntax<'_>) -> Imports {
    let mut finder = ImportFinder::default();
    finder.visit_body(syntax.body());
    finder.imports
}

#[derive(Default)]
struct ImportFinder {
    imports: Imports,
}

impl<'a> Visitor<'a> for ImportFinder {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(node) => {
                node.names.iter().for_each(|alias| self.imports.add(0, alias.name.as_str()));
            }
            Stmt::ImportFrom(node) => {
                let module = node.module.as_ref().map_or("", |module| module.as_str());
                self.imports.add(node.level, module);
                for alias in &node.names {
                    let name = alias.name.as_str();
                    let dot = if module.is_empty() { "" } else { "." };
                    self.imports.add(node.level, &[module, dot, name].concat());
                }
            }
            Stmt::If(node) if is_for_type_checkers(&node.test) => {
                node.elif_else_clauses
                    .iter()
                    .for_each(|clause| self.visit_elif_else_clause(clause));
            }
            Stmt::Assign(node) if node.targets.iter().any(is_list_of_plugins) => {
                self.add_texts(&node.value);
                walk_stmt(self, stmt);
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::StringLiteral(text) if text.value.len() <= LONGEST_NAME => {
                let text = text.value.to_str();
                if is_dotted_name(text) {
                    self.imports.add(0, text);
                }
            }
            Expr::Call(call) if imports_a_module(call) => {
                call.arguments.args.first().into_iter().for_each(|name| self.add_texts(name));
                walk_expr(self, expr);
            }
            _ => walk_expr(self, expr),
        }
    }
}

impl ImportFinder {
    /// Adds a text, or all texts of a list or tuple.
    fn add_texts(&mut self, expr: &Expr) {
        match expr {
            Expr::StringLiteral(text) => self.imports.add_text(text.value.to_str()),
            Expr::List(list) => list.elts.iter().for_each(|element| self.add_texts(element)),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|element| self.add_texts(element)),
            _ => {}
        }
    }
}

/// Returns the last name of `name` or `something.name`.
fn last_name(expr: &Expr) -> &str {
    match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    }
}

fn is_for_type_checkers(test: &Expr) -> bool {
    last_name(test) == "TYPE_CHECKING"
}

fn imports_a_module(call: &ExprCall) -> bool {
    ["import_module", "__import__", "importorskip"].contains(&last_name(&call.func))
}

/// Returns whether pytest reads the names of plugins from this variable.
fn is_list_of_plugins(target: &Expr) -> bool {
    last_name(target) == "pytest_plugins"
}

/// Returns whether a text is at least two names with dots between them.
fn is_dotted_name(text: &str) -> bool {
    let is_name = |part: &str| {
        let mut chars = part.chars();
        chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && chars.all(|c| c.is_alphanumeric() || c == '_')
    };
    text.contains('.') && text.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(text: &str) -> Vec<String> {
        let imports = PythonSource::decode(text.as_bytes()).unwrap().imports().unwrap();
        let relative = imports.relative().map(|(level, name)| format!("{level}:{name}"));
        imports.absolute().map(str::to_owned).chain(relative).collect()
    }

    #[test]
    fn imports_of_all_kinds() {
        let cases: [(&str, &[&str]); 12] = [
            ("import a, b.c as d\n", &["a", "b.c"]),
            ("from a.b import c, d\n", &["a.b", "a.b.c", "a.b.d"]),
            ("from . import a\n", &["1:", "1:a"]),
            ("from ..a import *\n", &["2:a", "2:a.*"]),
            ("def f():\n    if x:\n        import a\n", &["a"]),
            ("import importlib\nimportlib.import_module('a')\n", &["a", "importlib"]),
            ("import_module('.a', 'b')\n", &["1:a"]),
            ("__import__('a.b')\n", &["a.b"]),
            ("pytest_plugins = ['a', 'b.c']\n", &["a", "b.c"]),
            ("@patch('shop.cart.Cart')\ndef f(): ...\n", &["shop.cart.Cart"]),
            ("x = 'no name. at all', '1.2', 'a'\n", &[]),
            ("lazy import a\n", &["a"]),
        ];
        for (text, expected) in cases {
            assert_eq!(imports(text), expected, "{text}");
        }
    }

    #[test]
    fn imports_for_type_checkers_do_not_happen() {
        let text = "import typing\nif typing.TYPE_CHECKING:\n    import a\nelse:\n    import b\n";
        assert_eq!(imports(text), ["b", "typing"]);
        assert_eq!(imports("if not TYPE_CHECKING:\n    import a\n"), ["a"]);
    }
}
