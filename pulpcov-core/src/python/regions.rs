//! Finds functions and classes, and the lines that belong to them.
//!
//! This is coverage.py's `RegionFinder` (regions.py). A line belongs to the innermost function
//! whose body contains it. It also belongs to the innermost class that has a method whose body
//! contains it. The lines are found by painting: the bodies of outer functions first, those of
//! inner ones over them.

use std::ops::RangeInclusive;

use ruff_python_ast::{ExceptHandler, Stmt};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::stored::Stored;
use super::syntax::Syntax;
use super::walk::{self, Definition};

/// The kind of a [`Region`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RegionKind {
    /// A function, method or nested function.
    Function,
    /// A class.
    Class,
}

impl RegionKind {
    /// Returns coverage.py's name of the kind: `function` or `class`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::RegionKind;
    ///
    /// assert_eq!(RegionKind::Class.as_str(), "class");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Class => "class",
        }
    }
}

/// A function or class, with the lines that belong to it and to no inner region of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    kind: RegionKind,
    name: String,
    start: i32,
    lines: Vec<RangeInclusive<i32>>,
}

/// The form of [`Region`] in the cache. The public type has none.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Region")]
struct StoredRegion {
    #[serde(with = "StoredKind")]
    kind: RegionKind,
    name: String,
    start: i32,
    lines: Vec<RangeInclusive<i32>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RegionKind")]
enum StoredKind {
    Function,
    Class,
}

impl Stored for Region {
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredRegion::serialize(self, serializer)
    }

    fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StoredRegion::deserialize(deserializer)
    }
}

impl Region {
    /// Returns whether this is a function or a class.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource, RegionKind};
    /// let source = PythonSource::decode(b"class Cart:\n    def total(self):\n        return 1\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// let functions = facts.regions().iter().filter(|region| region.kind() == RegionKind::Function);
    /// assert_eq!(functions.count(), 1);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn kind(&self) -> RegionKind {
        self.kind
    }

    /// Returns the qualified name, such as `Outer.method.inner`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"def outer():\n    def inner():\n        return 1\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(facts.regions()[1].name(), "outer.inner");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the line of `def` or `class`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"@cache\ndef f():\n    return 1\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(facts.regions()[0].start(), 2);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn start(&self) -> i32 {
        self.start
    }

    /// Returns the lines as ranges, in order. Comments and blank lines are among them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"def f():\n    def g():\n        return 1\n    return g\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// // Line 3 belongs to the inner function.
    /// assert_eq!(facts.regions()[0].ranges(), [2..=2, 4..=4]);
    /// assert_eq!(facts.regions()[1].ranges(), [3..=3]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn ranges(&self) -> &[RangeInclusive<i32>] {
        &self.lines
    }

    /// Returns each line, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"def f():\n    x = 1\n    return x\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(facts.regions()[0].lines().collect::<Vec<_>>(), [2, 3]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn lines(&self) -> impl Iterator<Item = i32> + '_ {
        self.lines.iter().cloned().flatten()
    }

    /// Returns the number of lines.
    pub fn line_count(&self) -> usize {
        self.lines.iter().map(|range| (range.end() - range.start() + 1).max(0) as usize).sum()
    }
}

/// Returns the regions of a file, outer before inner.
pub(crate) fn regions(syntax: &Syntax) -> Vec<Region> {
    let mut finder = RegionFinder {
        syntax,
        regions: Vec::new(),
        context: Vec::new(),
        functions: Owners::new(syntax.line_count()),
        classes: Owners::new(syntax.line_count()),
    };
    finder.visit(syntax.body());
    let RegionFinder { mut regions, functions, classes, .. } = finder;
    functions.assign_lines(&mut regions);
    classes.assign_lines(&mut regions);
    regions
}

struct RegionFinder<'a> {
    syntax: &'a Syntax<'a>,
    regions: Vec<Region>,
    /// The regions around the current statement, as indexes.
    context: Vec<usize>,
    functions: Owners,
    classes: Owners,
}

impl RegionFinder<'_> {
    fn visit(&mut self, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::FunctionDef(node) => self.add_function(Definition::Function(node)),
                Stmt::ClassDef(node) => self.add_region(RegionKind::Class, Definition::Class(node)),
                Stmt::For(node) => {
                    self.visit(&node.body);
                    self.visit(&node.orelse);
                }
                Stmt::While(node) => {
                    self.visit(&node.body);
                    self.visit(&node.orelse);
                }
                Stmt::If(node) => {
                    self.visit(&node.body);
                    for clause in &node.elif_else_clauses {
                        self.visit(&clause.body);
                    }
                }
                Stmt::With(node) => self.visit(&node.body),
                Stmt::Match(node) => {
                    for case in &node.cases {
                        self.visit(&case.body);
                    }
                }
                // Handlers come last, as in coverage.py's `STATEMENT_FIELDS`.
                Stmt::Try(node) => {
                    self.visit(&node.body);
                    self.visit(&node.orelse);
                    self.visit(&node.finalbody);
                    for ExceptHandler::ExceptHandler(handler) in &node.handlers {
                        self.visit(&handler.body);
                    }
                }
                _ => {}
            }
        }
    }

    fn add_function(&mut self, definition: Definition<'_>) {
        if let (Some(first), Some(last)) = (definition.body().first(), definition.body().last()) {
            let lines = walk::line_of(self.syntax, first)..=self.syntax.last_line(last);
            if let Some((class, RegionKind::Class)) = self.innermost() {
                self.classes.paint(lines.clone(), class);
            }
            self.functions.paint(lines, self.regions.len());
        }
        self.add_region(RegionKind::Function, definition);
    }

    fn add_region(&mut self, kind: RegionKind, definition: Definition<'_>) {
        let name = match self.innermost_name() {
            Some(outer) => [outer, ".", definition.name()].concat(),
            None => definition.name().to_owned(),
        };
        let start = definition.keyword_line(self.syntax);
        self.context.push(self.regions.len());
        self.regions.push(Region { kind, name, start, lines: Vec::new() });
        self.visit(definition.body());
        self.context.pop();
    }

    fn innermost(&self) -> Option<(usize, RegionKind)> {
        let &index = self.context.last()?;
        Some((index, self.regions.get(index)?.kind))
    }

    fn innermost_name(&self) -> Option<&str> {
        let &index = self.context.last()?;
        self.regions.get(index).map(|region| region.name.as_str())
    }
}

/// The region that each line belongs to: its index plus one, or 0 for none.
struct Owners(Vec<u32>);

impl Owners {
    fn new(last_line: i32) -> Self {
        Self(vec![0; last_line as usize + 1])
    }

    fn paint(&mut self, lines: RangeInclusive<i32>, region: usize) {
        if let Some(lines) = self.0.get_mut(*lines.start() as usize..=*lines.end() as usize) {
            lines.fill(region as u32 + 1);
        }
    }

    /// Gives each line to its region. Adjacent lines form a range.
    fn assign_lines(self, regions: &mut [Region]) {
        let mut next = 0;
        for neighbours in self.0.chunk_by(|a, b| a == b) {
            let first = next;
            next += neighbours.len() as i32;
            let owner = neighbours.first().and_then(|&number| (number as usize).checked_sub(1));
            if let Some(region) = owner.and_then(|owner| regions.get_mut(owner)) {
                region.lines.push(first..=next - 1);
            }
        }
    }
}
