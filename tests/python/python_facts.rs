//! The facts about sources, and analyses of made-up data, are the same as coverage.py's.
//!
//! `tests/fixtures/python/record.py` writes what is expected. Its results for the small sources beside it are
//! stored, for each version of Python. For a sample of the standard library, it runs during the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pulpcov_core::python::{
    AnalyzeOptions, Facts, LinePatterns, PythonSource, PythonVersion, Region, RegionKind,
};
use pulpcov_core::results::{Analysis, RegionSplitter};
use serde_json::{Value, json};

use crate::support::{python, root};

#[test]
fn python_3_11() {
    check(PythonVersion::Py311);
}

#[test]
fn python_3_12() {
    check(PythonVersion::Py312);
}

#[test]
fn python_3_13() {
    check(PythonVersion::Py313);
}

#[test]
fn python_3_15() {
    check(PythonVersion::Py315);
}

#[test]
fn python_3_14() {
    check(PythonVersion::Py314);
}

/// Every ninth file of the standard library of the Python that coverage.py runs on.
#[test]
fn standard_library() {
    const STEP: usize = 9;
    let script = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let library = python().args(["-c", script]).output().unwrap().stdout;
    let library = PathBuf::from(String::from_utf8(library).unwrap().trim());
    let mut files = Vec::new();
    collect(&library, &mut files);
    files.sort();
    let sample: Vec<&PathBuf> = files.iter().step_by(STEP).collect();
    assert!(sample.len() > 50, "{} files in {}", files.len(), library.display());

    let output = python().arg(fixtures().join("record.py")).args(sample).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let differing: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .flat_map(|line| {
            let expected: Value = serde_json::from_str(line).unwrap();
            let version = expected["python"].as_str().unwrap().parse().unwrap();
            let source = fs::read(expected["file"].as_str().unwrap()).unwrap();
            differences(&source, &expected, version)
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("site-packages") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
}

/// `tests/fixtures/python/record_patterns.py` writes what is expected.
#[test]
fn patterns_of_python() {
    let fixtures = fixtures();
    let text = fs::read(fixtures.join("patterns_text.txt")).unwrap();
    let source = PythonSource::decode(&text).unwrap();
    let recorded = fs::read_to_string(fixtures.join("expected-patterns.jsonl")).unwrap();
    let mut differing = Vec::new();
    for line in recorded.lines() {
        let (pattern, expected): (String, Option<Vec<i32>>) = serde_json::from_str(line).unwrap();
        let found = LinePatterns::new(&[&pattern]).ok().map(|p| source.matching_lines(&p).unwrap());
        if found != expected {
            differing.push(format!("{pattern}: want {expected:?} have {found:?}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

fn fixtures() -> PathBuf {
    root().join("tests/fixtures/python")
}

fn check(version: PythonVersion) {
    let fixtures = fixtures();
    // The records of later versions have only what differs from the first version.
    let mut recorded = BTreeMap::new();
    for version in [PythonVersion::Py311, version] {
        let text = fs::read_to_string(fixtures.join(format!("expected-{version}.jsonl"))).unwrap();
        for line in text.lines() {
            let expected: Value = serde_json::from_str(line).unwrap();
            recorded.insert(expected["file"].as_str().unwrap().to_owned(), expected);
        }
    }
    let mut differing = Vec::new();
    for (file, expected) in recorded {
        let source = fs::read(fixtures.join("sources").join(file)).unwrap();
        differing.extend(differences(&source, &expected, version));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Returns the differences between a source's facts and the recorded ones, one per line.
pub(crate) fn differences(bytes: &[u8], expected: &Value, version: PythonVersion) -> Vec<String> {
    let file = expected["file"].as_str().unwrap();
    let analyzed = PythonSource::decode(bytes)
        .and_then(|source| Ok((source.analyze(&options(source.text(), version))?, source)));
    match (expected.get("error"), analyzed) {
        (Some(reason), Err(error)) if *reason == error.to_string() => Vec::new(),
        (Some(reason), Err(error)) => vec![format!("{file}: want {reason} have {error}")],
        (Some(reason), Ok(_)) => vec![format!("{file}: want {reason}")],
        (None, Err(error)) => vec![format!("{file}: {error}")],
        (None, Ok((facts, source))) => {
            let found = record(&source, &facts, &expected["data"], version);
            let keys = found.as_object().unwrap().iter();
            keys.filter(|(key, value)| expected[key.as_str()] != **value)
                .map(|(key, value)| format!("{file}: {key}: want {} have {value}", expected[key]))
                .collect()
        }
    }
}

/// Returns the options that comments at the top of a source ask for.
fn options(text: &str, version: PythonVersion) -> AnalyzeOptions {
    let patterns = |name: &str| {
        let prefix = format!("# {name}: ");
        let found: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix(&prefix)).collect();
        (!found.is_empty()).then(|| LinePatterns::new(&found).unwrap())
    };
    let mut options = AnalyzeOptions::new().unwrap().version(version);
    if let Some(exclude) = patterns("exclude") {
        options = options.exclude(exclude);
    }
    if let Some(partial) = patterns("partial") {
        options = options.partial(partial);
    }
    options
}

fn record(source: &PythonSource, facts: &Facts, data: &Value, version: PythonVersion) -> Value {
    let (lines, arcs): (Vec<i32>, Vec<(i32, i32)>) = serde_json::from_value(data.clone()).unwrap();
    let by_lines = Analysis::of_lines(facts, lines.iter().copied());
    let by_arcs = match arcs.as_slice() {
        [] => by_lines.clone(),
        arcs => Analysis::of_arcs(facts, lines, arcs.iter().copied()),
    };
    json!({
        "statements": facts.statements(),
        "excluded": facts.excluded(),
        "docstrings": facts.docstrings(),
        "multiline": numbered(facts.multiline()),
        "arcs": facts.arcs(),
        "exits": numbered(branches(facts)),
        "no_branch": facts.no_branch(),
        "regions": regions(facts),
        "arc_text": arc_text(facts),
        "tokens": tokens(source, version),
        "by_lines": outcome(&by_lines),
        "by_arcs": outcome(&by_arcs),
        "narrowed": narrowed(&by_arcs, facts.regions()),
    })
}

fn numbered<T: Into<Value>>(pairs: impl Iterator<Item = (i32, T)>) -> Value {
    pairs.map(|(line, value)| (line.to_string(), value.into())).collect()
}

fn branches(facts: &Facts) -> impl Iterator<Item = (i32, usize)> {
    facts.exit_counts().iter().copied()
}

fn regions(facts: &Facts) -> Value {
    let mut regions: Vec<_> = facts
        .regions()
        .iter()
        .map(|r| (r.kind().as_str(), r.name(), r.start(), r.lines().collect::<Vec<_>>()))
        .collect();
    regions.sort();
    json!(regions)
}

/// Returns the descriptions of missing arcs, with their reasons sorted. In Python, the order of several
/// reasons depends on string hashes, so the records are sorted too.
fn arc_text(facts: &Facts) -> Value {
    let sentence = |from, to| {
        let text = facts.missing_arc_description(from, to);
        let text = text.strip_prefix("line ").unwrap();
        let mut reasons: Vec<&str> = text.split(" or line ").collect();
        reasons.sort_unstable();
        format!("line {}", reasons.join(" or line "))
    };
    let is_branch = |line| facts.exit_counts().iter().any(|&(at, _)| at == line);
    let arcs = facts.arcs().iter().filter(|(from, _)| is_branch(*from));
    arcs.map(|&(from, to)| (format!("{from},{to}"), json!(sentence(from, to)))).collect()
}

fn tokens(source: &PythonSource, version: PythonVersion) -> Value {
    let lines = source.token_lines(version).unwrap();
    lines
        .into_iter()
        .map(|line| {
            let tokens = line.into_iter().map(|token| json!([token.class.as_str(), token.text]));
            tokens.collect::<Value>()
        })
        .collect()
}

fn outcome(analysis: &Analysis) -> Value {
    let n = analysis.numbers();
    let stats = analysis.branch_stats().into_iter().map(|(line, (all, taken))| (line, all, taken));
    let percent = [n.percent_covered(), n.percent_statements(), n.percent_branches()];
    json!({
        "executed": analysis.executed(),
        "missing": analysis.missing(),
        "excluded": analysis.excluded(),
        "arcs_missing": analysis.arcs_missing(),
        "missing_branches": analysis.missing_branch_arcs(),
        "executed_branches": analysis.executed_branch_arcs(),
        "branch_stats": stats.collect::<Vec<_>>(),
        "formatted": analysis.missing_formatted(true),
        "numbers": [
            n.statements, n.excluded, n.missing,
            n.branches, n.partial_branches, n.missing_branches,
        ],
        "percent": percent.map(|percent| format!("{percent:?}")),
    })
}

fn narrowed(analysis: &Analysis, regions: &[Region]) -> Value {
    let of_kind = |kind: RegionKind| {
        let mut splitter = RegionSplitter::new(analysis);
        for region in regions.iter().filter(|region| region.kind() == kind) {
            splitter.add(region.ranges());
        }
        let (parts, rest) = splitter.split();
        parts.iter().chain([&rest]).map(outcome).collect::<Vec<_>>()
    };
    json!({"function": of_kind(RegionKind::Function), "class": of_kind(RegionKind::Class)})
}
