//! Sources in every encoding that Python knows, under each of its names: coverage.py and pulpcov decode the
//! same text.
//!
//! `PULPCOV_CASES` sets the number of cases. By default there is one for each name. To repeat a case that
//! failed, set `PULPCOV_FIRST_CASE` to its number.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Dir, Ran, pulpcov, python, reference, root};
use crate::support::{cases, number_of_environment};

/// The message for sources that pulpcov refuses to decode, although Python decodes them: it would take too
/// long.
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

/// Returns the command that writes a source's text, and its output option. LCOV has checksums of the text.
fn command(folder: &Path) -> (&'static str, &'static str) {
    let number: usize = folder.file_name().unwrap().to_str().unwrap().parse().unwrap();
    if number.is_multiple_of(4) { ("lcov", "-o") } else { ("annotate", "--directory=") }
}

fn job(folder: &Path) -> Value {
    let (command, output) = command(folder);
    let argv = [command, &format!("{output}theirs")];
    json!({"do": "run", "argv": argv, "cwd": folder, "crashes": true})
}

/// Returns how our result differs from coverage.py's, if it does.
fn difference(folder: &Path, theirs: &Value) -> Option<String> {
    let (command, output) = command(folder);
    let args = [command, &format!("{output}ours")];
    let ours = Ran::from(pulpcov().args(args).current_dir(folder).output().unwrap());
    let same = match theirs["status"].as_i64() {
        _ if ours.stdout.contains(REFUSED) => true,
        // coverage.py crashed: Python cannot write half a surrogate pair, or cannot decode the source.
        None => ours.status == 1 && ours.stdout.starts_with("Couldn't parse"),
        Some(0) => ours.status == 0 && written(folder, "ours") == written(folder, "theirs"),
        Some(status) => i64::from(ours.status) == status && theirs["stdout"] == ours.stdout,
    };
    let source = fs::read(folder.join("x.py")).unwrap();
    (!same)
        .then(|| format!("{}: {}\n  {theirs}\n  {ours:?}", folder.display(), source.escape_ascii()))
}

/// Returns the bytes of the file, or of the files in the folder, that a command wrote.
fn written(folder: &Path, whose: &str) -> Vec<Vec<u8>> {
    let path = folder.join(whose);
    let Ok(entries) = fs::read_dir(&path) else { return vec![fs::read(path).unwrap()] };
    entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}
