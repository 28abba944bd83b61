//! Sources in every encoding that Python knows, by each of its names: coverage.py's text of them and ours.
//!
//! `PULPCOV_CASES` is the number of cases; there are as many as names otherwise. To repeat a case that failed, set
//! `PULPCOV_FIRST_CASE` to its number.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::faults::{cases, number_of_environment};
use crate::support::{Dir, Ran, pulpcov, python, reference, root};

/// What pulpcov refuses by name and Python decodes: it would take long.
const REFUSED: &str = "more insertions than are supported";

#[test]
fn every_encoding_is_python_s() {
    let dir = Dir::new();
    let first = number_of_environment("PULPCOV_FIRST_CASE").unwrap_or(0);
    let output = python()
        .arg(root().join("tests/fixtures/codecs/generate.py"))
        .arg(dir.path(""))
        .args([first.to_string(), cases(0).to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut folders: Vec<_> =
        fs::read_dir(dir.path("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let jobs: Vec<Value> = folders.iter().map(|folder| job(folder)).collect();
    let answers = reference(&jobs);
    let wrong: Vec<String> = folders
        .iter()
        .zip(&answers)
        .filter_map(|(folder, theirs)| difference(folder, theirs))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), folders.len(), wrong.join("\n"));
}

/// The command that writes a source's text, and the option for where: LCOV has checksums of it.
fn command(folder: &Path) -> (&'static str, &'static str) {
    let number: usize = folder.file_name().unwrap().to_str().unwrap().parse().unwrap();
    if number.is_multiple_of(4) { ("lcov", "-o") } else { ("annotate", "--directory=") }
}

fn job(folder: &Path) -> Value {
    let (command, output) = command(folder);
    let argv = [command, &format!("{output}theirs")];
    json!({"do": "run", "argv": argv, "cwd": folder, "crashes": true})
}

/// What ours does otherwise with a source, if anything.
fn difference(folder: &Path, theirs: &Value) -> Option<String> {
    let (command, output) = command(folder);
    let args = [command, &format!("{output}ours")];
    let ours = Ran::from(pulpcov().args(args).current_dir(folder).output().unwrap());
    let same = match theirs["status"].as_i64() {
        _ if ours.stdout.contains(REFUSED) => true,
        // Python cannot write half a surrogate pair, or has no text at all.
        None => ours.status == 1 && ours.stdout.starts_with("Couldn't parse"),
        Some(0) => ours.status == 0 && written(folder, "ours") == written(folder, "theirs"),
        Some(status) => i64::from(ours.status) == status && theirs["stdout"] == ours.stdout,
    };
    let source = fs::read(folder.join("x.py")).unwrap();
    (!same)
        .then(|| format!("{}: {}\n  {theirs}\n  {ours:?}", folder.display(), source.escape_ascii()))
}

/// The file, or the files of the folder, that a command wrote.
fn written(folder: &Path, whose: &str) -> Vec<Vec<u8>> {
    let path = folder.join(whose);
    let Ok(entries) = fs::read_dir(&path) else { return vec![fs::read(path).unwrap()] };
    entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}
