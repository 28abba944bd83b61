//! The floors and rules of a gate, and which of them judges a file.

use std::collections::BTreeSet;

use super::judge::{FileVerdict, GroupVerdict, JudgedBy, Outcome, Verdict};
use super::{Debt, Limits, PathPattern, Ratchet};
use crate::results::Numbers;
use crate::{Error, ErrorKind, Result};

/// A rule: the limits of the files that a pattern matches.
///
/// # Examples
///
/// ```
/// use pulpcov_core::gates::Rule;
///
/// // Each file of the app has a floor, and the legacy code has one number for all its files together.
/// let app = Rule::new(["src/app".parse()?]).each("90".parse()?);
/// let legacy = Rule::new(["src/legacy".parse()?]).together("max_missing=120".parse()?);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    paths: Vec<PathPattern>,
    each: Option<Limits>,
    together: Option<Limits>,
}

impl Rule {
    /// Creates a rule without limits for the files that one of the patterns matches. Such a rule lets its files pass.
    pub fn new(paths: impl IntoIterator<Item = PathPattern>) -> Self {
        Self { paths: paths.into_iter().collect(), each: None, together: None }
    }

    /// Sets the limits of each file.
    #[must_use]
    pub fn each(mut self, limits: Limits) -> Self {
        self.each = Some(limits);
        self
    }

    /// Sets the limits of all files together.
    #[must_use]
    pub fn together(mut self, limits: Limits) -> Self {
        self.together = Some(limits);
        self
    }

    /// Returns the patterns.
    pub fn paths(&self) -> &[PathPattern] {
        &self.paths
    }

    /// Returns the patterns, as a name for the rule.
    pub fn name(&self) -> String {
        self.paths.iter().map(PathPattern::as_str).collect::<Vec<_>>().join(", ")
    }

    /// Returns the limits in words: `each lines=90; together max_missing=120`.
    pub(crate) fn limits(&self) -> String {
        let each = self.each.iter().map(|limits| format!("each {limits}"));
        let together = self.together.iter().map(|limits| format!("together {limits}"));
        each.chain(together).collect::<Vec<_>>().join("; ")
    }

    /// Returns the most specific pattern that matches a file.
    fn best_match(&self, name: &str) -> Option<&PathPattern> {
        let matching = self.paths.iter().filter(|pattern| pattern.is_match(name));
        matching.max_by(|a, b| a.cmp_specificity(b))
    }

    fn need_branches(&self) -> bool {
        self.each.iter().chain(&self.together).any(Limits::need_branches)
    }
}

/// A measured file, as a gate sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateFile {
    /// The name, relative to the folder that rules and the ratchet start from.
    pub name: String,
    /// The counts.
    pub numbers: Numbers,
    /// How many lines and branches of those that are covered only some runs reached. A ratchet counts them as missing.
    pub flapping: (usize, usize),
    /// Whether the file is new, so that the floor of new files counts.
    pub is_new: bool,
}

impl GateFile {
    /// Creates a file that is not new, and of which every run reached the same lines.
    pub fn new(name: impl Into<String>, numbers: Numbers) -> Self {
        Self { name: name.into(), numbers, flapping: (0, 0), is_new: false }
    }

    /// Returns the counts of a run that reached nothing that flaps.
    fn at_worst(&self) -> Numbers {
        let (lines, branches) = self.flapping;
        Numbers {
            missing: self.numbers.missing.saturating_add(lines).min(self.numbers.statements),
            missing_branches: self
                .numbers
                .missing_branches
                .saturating_add(branches)
                .min(self.numbers.branches),
            ..self.numbers
        }
    }
}

/// Floors and rules, by which files are judged.
///
/// One thing judges each file:
///
/// 1. the rule whose pattern is the most [specific](PathPattern::cmp_specificity) of all that match the file. If two are
///    equally specific, it is the later rule. A file counts in one rule only, also among those that judge files together;
/// 2. else the floor of new files, if the file is new;
/// 3. else the floor. If there is none but something to compare with, the floor is 100.
///
/// A file below the floor passes if no more is missing of it than the [`Ratchet`] allows. The ratchet has no effect on
/// rules and new files.
///
/// These are the rules of Jest's `coverageThreshold`, except that a file counts in one rule only, that a rule says whether
/// it judges its files alone or together, and that the floor judges each remaining file. What Jest calls `global` is a rule
/// for `**` with limits for all files together.
///
/// # Examples
///
/// ```
/// use pulpcov_core::gates::{Gate, GateFile, Ratchet, Rule};
/// use pulpcov_core::results::Numbers;
///
/// let gate = Gate::new()
///     .floor("80".parse()?)
///     .rule(Rule::new(["src/app".parse()?]).each("lines=90".parse()?));
/// let numbers = |statements, missing| Numbers { files: 1, statements, missing, ..Numbers::default() };
/// let files = [
///     GateFile::new("src/app/views.py", numbers(40, 12)),
///     GateFile::new("src/db.py", numbers(10, 5)),
///     GateFile::new("src/util.py", numbers(10, 1)),
/// ];
/// let ratchet = Ratchet::parse(b"5 - src/db.py\n")?;
///
/// let verdict = gate.judge(files, Some(&ratchet), |_| true)?;
/// let failing: Vec<&str> = verdict.failing_files().map(|file| file.name()).collect();
/// assert_eq!(failing, ["src/app/views.py"]);
/// assert_eq!(
///     verdict.failing_files().next().unwrap().remedies(),
///     ["cover 8 of the 12 missing lines, or remove 9"],
/// );
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    floor: Option<Limits>,
    new_files: Option<Limits>,
    rules: Vec<Rule>,
    has_branches: bool,
}

impl Gate {
    /// Creates a gate without floors and rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the floor of each file that no rule judges.
    #[must_use]
    pub fn floor(mut self, limits: Limits) -> Self {
        self.floor = Some(limits);
        self
    }

    /// Sets the floor of each new file that no rule judges.
    #[must_use]
    pub fn new_files(mut self, limits: Limits) -> Self {
        self.new_files = Some(limits);
        self
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Sets whether branches were measured. If not, a new entry of a ratchet allows any number of them.
    #[must_use]
    pub fn has_branches(mut self, has: bool) -> Self {
        self.has_branches = has;
        self
    }

    /// Returns whether there are no floors and no rules.
    pub fn is_empty(&self) -> bool {
        self.floor.is_none() && self.new_files.is_none() && self.rules.is_empty()
    }

    /// Returns whether a limit counts branches alone.
    pub fn need_branches(&self) -> bool {
        let floors = self.floor.iter().chain(&self.new_files).any(Limits::need_branches);
        floors || self.rules.iter().any(Rule::need_branches)
    }

    /// Judges files. `allowed` says how much may be missing of files below the floor: a ratchet, or a
    /// [baseline](super::Comparison::allowed). `exists` returns whether a file that was not measured still exists.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a pattern of a rule matches no file: the rule may be misspelt.
    pub fn judge(
        &self,
        files: impl IntoIterator<Item = GateFile>,
        allowed: Option<&Ratchet>,
        exists: impl Fn(&str) -> bool,
    ) -> Result<Verdict> {
        let files: Vec<GateFile> = files.into_iter().collect();
        self.check_that_patterns_match(&files)?;
        let names: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let absent = allowed.into_iter().flat_map(Ratchet::files).map(|(name, _)| name);
        let absent = absent.filter(|name| !names.contains(name));
        let (unmeasured, gone): (Vec<_>, Vec<_>) =
            absent.map(str::to_owned).partition(|name| exists(name));
        let verdicts: Vec<FileVerdict> =
            files.iter().map(|file| self.judge_file(file, allowed)).collect();
        let groups = self.rules.iter().enumerate().filter_map(|(at, rule)| {
            let limits = rule.together.as_ref()?;
            let of_rule = verdicts.iter().filter(|file| file.judged_by == JudgedBy::Rule(at));
            let numbers: Numbers = of_rule.map(|file| file.numbers).sum();
            Some(GroupVerdict {
                rule: at,
                name: rule.name(),
                numbers,
                missed: limits.missed_by(numbers),
                limits: limits.clone(),
            })
        });
        let groups = groups.collect();
        let rules = self.rules.iter().map(Rule::name).collect();
        let has_branches = self.has_branches;
        Ok(Verdict { files: verdicts, groups, rules, unmeasured, gone, has_branches })
    }

    fn judge_file(&self, file: &GateFile, allowed: Option<&Ratchet>) -> FileVerdict {
        let all = allowed.map(|_| hundred());
        let recorded = allowed.and_then(|ratchet| ratchet.get(&file.name));
        let is_new = file.is_new && recorded.is_none();
        let (judged_by, limits) = match (self.rule_of(&file.name), &self.new_files) {
            (Some((at, rule)), _) => (JudgedBy::Rule(at), rule.each.as_ref()),
            (None, Some(limits)) if is_new => (JudgedBy::NewFiles, Some(limits)),
            (None, _) => (JudgedBy::Floor, self.floor.as_ref().or(all.as_ref())),
        };
        let numbers = file.numbers;
        let missed = limits.map(|limits| limits.missed_by(numbers)).unwrap_or_default();
        let allowed = recorded.filter(|_| judged_by == JudgedBy::Floor);
        let has_branches = allowed.is_some_and(|debt| debt.branches.is_some());
        let outcome = match allowed {
            _ if missed.is_empty() => Outcome::Passes,
            Some(allowed) if Debt::of(numbers, has_branches).is_within(allowed) => Outcome::Allowed,
            _ => Outcome::Fails,
        };
        let worst = file.at_worst();
        FileVerdict {
            name: file.name.clone(),
            numbers,
            worst,
            reaches_floor_at_worst: limits.is_none_or(|limits| limits.missed_by(worst).is_empty()),
            judged_by,
            limits: limits.cloned().unwrap_or_default(),
            missed,
            recorded,
            allowed,
            is_new: file.is_new,
            outcome,
        }
    }

    /// Returns the rule that judges a file, with its place among the rules.
    fn rule_of(&self, name: &str) -> Option<(usize, &Rule)> {
        let matching = self.rules.iter().enumerate();
        let matching = matching.filter_map(|(at, rule)| Some((rule.best_match(name)?, at, rule)));
        // Of equal ones, the last is the maximum.
        let best = matching.max_by(|(a, ..), (b, ..)| a.cmp_specificity(b));
        best.map(|(_, at, rule)| (at, rule))
    }

    fn check_that_patterns_match(&self, files: &[GateFile]) -> Result<()> {
        let patterns = self.rules.iter().flat_map(Rule::paths);
        let mut unmatched =
            patterns.filter(|pattern| files.iter().all(|file| !pattern.is_match(&file.name)));
        match unmatched.next() {
            None => Ok(()),
            Some(pattern) => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "the rule for {:?} matches no measured file: names start where those of `pulpcov report` do",
                    pattern.as_str()
                ),
            )),
        }
    }
}

/// The floor if there is none, but something to compare with.
fn hundred() -> Limits {
    "100".parse().unwrap_or_default()
}
