//! The JSON reports of coverage.py (`jsonreport.py`, formats 1 to 3) and of slipcover, which imitates it.
//!
//! Both have the lines of a file that ran and those that did not, and branches as pairs of lines. A branch that leaves the code has no
//! second line: coverage.py writes the negative first line of the code, and slipcover writes 0.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::Write;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::json::{Cause, checked_name};
use super::{Branch, BranchKind, BranchName, File, Report};
use crate::Result;
use crate::report::json::{Counts as Summary, Meta as WrittenMeta, write_value};
use crate::results::{Numbers, Precision};

/// The names of contexts, if the report has them once and then numbers (`pulpcov json --contexts-once`).
pub(super) type ContextNames = Vec<String>;

/// What the report says of itself.
#[derive(Default, Deserialize)]
pub(super) struct Meta {
    #[serde(default)]
    software: Option<String>,
}

/// Which tool wrote the report. Each finds branches in its own way, so their branches have different names.
#[derive(Clone, Copy)]
pub(super) enum Producer {
    CoveragePy,
    Slipcover,
}

impl Meta {
    pub(super) fn producer(&self) -> Producer {
        match self.software.as_deref() {
            Some("slipcover") => Producer::Slipcover,
            _ => Producer::CoveragePy,
        }
    }
}

impl Producer {
    /// Returns the tool's own words for a branch. coverage.py's are those of its tracefiles, as far as the report says enough.
    fn name(self, line: u32, to: i64) -> BranchName {
        let text = match (self, to) {
            (Self::CoveragePy, 1..) => format!("{JUMP}{to}"),
            (Self::CoveragePy, _) => format!("{EXIT}{}", to.unsigned_abs()),
            (Self::Slipcover, 0) => format!("{line}->exit"),
            (Self::Slipcover, _) => format!("{line}->{to}"),
        };
        BranchName::Text(text.into())
    }
}

const JUMP: &str = "jump to line ";
const EXIT: &str = "exit the code of line ";

/// Returns where a branch leads, if its name says it in the words of [`Producer::name`].
fn target(line: u32, branch: &Branch) -> Option<i64> {
    let BranchName::Text(text) = &branch.name else { return None };
    if let Some(to) = text.strip_prefix(JUMP) {
        return to.parse().ok();
    }
    if let Some(first) = text.strip_prefix(EXIT) {
        return ["-", first].concat().parse().ok();
    }
    let (from, to) = text.split_once("->")?;
    let to = if to == "exit" { Some(0) } else { to.parse().ok() };
    to.filter(|_| from.parse() == Ok(line))
}

/// The files of a report, until it is known which tool wrote it.
#[derive(Default)]
pub(super) struct Files(BTreeMap<String, Measured>);

/// What is known of a file.
struct Measured {
    tests: BTreeMap<String, Counts>,
    /// Whether each branch was taken, by its lines.
    branches: BTreeMap<(u32, i64), Option<u64>>,
}

/// A file as the report has it. coverage.py before 6.5 does not tell branches.
#[derive(Deserialize)]
pub(super) struct FileOfReport {
    executed_lines: Vec<u32>,
    missing_lines: Vec<u32>,
    #[serde(default)]
    excluded_lines: HashSet<u32>,
    #[serde(default)]
    executed_branches: Vec<(u32, i64)>,
    #[serde(default)]
    missing_branches: Vec<(u32, i64)>,
    #[serde(default)]
    contexts: LinesByContext,
}

impl Files {
    pub(super) fn add(
        &mut self,
        name: String,
        file: FileOfReport,
        contexts: &ContextNames,
    ) -> Result<(), Cause> {
        let name = checked_name(&name)?;
        match self.0.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(file.measured(contexts)?);
                Ok(())
            }
            Entry::Occupied(entry) => Err(Cause::Twice(entry.key().clone())),
        }
    }

    pub(super) fn add_to(self, report: &mut Report, producer: Producer) {
        for (name, Measured { mut tests, branches }) in self.0 {
            let counts = tests.entry(String::new()).or_default();
            let all = counts.branches_mut();
            let mut last = None;
            for ((line, to), taken) in branches {
                if last.replace(line) != Some(line) {
                    all.begin(line);
                }
                let (name, kind) = (producer.name(line, to), BranchKind::Condition);
                all.push(Branch { name, kind, is_excluded: false, taken });
            }
            counts.finish();
            for (test, counts) in tests {
                report.add(name.clone(), test, None, counts);
            }
        }
    }
}

impl FileOfReport {
    /// Sorts out what ran in which context. Only the empty name has the lines that did not run, and the branches: no report says in
    /// which contexts a branch was taken.
    fn measured(self, names: &ContextNames) -> Result<Measured, Cause> {
        let mut executed = self.executed_lines;
        // Some versions of coverage.py list excluded lines that ran here, too.
        executed.retain(|line| !self.excluded_lines.contains(line));
        executed.sort_unstable();
        executed.dedup();
        let has_run = |line: u32| executed.binary_search(&line).is_ok();
        let mut tests = BTreeMap::<String, Counts>::new();
        // Excluded lines and further lines of a statement have contexts, too.
        let (mut in_tests, mut outside) = (HashSet::new(), HashSet::new());
        for (context, lines) in self.contexts.0 {
            let name = match context {
                Context::Name(name) => name,
                Context::Number(at) => names.get(at).ok_or(Cause::NoContext(at))?.clone(),
            };
            let lines = lines.into_iter().filter(|line| has_run(*line));
            if name.is_empty() {
                outside.extend(lines);
                continue;
            }
            let mut counts = Counts::default();
            for line in lines {
                counts.add_line(line, 1);
                in_tests.insert(line);
            }
            if !counts.lines().is_empty() {
                counts.finish();
                // A list of contexts may have a name twice.
                tests.entry(name).or_default().merge(counts);
            }
        }
        let mut counts = Counts::default();
        for &line in &executed {
            let is_elsewhere = in_tests.contains(&line) && !outside.contains(&line);
            counts.add_line(line, u64::from(!is_elsewhere));
        }
        self.missing_lines.iter().for_each(|line| counts.add_line(*line, 0));
        counts.finish();
        tests.insert(String::new(), counts);

        let missing = self.missing_branches.into_iter();
        let missing = missing.map(|(line, to)| ((line, to), has_run(line).then_some(0)));
        let taken = self.executed_branches.into_iter().map(|branch| (branch, Some(1)));
        Ok(Measured { tests, branches: missing.chain(taken).collect() })
    }
}

/// The files of a language that only other tools measured, as `pulpcov json --with` writes them.
#[derive(Deserialize)]
pub(super) struct OtherLanguage {
    files: BTreeMap<String, OtherFile>,
}

#[derive(Deserialize)]
struct OtherFile {
    executed_lines: Vec<u32>,
    missing_lines: Vec<u32>,
    #[serde(default)]
    branches: BTreeMap<u32, OtherBranches>,
}

#[derive(Deserialize)]
struct OtherBranches {
    num_branches: u32,
    covered_branches: u32,
}

impl OtherLanguage {
    pub(super) fn add_to(self, report: &mut Report) -> Result<(), Cause> {
        for (name, file) in self.files {
            let mut counts = Counts::default();
            file.executed_lines.iter().for_each(|line| counts.add_line(*line, 1));
            file.missing_lines.iter().for_each(|line| counts.add_line(*line, 0));
            for (line, branches) in file.branches {
                let all = branches.num_branches;
                counts.add_branch_count(line, (branches.covered_branches.min(all), all));
            }
            counts.finish();
            report.add(checked_name(&name)?, String::new(), None, counts);
        }
        Ok(())
    }
}

/// The lines that ran in each context. The report has the contexts of each line.
#[derive(Default)]
struct LinesByContext(HashMap<Context, Vec<u32>>);

#[derive(PartialEq, Eq, Hash)]
enum Context {
    Name(String),
    /// The place of the name in the list of contexts.
    Number(usize),
}

impl<'de> Deserialize<'de> for LinesByContext {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Lines;

        impl<'de> Visitor<'de> for Lines {
            type Value = LinesByContext;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the contexts of each line")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut lines: A) -> Result<Self::Value, A::Error> {
                let mut of_contexts = HashMap::<Context, Vec<u32>>::new();
                while let Some((line, contexts)) = lines.next_entry::<i64, Vec<Context>>()? {
                    // Older versions have negative lines, too: the ends of arcs.
                    let Ok(line) = u32::try_from(line) else { continue };
                    for context in contexts {
                        of_contexts.entry(context).or_default().push(line);
                    }
                }
                Ok(LinesByContext(of_contexts))
            }
        }

        json.deserialize_map(Lines)
    }
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Context;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a context")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Context, E> {
                Ok(Context::Name(name.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Context, E> {
                usize::try_from(number).map(Context::Number).map_err(E::custom)
            }
        }

        json.deserialize_any(Name)
    }
}

/// Writes a report as coverage.py's JSON, format 3, without functions and classes. `timestamp` is the local time in ISO 8601.
///
/// A line of this format ran or did not. Test names become contexts. Branches whose names say which line they lead to are pairs of lines.
/// Others are only counted in the sums.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written to.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::{coverage_json, lcov};
///
/// let report = lcov::read(&b"SF:a.c\nDA:1,2\nDA:2,0\nend_of_record\n"[..])?;
/// let mut out = Vec::new();
/// coverage_json::write(&report, "2026-05-04T12:00:00.000001", &mut out)?;
/// let text = String::from_utf8_lossy(&out);
/// assert!(text.starts_with(r#"{"meta": {"format": 3, "#));
/// assert!(text.contains(r#""files": {"a.c": {"executed_lines": [1], "summary": {"covered_lines": 1, "#));
/// assert!(text.contains(r#""missing_lines": [2], "excluded_lines": []"#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(report: &Report, timestamp: &str, out: &mut impl Write) -> Result<()> {
    let shape = Shape::of(report);
    write!(out, "{{\"meta\": ")?;
    let meta = WrittenMeta::new(timestamp, shape.has_branches, shape.has_contexts);
    write_value(&meta, false, 1, out)?;
    write!(out, ", \"files\": {{")?;
    let mut totals = Numbers::default();
    let mut separator = "";
    for (name, file) in report.files() {
        write!(out, "{separator}")?;
        separator = ", ";
        write_value(&name, false, 2, out)?;
        write!(out, ": ")?;
        let (written, numbers) = WrittenFile::new(file, shape);
        totals += numbers;
        write_value(&written, false, 2, out)?;
    }
    write!(out, "}}, \"totals\": ")?;
    write_value(&shape.summary(totals), false, 1, out)?;
    Ok(write!(out, "}}")?)
}

/// What the files of a report have.
#[derive(Clone, Copy)]
struct Shape {
    has_branches: bool,
    has_contexts: bool,
}

impl Shape {
    fn of(report: &Report) -> Self {
        let tests = || report.files().flat_map(|(_, file)| file.tests());
        let has_branches =
            |counts: &Counts| !counts.branches().is_empty() || !counts.branch_counts().is_empty();
        Self {
            has_branches: tests().any(|(_, counts)| has_branches(counts)),
            has_contexts: tests().any(|(name, _)| !name.is_empty()),
        }
    }

    fn summary(self, numbers: Numbers) -> Summary {
        Summary::new(numbers, Precision::default(), self.has_branches)
    }
}

/// A file as coverage.py writes it.
#[derive(Serialize)]
struct WrittenFile<'a> {
    executed_lines: Vec<u32>,
    summary: Summary,
    missing_lines: Vec<u32>,
    /// No other format has them.
    excluded_lines: [u32; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    contexts: Option<BTreeMap<u32, Vec<&'a str>>>,
    #[serde(flatten)]
    branches: Option<WrittenBranches>,
}

#[derive(Serialize)]
struct WrittenBranches {
    executed_branches: Vec<(u32, i64)>,
    missing_branches: Vec<(u32, i64)>,
}

impl<'a> WrittenFile<'a> {
    fn new(file: &'a File, shape: Shape) -> (Self, Numbers) {
        let counts = file.total();
        let lines = |has_run: bool| {
            let lines = counts.lines().iter().filter(move |(_, hits)| (*hits > 0) == has_run);
            lines.map(|(line, _)| *line).collect::<Vec<u32>>()
        };
        let (executed_lines, missing_lines) = (lines(true), lines(false));
        let mut numbers = Numbers {
            files: 1,
            statements: counts.lines().len(),
            missing: missing_lines.len(),
            ..Numbers::default()
        };
        for (line, (taken, all)) in counts.taken_branches() {
            let not_taken = usize::try_from(all.saturating_sub(taken)).unwrap_or(usize::MAX);
            numbers.branches += usize::try_from(all).unwrap_or(usize::MAX);
            numbers.missing_branches += not_taken;
            if executed_lines.binary_search(&line).is_ok() {
                numbers.partial_branches += not_taken;
            }
        }
        let written = Self {
            executed_lines,
            summary: shape.summary(numbers),
            missing_lines,
            excluded_lines: [],
            contexts: shape.has_contexts.then(|| contexts(file)),
            branches: shape.has_branches.then(|| WrittenBranches::new(&counts)),
        };
        (written, numbers)
    }
}

/// Returns the names of the tests in which each line ran.
fn contexts(file: &File) -> BTreeMap<u32, Vec<&str>> {
    let mut contexts = BTreeMap::<u32, Vec<&str>>::new();
    for (name, counts) in file.tests() {
        for (line, _) in counts.lines().iter().filter(|(_, hits)| *hits > 0) {
            contexts.entry(*line).or_default().push(name);
        }
    }
    contexts
}

impl WrittenBranches {
    fn new(counts: &Counts) -> Self {
        let mut branches = BTreeMap::<(u32, i64), bool>::new();
        for (line, block) in counts.branches().blocks() {
            for branch in block.iter().filter(|branch| !branch.is_excluded) {
                if let Some(to) = target(line, branch) {
                    let is_taken = branches.entry((line, to)).or_default();
                    *is_taken |= branch.taken.is_some_and(|taken| taken > 0);
                }
            }
        }
        let some = |taken: bool| {
            let some = branches.iter().filter(move |(_, is_taken)| **is_taken == taken);
            some.map(|(branch, _)| *branch).collect()
        };
        Self { executed_branches: some(true), missing_branches: some(false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::{json, lcov};

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        write(report, "now", &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let text = r#"{"files": {"b.py": {"executed_lines": [1, 2], "missing_lines": [4], "contexts": {"1": ["", "x|run"], "2": ["x|run"]},
            "executed_branches": [[2, 3], [2, -1]], "missing_branches": [[2, 0]]}, "a\u00e9.py": {"executed_lines": [], "missing_lines": []}}}"#;
        let report = json::read(text.as_bytes()).unwrap();
        let first = written(&report);
        assert_eq!(json::read(first.as_bytes()).unwrap(), report);
        assert!(first.contains(r#""contexts": {"1": ["", "x|run"], "2": ["x|run"]}"#), "{first}");
        let slipcover = format!(r#"{{"meta": {{"software": "slipcover"}}, {}"#, &text[1..]);
        let slipcover = json::read(slipcover.as_bytes()).unwrap();
        assert!(
            written(&slipcover).contains(
                r#""executed_branches": [[2, -1], [2, 3]], "missing_branches": [[2, 0]]"#
            )
        );
    }

    #[test]
    fn branches_that_name_no_line_are_counted() {
        let text = "SF:a.c\nBRDA:1,0,0,3\nBRDA:1,0,1,0\nBRDA:2,0,jump to line 5,-\nBRDA:2,0,5->7,1\nDA:1,1\nDA:2,0\nend_of_record\n";
        let text = written(&lcov::read(text.as_bytes()).unwrap());
        assert!(
            text.contains(r#""num_branches": 4, "num_partial_branches": 1, "covered_branches": 2, "missing_branches": 2"#),
            "{text}"
        );
        assert!(
            text.contains(r#""executed_branches": [], "missing_branches": [[2, 5]]"#),
            "{text}"
        );
    }
}
