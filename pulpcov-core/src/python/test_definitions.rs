//! The functions and classes of a source by which a test can be named.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{Decorator, Expr, Stmt};
use serde::{Deserialize, Serialize};

use super::PythonSource;
use super::syntax::Syntax;
use super::walk::for_each_body;

/// The functions and classes that a source defines, as far as its text shows.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::PythonSource;
///
/// let source = PythonSource::decode(b"def test_a(): ...\nclass TestB:\n    def test_c(self): ...\n")?;
/// let names = source.definitions()?;
/// assert_eq!(names.existing(&["TestB", "test_c"]), 2);
/// assert_eq!(names.existing(&["TestB", "test_gone"]), 1);
/// assert_eq!(names.existing(&["test_gone"]), 0);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions(Scope);

/// The form of [`Definitions`] in the cache. The public type has none.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Definitions")]
pub(super) struct StoredDefinitions(Scope);

/// What a module or a class defines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Scope {
    functions: BTreeSet<String>,
    /// The functions whose names begin with `test`, without fixtures.
    tests: BTreeSet<String>,
    classes: BTreeMap<String, Scope>,
}

impl Definitions {
    /// Returns how many of the names, each inside the one before, are defined.
    pub fn existing(&self, names: &[&str]) -> usize {
        self.0.existing(names)
    }

    /// Returns the tests as unittest and pytest find them, unless they are set to look for others: functions and methods whose
    /// names begin with `test`, without fixtures. Each is a name with the classes around it: `TestB::test_c`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::PythonSource;
    ///
    /// let source = PythonSource::decode(b"def test_a(): ...\ndef f(): ...\nclass TestB:\n    def test_c(self): ...\n")?;
    /// assert_eq!(source.definitions()?.tests(), ["test_a", "TestB::test_c"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn tests(&self) -> Vec<String> {
        self.0.tests()
    }
}

impl Scope {
    fn existing(&self, names: &[&str]) -> usize {
        match names {
            [] => 0,
            [name] if self.functions.contains(*name) => 1,
            [name, inner @ ..] => {
                self.classes.get(*name).map_or(0, |class| 1 + class.existing(inner))
            }
        }
    }

    fn tests(&self) -> Vec<String> {
        let own = self.tests.iter().cloned();
        let inner = self.classes.iter().flat_map(|(name, class)| {
            class.tests().into_iter().map(move |test| format!("{name}::{test}"))
        });
        own.chain(inner).collect()
    }

    fn add(&mut self, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::FunctionDef(node) => {
                    self.functions.insert(node.name.to_string());
                    if node.name.starts_with("test") && !node.decorator_list.iter().any(is_fixture)
                    {
                        self.tests.insert(node.name.to_string());
                    }
                }
                Stmt::ClassDef(node) => {
                    self.classes.entry(node.name.to_string()).or_default().add(&node.body);
                }
                _ => for_each_body(stmt, |body| self.add(body)),
            }
        }
    }
}

/// Returns whether a decorator makes a fixture of pytest: `@pytest.fixture`, with arguments or without.
fn is_fixture(decorator: &Decorator) -> bool {
    let mut expr = &decorator.expression;
    while let Expr::Call(call) = expr {
        expr = &call.func;
    }
    match expr {
        Expr::Attribute(attribute) => attribute.attr.contains("fixture"),
        Expr::Name(name) => name.id.contains("fixture"),
        _ => false,
    }
}

impl PythonSource {
    /// Finds the functions and classes that are defined, except inside of functions.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotPython`](crate::ErrorKind::NotPython), with the line, if Python refuses the text.
    pub fn definitions(&self) -> crate::Result<Definitions> {
        Ok(self.names()?.definitions)
    }
}

/// Finds the functions and classes of a source.
pub(super) fn definitions(syntax: &Syntax<'_>) -> Definitions {
    let mut module = Scope::default();
    module.add(syntax.body());
    Definitions(module)
}
