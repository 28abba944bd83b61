//! Replays every case that `tests/fixtures/aliases/record.py` recorded from coverage.py.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{Flags, globs_to_regex, text};
use crate::Error;
use crate::paths::{GlobMatcher, PathAliases, WorkingFolder};

const CASES: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/aliases/cases.jsonl"));

#[test]
fn recorded_cases() {
    let mut lines = CASES.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let cwd = WorkingFolder::new(lines.next().unwrap()["cwd"].as_str().unwrap());
    let (mut wrong, mut count) = (Vec::new(), 0);
    for case in lines {
        count += 1;
        let result =
            if case["globs"].is_null() { check_aliases(&case, &cwd) } else { check_globs(&case) };
        if let Err(difference) = result {
            wrong.push(format!("{difference}\n  in {case}"));
        }
    }
    assert!(count > 2000, "only {count} cases");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

type Checked = Result<(), String>;

fn check_aliases(case: &Value, cwd: &WorkingFolder) -> Checked {
    let log = Arc::new(Mutex::new(Vec::new()));
    let gone: HashSet<Vec<u8>> = strings(&case["gone"]).map(|s| s.as_bytes().to_vec()).collect();
    let mut aliases = PathAliases::new(cwd.clone())
        .relative(case["relative"].as_bool().unwrap_or(false))
        .exists(move |path| !gone.contains(path));
    if !case["log"].is_null() {
        let log = Arc::clone(&log);
        aliases = aliases.on_event(move |event| log.lock().unwrap().push(event.to_string()));
    }
    for rule in items(&case["rules"]) {
        let rule: Vec<_> = strings(rule).collect();
        let refused = aliases.add(rule[0], rule[1]).err();
        same(rule[0], refused.map(|e| message(&e)), rule.get(2).map(|s| (*s).to_owned()))?;
    }
    for map in items(&case["maps"]) {
        let map: Vec<_> = strings(map).collect();
        let mapped = aliases.map(map[0].as_bytes());
        same(map[0], text(&mapped), map[map.len() - 1])?;
    }
    same("log", &**log.lock().unwrap(), &*strings(&case["log"]).collect::<Vec<_>>())
}

fn check_globs(case: &Value) -> Checked {
    let globs: Vec<_> = strings(&case["globs"]).collect();
    let flags = case["flags"].as_str().unwrap_or("");
    let flags = Flags { ignore_case: flags.contains('i'), prefix: flags.contains('p') };
    let regex = globs_to_regex(&globs, flags).map_err(Error::from);
    let refused = regex.as_ref().err().map(message);
    same("refused", refused, case["error"].as_str().map(str::to_owned))?;
    let Ok(regex) = regex else { return Ok(()) };
    let matcher = GlobMatcher::new(&globs).map_err(|e| e.to_string())?;
    for (key, expected) in [("hits", true), ("misses", false)] {
        for text in strings(&case[key]) {
            same(text, regex.is_match(text), expected)?;
            if !flags.ignore_case && !flags.prefix {
                same(text, matcher.is_match(text.as_bytes()), expected)?;
            }
        }
    }
    Ok(())
}

/// Returns coverage.py's own message, or "re" if it is Python's `re` that refuses the pattern.
fn message(error: &Error) -> String {
    let reason = error.reason();
    let own = reason.starts_with("File pattern can't") || reason.starts_with("Pattern must");
    if own { reason } else { "re".to_owned() }
}

fn same<A: PartialEq<B> + std::fmt::Debug, B: std::fmt::Debug>(
    what: &str,
    actual: A,
    expected: B,
) -> Checked {
    if actual == expected {
        return Ok(());
    }
    Err(format!("{what:?}: {actual:?}, expected {expected:?}"))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    items(value).filter_map(Value::as_str)
}
