//! The changed lines of a file, compared with what ran.

use super::FileChange;
use crate::LineArc;
use crate::python::Facts;
use crate::results::{Analysis, Numbers};

/// What became of a changed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LineState {
    /// The line is part of a statement that ran.
    Covered,
    /// The line is part of a statement that ran, but not all of its branches were taken.
    Partial,
    /// The line is part of a statement that did not run.
    Missing,
    /// The line is excluded, so nobody expects it to run.
    Excluded,
    /// The line is blank, a comment, a docstring, or code that Python does not run as a statement, such as `else:`.
    NoCode,
}

/// The statements and branches of a file that a change touched, compared with what ran.
///
/// A changed line belongs to the statement that contains it: a change of a continuation line or of the second
/// line of a condition changes that statement. So does a line that is removed from the middle of a statement.
/// A branch counts if the statement that it starts from, or the one that it leads to, was changed.
///
/// # Examples
///
/// ```
/// use pulpcov_core::changes::{Diff, FilePatch, LineState};
/// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
/// use pulpcov_core::results::Analysis;
///
/// let diff = Diff::parse(b"\
/// --- a/calc.py
/// +++ b/calc.py
/// @@ -1,3 +1,5 @@
///  def half(n):
///      return n / (
/// -        3)
/// +        2)
/// +def twice(n):
/// +    return n * 2
/// ")?;
/// let source = b"def half(n):\n    return n / (\n        2)\ndef twice(n):\n    return n * 2\n";
/// let facts = PythonSource::decode(source)?.analyze(&AnalyzeOptions::new()?)?;
/// let analysis = Analysis::of_lines(&facts, [1, 2, 4]);
///
/// let patch = FilePatch::new(&diff.files()[0], &facts, &analysis);
/// assert_eq!(patch.statements(), [2, 4, 5]);
/// let states = [(3, LineState::Covered), (4, LineState::Covered), (5, LineState::Missing)];
/// assert_eq!(patch.lines(), states);
/// assert_eq!(patch.numbers().ratio_covered(), (2, 3));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    pub(super) lines: Vec<(i32, LineState)>,
    pub(super) statements: Vec<i32>,
    pub(super) missing: Vec<i32>,
    pub(super) missing_branches: Vec<LineArc>,
    pub(super) numbers: Numbers,
}

impl FilePatch {
    /// Compares the changes of a file with what ran. `facts` and `analysis` are those of the new version.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::{Diff, FilePatch};
    /// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// use pulpcov_core::results::Analysis;
    ///
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1 +1,2 @@\n a = 1\n+b = 2\n")?;
    /// let facts = PythonSource::decode(b"a = 1\nb = 2\n")?.analyze(&AnalyzeOptions::new()?)?;
    /// let analysis = Analysis::of_lines(&facts, [2]);
    /// // Line 1 did not run either, but it did not change.
    /// let patch = FilePatch::new(&diff.files()[0], &facts, &analysis);
    /// assert_eq!(patch.numbers().ratio_covered(), (1, 1));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new(change: &FileChange, facts: &Facts, analysis: &Analysis) -> Self {
        let statements = changed_statements(change, facts, analysis.statements());
        Self::of_statements(statements, change.added_lines(), facts, analysis)
    }

    /// Compares a whole file with what ran, as if all of it had changed. The [lines](Self::lines) are those with
    /// statements or exclusions.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::{FilePatch, LineState};
    /// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// use pulpcov_core::results::Analysis;
    ///
    /// let facts = PythonSource::decode(b"a = 1\n# b\nc = f(\n    2)\n")?.analyze(&AnalyzeOptions::new()?)?;
    /// let whole = FilePatch::whole(&facts, &Analysis::of_lines(&facts, [1]));
    /// let states = [(1, LineState::Covered), (3, LineState::Missing), (4, LineState::Missing)];
    /// assert_eq!(whole.lines(), states);
    /// assert_eq!(whole.numbers().ratio_covered(), (1, 2));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn whole(facts: &Facts, analysis: &Analysis) -> Self {
        let mut lines: Vec<i32> = facts.multiline().map(|(line, _)| line).collect();
        lines.extend(analysis.statements().iter().chain(analysis.excluded()));
        lines.sort_unstable();
        lines.dedup();
        Self::of_statements(analysis.statements().to_vec(), lines, facts, analysis)
    }

    /// Compares statements and lines with what ran.
    fn of_statements(
        statements: Vec<i32>,
        lines: impl IntoIterator<Item = i32>,
        facts: &Facts,
        analysis: &Analysis,
    ) -> Self {
        let is_changed = |line: i32| statements.binary_search(&line).is_ok();
        let counts = |&(from, to): &LineArc| is_changed(from) || is_changed(to);
        let missing: Vec<i32> =
            analysis.missing().iter().copied().filter(|&line| is_changed(line)).collect();
        let missing_branches: Vec<LineArc> =
            analysis.missing_branch_arcs().iter().copied().filter(counts).collect();
        let taken = analysis.executed_branch_arcs().iter().filter(|arc| counts(arc)).count();

        // Branches that another tool counted lead nowhere that is known.
        let counted = analysis.counted_branches().iter().filter(|(line, _)| is_changed(**line));
        let counted: Vec<(i32, usize, usize)> =
            counted.map(|(line, (all, taken))| (*line, *all, all.saturating_sub(*taken))).collect();
        let mut partial: Vec<i32> = missing_branches.iter().map(|&(from, _)| from).collect();
        partial.extend(counted.iter().filter(|counted| counted.2 > 0).map(|counted| counted.0));
        partial.sort_unstable();
        let state = |line: i32| {
            let statement = facts.first_line(line);
            let excluded = |line| analysis.excluded().binary_search(&line).is_ok();
            if missing.binary_search(&statement).is_ok() {
                LineState::Missing
            } else if partial.binary_search(&statement).is_ok() {
                LineState::Partial
            } else if is_changed(statement) {
                LineState::Covered
            } else if excluded(statement) || excluded(line) {
                LineState::Excluded
            } else {
                LineState::NoCode
            }
        };
        let lines: Vec<_> = lines.into_iter().map(|line| (line, state(line))).collect();
        let ran = |from: i32| analysis.missing().binary_search(&from).is_err();
        let untaken = |of: &dyn Fn(i32) -> bool| -> usize {
            let counted = counted.iter().filter(|counted| of(counted.0));
            missing_branches.iter().filter(|arc| of(arc.0)).count()
                + counted.map(|counted| counted.2).sum::<usize>()
        };
        let numbers = Numbers {
            files: 1,
            statements: statements.len(),
            excluded: lines.iter().filter(|(_, state)| *state == LineState::Excluded).count(),
            missing: missing.len(),
            branches: missing_branches.len()
                + taken
                + counted.iter().map(|counted| counted.1).sum::<usize>(),
            partial_branches: untaken(&ran),
            missing_branches: untaken(&|_| true),
        };
        Self { lines, statements, missing, missing_branches, numbers }
    }

    /// Returns the added lines of the new version with what became of them, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::changes::{Diff, FilePatch};
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// # use pulpcov_core::results::Analysis;
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1 +1,3 @@\n a = 1\n+b = 2\n+# c\n")?;
    /// let facts = PythonSource::decode(b"a = 1\nb = 2\n# c\n")?.analyze(&AnalyzeOptions::new()?)?;
    /// let analysis = Analysis::of_lines(&facts, [1]);
    /// let patch = FilePatch::new(&diff.files()[0], &facts, &analysis);
    /// # use pulpcov_core::changes::LineState;
    /// assert_eq!(patch.lines(), [(2, LineState::Missing), (3, LineState::NoCode)]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn lines(&self) -> &[(i32, LineState)] {
        &self.lines
    }

    /// Returns the first lines of the changed statements, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::changes::{Diff, FilePatch};
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// # use pulpcov_core::results::Analysis;
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n a = f(\n-    1,\n+    2,\n )\n")?;
    /// let facts = PythonSource::decode(b"a = f(\n    2,\n)\n")?.analyze(&AnalyzeOptions::new()?)?;
    /// let analysis = Analysis::of_lines(&facts, [1]);
    /// // The changed line 2 is part of the statement on line 1.
    /// assert_eq!(FilePatch::new(&diff.files()[0], &facts, &analysis).statements(), [1]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn statements(&self) -> &[i32] {
        &self.statements
    }

    /// Returns the first lines of the changed statements that did not run, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::changes::{Diff, FilePatch};
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// # use pulpcov_core::results::Analysis;
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1 +1,3 @@\n a = 1\n+b = 2\n+# c\n")?;
    /// let facts = PythonSource::decode(b"a = 1\nb = 2\n# c\n")?.analyze(&AnalyzeOptions::new()?)?;
    /// let analysis = Analysis::of_lines(&facts, [1]);
    /// let patch = FilePatch::new(&diff.files()[0], &facts, &analysis);
    /// assert_eq!(patch.missing(), [2]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn missing(&self) -> &[i32] {
        &self.missing
    }

    /// Returns the branches that count and were not taken, in order. A branch that counts because of the
    /// statement that it leads to may start from a statement that did not change.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::changes::{Diff, FilePatch};
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// # use pulpcov_core::results::Analysis;
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n-if f():\n+if g():\n     a = 1\n b = 2\n")?;
    /// let source = PythonSource::decode(b"if g():\n    a = 1\nb = 2\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// let analysis = Analysis::of_arcs(&facts, [1, 2, 3], [(-1, 1), (1, 2), (2, 3), (3, -1)]);
    /// let patch = FilePatch::new(&diff.files()[0], &facts, &analysis);
    /// assert_eq!(patch.missing_branches(), [(1, 3)]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn missing_branches(&self) -> &[LineArc] {
        &self.missing_branches
    }

    /// Returns the counts of changed statements and branches. `excluded` counts changed lines.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::changes::{Diff, FilePatch};
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// # use pulpcov_core::results::Analysis;
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -1 +1,3 @@\n a = 1\n+b = 2\n+# c\n")?;
    /// let facts = PythonSource::decode(b"a = 1\nb = 2\n# c\n")?.analyze(&AnalyzeOptions::new()?)?;
    /// let analysis = Analysis::of_lines(&facts, [1]);
    /// let patch = FilePatch::new(&diff.files()[0], &facts, &analysis);
    /// assert_eq!((patch.numbers().statements, patch.numbers().missing), (1, 1));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }
}

/// Returns the first lines of the statements that the change touched, in order.
fn changed_statements(change: &FileChange, facts: &Facts, statements: &[i32]) -> Vec<i32> {
    let mut changed: Vec<i32> = change
        .added_lines()
        .chain(change.edits().iter().filter_map(|edit| {
            // Lines between two lines of one statement were removed, and none was put in their place.
            let after = edit.new.start;
            let is_within = edit.new.is_empty()
                && !edit.old.is_empty()
                && after > 1
                && facts.first_line(after) < after
                && facts.first_line(after) == facts.first_line(after - 1);
            is_within.then_some(after)
        }))
        .map(|line| facts.first_line(line))
        .filter(|line| statements.binary_search(line).is_ok())
        .collect();
    changed.sort_unstable();
    changed.dedup();
    changed
}

/// Returns the lines that ran but are no statements of this source.
///
/// Data that was measured on this source has no such lines. If there are any, the source changed afterwards, and
/// nothing can be said of single lines. A change that leaves each statement on its line is not noticed.
///
/// # Examples
///
/// ```
/// use pulpcov_core::changes::lines_of_another_version;
/// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
///
/// let facts = PythonSource::decode(b"x = 1\n\ny = 2\n")?.analyze(&AnalyzeOptions::new()?)?;
/// assert!(lines_of_another_version(&facts, [1, 3]).is_empty());
/// assert_eq!(lines_of_another_version(&facts, [1, 2, 4]), [2, 4]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn lines_of_another_version(facts: &Facts, ran: impl IntoIterator<Item = i32>) -> Vec<i32> {
    let is_code = |line: i32| {
        let first = facts.first_line(line);
        [facts.statements(), facts.excluded(), facts.docstrings()]
            .iter()
            .any(|lines| lines.binary_search(&first).is_ok())
    };
    // coverage.py records line 0 of an empty module.
    ran.into_iter().filter(|&line| line > 0 && !is_code(line)).collect()
}
