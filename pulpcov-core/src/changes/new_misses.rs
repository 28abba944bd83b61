//! What ran before a change, and does not run any more.

use super::FileChange;
use super::patch::{FilePatch, LineState};
use crate::python::Facts;
use crate::results::{Analysis, Numbers};
use crate::{ArcSet, LineArc, Numbits};

/// What ran of the old version of a file, as its data has it.
///
/// See [`FilePatch::of_new_misses`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RanBefore {
    /// The lines.
    pub lines: Numbits,
    /// The arcs, if branches were measured.
    pub arcs: ArcSet,
}

impl RanBefore {
    /// Returns the statements of the new version that ran before, and the arcs between them that were taken.
    fn in_new_version(&self, change: &FileChange, facts: &Facts) -> (Vec<i32>, Vec<LineArc>) {
        let line = |old: i32| change.new_line(old);
        // The end of an arc may be an exit, which is negative.
        let end = |old: i32| if old < 0 { line(-old).map(|new| -new) } else { line(old) };
        let is_statement = |line: &i32| facts.statements().binary_search(line).is_ok();
        let statements = facts.translate_lines(self.lines.iter().filter_map(line));
        let arcs = self.arcs.iter().filter_map(|(from, to)| Some((end(from)?, end(to)?)));
        let statements = statements.into_iter().filter(is_statement).collect();
        (statements, facts.translate_arcs(arcs))
    }
}

impl FilePatch {
    /// Compares what ran of the old version of a file with what ran of the new one. Only what ran before counts: its
    /// statements and branches are those of the result, and what is missing of them is missing now.
    ///
    /// `change` says which line of the old version is which line of the new one.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::changes::{Diff, FilePatch, RanBefore};
    /// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// use pulpcov_core::results::Analysis;
    /// use pulpcov_core::{ArcSet, Numbits};
    ///
    /// // A line was inserted at the top. Lines 1 and 2 ran before, which are 2 and 3 now.
    /// let diff = Diff::parse(b"--- a/x.py\n+++ b/x.py\n@@ -0,0 +1 @@\n+a = 1\n")?;
    /// let before = RanBefore { lines: Numbits::from_iter([1, 2]), arcs: ArcSet::new() };
    /// let facts = PythonSource::decode(b"a = 1\nb = 2\nc = 3\n")?.analyze(&AnalyzeOptions::new()?)?;
    /// let analysis = Analysis::of_lines(&facts, [2]);
    /// let patch = FilePatch::of_new_misses(&before, &diff.files()[0], &facts, &analysis);
    /// assert_eq!((patch.statements(), patch.missing()), (&[2, 3][..], &[3][..]));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn of_new_misses(
        before: &RanBefore,
        change: &FileChange,
        facts: &Facts,
        analysis: &Analysis,
    ) -> Self {
        let (statements, arcs) = before.in_new_version(change, facts);
        let is_missing = |line: i32| analysis.missing().binary_search(&line).is_ok();
        let was_taken = |arc: &&LineArc| arcs.binary_search(arc).is_ok();
        let missing: Vec<i32> =
            statements.iter().copied().filter(|line| is_missing(*line)).collect();
        let missing_branches: Vec<LineArc> =
            analysis.missing_branch_arcs().iter().filter(was_taken).copied().collect();
        let still_taken = analysis.executed_branch_arcs().iter().filter(was_taken).count();

        let partial =
            missing_branches.iter().map(|&(from, _)| from).filter(|&from| !is_missing(from));
        let mut partial: Vec<i32> = partial.collect();
        let partial_branches = partial.len();
        partial.dedup();
        let states = missing.iter().map(|&line| (line, LineState::Missing));
        let mut lines: Vec<_> =
            states.chain(partial.iter().map(|&line| (line, LineState::Partial))).collect();
        lines.sort_unstable_by_key(|(line, _)| *line);
        let numbers = Numbers {
            files: 1,
            statements: statements.len(),
            excluded: 0,
            missing: missing.len(),
            branches: missing_branches.len() + still_taken,
            partial_branches,
            missing_branches: missing_branches.len(),
        };
        Self { lines, statements, missing, missing_branches, numbers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::Diff;
    use crate::python::{AnalyzeOptions, PythonSource};

    const NEW: &str = "import a\n\n\ndef f(x, y):\n    if x:\n        return 1\n    return 2\n";

    #[test]
    fn branches_that_were_taken_before_count() {
        let diff =
            b"--- a/x.py\n+++ b/x.py\n@@ -1 +1,4 @@\n-def f(x):\n+import a\n+\n+\n+def f(x, y):\n";
        let diff = Diff::parse(diff).unwrap();
        let arcs = [(-1, 1), (1, -1), (-1, 2), (2, 3), (3, -1), (2, 4), (4, -1)];
        let before =
            RanBefore { lines: Numbits::from_iter([1, 2, 3, 4]), arcs: ArcSet::from_iter(arcs) };
        let options = AnalyzeOptions::new().unwrap();
        let facts = PythonSource::decode(NEW.as_bytes()).unwrap().analyze(&options).unwrap();
        let now = [(-1, 1), (1, 4), (4, -1), (-4, 5), (5, 6), (6, -4)];
        let analysis = Analysis::of_arcs(&facts, [1, 4, 5, 6], now);
        let patch = FilePatch::of_new_misses(&before, &diff.files()[0], &facts, &analysis);
        // The line of `def` changed, so what ran of it is not known to be the same.
        assert_eq!(patch.statements(), [5, 6, 7]);
        assert_eq!(patch.missing(), [7]);
        assert_eq!(patch.missing_branches(), [(5, 7)]);
        assert_eq!((patch.numbers().branches, patch.numbers().missing_branches), (2, 1));
        assert_eq!(patch.lines(), [(5, LineState::Partial), (7, LineState::Missing)]);
    }
}
