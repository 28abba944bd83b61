//! Other programs that read the reports get the figures of the JSON report.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::{Dir, Ran, root, venv};

/// Creates and measures a package in a git repository, with a change since the last commit.
///
/// The names of its files have characters that readers may stumble over.
fn measured(options: &[&str]) -> Dir {
    let dir = Dir::new();
    dir.write("shop/__init__.py", "");
    dir.write("shop/unused.py", "class Unused:\n    def __init__(self):\n        self.x = 1\n");
    dir.write("shop/a & 'b' <é>.py", "def f(a):\n    return a\n");
    dir.write(
        "main.py",
        "import runpy\nrunpy.run_path(\"shop/a & 'b' <é>.py\")\n\ndef f(a):\n    if a:\n        return 1\n    return 2\n\nf(1)\nfor x in []:\n    print(x)\n",
    );
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=T", "-c", "user.email=t@example.org"]).args(args);
        run(&mut command, &dir).status(0);
    };
    git(&["init", "--quiet", "--initial-branch=main", "."]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message=All"]);
    dir.write(
        "main.py",
        "import runpy\nrunpy.run_path(\"shop/a & 'b' <é>.py\")\n\ndef f(a):\n    if a:\n        return 1\n    return 3\n\nf(1)\nfor x in []:\n    print(x)\nf(2)\n",
    );
    dir.coverage([&["run", "--source=."], options, &["main.py"]].concat()).status(0);
    for report in ["xml", "lcov", "json"] {
        dir.pulpcov([report]).status(0);
    }
    dir
}

fn run(command: &mut Command, dir: &Dir) -> Ran {
    let advice = "these tests need git, lcov (1.14 or later) and xmllint: on Debian and Ubuntu, git, lcov and libxml2-utils";
    let shown = format!("{command:?}");
    match command.current_dir(dir.path("")).env("LC_ALL", "C.UTF-8").output() {
        Ok(output) => output.into(),
        Err(err) => panic!("{shown}: {err}: {advice}"),
    }
}

fn totals(dir: &Dir) -> Value {
    let json: Value =
        serde_json::from_slice(&fs::read(dir.path("coverage.json")).unwrap()).unwrap();
    json["totals"].clone()
}

/// Returns a program of the virtual environment that has the readers written in Python.
fn python_program(name: &str) -> Command {
    let folder: PathBuf = venv("report-readers", &["diff-cover==11.0.1", "pycobertura==4.1.0"]);
    Command::new(folder.join("bin").join(name))
}

#[test]
fn the_xml_is_what_cobertura_declares() {
    let dtd = root().join("tests/fixtures/report/cobertura-04.dtd");
    for options in [&["--branch"][..], &[]] {
        let dir = measured(options);
        let mut xmllint = Command::new("xmllint");
        xmllint.args(["--noout", "--nonet", "--dtdvalid"]).arg(&dtd).arg("coverage.xml");
        run(&mut xmllint, &dir).status(0);
    }
}

#[test]
fn lcov_and_genhtml_read_the_records() {
    for options in [&["--branch"][..], &[]] {
        let dir = measured(options);
        let totals = totals(&dir);
        let lines = format!(
            "({} of {} lines)",
            totals["covered_lines"].as_i64().unwrap(),
            totals["num_statements"].as_i64().unwrap()
        );
        let ran = run(Command::new("lcov").args(["--summary", "coverage.lcov"]), &dir).status(0);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(&lines), "no {lines:?} in {said}");

        let mut genhtml = Command::new("genhtml");
        genhtml.args(["--quiet", "--output-directory=pages", "coverage.lcov"]);
        run(&mut genhtml, &dir).status(0);
        assert!(dir.path("pages/index.html").exists());
        let is_page =
            |name: &String| name.starts_with("pages/") && name.ends_with("main.py.gcov.html");
        assert!(dir.names().iter().any(is_page), "{:?}", dir.names());
    }
}

/// lcov counts no branch that coverage.py describes in words, but every one that is a number.
#[test]
fn lcov_counts_numeric_branches() {
    let dir = measured(&["--branch"]);
    let totals = totals(&dir);
    let version = run(Command::new("lcov").arg("--version"), &dir).stdout;
    let setting = match version.contains("version 1.") {
        true => "lcov_branch_coverage=1",
        false => "branch_coverage=1",
    };
    let branches = format!(
        "({} of {} branches)",
        totals["covered_branches"].as_i64().unwrap(),
        totals["num_branches"].as_i64().unwrap()
    );
    for (options, counts) in
        [(&["lcov", "-q"][..], false), (&["lcov", "-q", "--numeric-branches"], true)]
    {
        dir.pulpcov(options).status(0);
        let mut lcov = Command::new("lcov");
        lcov.args(["--rc", setting, "--summary", "coverage.lcov"]);
        let ran = run(&mut lcov, &dir).status(0);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(said.contains(&branches), counts, "{branches}: {said}");
    }
}

#[test]
fn diff_cover_finds_the_changed_lines_in_either() {
    let dir = measured(&["--branch"]);
    for report in ["coverage.xml", "coverage.lcov"] {
        let mut diff_cover = python_program("diff-cover");
        diff_cover.args([report, "--compare-branch=main", "--format=json:diff.json"]);
        run(&mut diff_cover, &dir).status(0);
        let found: Value =
            serde_json::from_slice(&fs::read(dir.path("diff.json")).unwrap()).unwrap();
        let main = &found["src_stats"]["main.py"];
        // The second return was not reached. The call at the end was.
        assert_eq!(main["violation_lines"], serde_json::json!([7]), "{report}: {found}");
        assert_eq!(main["covered_lines"], serde_json::json!([12]), "{report}: {found}");
    }
}

#[test]
fn pycobertura_counts_the_same() {
    let dir = measured(&[]);
    let mut pycobertura = python_program("pycobertura");
    let shown = run(pycobertura.args(["show", "--format=json", "coverage.xml"]), &dir).status(0);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let totals = totals(&dir);
    assert_eq!(shown["total"]["Stmts"], totals["num_statements"]);
    assert_eq!(shown["total"]["Miss"], totals["missing_lines"]);
    let names: Vec<_> =
        shown["files"].as_array().unwrap().iter().map(|file| &file["Filename"]).collect();
    assert!(names.iter().any(|name| *name == "shop/a & 'b' <é>.py"), "{names:?}");
}
