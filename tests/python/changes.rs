//! Diffs that the real git writes are read exactly.
//!
//! Each case is a repository with random files and a random change. `PULPCOV_CASES` sets the number of cases, and
//! `PULPCOV_FIRST_CASE` the number of the first.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pulpcov_core::changes::{ChangeKind, Diff, FileChange};

use crate::support::random::Random;
use crate::support::{Dir, cases, neutral, number_of_environment};

/// Names that git quotes, and names that look like prefixes or other parts of a diff.
const NAMES: [&str; 10] = [
    "plain.py",
    "with space.py",
    "größe.py",
    "tab\there.py",
    "quo\"te.py",
    "a/x.py",
    "b/x.py",
    "deep/b/x b/x.py",
    "new\nline.py",
    "back\\slash.py",
];

/// Lines that look like parts of a diff, and others.
const LINES: [&str; 16] = [
    "",
    "x = 1",
    "y = 2",
    "\r",
    "z = 3\r",
    "-- ",
    "--- a/x.py",
    "+++ b/x.py",
    "@@ -1 +1 @@",
    "diff --git a/x b/x",
    "rename from x",
    "\\ No newline at end of file",
    "Binary files a/x and b/x differ",
    "    return",
    "#",
    "\u{2028}",
];

/// Options of `git diff` that change what it prints.
const OPTIONS: [&[&str]; 8] = [
    &[],
    &["-U0"],
    &["-U1", "--inter-hunk-context=3"],
    &["--no-prefix"],
    &["--src-prefix=i/", "--dst-prefix=w/"],
    &["-C", "--find-copies-harder"],
    &["--no-renames", "--binary"],
    &["--patience", "--function-context"],
];

#[test]
fn diffs_of_git_are_read_exactly() {
    let first = number_of_environment("PULPCOV_FIRST_CASE").unwrap_or_default();
    for case in first..first + cases(40) {
        check(case);
    }
}

fn check(case: usize) {
    let mut random = Random::new(case as u64);
    let dir = Dir::new();
    let git = |args: &[&str]| {
        let mut command = neutral(Command::new("git"));
        command.args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=false"]);
        command.args(["-c", "commit.gpgsign=false", "-C"]).arg(dir.path("")).args(args);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    git(&["init", "-q"]);
    for name in NAMES {
        if random.below(4) > 0 {
            let lines = (0..random.below(40)).map(|_| LINES[random.below(LINES.len())]);
            let lines: Vec<&str> = lines.collect();
            let end = if random.below(3) > 0 { "\n" } else { "" };
            dir.write(name, lines.join("\n") + end);
        }
    }
    git(&["add", "-A"]);
    git(&["commit", "-q", "--allow-empty", "-m", "old"]);
    let old = files(&dir);
    for name in NAMES {
        change(&dir, name, &mut random);
    }
    git(&["add", "-A"]);
    let new = files(&dir);
    let options = OPTIONS[random.below(OPTIONS.len())];
    let quotes =
        ["-c", if random.below(2) == 0 { "core.quotePath=false" } else { "core.quotePath=true" }];
    let text = git(&[&quotes, &["diff", "--cached"][..], options].concat());
    let shown = || format!("case {case}, {options:?}:\n{}", String::from_utf8_lossy(&text));
    let diff = Diff::parse(&text).unwrap_or_else(|err| panic!("{err}, {}", shown()));
    let mut expected = new.clone();
    for change in diff.files() {
        let content = |files: &BTreeMap<PathBuf, Vec<u8>>, name: Option<&Path>| {
            name.map(|name| {
                files.get(name).unwrap_or_else(|| panic!("{}: {}", name.display(), shown())).clone()
            })
        };
        let before = content(&old, change.old_path()).unwrap_or_default();
        let after = content(&new, change.new_path()).unwrap_or_default();
        check_lines(change, &before, &after, &shown);
        if let Some(name) = change.new_path() {
            expected.remove(name);
        }
        assert_eq!(
            change.kind() == ChangeKind::Deleted,
            change.new_path().is_none(),
            "{}",
            shown()
        );
        assert_eq!(change.kind() == ChangeKind::Added, change.old_path().is_none(), "{}", shown());
    }
    // What the diff does not name did not change.
    for (name, content) in &expected {
        assert_eq!(old.get(name), Some(content), "{}: {}", name.display(), shown());
    }
}

/// Changes a file, or creates, renames or deletes it.
fn change(dir: &Dir, name: &str, random: &mut Random) {
    let path = dir.path(name);
    let Ok(text) = fs::read_to_string(&path) else {
        if random.below(2) == 0 {
            dir.write(name, "new = 1\n".repeat(random.below(3)));
        }
        return;
    };
    match random.below(6) {
        0 => fs::remove_file(&path).unwrap(),
        1 => fs::write(&path, b"binary\0").unwrap(),
        2 => {}
        kind => {
            let mut lines: Vec<&str> = text.split('\n').collect();
            for _ in 0..random.below(5) {
                let at = random.below(lines.len());
                match random.below(3) {
                    0 if lines.len() > 1 => drop(lines.remove(at)),
                    1 => lines[at] = LINES[random.below(LINES.len())],
                    _ => lines.insert(at, LINES[random.below(LINES.len())]),
                }
            }
            fs::write(&path, lines.join("\n")).unwrap();
            if kind == 3 {
                fs::rename(&path, dir.path(format!("moved {}", name.replace('/', "-")))).unwrap();
            }
        }
    }
}

/// Returns the contents of all files, without those of git.
fn files(dir: &Dir) -> BTreeMap<PathBuf, Vec<u8>> {
    let names = dir.names().into_iter().filter(|name| !name.starts_with(".git/"));
    names.map(|name| (PathBuf::from(&name), fs::read(dir.path(&name)).unwrap())).collect()
}

/// Checks that each line is an edited one, or is mapped to a line with the same text.
fn check_lines(change: &FileChange, before: &[u8], after: &[u8], shown: &dyn Fn() -> String) {
    if change.is_binary() {
        return;
    }
    let (old, new) = (lines(before), lines(after));
    let number = |at: usize| i32::try_from(at + 1).unwrap();
    let (removed, added): (Vec<i32>, Vec<i32>) =
        (change.removed_lines().collect(), change.added_lines().collect());
    let mut last = 0;
    for (at, line) in old.iter().enumerate() {
        match change.new_line(number(at)) {
            None => assert!(removed.contains(&number(at)), "old line {}: {}", at + 1, shown()),
            Some(other) => {
                assert!(other > last, "{}", shown());
                last = other;
                assert_eq!(
                    new.get(other as usize - 1),
                    Some(line),
                    "old line {}: {}",
                    at + 1,
                    shown()
                );
                assert_eq!(change.old_line(other), Some(number(at)), "{}", shown());
            }
        }
    }
    assert_eq!(old.len() - removed.len(), new.len() - added.len(), "{}", shown());
}

/// Splits text into lines as git does, with their ends: a last line without one differs from a line with one.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}
