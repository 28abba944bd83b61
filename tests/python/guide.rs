//! The pages of questions and answers in `examples/questions` show what the commands print.

use std::process::Command;

use crate::support::{Dir, Ran, neutral, pulpcov, root, venv};

/// The pages, in the order in which `run.sh` asks their questions.
const PAGES: [&str; 5] = ["lines.md", "tests.md", "change.md", "fell.md", "merge.md"];

#[test]
fn the_answers_on_the_pages_are_those_that_are_printed() {
    let dir = Dir::new();
    let packages = ["pytest==8.4.2", "pytest-cov==7.0.0", "coverage==7.17.5"].map(str::to_owned);
    let mut command = neutral(Command::new(root().join("examples/questions/run.sh")));
    command.arg(dir.path("shop")).env("PULPCOV", pulpcov().get_program());
    command.env("PYTHON", venv("pytest-cov-contexts", &packages).join("bin/python"));
    let ran = Ran::from(command.output().unwrap());
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);

    let folder = root().join("examples/questions");
    let pages = PAGES.map(|name| std::fs::read_to_string(folder.join(name)).unwrap());
    let blocks = pages.iter().flat_map(|page| page.split("```console\n").skip(1));
    let shown: Vec<&str> =
        blocks.map(|rest| rest.split("```").next().unwrap().trim_end()).collect();
    assert_eq!(shown.join("\n\n"), ran.stdout.trim_end());
}
