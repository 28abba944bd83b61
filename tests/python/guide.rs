//! The page of questions and answers in `examples/questions` shows what the commands print.

use std::process::Command;

use crate::support::{Dir, Ran, neutral, pulpcov, root, venv};

#[test]
fn the_answers_on_the_page_are_those_that_are_printed() {
    let dir = Dir::new();
    let packages = ["pytest==8.4.2", "pytest-cov==7.0.0", "coverage==7.17.5"].map(str::to_owned);
    let mut command = neutral(Command::new(root().join("examples/questions/run.sh")));
    command.arg(dir.path("shop")).env("PULPCOV", pulpcov().get_program());
    command.env("PYTHON", venv("pytest-cov-contexts", &packages).join("bin/python"));
    let ran = Ran::from(command.output().unwrap());
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);

    let page = std::fs::read_to_string(root().join("examples/questions/README.md")).unwrap();
    let blocks = page.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let shown: Vec<&str> = blocks.map(str::trim_end).collect();
    assert_eq!(shown.join("\n\n"), ran.stdout.trim_end());
}
