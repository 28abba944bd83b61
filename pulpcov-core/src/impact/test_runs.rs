//! What the tests ran of one file.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::test_name::{NameKind, Phase, TestName};
use crate::Numbits;

/// What each test ran of one file, and what ran outside of tests.
///
/// Lines are what the rows say. To compare statements, pass rows whose lines
/// [were translated](crate::python::Facts::translate_lines).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestRuns<'a> {
    tests: Vec<TestRun<'a>>,
    others: Vec<(&'a str, Numbits)>,
}

/// What one test ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRun<'a> {
    id: &'a str,
    kind: NameKind,
    parts: Vec<Part<'a>>,
}

/// What a test ran under one static context, in one phase.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part<'a> {
    /// The static context, which is empty if there is none.
    pub static_context: &'a str,
    /// The phase, if pytest-cov recorded it.
    pub phase: Option<Phase>,
    /// The lines.
    pub lines: Numbits,
}

impl<'a> TestRuns<'a> {
    /// Groups rows, which are contexts with the lines that they ran, by test.
    pub fn new<L: Borrow<Numbits>>(rows: impl Iterator<Item = (&'a str, L)>) -> Self {
        let mut tests = BTreeMap::<(&str, NameKind), Vec<Part<'_>>>::new();
        let mut others = Vec::new();
        for (context, lines) in rows {
            let lines = lines.borrow().clone();
            match TestName::parse(context) {
                Some(name) => tests.entry((name.id(), name.kind())).or_default().push(Part {
                    static_context: name.static_context(),
                    phase: name.phase(),
                    lines,
                }),
                None => others.push((context, lines)),
            }
        }
        let tests = tests.into_iter().map(|((id, kind), mut parts)| {
            parts.sort_by_key(|part| (part.static_context, part.phase));
            TestRun { id, kind, parts }
        });
        Self { tests: tests.collect(), others }.sorted()
    }

    fn sorted(mut self) -> Self {
        self.others.sort_by_key(|(context, _)| *context);
        self
    }

    /// Returns the tests, sorted by their ids.
    pub fn tests(&self) -> &[TestRun<'a>] {
        &self.tests
    }

    /// Returns the contexts that are not of tests, sorted by name. The unnamed one is what ran before and after all
    /// tests, at import for example.
    pub fn others(&self) -> &[(&'a str, Numbits)] {
        &self.others
    }

    /// Returns the lines that any test ran.
    pub fn lines(&self) -> Numbits {
        let mut all = Numbits::new();
        self.tests.iter().for_each(|test| all.union_with(&test.lines()));
        all
    }

    /// Keeps only lines that are `wanted`, and tests that ran one of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    /// use pulpcov_core::impact::TestRuns;
    ///
    /// let rows = [("a.py::test_x|run", Numbits::from_iter([1, 2])), ("a.py::test_y|run", Numbits::from_iter([1]))];
    /// let second = TestRuns::new(rows.into_iter()).of_lines(|line| line == 2);
    /// assert_eq!(second.tests().len(), 1);
    /// assert_eq!(second.tests()[0].lines(), Numbits::from_iter([2]));
    /// ```
    pub fn of_lines(&self, wanted: impl Fn(i32) -> bool) -> Self {
        let kept = |lines: &Numbits| lines.iter().filter(|line| wanted(*line)).collect::<Numbits>();
        let tests = self.tests.iter().filter_map(|test| test.with_lines(kept));
        let others = self.others.iter().map(|(context, lines)| (*context, kept(lines)));
        Self {
            tests: tests.collect(),
            others: others.filter(|(_, lines)| !lines.is_empty()).collect(),
        }
    }

    /// Keeps only lines that exactly one test ran. What ran outside of tests does not count.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    /// use pulpcov_core::impact::TestRuns;
    ///
    /// let rows = [("a.py::test_x|run", Numbits::from_iter([1, 2])), ("a.py::test_y|run", Numbits::from_iter([1]))];
    /// let alone = TestRuns::new(rows.into_iter()).alone();
    /// assert_eq!(alone.tests()[0].id(), "a.py::test_x");
    /// assert_eq!(alone.lines(), Numbits::from_iter([2]));
    /// ```
    pub fn alone(&self) -> Self {
        let once = self.lines_of_one();
        Self { others: Vec::new(), ..self.of_lines(|line| once.contains(line)) }
    }

    /// Returns the lines that exactly one test ran.
    pub(super) fn lines_of_one(&self) -> Numbits {
        let (mut any, mut several) = (Numbits::new(), Numbits::new());
        for test in &self.tests {
            let lines = test.lines();
            several.union_with(&any.intersection(&lines));
            any.union_with(&lines);
        }
        any.iter().filter(|line| !several.contains(*line)).collect()
    }
}

impl<'a> TestRun<'a> {
    /// Returns the test without its static context and phase.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Returns how the test is named.
    pub fn kind(&self) -> NameKind {
        self.kind
    }

    /// Returns what the test ran, by static context and phase.
    pub fn parts(&self) -> &[Part<'a>] {
        &self.parts
    }

    /// Returns all lines that the test ran.
    pub fn lines(&self) -> Numbits {
        let mut all = Numbits::new();
        self.parts.iter().for_each(|part| all.union_with(&part.lines));
        all
    }

    fn with_lines(&self, kept: impl Fn(&Numbits) -> Numbits) -> Option<Self> {
        let part = |part: &Part<'a>| Part { lines: kept(&part.lines), ..*part };
        let parts = self.parts.iter().map(part).filter(|part| !part.lines.is_empty());
        let parts: Vec<_> = parts.collect();
        (!parts.is_empty()).then_some(Self { id: self.id, kind: self.kind, parts })
    }
}
