//! Maps paths with aliases, and matches patterns. The input is any text, or a case that was
//! recorded from coverage.py.
#![no_main]

use std::collections::HashSet;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pulpcov_core::FilePath;
use pulpcov_core::paths::{
    GlobMatcher, PathAliases, TreeMatcher, WorkingFolder, isabs_anywhere, normpath, prep_patterns,
};
use serde_json::Value;

/// The cases that `tests/fixtures/aliases/record.py` recorded from coverage.py.
const RECORDED: &str = include_str!("../../tests/fixtures/aliases/cases.jsonl");

static CWD: LazyLock<WorkingFolder> = LazyLock::new(|| WorkingFolder::new("/nonexistent/cwd"));
/// The recorded cases of aliases. The logs in them are ignored.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let mut lines = RECORDED.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let head = lines.next().expect("a first line");
    assert_eq!(head["cwd"], "/nonexistent/cwd");
    lines.filter(|case| case["globs"].is_null()).map(|case| Case::new(&case)).collect()
});

#[derive(Debug, Arbitrary)]
enum Input {
    Recorded { case: u16, others: Vec<Vec<u8>> },
    Aliases { relative: bool, rules: Vec<(Vec<u8>, Vec<u8>)>, paths: Vec<Vec<u8>> },
    Patterns { patterns: Vec<Vec<u8>>, paths: Vec<Vec<u8>> },
}

fuzz_target!(init: CASES.iter().for_each(|case| case.check(&[])), |input: Input| match input {
    Input::Recorded { case, others } => CASES[usize::from(case) % CASES.len()].check(&others),
    Input::Aliases { relative, rules, paths } => aliases(relative, &rules, &paths),
    Input::Patterns { patterns, paths } => globs(&patterns, &paths),
});

struct Case {
    relative: bool,
    gone: HashSet<Vec<u8>>,
    /// The pattern and the result of each rule, and whether coverage.py refuses the rule.
    rules: Vec<(String, String, bool)>,
    /// Paths and what they are mapped to.
    maps: Vec<(String, String)>,
}

impl Case {
    fn new(case: &Value) -> Self {
        let rule = |rule: &Value| (text(&rule[0]), text(&rule[1]), !rule[2].is_null());
        // A path that is recorded alone stays as it is.
        let map = |map: &Value| (text(&map[0]), text(map.get(1).unwrap_or(&map[0])));
        Self {
            relative: case["relative"].as_bool().unwrap_or(false),
            gone: items(&case["gone"]).map(|path| text(path).into_bytes()).collect(),
            rules: items(&case["rules"]).map(rule).collect(),
            maps: items(&case["maps"]).map(map).collect(),
        }
    }

    /// Checks the results of the recorded paths. Maps one of `others` before each path.
    fn check(&self, others: &[Vec<u8>]) {
        let gone = self.gone.clone();
        let mut aliases = PathAliases::new(CWD.clone())
            .relative(self.relative)
            .exists(move |path| !gone.contains(path));
        for (pattern, result, refused) in &self.rules {
            assert_eq!(aliases.add(pattern, result).is_err(), *refused, "{pattern:?}");
        }
        // With relative paths, another path could add a rule for the paths that follow.
        let mut others = others.iter().filter(|_| !self.relative);
        for (path, expected) in &self.maps {
            if let Some(other) = others.next() {
                aliases.map(other);
            }
            let mapped = aliases.map(path.as_bytes());
            assert_eq!(String::from_utf8_lossy(&mapped), **expected, "{path:?}");
        }
    }
}

fn aliases(relative: bool, rules: &[(Vec<u8>, Vec<u8>)], paths: &[Vec<u8>]) {
    let new = || {
        let mut aliases = PathAliases::new(CWD.clone()).relative(relative).exists(|_| true);
        let accepted: Vec<bool> = rules.iter().map(|(p, r)| aliases.add(p, r).is_ok()).collect();
        (aliases, accepted.contains(&true))
    };
    let (mut one, any_rule) = new();
    let (mut other, _) = new();
    for path in paths {
        let mapped = one.map(path);
        assert_eq!(mapped, other.map(path), "the same rules give the same result");
        if !relative {
            assert_eq!(mapped, one.map(path), "a path is mapped the same again");
            assert!(any_rule || mapped == *path, "without a rule nothing changes");
        }
        if let Ok(path) = FilePath::try_from(path.as_slice())
            && let Ok(mapped) = other.map_file(&path)
        {
            assert!(!mapped.as_str().contains('\\'));
        }
        isabs_anywhere(path);
        normpath(path);
    }
}

fn globs(patterns: &[Vec<u8>], paths: &[Vec<u8>]) {
    let together = GlobMatcher::new(patterns);
    let alone: Vec<_> = patterns.iter().map(|pattern| GlobMatcher::new([pattern])).collect();
    let _ = GlobMatcher::new(prep_patterns(&CWD, patterns));
    let tree = TreeMatcher::new(CWD.clone(), patterns);
    for path in paths {
        tree.is_match(path);
        // One pattern and several patterns are matched in different ways. The result must be the
        // same. A set that only another pattern ends, such as the `[]` of `[]a`, is an error alone.
        if let Ok(together) = &together
            && alone.iter().all(Result::is_ok)
        {
            let any = alone.iter().flatten().any(|one| one.is_match(path));
            assert_eq!(together.is_match(path), any || patterns.is_empty() && path.is_empty());
        }
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
