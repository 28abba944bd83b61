//! The facts about sources, and analyses of made-up data, are the same as coverage.py's.
//!
//! `tests/fixtures/python/record.py` writes what is expected. Each source in `tests/fixtures/python/sources` is a test, and
//! what is expected lies beside it, for each version of Python. For a sample of the standard library, the script runs
//! during the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pulpcov_core::python::{
    AnalyzeOptions, Facts, LinePatterns, PythonSource, PythonVersion, Region, RegionKind,
};
use pulpcov_core::results::{Analysis, RegionSplitter};
use serde_json::{Value, json};

use crate::support::{python, root};

/// Makes a test of each source, which has the name of the source.
macro_rules! sources {
    ($($name:ident)*) => {
        mod sources {
            pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];
            $(
                #[test]
                fn $name() {
                    super::check(stringify!($name));
                }
            )*
        }
    };
}

sources! {
    annotate_functions
    annotations_deferred
    breaks_nested
    class_with_jumps
    classes
    comments
    comprehensions
    continuations
    continue_in_constant_while
    coroutine_decorators
    decorators
    docstring_only
    docstrings
    empty
    except_without_parentheses
    exclude_by_text_of_several_lines
    exclude_clauses
    exclude_decorator_in_parentheses
    exclude_default
    exclude_definitions
    exclude_docstring_line
    exclude_headers_of_several_lines
    exclude_named_groups
    exclude_nested_suites
    exclude_rest_of_file
    exclude_whole_file
    exclude_with_flags
    f_strings
    for_else_in_for
    for_loop
    for_with_header_of_several_lines
    formats_of_nothing
    formfeed
    function_at_first_line
    function_at_first_line_last_exit
    functions_in_functions
    generators
    global_statements_only
    if_compact
    if_constant
    if_debug
    if_else
    if_exits
    if_folded
    if_multi_line
    if_nested_constant
    jumps_on_one_line
    lambdas
    last_line_without_newline
    lazy_imports
    line_ends
    line_ends_mac
    line_separators
    literals
    many_ways_to_one_line
    match_cases
    match_compact
    match_in_function
    match_last_case_excluded
    match_last_case_lines
    match_split
    match_wildcards
    not_python
    not_python_2
    not_python_else_without_except
    not_python_keyword_before_callee
    odd_white_space
    only_comment
    partial_default
    partial_patterns
    raise_in_loops
    semicolons
    sequence
    simple_statements
    soft_keywords_after_semicolons
    strings
    t_strings
    tabs
    try_else_finally
    try_except
    try_in_handler
    try_in_loops
    try_raise
    try_return
    try_star
    type_parameters
    unclosed
    unicode_names
    unpacking_comprehensions
    unreachable
    while_false
    while_loop
    while_true
    while_true_else
    with_branches
    with_compact
    with_in_loops
    with_in_try
    with_nested
    with_one
    with_return
    with_several_lines
    with_untaken_end
}

#[test]
fn each_source_is_a_test() {
    let files = fs::read_dir(fixtures().join("sources")).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, sources::NAMES, "add the source to the list, or remove it");
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
            let file = expected["file"].as_str().unwrap().to_owned();
            let found = differences(&fs::read(&file).unwrap(), &expected, version);
            found.into_iter().map(move |difference| format!("{file}: {difference}"))
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

/// Compares the facts of a source in all versions of Python with those beside it.
fn check(name: &str) {
    let path = fixtures().join("sources").join(name);
    let source = fs::read(path.with_extension("py")).unwrap();
    let recorded: BTreeMap<String, Value> =
        serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
    let mut differing = Vec::new();
    for version in PythonVersion::ALL {
        // A version has facts of its own only if they differ from those of the first version.
        let expected = recorded.get(&version.to_string()).unwrap_or(&recorded["3.11"]);
        let found = differences(&source, expected, version);
        differing.extend(found.into_iter().map(|difference| format!("{version}: {difference}")));
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Returns the differences between a source's facts and the recorded ones.
pub(crate) fn differences(bytes: &[u8], expected: &Value, version: PythonVersion) -> Vec<String> {
    let analyzed = PythonSource::decode(bytes)
        .and_then(|source| source.analyze(&options(source.text(), version)));
    match (expected.get("error"), analyzed) {
        (Some(reason), Err(error)) if *reason == error.to_string() => Vec::new(),
        (Some(reason), Err(error)) => vec![format!("want {reason} have {error}")],
        (Some(reason), Ok(_)) => vec![format!("want {reason}")],
        (None, Err(error)) => vec![error.to_string()],
        (None, Ok(facts)) => {
            let found = record(&facts, &expected["data"]);
            let keys = found.as_object().unwrap().iter();
            keys.filter(|(key, value)| expected[key.as_str()] != **value)
                .map(|(key, value)| format!("{key}: want {} have {value}", expected[key]))
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

fn record(facts: &Facts, data: &Value) -> Value {
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
