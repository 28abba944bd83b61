//! Random regular expressions: Python's `re` and our engine find the same matches.
//!
//! `PULPCOV_CASES` sets the number of cases. To repeat a case that failed, set `PULPCOV_FIRST_CASE` to its
//! number.

use pulpcov_core::pyre::Pattern;
use pulpcov_core::text::printable;
use pulpcov_core::{Error, Result};
use serde_json::Value;

use crate::support::{cases, number_of_environment};
use crate::support::{python, root};

#[test]
fn random_patterns_are_python_s() {
    let first = number_of_environment("PULPCOV_FIRST_CASE").unwrap_or(0);
    let output = python()
        .arg(root().join("tests/fixtures/patterns/generate.py"))
        .args([first.to_string(), cases(2000).to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let wrong: Vec<String> = text.lines().filter_map(difference).collect();
    let (limited, wrong): (Vec<_>, Vec<_>) = wrong.iter().partition(|case| case.contains(LIMIT));
    assert!(wrong.is_empty(), "{} of {}:\n{wrong:#?}", wrong.len(), text.lines().count());
    // A few random patterns take Python some seconds.
    assert!(limited.len() <= 2 + text.lines().count() / 1000, "{limited:#?}");
}

/// The engine's error for a search that takes too long. Python has no such limit.
const LIMIT: &str = "Max limit for backtracking count exceeded";

/// Returns how our result differs in a case, if it does.
fn difference(case: &str) -> Option<String> {
    let case: Value = serde_json::from_str(case).unwrap();
    let found = matches(case["pattern"].as_str().unwrap(), case["text"].as_str().unwrap());
    let is_same = match (&found, &case["error"]) {
        (Err(error), Value::String(message)) => error.reason() == printable(message),
        // Python refuses this with an error of another kind.
        (Err(_), Value::Null) => case["matches"].is_null(),
        (Ok(found), _) => serde_json::to_value(found).unwrap() == case["matches"],
        _ => false,
    };
    (!is_same).then(|| format!("{case}\n    ours: {found:?}"))
}

fn matches(pattern: &str, text: &str) -> Result<Vec<[usize; 2]>, Error> {
    let found = Pattern::multi_line(pattern)?.find_iter(text).collect::<Result<Vec<_>>>()?;
    Ok(found.iter().filter(|span| !span.is_empty()).map(|span| [span.start, span.end]).collect())
}
