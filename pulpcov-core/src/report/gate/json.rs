//! A gate as JSON, for programs.

use std::io::Write;

use serde::Serialize;

use super::GateReport;
use crate::Result;
use crate::gates::{
    FileComparison, FileVerdict, Flapping, GroupVerdict, JudgedBy, Outcome, Shortfall, Verdict,
};
use crate::results::Numbers;

/// The version of the shape. It grows when something is removed or changes its meaning.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    passes: bool,
    files: Vec<File<'a>>,
    rules: Vec<Group<'a>>,
    unmeasured: &'a [String],
    gone: &'a [String],
    lowers: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<Vec<Compared<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flapping: Option<Vec<Flaps<'a>>>,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    #[serde(flatten)]
    counts: Counts,
    new: bool,
    judged_by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    limits: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<Allowed>,
    outcome: &'static str,
    shortfalls: Vec<Missed>,
}

#[derive(Serialize)]
struct Group<'a> {
    paths: &'a str,
    #[serde(flatten)]
    counts: Counts,
    limits: String,
    shortfalls: Vec<Missed>,
}

#[derive(Serialize)]
struct Counts {
    lines: usize,
    missing_lines: usize,
    branches: usize,
    missing_branches: usize,
}

#[derive(Serialize)]
struct Allowed {
    missing_lines: usize,
    missing_branches: Option<usize>,
}

#[derive(Serialize)]
struct Missed {
    limit: String,
    missing: usize,
    all: usize,
    cover: usize,
    remove: Option<usize>,
    remedy: String,
}

#[derive(Serialize)]
struct Compared<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_path: Option<&'a str>,
    change: &'static str,
    before: Option<Counts>,
    now: Option<Counts>,
    functions: Vec<Function<'a>>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    before: Option<Counts>,
    now: Counts,
}

#[derive(Serialize)]
struct Flaps<'a> {
    path: &'a str,
    lines: Vec<(i32, Vec<&'a str>)>,
    branches: Vec<(i32, i32, Vec<&'a str>)>,
}

/// Writes a gate as JSON, on one line.
///
/// ```text
/// {"format": 1,                            the version of this shape
///  "passes": false,                        whether nothing fails
///  "files": [
///   {"path": "src/a.py",
///    "lines": 40, "missing_lines": 12, "branches": 8, "missing_branches": 1,
///    "new": false,
///    "judged_by": "rule",                  or new_files, floor
///    "rule": "src/**",                     the patterns of the rule
///    "limits": "lines=90",                 empty if the rule only judges files together
///    "allowed": {"missing_lines": 12,      what the ratchet or the baseline allows, if it does
///                "missing_branches": null},  null: any number
///    "outcome": "fails",                   or passes, allowed: below the floor, as is allowed
///    "shortfalls": [                       the limits that are not kept
///     {"limit": "lines=90", "missing": 12, "all": 40,
///      "cover": 8,                         how many of the missing to cover
///      "remove": 9,                        or to remove; null if nothing would be left
///      "remedy": "cover 8 of the 12 missing lines, or remove 9"}]}],
///  "rules": [                              rules that judge files together
///   {"paths": "src/legacy", "lines": 900, ..., "limits": "max_missing=120", "shortfalls": []}],
///  "unmeasured": [],                       files that the ratchet or the baseline has, but not the data
///  "gone": [],                             those of them that no longer exist
///  "lowers": 1,                            how many entries of the ratchet --update lowers or removes
///  "baseline": [                           if there is one: all files of both versions
///   {"path": "src/a.py", "old_path": "src/b.py",
///    "change": "fell",                     or same, improved, new, gone
///    "before": {"lines": 40, ...}, "now": {"lines": 40, ...},   null if the file was not there
///    "functions": [{"name": "Cart.add", "before": {...}, "now": {...}}]}],  those that fell; "" is outside of functions
///  "flapping": [                           if runs were compared: what only some reach
///   {"path": "src/a.py", "lines": [[5, ["run-1"]]], "branches": [[5, 7, ["run-2"]]]}]}
/// ```
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_json(report: &GateReport<'_>, mut out: impl Write) -> Result<()> {
    let verdict = report.verdict;
    let files = verdict.files().iter().map(|file| File::new(file, verdict));
    let document = Document {
        format: FORMAT,
        passes: verdict.passes(),
        files: files.collect(),
        rules: verdict.groups().iter().map(Group::new).collect(),
        unmeasured: verdict.unmeasured(),
        gone: verdict.gone(),
        lowers: if report.comparison.is_some() { 0 } else { verdict.lowers() },
        baseline: report.comparison.map(|all| all.files().iter().map(Compared::new).collect()),
        flapping: report.flapping.map(Flaps::all),
    };
    serde_json::to_writer(&mut out, &document).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

impl<'a> File<'a> {
    fn new(file: &'a FileVerdict, verdict: &'a Verdict) -> Self {
        let (judged_by, rule) = match file.judged_by() {
            JudgedBy::Rule(rule) => ("rule", Some(verdict.rule_name(rule))),
            JudgedBy::NewFiles => ("new_files", None),
            JudgedBy::Floor => ("floor", None),
        };
        Self {
            path: file.name(),
            counts: Counts::new(file.numbers()),
            new: file.is_new(),
            judged_by,
            rule,
            limits: file.limits().to_string(),
            allowed: file
                .allowed()
                .map(|debt| Allowed { missing_lines: debt.lines, missing_branches: debt.branches }),
            outcome: match file.outcome() {
                Outcome::Passes => "passes",
                Outcome::Allowed => "allowed",
                Outcome::Fails => "fails",
            },
            shortfalls: file.missed().iter().map(Missed::new).collect(),
        }
    }
}

impl<'a> Group<'a> {
    fn new(group: &'a GroupVerdict) -> Self {
        Self {
            paths: group.name(),
            counts: Counts::new(group.numbers()),
            limits: group.limits().to_string(),
            shortfalls: group.missed().iter().map(Missed::new).collect(),
        }
    }
}

impl Counts {
    fn new(numbers: Numbers) -> Self {
        Self {
            lines: numbers.statements,
            missing_lines: numbers.missing,
            branches: numbers.branches,
            missing_branches: numbers.missing_branches,
        }
    }
}

impl Missed {
    fn new(missed: &Shortfall) -> Self {
        Self {
            limit: missed.limit().to_string(),
            missing: missed.missing(),
            all: missed.all(),
            cover: missed.to_cover(),
            remove: missed.to_remove(),
            remedy: missed.remedy(),
        }
    }
}

impl<'a> Compared<'a> {
    fn new(file: &'a FileComparison) -> Self {
        let change = match (file.before(), file.now()) {
            (None, _) => "new",
            (_, None) => "gone",
            _ if file.more_missing() != (0, 0) => "fell",
            (Some(before), Some(now)) => {
                let missing = |numbers: Numbers| (numbers.missing, numbers.missing_branches);
                if missing(before) == missing(now) { "same" } else { "improved" }
            }
        };
        let functions = file.regions().iter().map(|region| Function {
            name: region.name(),
            before: region.before().map(Counts::new),
            now: Counts::new(region.now()),
        });
        Self {
            path: file.name(),
            old_path: file.old_name(),
            change,
            before: file.before().map(Counts::new),
            now: file.now().map(Counts::new),
            functions: functions.collect(),
        }
    }
}

impl<'a> Flaps<'a> {
    fn all(flapping: &'a Flapping) -> Vec<Self> {
        let names = |runs: &[usize]| -> Vec<&'a str> {
            runs.iter().filter_map(|run| flapping.runs().get(*run)).map(String::as_str).collect()
        };
        let file = flapping.files().iter().map(|file| Self {
            path: file.name(),
            lines: file.lines().iter().map(|(line, runs)| (*line, names(runs))).collect(),
            branches: file
                .branches()
                .iter()
                .map(|((from, to), runs)| (*from, *to, names(runs)))
                .collect(),
        });
        file.collect()
    }
}
