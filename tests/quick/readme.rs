//! The README is true where a test can tell.

use std::fs;
use std::process::Command;

use crate::support::{Dir, REFERENCE, neutral, pulpcov, root};

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

#[test]
fn it_names_the_coverage_that_all_is_compared_with() {
    assert!(readme().contains(&format!("coverage.py {REFERENCE}")), "{REFERENCE}");
}

/// Each promise names the test that keeps it.
#[test]
fn the_files_that_it_names_exist() {
    let readme = readme();
    let (_, promises) = readme.split_once("## What it promises").unwrap();
    let names: Vec<&str> = promises
        .split('`')
        .filter(|text| text.ends_with(".rs") || text.ends_with(".py") || text.ends_with('/'))
        .filter(|text| !text.contains(' '))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(root().join(name).exists(), "{name}");
    }
}

/// The first command is the one that a newcomer runs, and its last output stands below it.
#[test]
fn the_first_command_prints_what_it_says() {
    let readme = readme();
    let command = readme.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let expected = readme.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let dir = Dir::new();
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(root().join("examples")).arg(dir.path(""));
    assert!(copy.status().unwrap().success());
    // The test runs the program that is built already.
    let program = pulpcov().get_program().to_string_lossy().into_owned();
    let command = command
        .replace("cargo run --release -p pulpcov --", &program)
        .replace("target/release/pulpcov", &program);
    let output = neutral(Command::new("sh"))
        .current_dir(dir.path(""))
        .args(["-c", &command])
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !messages.contains("warning"), "{messages}");
    assert!(format!("{messages}{printed}").contains("Combined 11 files, skipped 1"), "{messages}");
    assert!(printed.ends_with(expected), "{printed}");
}

/// A test compares the pages of questions with what the commands print.
#[test]
fn its_answers_are_those_of_the_questions() {
    let folder = root().join("examples/questions");
    let pages = ["lines.md", "tests.md"]
        .map(|name| fs::read_to_string(folder.join(name)).unwrap())
        .concat();
    let readme = readme();
    let answers: Vec<&str> = readme
        .split("```console\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .filter(|answer| answer.contains("src/shop/") || answer.contains("pulpcov tests-for\n"))
        .collect();
    assert!(answers.len() >= 2, "{answers:?}");
    for answer in answers {
        assert!(pages.contains(answer), "{answer}");
    }
}
