//! Analyzes a source file, and holds everything that reports ask about it.

use std::any::TypeId;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use memchr::memchr3;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::PythonVersion;
use super::arcs::Arcs;
use super::bytecode_lines::bytecode_lines;
use super::check::check;
use super::deferred_annotations::{DeferredLines, deferred_lines};
use super::line_patterns::LinePatterns;
use super::line_set::LineSet;
use super::multiline::MultilineMap;
use super::regions::{Region, regions};
use super::stored::{self, Stored};
use super::syntax::Syntax;
use super::{decode, exclude};
use crate::Result;
use crate::pyre::{DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS};

/// How to analyze a source file: what is excluded, which branches may be partial, and which version
/// of Python ran it.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::{AnalyzeOptions, PythonVersion};
///
/// let options = AnalyzeOptions::new()?.version(PythonVersion::Py312);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AnalyzeOptions {
    exclude: LinePatterns,
    partial: LinePatterns,
    version: PythonVersion,
    branches: bool,
    with_reasons: bool,
    deferred: bool,
}

impl AnalyzeOptions {
    /// Returns coverage.py's defaults, for Python 3.11.
    ///
    /// # Errors
    ///
    /// Returns no error in practice, because the default patterns compile.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    ///
    /// let source = PythonSource::decode(b"x = 1\ny = 2  # pragma: no cover\n")?;
    /// assert_eq!(source.analyze(&AnalyzeOptions::new()?)?.excluded(), [2]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new() -> Result<Self> {
        Self::with_patterns(None, None)
    }

    /// Returns the defaults, but with these patterns. `None` stands for coverage.py's patterns,
    /// which take a while to compile.
    pub(crate) fn with_patterns(
        exclude: Option<LinePatterns>,
        partial: Option<LinePatterns>,
    ) -> Result<Self> {
        let default_partial = || {
            let patterns = DEFAULT_PARTIAL.into_iter().chain(DEFAULT_PARTIAL_ALWAYS);
            LinePatterns::new(&patterns.collect::<Vec<_>>())
        };
        Ok(Self {
            exclude: exclude.map_or_else(|| LinePatterns::new(&DEFAULT_EXCLUDE), Ok)?,
            partial: partial.map_or_else(default_partial, Ok)?,
            version: PythonVersion::Py311,
            branches: true,
            with_reasons: true,
            deferred: false,
        })
    }

    /// Sets the patterns of lines to exclude: `exclude_lines` and `exclude_also` of the
    /// configuration.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::{AnalyzeOptions, LinePatterns, PythonSource};
    ///
    /// let source = PythonSource::decode(b"if DEBUG:\n    print(1)\nx = 2\n")?;
    /// let options = AnalyzeOptions::new()?.exclude(LinePatterns::new(&["if DEBUG:"])?);
    /// let facts = source.analyze(&options)?;
    /// assert_eq!(facts.excluded(), [1, 2]);
    /// assert_eq!(facts.statements(), [3]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn exclude(mut self, patterns: LinePatterns) -> Self {
        self.exclude = patterns;
        self
    }

    /// Sets the patterns of lines whose branches may be partial: `partial_branches`, `partial_also`
    /// and `partial_branches_always` of the configuration.
    ///
    /// An empty list matches every line here, as in coverage.py.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::{AnalyzeOptions, LinePatterns, PythonSource};
    ///
    /// let source = PythonSource::decode(b"for x in names():\n    print(x)\n")?;
    /// let options = AnalyzeOptions::new()?.partial(LinePatterns::new(&["for .* in names"])?);
    /// assert_eq!(source.analyze(&options)?.no_branch(), [1]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn partial(mut self, patterns: LinePatterns) -> Self {
        self.partial = patterns;
        self
    }

    /// Sets the version of Python that ran the code.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::{AnalyzeOptions, PythonSource, PythonVersion};
    ///
    /// let source = PythonSource::decode(b"type Name = str\n")?;
    /// let options = AnalyzeOptions::new()?.version(PythonVersion::Py311);
    /// assert!(source.analyze(&options).is_err());
    /// assert!(source.analyze(&options.version(PythonVersion::Py312)).is_ok());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn version(mut self, version: PythonVersion) -> Self {
        self.version = version;
        self
    }

    /// Sets whether to find arcs. The default is true. Reports of line data do not need arcs.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    ///
    /// let source = PythonSource::decode(b"x = 1\n")?;
    /// let options = AnalyzeOptions::new()?;
    /// assert_eq!(source.analyze(&options)?.arcs(), [(1, -1)]);
    /// assert!(source.analyze(&options.branches(false))?.arcs().is_empty());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn branches(mut self, wanted: bool) -> Self {
        self.branches = wanted;
        self
    }

    /// Sets whether to find functions, classes, and the reasons why arcs are not taken. The default
    /// is true.
    #[must_use]
    pub(crate) fn with_reasons(mut self, wanted: bool) -> Self {
        self.with_reasons = wanted;
        self
    }

    /// Sets whether to find the annotations that Python 3.14 defers. The default is false.
    #[must_use]
    pub(crate) fn deferred(mut self, wanted: bool) -> Self {
        self.deferred = wanted;
        self
    }

    /// Returns a text that changes with everything that facts depend on, except the source: these
    /// options, the code of this crate, its dependencies and the compiler.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{} {:016x} {self:?}", env!("PULPCOV_SOURCES"), dependencies())
    }
}

/// Returns a number that changes with the version of the compiler and of any dependency.
///
/// Cargo passes a hash of the crate's dependencies to the compiler. The compiler makes the ids of
/// types from that hash and from its own version. A build script cannot read the versions, because
/// only the program that uses this crate has a lock file.
fn dependencies() -> u64 {
    let mut hasher = DefaultHasher::new();
    TypeId::of::<Facts>().hash(&mut hasher);
    hasher.finish()
}

/// The text of a Python source file.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
///
/// let source = PythonSource::decode(b"def f(x):\n    '''Doc.'''\n    if x:\n        return 1\n")?;
/// let facts = source.analyze(&AnalyzeOptions::new()?)?;
/// assert_eq!(facts.statements(), [1, 3, 4]);
/// assert_eq!(facts.arcs(), [(1, -1), (3, -1), (3, 4), (4, -1)]);
/// assert_eq!(
///     facts.missing_arc_description(3, 4),
///     "line 3 didn't jump to line 4 because the condition on line 3 was never true",
/// );
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PythonSource {
    text: String,
}

impl PythonSource {
    /// Decodes the bytes of a file as Python does, by byte order mark or PEP 263 cookie.
    ///
    /// A `Vec` of UTF-8 becomes the text without a copy if nothing in it has to change.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::NotPython`](crate::ErrorKind::NotPython) if Python refuses the encoding
    /// that the file declares, or cannot decode the file with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::python::PythonSource;
    ///
    /// let source = PythonSource::decode(b"# coding: latin-1\nname = 'Ren\xe9'\n")?;
    /// assert!(source.text().ends_with("name = 'René'\n"));
    ///
    /// let err = PythonSource::decode(b"name = 'Ren\xe9'\n").unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::NotPython);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn decode<'a>(bytes: impl Into<Cow<'a, [u8]>>) -> Result<Self> {
        Ok(Self { text: decode::decode(bytes.into())? })
    }

    /// Returns the text of a file with its line endings and form feeds, which Python's text does not have.
    #[cfg(feature = "html")]
    pub(crate) fn as_written(bytes: &[u8]) -> Result<String> {
        Ok(decode::as_written(bytes)?)
    }

    /// Returns the text of a file that is not Python. Bytes that are not UTF-8 are replaced.
    pub(crate) fn plain(bytes: &[u8]) -> Self {
        Self { text: String::from_utf8_lossy(bytes).into_owned() }
    }

    /// Returns the text. In decoded Python source, each line ends in `\n`, including the last.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::PythonSource;
    ///
    /// assert_eq!(PythonSource::decode(b"x = 1\r\ny = 2")?.text(), "x = 1\ny = 2\n");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn text(&self) -> &str {
        &self.text
    }

    #[cfg(feature = "html")]
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Finds the facts about this source.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::NotPython`](crate::ErrorKind::NotPython), with the line, if Python
    /// refuses the text, and [`ErrorKind::Pattern`](crate::ErrorKind::Pattern) if a pattern takes
    /// too long to match.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    ///
    /// let options = AnalyzeOptions::new()?;
    /// let facts = PythonSource::decode(b"x = 1\n\ny = 2\n")?.analyze(&options)?;
    /// assert_eq!(facts.statements(), [1, 3]);
    ///
    /// let err = PythonSource::decode(b"x = 1\nreturn\n")?.analyze(&options).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::NotPython);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn analyze(&self, options: &AnalyzeOptions) -> Result<Facts> {
        Syntax::parse(&self.text, options.version)?.walk_with_stack(|syntax| {
            check(syntax, options.version)?;
            Facts::new(syntax, options)
        })
    }

    /// Returns the lines that matches of the patterns touch, sorted.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Pattern`](crate::ErrorKind::Pattern) if a pattern takes too long to
    /// match.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::python::{LinePatterns, PythonSource};
    ///
    /// let source = PythonSource::decode(b"x = 1  # TODO\ny = 2\nz = 3  # TODO\n")?;
    /// assert_eq!(source.matching_lines(&LinePatterns::new(&["# TODO$"])?)?, [1, 3]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn matching_lines(&self, patterns: &LinePatterns) -> Result<Vec<i32>> {
        let last_line = i32::try_from(self.text.matches('\n').count()).unwrap_or(i32::MAX - 1) + 1;
        Ok(patterns.lines(&self.text, last_line, &MultilineMap::default())?.to_vec())
    }
}

/// The facts that coverage.py finds in a source file.
///
/// Lines count from 1, and lists are sorted. A negative line at the end of an arc is an exit: `-3`
/// is the exit of the function, class or module that starts on line 3.
#[derive(Debug, Clone)]
pub struct Facts(Found);

/// What [`Facts`] hold. The cache stores this form, which the public type does not promise.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Found {
    last_line: i32,
    last_line_outside_regions: i32,
    statements: Vec<i32>,
    excluded: Vec<i32>,
    docstrings: Vec<i32>,
    no_branch: Vec<i32>,
    multiline: MultilineMap,
    arcs: Option<Arcs>,
    exit_counts: Vec<(i32, usize)>,
    #[serde(with = "stored::list")]
    regions: Vec<Region>,
    deferred: DeferredLines,
}

impl Stored for Facts {
    fn store<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }

    fn load<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Found::deserialize(deserializer).map(Self)
    }
}

impl Facts {
    fn new(syntax: &Syntax, options: &AnalyzeOptions) -> Result<Self> {
        let last_line = syntax.line_count();
        let multiline = MultilineMap::new(syntax);
        let with_code = lines_with_code(syntax, options.version);
        let matching = options.exclude.lines(syntax.text(), last_line, &MultilineMap::default())?;
        let excluded = exclude::excluded_lines(syntax, &multiline, matching, &with_code);
        let docstrings = exclude::docstring_lines(syntax);
        let first_lines = with_code.iter().map(|line| multiline.first_line(line));
        let first_lines = LineSet::of(last_line, first_lines);
        let mut statements = first_lines.clone();
        let left_out = [&excluded.lines, &excluded.without_code, &docstrings];
        left_out.iter().for_each(|lines| statements.remove_all(lines));
        let deferred = match options.deferred {
            true => deferred_lines(syntax, &multiline, &left_out),
            false => DeferredLines::default(),
        };

        let (mut arcs, mut no_branch, mut exit_counts) = (None, Vec::new(), Vec::new());
        if options.branches {
            let found = Arcs::new(syntax, &multiline, &first_lines, options.with_reasons);
            exit_counts = count_exits(found.possible(), &excluded.lines);
            no_branch =
                options.partial.partial_lines(syntax.text(), last_line, &multiline)?.to_vec();
            arcs = Some(found);
        }
        Ok(Self(Found {
            last_line,
            last_line_outside_regions: last_line_outside_regions(syntax.text(), last_line),
            statements: statements.to_vec(),
            excluded: excluded.lines.to_vec(),
            docstrings: docstrings.to_vec(),
            no_branch,
            multiline,
            arcs,
            exit_counts,
            regions: if options.with_reasons { regions(syntax) } else { Vec::new() },
            deferred,
        }))
    }

    /// Returns facts about a file of which only the lines that ran are known.
    pub(crate) fn of_measured_lines(lines: impl IntoIterator<Item = i32>) -> Self {
        Self::of_statements(lines, [])
    }

    /// Returns facts about a file whose statements and excluded lines come from a plugin, not from
    /// Python's grammar.
    pub(crate) fn of_statements(
        statements: impl IntoIterator<Item = i32>,
        excluded: impl IntoIterator<Item = i32>,
    ) -> Self {
        let (statements, excluded) = (sorted_lines(statements), sorted_lines(excluded));
        let last_line = statements.last().copied().unwrap_or_default().saturating_add(1);
        Self(Found {
            last_line,
            last_line_outside_regions: last_line,
            statements,
            excluded,
            docstrings: Vec::new(),
            no_branch: Vec::new(),
            multiline: MultilineMap::default(),
            arcs: None,
            exit_counts: Vec::new(),
            regions: Vec::new(),
            deferred: DeferredLines::default(),
        })
    }

    /// Returns the number of lines. An empty line after the last newline counts.
    pub(crate) fn last_line(&self) -> i32 {
        self.0.last_line
    }

    /// Returns the last line that can be outside all regions.
    pub(crate) fn last_line_outside_regions(&self) -> i32 {
        self.0.last_line_outside_regions
    }

    /// Returns the first lines of the statements that have code and are not excluded. Docstrings
    /// are not statements.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"'''Doc.'''\nx = [\n    1,\n]\n")?;
    /// assert_eq!(source.analyze(&AnalyzeOptions::new()?)?.statements(), [2]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn statements(&self) -> &[i32] {
        &self.0.statements
    }

    /// Returns the excluded lines. All lines of an excluded definition are among them, even those
    /// without code.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"def f():  # pragma: no cover\n    # Why.\n    return 1\n")?;
    /// assert_eq!(source.analyze(&AnalyzeOptions::new()?)?.excluded(), [1, 2, 3]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn excluded(&self) -> &[i32] {
        &self.0.excluded
    }

    /// Returns the lines of docstrings.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"def f():\n    '''Two\n    lines.'''\n")?;
    /// assert_eq!(source.analyze(&AnalyzeOptions::new()?)?.docstrings(), [2, 3]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn docstrings(&self) -> &[i32] {
        &self.0.docstrings
    }

    /// Returns the lines whose branches may be partial.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"while True:\n    f()\nif g():  # pragma: no branch\n    f()\n")?;
    /// assert_eq!(source.analyze(&AnalyzeOptions::new()?)?.no_branch(), [1, 3]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn no_branch(&self) -> &[i32] {
        &self.0.no_branch
    }

    /// Returns each line of a statement that has several lines, with the first line of the
    /// statement.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"x = 1\ny = [\n    2,\n]\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(facts.multiline().collect::<Vec<_>>(), [(2, 2), (3, 2), (4, 2)]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn multiline(&self) -> impl Iterator<Item = (i32, i32)> + '_ {
        self.0.multiline.iter()
    }

    /// Returns the first line of the statement that contains `line`. An exit is negative, and stays
    /// negative.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"x = 1\ny = [\n    2,\n]\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(facts.first_line(3), 2);
    /// assert_eq!(facts.first_line(1), 1);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn first_line(&self, line: i32) -> i32 {
        self.0.multiline.first_line(line)
    }

    /// Returns the possible arcs. There are none if the [options](AnalyzeOptions::branches) left
    /// them out.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"if f():\n    g()\nh()\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(facts.arcs(), [(1, 2), (1, 3), (2, 3), (3, -1)]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn arcs(&self) -> &[(i32, i32)] {
        self.0.arcs.as_ref().map(Arcs::possible).unwrap_or_default()
    }

    /// Returns the lines that more than one arc leaves, with the number of these arcs. Excluded
    /// lines, and arcs to them, do not count.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"if f():\n    g()\nh()\n")?;
    /// assert_eq!(source.analyze(&AnalyzeOptions::new()?)?.exit_counts(), [(1, 2)]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn exit_counts(&self) -> &[(i32, usize)] {
        &self.0.exit_counts
    }

    /// Returns the annotations that Python 3.14 defers, if the options ask for them.
    pub(crate) fn deferred(&self) -> &DeferredLines {
        &self.0.deferred
    }

    /// Returns the functions and classes, outer before inner.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"class Cart:\n    def total(self):\n        return 1\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// let names: Vec<_> = facts.regions().iter().map(|region| region.name()).collect();
    /// assert_eq!(names, ["Cart", "Cart.total"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn regions(&self) -> &[Region] {
        &self.0.regions
    }

    /// Maps recorded lines to the first lines of their statements. The result is sorted.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"x = 1\ny = [\n    2,\n]\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(facts.translate_lines([3, 1, 2]), [1, 2]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn translate_lines(&self, lines: impl IntoIterator<Item = i32>) -> Vec<i32> {
        let mut lines: Vec<i32> = lines.into_iter().map(|line| self.first_line(line)).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// Maps recorded arcs to the form of [`arcs`](Self::arcs): between first lines, and from the
    /// end of a `with` to the statement after it. The result is sorted.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"x = 1\ny = [\n    2,\n]\nz = 3\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(facts.translate_arcs([(3, 5), (1, 3)]), [(1, 2), (2, 5)]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn translate_arcs(&self, arcs: impl IntoIterator<Item = (i32, i32)>) -> Vec<(i32, i32)> {
        match &self.0.arcs {
            Some(found) => found.translate(arcs, &self.0.multiline),
            None => Vec::new(),
        }
    }

    /// Returns why an arc was not taken, in English: `line 1 didn't jump to line 2 because ...`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"if f():\n    g()\nh()\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(
    ///     facts.missing_arc_description(1, 3),
    ///     "line 1 didn't jump to line 3 because the condition on line 1 was always true",
    /// );
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn missing_arc_description(&self, from: i32, to: i32) -> String {
        self.0.arcs.as_ref().map(|arcs| arcs.missing_description((from, to))).unwrap_or_default()
    }

    /// Returns what an arc does, in English: `jump to line 2`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// let source = PythonSource::decode(b"def f():\n    return 1\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// assert_eq!(facts.arc_description(2, -1), "return from function 'f'");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn arc_description(&self, from: i32, to: i32) -> String {
        self.0.arcs.as_ref().map(|arcs| arcs.description((from, to))).unwrap_or_default()
    }
}

fn lines_with_code(syntax: &Syntax, version: PythonVersion) -> LineSet {
    // coverage.py does not compile a file without tokens. If it did, line 1 would have code.
    if syntax.body().is_empty() {
        return LineSet::new(syntax.line_count());
    }
    bytecode_lines(syntax, version)
}

/// Returns the lines that more than one arc leaves, with the number of these arcs. `arcs` are
/// sorted.
fn count_exits(arcs: &[(i32, i32)], excluded: &LineSet) -> Vec<(i32, usize)> {
    let counted = |(from, to): &(i32, i32)| !excluded.contains(*from) && !excluded.contains(*to);
    arcs.chunk_by(|a, b| a.0 == b.0)
        .filter_map(|exits| {
            Some((exits.first()?.0, exits.iter().filter(|arc| counted(arc)).count()))
        })
        .filter(|&(_, exits)| exits > 1)
        .collect()
}

/// Returns the last line that can be outside all regions.
///
/// coverage.py counts lines with `str.splitlines`, which does not count an empty line after the
/// last newline. But `splitlines` also splits at other characters. If a file has such a character,
/// coverage.py counts at least one more line, and the empty line is within its count.
fn last_line_outside_regions(text: &str, last_line: i32) -> i32 {
    const SEPARATORS: [char; 7] =
        ['\x0b', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}'];
    // Most sources have none of the bytes that these characters start with, and need no search.
    let bytes = text.as_bytes();
    let may_have = memchr3(0x0b, 0xc2, 0xe2, bytes).or_else(|| memchr3(0x1c, 0x1d, 0x1e, bytes));
    if may_have.is_some() && text.contains(SEPARATORS) { last_line } else { last_line - 1 }
}

/// Returns line numbers in order, without duplicates.
fn sorted_lines(numbers: impl IntoIterator<Item = i32>) -> Vec<i32> {
    let mut lines: Vec<i32> = numbers.into_iter().filter(|line| *line > 0).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_changes_with_every_option() {
        let options = AnalyzeOptions::new().unwrap();
        let fingerprint = options.fingerprint();
        assert!(fingerprint.contains(env!("PULPCOV_SOURCES")));
        assert!(fingerprint.contains(&format!("{:016x}", dependencies())));
        for other in [
            options.clone().version(PythonVersion::Py314),
            options.clone().branches(false),
            options.clone().with_reasons(false),
            options.clone().deferred(true),
            options.exclude(LinePatterns::new(&["never"]).unwrap()),
        ] {
            assert_ne!(other.fingerprint(), fingerprint);
        }
    }
}
