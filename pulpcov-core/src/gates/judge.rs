//! What a gate says of files.

use std::collections::BTreeSet;

use super::{Debt, Limits, Ratchet, Shortfall};
use crate::results::Numbers;

/// What judges a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JudgedBy {
    /// The rule of this number, counted from 0.
    Rule(usize),
    /// The floor of new files.
    NewFiles,
    /// The floor.
    Floor,
}

/// Whether a file passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The file keeps its limits.
    Passes,
    /// The file is below its floor, but no more is missing of it than is allowed.
    Allowed,
    /// Too much is missing of the file.
    Fails,
}

/// What a gate says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVerdict {
    pub(super) name: String,
    pub(super) numbers: Numbers,
    pub(super) worst: Numbers,
    pub(super) reaches_floor_at_worst: bool,
    pub(super) judged_by: JudgedBy,
    pub(super) limits: Limits,
    pub(super) missed: Vec<Shortfall>,
    /// What the ratchet has of the file.
    pub(super) recorded: Option<Debt>,
    /// What the ratchet has, if it counts for the file.
    pub(super) allowed: Option<Debt>,
    pub(super) is_new: bool,
    pub(super) outcome: Outcome,
}

impl FileVerdict {
    /// Returns the name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the counts of the file.
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// Returns what judges the file.
    pub fn judged_by(&self) -> JudgedBy {
        self.judged_by
    }

    /// Returns the limits of the file.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the limits that the file does not keep.
    pub fn missed(&self) -> &[Shortfall] {
        &self.missed
    }

    /// Returns how much may be missing though the file is below its floor.
    pub fn allowed(&self) -> Option<Debt> {
        self.allowed
    }

    /// Returns whether the file passes.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns whether the file is new.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns how many more lines and branches are missing than is allowed. `None` if nothing is allowed.
    pub fn excess(&self) -> Option<Debt> {
        let allowed = self.allowed?;
        let branches =
            allowed.branches.map(|branches| self.numbers.missing_branches.saturating_sub(branches));
        Some(Debt { lines: self.numbers.missing.saturating_sub(allowed.lines), branches })
    }

    /// Says what would make a failing file pass: one sentence for each limit, or one if an allowance was exceeded.
    pub fn remedies(&self) -> Vec<String> {
        let of_limits = self.missed.iter().map(|missed| missed.remedy());
        match self.excess() {
            None => of_limits.collect(),
            Some(excess) => {
                let floor: Vec<String> = of_limits.collect();
                vec![format!("cover or remove {excess}, or reach the floor: {}", floor.join("; "))]
            }
        }
    }

    /// Returns what becomes of the file's entry in a ratchet, if it has one.
    fn entry_change(&self, has_branches: bool) -> EntryChange {
        let Some(recorded) = self.recorded else { return EntryChange::None };
        if self.judged_by != JudgedBy::Floor || self.reaches_floor_at_worst {
            return EntryChange::Removed;
        }
        let lower = Debt::of(self.worst, has_branches).min(recorded);
        if lower == recorded { EntryChange::None } else { EntryChange::Lowered(lower) }
    }

    /// Returns whether the file may be added to a ratchet.
    fn may_be_added(&self) -> bool {
        let is_for_floor = !matches!(self.judged_by, JudgedBy::Rule(_));
        is_for_floor && self.recorded.is_none() && !self.reaches_floor_at_worst
    }
}

/// What becomes of an entry of a ratchet.
enum EntryChange {
    None,
    Lowered(Debt),
    Removed,
}

/// What a gate says of the files of a rule together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupVerdict {
    pub(super) rule: usize,
    pub(super) name: String,
    pub(super) numbers: Numbers,
    pub(super) limits: Limits,
    pub(super) missed: Vec<Shortfall>,
}

impl GroupVerdict {
    /// Returns the number of the rule, counted from 0.
    pub fn rule(&self) -> usize {
        self.rule
    }

    /// Returns the patterns of the rule.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the sum of the counts of the files.
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// Returns the limits of the files together.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the limits that the files do not keep.
    pub fn missed(&self) -> &[Shortfall] {
        &self.missed
    }
}

/// What a gate says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    pub(super) files: Vec<FileVerdict>,
    pub(super) groups: Vec<GroupVerdict>,
    pub(super) rules: Vec<String>,
    pub(super) unmeasured: Vec<String>,
    pub(super) gone: Vec<String>,
    pub(super) has_branches: bool,
}

impl Verdict {
    /// Returns what is said of each file, in the order in which they were given.
    pub fn files(&self) -> &[FileVerdict] {
        &self.files
    }

    /// Returns what is said of the files of each rule that judges them together.
    pub fn groups(&self) -> &[GroupVerdict] {
        &self.groups
    }

    /// Returns the files that the ratchet or the baseline has, and that exist but were not measured.
    pub fn unmeasured(&self) -> &[String] {
        &self.unmeasured
    }

    /// Returns the files that the ratchet or the baseline has, and that no longer exist.
    pub fn gone(&self) -> &[String] {
        &self.gone
    }

    /// Returns the patterns of a rule.
    pub fn rule_name(&self, rule: usize) -> &str {
        self.rules.get(rule).map(String::as_str).unwrap_or_default()
    }

    /// Returns the files that fail.
    pub fn failing_files(&self) -> impl Iterator<Item = &FileVerdict> {
        self.files.iter().filter(|file| file.outcome == Outcome::Fails)
    }

    /// Returns the groups that fail.
    pub fn failing_groups(&self) -> impl Iterator<Item = &GroupVerdict> {
        self.groups.iter().filter(|group| !group.missed.is_empty())
    }

    /// Returns whether everything passes.
    pub fn passes(&self) -> bool {
        self.unmeasured.is_empty()
            && self.failing_files().next().is_none()
            && self.failing_groups().next().is_none()
    }

    /// Keeps what is said of the files that the caller asks for, and of the rules that judge one of them.
    pub fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.files.retain(|file| is_wanted(&file.name));
        let rules: BTreeSet<usize> = self
            .files
            .iter()
            .filter_map(|file| match file.judged_by {
                JudgedBy::Rule(rule) => Some(rule),
                _ => None,
            })
            .collect();
        self.groups.retain(|group| rules.contains(&group.rule));
        self.unmeasured.retain(|name| is_wanted(name));
        self.gone.retain(|name| is_wanted(name));
    }

    /// Returns how many entries of the ratchet [`updated`](Self::updated) lowers or removes.
    pub fn lowers(&self) -> usize {
        let change = |file: &&FileVerdict| {
            !matches!(file.entry_change(self.has_branches), EntryChange::None)
        };
        self.files.iter().filter(change).count() + self.gone.len()
    }

    /// Returns the ratchet with the numbers of now. No number grows.
    ///
    /// Files that reach the floor, that a rule judges, or that are gone are removed. Files below the floor that the ratchet
    /// does not have are added if they are in `add`, or if there is no ratchet yet (`None`). Lines that only some runs reach
    /// count as missing, so that each run alone passes.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::gates::{Gate, GateFile, Ratchet};
    /// use pulpcov_core::results::Numbers;
    ///
    /// let numbers = |missing| Numbers { statements: 10, missing, ..Numbers::default() };
    /// let files = [GateFile::new("a.py", numbers(5)), GateFile::new("b.py", numbers(7))];
    /// let gate = Gate::new().floor("80".parse()?);
    ///
    /// let old = Ratchet::parse(b"6 - a.py\n3 - gone.py\n")?;
    /// let verdict = gate.judge(files.clone(), Some(&old), |_| false)?;
    /// assert_eq!(verdict.updated(Some(&old), &[]), Ratchet::parse(b"5 - a.py\n")?);
    /// let first = gate.judge(files, None, |_| false)?;
    /// assert_eq!(first.updated(None, &[]), Ratchet::parse(b"5 - a.py\n7 - b.py\n")?);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn updated(&self, ratchet: Option<&Ratchet>, add: &[String]) -> Ratchet {
        let mut updated = ratchet.cloned().unwrap_or_default();
        for name in &self.gone {
            updated.remove(name);
        }
        for file in &self.files {
            match file.entry_change(self.has_branches) {
                EntryChange::Lowered(debt) => updated.insert(&file.name, debt),
                EntryChange::Removed => drop(updated.remove(&file.name)),
                EntryChange::None => {}
            }
            let is_first = ratchet.is_none() && file.judged_by == JudgedBy::Floor;
            if file.may_be_added() && (is_first || add.contains(&file.name)) {
                updated.insert(&file.name, Debt::of(file.worst, self.has_branches));
            }
        }
        updated
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Gate, GateFile, Rule};
    use super::*;

    fn numbers(statements: usize, missing: usize) -> Numbers {
        Numbers { files: 1, statements, missing, ..Numbers::default() }
    }

    fn rule(paths: &[&str]) -> Rule {
        Rule::new(paths.iter().map(|path| path.parse().unwrap()))
    }

    fn limits(text: &str) -> Limits {
        text.parse().unwrap()
    }

    /// The examples of Jest's documentation, with its patterns and ours.
    #[test]
    fn what_jest_documents_is_the_same_here() {
        let files = || {
            [
                ("src/components/a.js", 10, 7),
                ("src/components/deep/b.js", 10, 6),
                ("src/reducers/x/c.js", 100, 10),
                ("src/reducers/d.js", 100, 11),
                ("src/api/very-important-module.js", 10, 1),
                ("lib/e.js", 10, 4),
                ("lib/f.js", 10, 6),
            ]
            .map(|(name, all, missing)| GateFile::new(name, numbers(all, missing)))
        };
        let gate = Gate::new()
            .rule(rule(&["**"]).together(limits("50")))
            .rule(rule(&["./src/components/"]).together(limits("40")))
            .rule(rule(&["./src/reducers/**/*.js"]).each(limits("lines=90")))
            .rule(rule(&["./src/api/very-important-module.js"]).each(limits("lines=100")));
        let verdict = gate.judge(files(), None, |_| true).unwrap();
        // The files of the folder are judged together: 7 of 20 are covered.
        // What remains is exactly half covered. The globs judge each file.
        let groups: Vec<&str> = verdict.failing_groups().map(GroupVerdict::name).collect();
        assert_eq!(groups, ["./src/components/"]);
        let failing: Vec<&str> = verdict.failing_files().map(FileVerdict::name).collect();
        assert_eq!(failing, ["src/reducers/d.js", "src/api/very-important-module.js"]);
        // A negative number of Jest is a number that may be missing.
        let counted = Gate::new().rule(rule(&["lib"]).together(limits("max_missing=10")));
        assert!(counted.judge(files(), None, |_| true).unwrap().passes());
        // A path without data is an error.
        let misspelt = Gate::new().rule(rule(&["lib"])).rule(rule(&["libb", "src"]));
        let err = misspelt.judge(files(), None, |_| true).unwrap_err();
        assert!(err.to_string().contains("\"libb\" matches no measured file"), "{err}");
    }

    #[test]
    fn one_rule_judges_a_file() {
        let gate = Gate::new()
            .floor(limits("10"))
            .new_files(limits("20"))
            .rule(rule(&["src"]).together(limits("30")))
            .rule(rule(&["src/app/**", "x.py"]).each(limits("40")))
            .rule(rule(&["src/app/a*b.py"]))
            .rule(rule(&["src/app/ab*.py"]).each(limits("50")));
        let file = |name: &str| GateFile::new(name, numbers(1, 0));
        let new = |name: &str| GateFile { is_new: true, ..file(name) };
        let cases = [
            (file("src/m.py"), JudgedBy::Rule(0)),
            (file("src/app/m.py"), JudgedBy::Rule(1)),
            (new("src/app/m2.py"), JudgedBy::Rule(1)),
            (file("x.py"), JudgedBy::Rule(1)),
            // Both patterns are equally specific, so the later rule wins.
            (file("src/app/abb.py"), JudgedBy::Rule(3)),
            (file("src/app/aab.py"), JudgedBy::Rule(2)),
            (new("y.py"), JudgedBy::NewFiles),
            (file("z.py"), JudgedBy::Floor),
        ];
        let files = cases.iter().map(|(file, _)| file.clone());
        let verdict = gate.judge(files, None, |_| true).unwrap();
        for (said, (file, expected)) in verdict.files().iter().zip(&cases) {
            assert_eq!(said.judged_by(), *expected, "{}", file.name);
        }
        assert_eq!(verdict.groups()[0].numbers().files, 1);
    }

    #[test]
    fn the_ratchet_only_falls() {
        let gate = Gate::new().floor(limits("80")).rule(rule(&["ruled.py"]).each(limits("0")));
        let gate = gate.has_branches(true);
        let ratchet = Ratchet::parse(
            b"5 0 better.py\n3 0 worse.py\n5 0 fine.py\n4 0 gone.py\n4 0 lost.py\n5 - ruled.py\n5 - unknown.py\n",
        )
        .unwrap();
        let files = [
            ("better.py", 4),
            ("worse.py", 4),
            ("fine.py", 2),
            ("ruled.py", 9),
            ("unknown.py", 5),
            ("new.py", 9),
        ]
        .map(|(name, missing)| GateFile::new(name, numbers(10, missing)));
        let verdict = gate.judge(files.clone(), Some(&ratchet), |name| name == "lost.py").unwrap();
        let failing: Vec<&str> = verdict.failing_files().map(FileVerdict::name).collect();
        assert_eq!(failing, ["worse.py", "new.py"]);
        assert_eq!(
            (verdict.unmeasured(), verdict.gone()),
            (&["lost.py".into()][..], &["gone.py".into()][..])
        );
        assert_eq!(
            verdict.failing_files().next().unwrap().remedies(),
            [
                "cover or remove 1 line, or reach the floor: cover 2 of the 4 missing lines, or remove 3"
            ]
        );
        let updated = verdict.updated(Some(&ratchet), &[]);
        let expected = b"4 0 better.py\n3 0 worse.py\n4 0 lost.py\n5 0 unknown.py\n";
        assert_eq!(updated, Ratchet::parse(expected).unwrap());
        // The better one, and the three that it no longer has, and the branches that it did not know.
        assert_eq!(verdict.lowers(), 5);
        let added = verdict
            .updated(Some(&ratchet), &["new.py".into(), "fine.py".into(), "ruled.py".into()]);
        assert_eq!(added.get("new.py"), Some(Debt { lines: 9, branches: Some(0) }));
        assert_eq!((added.get("fine.py"), added.get("ruled.py")), (None, None));
        let again = gate.judge(files, Some(&updated), |name| name == "lost.py").unwrap();
        assert_eq!((again.lowers(), again.updated(Some(&updated), &[])), (0, updated));
    }

    /// Deleting covered code lowers the percentage, and must not fail.
    #[test]
    fn deleting_covered_code_does_not_fail() {
        let gate = Gate::new().floor(limits("80"));
        let ratchet = Ratchet::parse(b"10 - a.py\n").unwrap();
        for statements in [40, 20, 10] {
            let file = GateFile::new("a.py", numbers(statements, 10));
            assert!(gate.judge([file], Some(&ratchet), |_| true).unwrap().passes());
        }
    }

    #[test]
    fn what_flaps_is_covered_for_rules_and_missing_for_the_ratchet() {
        let gate = Gate::new().floor(limits("80"));
        let file = GateFile { flapping: (3, 0), ..GateFile::new("a.py", numbers(10, 1)) };
        let verdict = gate.judge([file.clone()], Some(&Ratchet::new()), |_| true).unwrap();
        assert!(verdict.passes());
        let first = verdict.updated(None, &[]);
        assert_eq!(first, Ratchet::parse(b"4 - a.py\n").unwrap());
        let alone = GateFile::new("a.py", numbers(10, 4));
        assert!(gate.judge([alone], Some(&first), |_| true).unwrap().passes());
        let absurd = GateFile { flapping: (usize::MAX, usize::MAX), ..file };
        let verdict = gate.judge([absurd], Some(&Ratchet::new()), |_| true).unwrap();
        assert_eq!(verdict.updated(None, &[]).get("a.py").map(|debt| debt.lines), Some(10));
    }
}
