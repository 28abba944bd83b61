//! Contexts as names of tests.

use std::fmt;

/// The name of a test, read from the name of a context.
///
/// Test runners name contexts in these ways:
///
/// | written by | example |
/// |---|---|
/// | pytest-cov with `--cov-context=test` | `tests/test_cart.py::TestCart::test_add[1-2]\|run` |
/// | coverage.py with `dynamic_context = test_function` | `tests.test_cart.TestCart.test_add` |
///
/// A static context (`coverage run --context=py312`) stands before each, with a `|` between them (coverage.py
/// 7.17.5, `Collector.switch_context`).
///
/// # Examples
///
/// ```
/// use pulpcov_core::impact::{Phase, TestName};
///
/// let name = TestName::parse("py312|tests/test_cart.py::test_add[a|b]|setup").unwrap();
/// assert_eq!(name.static_context(), "py312");
/// assert_eq!(name.id(), "tests/test_cart.py::test_add[a|b]");
/// assert_eq!(name.phase(), Some(Phase::Setup));
/// // This is a label of a whole run.
/// assert_eq!(TestName::parse("py312"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestName<'a> {
    static_context: &'a str,
    id: &'a str,
    kind: NameKind,
    phase: Option<Phase>,
}

/// How a test is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NameKind {
    /// A node id of pytest: a file, then classes, functions and parameters.
    NodeId,
    /// A module and the qualified name of a function.
    Function,
}

/// Returns the name of a context without the phase, if it is of a test of pytest.
#[cfg(feature = "html")]
pub(crate) fn without_phase(context: &str) -> &str {
    match TestName::parse(context) {
        Some(name) if name.phase().is_some() => Phase::split_off(context).0,
        _ => context,
    }
}

/// What pytest was doing for a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It set up the fixtures.
    Setup,
    /// It ran the test itself.
    Run,
    /// It tore down the fixtures.
    Teardown,
}

impl<'a> TestName<'a> {
    /// Reads the name of a context. Returns `None` if the context is not of a test.
    ///
    /// A static context may hold `|`, and so may a parameter in a node id. The node id begins after the last `|` before
    /// its file, so the name of the file must not hold one.
    pub fn parse(context: &'a str) -> Option<Self> {
        let (name, phase) = Phase::split_off(context);
        if let Some(end_of_file) = end_of_file(name) {
            let (before, _) = name.split_at(end_of_file);
            let (static_context, _) = before.rsplit_once('|').unwrap_or_default();
            let id = id_after(static_context, name);
            return Some(Self { static_context, id, kind: NameKind::NodeId, phase });
        }
        // Only pytest has phases, and all names of pytest have `::`.
        let (static_context, id) = context.rsplit_once('|').unwrap_or(("", context));
        let kind = NameKind::Function;
        is_test_function(id).then_some(Self { static_context, id, kind, phase: None })
    }

    /// Returns the static context, which is empty if there is none.
    pub fn static_context(&self) -> &'a str {
        self.static_context
    }

    /// Returns the test without its static context and phase. It is the same in every run.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Returns how the test is named.
    pub fn kind(&self) -> NameKind {
        self.kind
    }

    /// Returns the phase, if pytest-cov recorded it.
    pub fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// Returns whether the test is `wanted`, or belongs to it: a node id belongs to the same id without parameters, to
    /// its class, and to its file; a function to its class and its module.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::impact::TestName;
    ///
    /// let name = TestName::parse("tests/test_cart.py::TestCart::test_add[1]|run").unwrap();
    /// assert!(name.belongs_to("tests/test_cart.py::TestCart::test_add"));
    /// assert!(name.belongs_to("tests/test_cart.py"));
    /// assert!(!name.belongs_to("tests/test_cart.py::TestCart::test_a"));
    /// ```
    pub fn belongs_to(&self, wanted: &str) -> bool {
        let Some(rest) = self.id.strip_prefix(wanted) else { return false };
        match self.kind {
            NameKind::NodeId => rest.is_empty() || rest.starts_with("::") || rest.starts_with('['),
            NameKind::Function => rest.is_empty() || rest.starts_with('.'),
        }
    }

    /// Returns the file of a node id.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::impact::TestName;
    ///
    /// let name = TestName::parse("tests/test_cart.py::test_add|run").unwrap();
    /// assert_eq!(name.file(), Some("tests/test_cart.py"));
    /// assert_eq!(TestName::parse("tests.test_cart.test_add").unwrap().file(), None);
    /// ```
    pub fn file(&self) -> Option<&'a str> {
        match self.kind {
            NameKind::NodeId => Some(self.id.get(..end_of_file(self.id)?)?),
            NameKind::Function => None,
        }
    }
}

impl Phase {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Setup, "setup"), (Self::Run, "run"), (Self::Teardown, "teardown")];

    fn split_off(context: &str) -> (&str, Option<Self>) {
        let found = Self::ALL.into_iter().find_map(|(phase, word)| {
            Some((context.strip_suffix(word)?.strip_suffix('|')?, Some(phase)))
        });
        found.unwrap_or((context, None))
    }

    /// Returns pytest's word for the phase.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Run => "run",
            Self::Teardown => "teardown",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns where the file of a node id ends: at the first `::`, or at the first one after `.py`, because other files
/// are rarely collected and a static context may hold anything.
fn end_of_file(name: &str) -> Option<usize> {
    name.find(".py::").map(|at| at + ".py".len()).or_else(|| name.find("::"))
}

fn id_after<'a>(static_context: &str, name: &'a str) -> &'a str {
    match static_context.is_empty() {
        true => name.strip_prefix('|').unwrap_or(name),
        false => name.get(static_context.len() + 1..).unwrap_or_default(),
    }
}

/// Returns whether coverage.py makes this name for a test (coverage.py 7.17.5,
/// `should_start_context_test_function`).
fn is_test_function(name: &str) -> bool {
    let function = name.rsplit('.').next().unwrap_or_default();
    let is_word = |part: &str| {
        let mut chars = part.chars();
        chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && chars.all(|c| c.is_alphanumeric() || c == '_')
    };
    let is_name = |part: &str| is_word(part) || part == "<locals>";
    (function.starts_with("test") || function == "runTest")
        && name.contains('.')
        && name.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(context: &str) -> Option<(&str, &str, Option<Phase>)> {
        TestName::parse(context).map(|name| (name.static_context(), name.id(), name.phase()))
    }

    #[test]
    fn node_ids() {
        let run = Some(Phase::Run);
        let cases = [
            ("t/test_a.py::test_x|run", ("", "t/test_a.py::test_x", run)),
            ("t/test_a.py::test_x", ("", "t/test_a.py::test_x", None)),
            ("py3|t/test_a.py::test_x|run", ("py3", "t/test_a.py::test_x", run)),
            ("a|b|test_a.py::C::test_x[a|b]|run", ("a|b", "test_a.py::C::test_x[a|b]", run)),
            ("test_a.py::test_x[|run]|run", ("", "test_a.py::test_x[|run]", run)),
            ("test_a.py::test_x[a::b c]|run", ("", "test_a.py::test_x[a::b c]", run)),
            ("test_a.py::test_x[\\n|setup]", ("", "test_a.py::test_x[\\n|setup]", None)),
            ("README.rst::README.rst|run", ("", "README.rst::README.rst", run)),
            ("a::b|test_a.py::test_x|run", ("a::b", "test_a.py::test_x", run)),
            ("|test_a.py::test_x|run", ("", "test_a.py::test_x", run)),
        ];
        for (context, expected) in cases {
            assert_eq!(parsed(context), Some(expected), "{context}");
        }
        let teardown = TestName::parse("test_a.py::test_x|teardown").unwrap();
        assert_eq!(teardown.phase(), Some(Phase::Teardown));
    }

    #[test]
    fn test_functions() {
        let function = |context| parsed(context).map(|(before, id, _)| (before, id));
        assert_eq!(function("tests.test_a.test_x"), Some(("", "tests.test_a.test_x")));
        assert_eq!(function("py3|linux|test_a.C.test_x"), Some(("py3|linux", "test_a.C.test_x")));
        assert_eq!(function("test_a.C.runTest"), Some(("", "test_a.C.runTest")));
        assert_eq!(
            function("test_a.f.<locals>.C.testIt"),
            Some(("", "test_a.f.<locals>.C.testIt"))
        );
    }

    #[test]
    fn labels_are_not_tests() {
        for context in ["", "py3", "nightly|linux", "test", "3.12|test-run", "a.b.setup", "x|run"] {
            assert_eq!(parsed(context), None, "{context}");
        }
    }

    #[test]
    fn a_function_belongs_to_its_module() {
        let name = TestName::parse("tests.test_a.C.test_x").unwrap();
        assert!(name.belongs_to("tests.test_a") && name.belongs_to("tests.test_a.C.test_x"));
        assert!(!name.belongs_to("tests.test"));
    }
}
