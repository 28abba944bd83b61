//! Randomly changed sources are accepted exactly if Python accepts them. The facts are coverage.py's, and the
//! errors have Python's words.
//!
//! `tests/fixtures/python/mutate.py` makes the sources, and writes what is expected, in each Python.
//! `PULPCOV_CASES` sets the number of cases, and `PULPCOV_FIRST_CASE` the number of the first. A number stands
//! for the same case in every run of one Python. So the number of a failed case repeats it, and another first
//! case gives new cases.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use super::python_facts::differences;
use crate::support::debian_python;
use crate::support::{REFERENCE, neutral, python, root, venv_of};
use crate::support::{cases, number_of_environment};

/// The number of cases for one process of Python.
const PORTION: usize = 250;

/// The number of differing cases that are shown.
const SHOWN: usize = 10;

#[test]
fn python_3_11() {
    check(python);
}

#[test]
fn python_3_13() {
    check_debian("3.13", "trixie");
}

#[test]
fn python_3_14() {
    check_debian("3.14", "forky");
}

#[test]
fn python_3_15() {
    check_debian("3.15", "sid");
}

fn check_debian(version: &str, release: &str) {
    let python = debian_python(version, release);
    let name = format!("python{version}-coverage-{REFERENCE}");
    let packages = [format!("coverage=={REFERENCE}")];
    let venv: PathBuf = venv_of(python.to_str().unwrap(), &name, &packages);
    check(|| neutral(Command::new(venv.join("bin/python"))));
}

/// Checks portions of cases on all cores.
fn check(python: impl Fn() -> Command + Sync) {
    let first = number_of_environment("PULPCOV_FIRST_CASE").unwrap_or_default();
    let count = cases(200);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut differing = Vec::new();
        loop {
            let done = next.fetch_add(PORTION, Ordering::Relaxed);
            if done >= count {
                return differing;
            }
            differing.extend(portion(python(), first + done, PORTION.min(count - done)));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let differing: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let shown = differing.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>();
    assert!(differing.is_empty(), "{} of {count}\n{}", differing.len(), shown.join("\n"));
}

/// Returns the cases that differ.
fn portion(mut python: Command, first: usize, count: usize) -> Vec<String> {
    let script = root().join("tests/fixtures/python/mutate.py");
    let output = python
        .arg(script)
        .args([first.to_string(), count.to_string()])
        .env("PYTHONUTF8", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), count);
    text.lines().filter_map(difference).collect()
}

fn difference(line: &str) -> Option<String> {
    let expected: Value = serde_json::from_str(line).unwrap();
    // coverage.py itself crashes on some sources.
    if expected.get("crash").is_some() {
        return None;
    }
    let version = expected["python"].as_str().unwrap().parse().unwrap();
    let source = expected["source"].as_str().unwrap();
    let found = differences(source.as_bytes(), &expected, version);
    (!found.is_empty()).then(|| format!("{}\n{source}", found.join("\n")))
}
