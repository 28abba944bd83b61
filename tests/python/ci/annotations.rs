//! Annotations of GitHub, and code quality of GitLab.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::{APP, Repo, issues};
use crate::support::{Dir, Ran, pulpcov};

#[test]
fn annotations_are_of_the_whole_report() {
    let repo = Repo::new();
    let expected = "\
::warning file=src/app.py,line=4,endLine=9,title=Not covered::lines 4 to 9 did not run
::warning file=src/app.py,line=2,endLine=2,title=Partly covered::line 2 didn't jump to line 4 because the condition on line 2 was always true
::notice title=Coverage::57%25 covered: 3 of 5 statements and 1 of 2 branches
";
    let github = ["report", "--format=github"];
    assert_eq!(repo.run(&github).status(0).stdout, expected);
    // Names start from the top folder, wherever the command runs.
    let mut command = pulpcov();
    command.current_dir(repo.0.path("src")).args(github).arg("--data-file=../.coverage");
    assert_eq!(Ran::from(command.output().unwrap()).status(0).stdout, expected);
    for args in [&["--fail-under=57"][..], &["--fail-under=0"]] {
        assert_eq!(repo.run(&[&github, args].concat()).status(0).stdout, expected);
    }
    let ran = repo.run(&["report", "--format=github", "--fail-under=58"]).status(2);
    let error = "::error title=Coverage::total of 57 is less than fail-under=58\n::notice";
    assert_eq!(ran.stdout, expected.replace("::notice", error));
    assert_eq!(ran.stderr, "error: total of 57 is less than fail-under=58\n");
    // The setting does the same.
    repo.0.write(".coveragerc", "[report]\nformat = github\nfail_under = 58\n");
    assert_eq!(repo.run(&["report"]).status(2).stdout, ran.stdout);
}

#[test]
fn sources_elsewhere_have_the_names_of_their_repository() {
    let repo = Repo::new();
    let expected = repo.run(&["report", "--format=github"]).status(0).stdout;
    repo.0.git(&["archive", "-o", ".git/app.tar", "HEAD"]);
    for source in
        ["--source-root=.", "--source-root=src", "--source-root=.git/app.tar", "--source-rev=HEAD"]
    {
        assert_eq!(
            repo.run(&["report", "--format=github", source]).status(0).stdout,
            expected,
            "{source}"
        );
    }
    // Without git, the repository is found all the same.
    let mut command = pulpcov();
    command.current_dir(repo.0.path("src")).env("PATH", "/nowhere");
    command.args(["report", "--format=github", "--data-file=../.coverage"]);
    assert_eq!(Ran::from(command.output().unwrap()).status(0).stdout, expected);
    // Without a repository, names start from the current folder.
    fs::rename(repo.0.path(".git"), repo.0.path("git")).unwrap();
    assert_eq!(repo.run(&["report", "--format=github"]).status(0).stdout, expected);
    // What is not in the repository has no name there.
    let elsewhere = Dir::new();
    let data = format!("--data-file={}", repo.0.path(".coverage").display());
    elsewhere
        .pulpcov(["report", "--format=github", &data])
        .status(1)
        .stderr("no file of the report is in ");
}

/// GitHub shows ten annotations of a kind. The largest gaps come first, and the tenth warning counts the others.
#[test]
fn annotations_of_the_report_are_no_more_than_github_shows() {
    let repo = Repo::new();
    let function = |n: usize| format!("def f{n}(x):\n{}\n", "    x += 1\n".repeat(n + 1));
    repo.0.write("src/many.py", (0..14).map(function).collect::<String>());
    repo.measure(
        "import runpy\nrunpy.run_path('src/app.py')['f'](1)\nrunpy.run_path('src/many.py')\n",
    );
    let github = repo.run(&["report", "--format=github", "--fail-under=99"]).status(2).stdout;
    let of = |kind: &str| -> Vec<&str> {
        github.lines().filter(|line| line.starts_with(&format!("::{kind} "))).collect()
    };
    let warnings = of("warning");
    assert_eq!(warnings.len(), 10, "{github}");
    assert!(warnings[0].ends_with("lines 119 to 132 did not run"), "{github}");
    assert_eq!(
        warnings[9],
        "::warning title=Not covered::7 gaps more, in src/many.py and other files"
    );
    assert_eq!((of("error").len(), of("notice").len()), (1, 1));
}

/// What shapes a table would be ignored.
#[test]
fn options_of_tables_are_refused() {
    let repo = Repo::new();
    for option in ["--by=dir", "-m", "--sort=miss", "--skip-covered", "--skip-empty"] {
        for format in ["--format=github", "--format=gitlab"] {
            repo.run(&["report", format, option]).status(1).stderr(" is for tables, and ");
        }
    }
}

#[test]
fn floors_of_a_patch_are_errors_of_github() {
    let repo = Repo::of(&[("src/app.py", "x = 1\n")]);
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
    repo.0.write("src/app.py", APP);
    repo.measure("import runpy\nrunpy.run_path('src/app.py')['f'](1)\n");
    let errors = |args: &[&str]| {
        let ran = repo.run(&[&["patch", "--format=github"], args].concat());
        let errors = ran.stdout.lines().filter(|line| line.starts_with("::error"));
        (ran.status, errors.map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(errors(&["--fail-under=50", "--max-missing=3"]), (0, vec![]));
    let (status, said) = errors(&["--fail-under=90", "--max-missing=1"]);
    let expected = [
        "::error title=Patch coverage::less is covered than --fail-under=90 asks for; missing: 2 statements and 1 branch",
        "::error title=Patch coverage::more is missing than --max-missing=1 allows: 2 statements and 1 branch",
    ];
    assert_eq!((status, said), (2, expected.map(str::to_owned).to_vec()));
    repo.0.write("pulpcov.toml", "[patch]\nfail_under = 91\n");
    assert!(errors(&[]).1[0].contains("less is covered than fail_under=91 asks for"));
    // A file that was not measured is an error of its own.
    repo.0.write("src/new.py", "x = 1\n");
    let (_, said) = errors(&["--fail-under=90"]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].starts_with("::error file=src/new.py,title=Not measured::"), "{said:?}");
}

#[test]
fn code_quality_of_the_report_is_that_of_a_patch_that_adds_everything() {
    let repo = Repo::new();
    repo.0.git(&["checkout", "-q", "--orphan", "other"]);
    repo.0.git(&["rm", "-q", "--cached", "-r", "."]);
    repo.0.git(&["commit", "-q", "--allow-empty", "-m", "empty"]);
    let of_patch: Vec<Value> = repo.code_quality(&["patch", "--base=other", "--format=gitlab"]);
    let of_report = repo.code_quality(&["report", "--format=gitlab"]);
    assert_eq!(of_report, of_patch);
    let places: Vec<&Value> = of_report.iter().map(|issue| &issue["location"]["lines"]).collect();
    assert_eq!(places, [&json!({"begin": 2, "end": 2}), &json!({"begin": 4, "end": 9})]);
    // Standard output is JSON also if the total is too low.
    let ran = repo.run(&["report", "--format=gitlab", "--fail-under=99"]).status(2);
    assert_eq!(issues(&ran.stdout), of_report);
    ran.stderr("total of 57 is less than fail-under=99");
}

/// GitLab compares fingerprints to find out which issues are new.
#[test]
fn an_issue_keeps_its_fingerprint_while_lines_above_come_and_go() {
    let repo = Repo::new();
    let twice = format!("{APP}\n{}", APP.replace("def f", "def g"));
    let measure = |text: &str| {
        repo.0.write("src/app.py", text);
        repo.measure("import runpy\nm = runpy.run_path('src/app.py')\nm['f'](1)\nm['g'](1)\n");
        let issues = repo.code_quality(&["report", "--format=gitlab"]);
        issues.iter().map(|issue| issue["fingerprint"].to_string()).collect::<BTreeSet<_>>()
    };
    let before = measure(&twice);
    assert_eq!(before.len(), 4);
    assert_eq!(measure(&format!("import os\n\n\n{twice}")), before);
    let after = measure(&format!("def new(x):\n    x = 1\n    return x\n\n\n{twice}"));
    assert_eq!(after.difference(&before).count(), 1);
    assert!(after.is_superset(&before));
}

/// A change can hide its own lines with a comment that excludes them.
#[test]
fn excluded_lines_of_a_change_are_shown() {
    let repo = Repo::new();
    repo.0.write(
        "src/app.py",
        format!("{APP}\n\ndef hidden():  # pragma: no cover\n    a = 1\n    return a\n"),
    );
    repo.measure("import runpy\nrunpy.run_path('src/app.py')['f'](1)\n");
    let total = "no statement that was measured changed; 3 changed lines are excluded";
    for args in [
        &["patch"][..],
        &["patch", "--format=markdown"],
        &["patch", "--format=github"],
        &["comment"],
    ] {
        repo.run(args).status(0).stdout(total);
    }
    repo.run(&["patch", "--format=markdown"]).stdout("| `src/app.py` |  | 12-14 excluded |");
}

/// The settings of a project that is below the top folder are in its folder.
#[test]
fn a_gate_names_files_from_the_top_of_the_repository() {
    let repo = Repo::of(&[
        ("services/app/src/m.py", APP),
        ("services/app/pulpcov.toml", "[gate]\nfloor = 90\n"),
        ("services/app/run.py", "import sys\nsys.path.insert(0, 'src')\nimport m\nm.f(1)\n"),
    ]);
    let folder = repo.0.path("services/app");
    let mut measure = crate::support::coverage();
    measure.args(["run", "--branch", "--include=src/*", "run.py"]).current_dir(&folder);
    assert!(measure.status().unwrap().success());
    repo.0.write("services/app/src/m.py", format!("{APP}# More.\n"));
    let run = |args: &[&str]| {
        let mut command = pulpcov();
        command.args(args).current_dir(&folder);
        Ran::from(command.output().unwrap())
    };
    run(&["gate"]).status(2).stdout("src/m.py: 2 of 5 lines");
    run(&["gate", "--format=github"]).stdout("::error file=services/app/src/m.py,");
    run(&["gate", "--format=markdown"]).stdout("| `services/app/src/m.py` |");
    run(&["comment"]).status(0).stdout("| `services/app/src/m.py` | 2 of 5 lines");
}
