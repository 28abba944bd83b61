//! What services of CI show: annotations, code quality, coverage in merge requests, and comments.
//!
//! The formats are compared with what the services document, and with programs that read them: xmllint, Python's XML, and
//! the Markdown library of GitHub.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Dir, Ran, neutral, pulpcov, python, root, venv};

const APP: &str = "\
def f(a):
    if a:
        return 1
    b = (
        2
    )

    # Nothing.
    return b
";

/// Names that end an attribute, a cell, a command, a comment or a line, and names that terminals obey.
const HOSTILE: [&str; 12] = [
    "src/a%b,c:d.py",
    "src/x|y`z.py",
    "src/two``ticks\\|.py",
    "src/::error::.py",
    "src/<img src=x onerror=alert(1)>.py",
    "src/]]>&\"'.py",
    "src/-->.py",
    "src/new\nline.py",
    "src/\r::error::x.py",
    "src/esc\x1b[31m.py",
    "src/größe\u{202e}.py",
    "src/back\\slash.py",
];

/// A repository, and data that was measured on its files.
struct Repo(Dir);

impl Repo {
    /// Creates a repository of which `app.py` ran in part.
    fn new() -> Self {
        let repo = Self::of(&[("src/app.py", APP)]);
        repo.measure("import runpy\nrunpy.run_path('src/app.py')['f'](1)\n");
        repo
    }

    fn of(files: &[(&str, &str)]) -> Self {
        let repo = Self(Dir::new());
        repo.git(&["init", "-q", "-b", "main"]);
        for (key, value) in [("user.name", "a"), ("user.email", "a@b"), ("commit.gpgsign", "false")]
        {
            repo.git(&["config", key, value]);
        }
        repo.0.write(".gitignore", ".coverage*\n.pulpcov_cache/\n__pycache__/\n*.xml\n*.md\n");
        for (name, text) in files {
            repo.0.write(name, text);
        }
        repo.git(&["add", "-A"]);
        repo.git(&["commit", "-q", "-m", "first"]);
        repo
    }

    /// Creates a repository with hostile names, all of them new since `main`.
    fn hostile() -> Self {
        let repo = Self::of(&[]);
        repo.git(&["checkout", "-q", "-b", "feature"]);
        let mut code = "import runpy\n".to_owned();
        for name in HOSTILE {
            repo.0.write(name, APP);
            code.push_str(
                &format!("runpy.run_path({name:?})['f'](1)\n")
                    .replace("\\u{202e}", "\\u202e")
                    .replace("\\u{1b}", "\\x1b"),
            );
        }
        repo.measure(&code);
        repo
    }

    fn git(&self, args: &[&str]) -> String {
        let output = neutral(Command::new("git")).current_dir(self.0.path("")).args(args).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Has coverage.py measure a program that is outside of the repository.
    fn measure(&self, code: &str) {
        let dir = Dir::new();
        let program = dir.write("run.py", code);
        self.0
            .coverage(["run", "--branch", "--omit=*/run.py", program.to_str().unwrap()])
            .status(0);
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.0.pulpcov(args)
    }

    fn code_quality(&self, args: &[&str]) -> Vec<Value> {
        issues(&self.run(args).stdout)
    }

    /// Returns the lines of each file in the JSON report, with whether they ran.
    fn lines(&self) -> BTreeMap<String, BTreeMap<i64, bool>> {
        let report: Value =
            serde_json::from_str(&self.run(&["json", "-q", "-o", "-"]).stdout).unwrap();
        let file = |(name, file): (&String, &Value)| {
            let with = |key: &str, ran: bool| {
                let lines = file[key].as_array().unwrap().iter();
                lines.map(|line| (line.as_i64().unwrap(), ran)).collect::<Vec<_>>()
            };
            let lines = [with("executed_lines", true), with("missing_lines", false)].concat();
            (name.clone(), lines.into_iter().collect())
        };
        report["files"].as_object().unwrap().iter().map(file).collect()
    }
}

/// Checks what GitLab says about a code quality report, and returns its issues.
fn issues(text: &str) -> Vec<Value> {
    let issues: Vec<Value> =
        serde_json::from_str(text).unwrap_or_else(|err| panic!("{err}: {text}"));
    let mut prints = BTreeSet::new();
    for issue in &issues {
        for key in ["description", "check_name", "fingerprint"] {
            assert!(issue[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {issue}");
        }
        let severity = issue["severity"].as_str().unwrap();
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity), "{issue}");
        let path = issue["location"]["path"].as_str().unwrap();
        assert!(!path.starts_with(['/', '.']), "{issue}");
        assert!(issue["location"]["lines"]["begin"].as_i64().unwrap() >= 1, "{issue}");
        assert!(prints.insert(issue["fingerprint"].to_string()), "{issue}");
    }
    issues
}

/// Runs a program in Python, which prints JSON.
fn python_json(dir: &Dir, code: &str, args: &[String]) -> Value {
    let output = python().current_dir(dir.path("")).args(["-c", code]).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn xmllint(dir: &Dir, args: &[&str]) -> Ran {
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet"]).args(args).current_dir(dir.path(""));
    Ran::from(
        command.output().unwrap_or_else(|err| panic!("xmllint: {err}: it is in libxml2-utils")),
    )
}

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
    repo.git(&["archive", "-o", ".git/app.tar", "HEAD"]);
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

#[test]
fn floors_of_a_patch_are_errors_of_github() {
    let repo = Repo::of(&[("src/app.py", "x = 1\n")]);
    repo.git(&["checkout", "-q", "-b", "feature"]);
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
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    repo.git(&["rm", "-q", "--cached", "-r", "."]);
    repo.git(&["commit", "-q", "--allow-empty", "-m", "empty"]);
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

/// A repository with many files, of which the first have the least missing.
fn many(count: usize) -> Repo {
    let names: Vec<String> = (0..count).map(|n| format!("src/file{n:03}.py")).collect();
    let repo = Repo::of(&[]);
    repo.git(&["checkout", "-q", "-b", "feature"]);
    for (n, name) in names.iter().enumerate() {
        repo.0.write(name, format!("def f(x):\n{}", "    x += 1\n".repeat(n + 1)));
    }
    repo.measure(&format!(
        "import runpy\nfor n in range({count}): runpy.run_path(f'src/file{{n:03}}.py')\n"
    ));
    repo
}

/// Returns the rows of the tables with files, and how many were left out.
fn rows(markdown: &str) -> (Vec<&str>, usize) {
    let rows =
        markdown.lines().filter(|line| line.starts_with('|') && line.contains(".py")).collect();
    let left_out = markdown.lines().filter_map(|line| line.strip_prefix("Left out, to fit: "));
    let left_out = left_out.map(|line| line.split(' ').next().unwrap().parse::<usize>().unwrap());
    (rows, left_out.sum())
}

#[test]
fn markdown_fits_into_the_summary_of_a_step() {
    let repo = many(60);
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 100\n");
    for command in [
        &["report", "--format=markdown"][..],
        &["report", "-m", "--format=markdown"],
        &["patch", "--format=markdown"],
        &["gate", "--format=markdown"],
    ] {
        let whole = repo.run(command).stdout;
        assert_eq!(rows(&whole).0.len(), 60);
        let with = |max: usize| repo.run(&[command, &[&format!("--max-bytes={max}")]].concat());
        assert_eq!(with(whole.len()).stdout, whole);
        for max in [1000, 1500, whole.len() / 2, whole.len() - 1] {
            let fitted = with(max).stdout;
            assert!(fitted.len() <= max, "{command:?}: {} > {max}", fitted.len());
            let (rows, left_out) = rows(&fitted);
            assert_eq!(rows.len() + left_out, 60, "{command:?}: {fitted}");
            // What is shown has the most missing. A row that is too long gives way to a shorter one.
            let is_shown = |n: &usize| rows.iter().any(|row| row.contains(&format!("file{n:03}")));
            let among_the_worst = (left_out..60).filter(is_shown).count();
            assert!(among_the_worst + 2 >= rows.len(), "{command:?}: {fitted}");
        }
        with(10).status(1).stderr("10 bytes are too few: at least ");
    }
    for command in ["report", "patch", "gate"] {
        let ran = repo.run(&[command, "--max-bytes=1000"]).status(1);
        ran.stderr("--max-bytes is for --format=markdown only");
    }
}

#[test]
fn a_comment_says_what_a_reviewer_asks() {
    let repo = Repo::of(&[("src/app.py", "def f(a):\n    return 1\n"), ("src/old.py", "x = 1\n")]);
    let program =
        "import runpy\nrunpy.run_path('src/app.py')['f'](1)\nrunpy.run_path('src/old.py')\n";
    repo.measure(program);
    fs::rename(repo.0.path(".coverage"), repo.0.path(".coverage-base")).unwrap();
    repo.git(&["checkout", "-q", "-b", "feature"]);
    repo.0.write("src/app.py", APP);
    repo.0.write("src/old.py", "x = 2\n");
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 90\n");
    repo.measure(program);
    let expected = "\
<!-- pulpcov unit -->
Changes since `main`: 57% covered: 3 of 5 statements and 1 of 2 branches.

Project: 62% covered: 4 of 6 statements and 1 of 2 branches; 37.50 points less than before.

Gate: 1 of 2 files fails.

| Fails | Missing | To pass |
| --- | --- | --- |
";
    let args = [
        "comment",
        "--name=unit",
        "--baseline=.coverage-base",
        "--baseline-rev=main",
        "--link=Report=https://ci.example.org/?a=1&b=2",
        "--link=All [files]=https://x.example.org/ a>b",
    ];
    let said = repo.run(&args).status(0);
    assert!(said.stderr.is_empty(), "{}", said.stderr);
    let comment = said.stdout;
    assert!(comment.starts_with(expected), "{comment}");
    for part in [
        "| `src/app.py` | 50% | 2 didn't jump to line 4 because the condition on line 2 was always true; 4-9 |\n",
        "\n1 changed file without gaps.\n",
        "\n[Report](<https://ci.example.org/?a=1&b=2>) · [All \\[files\\]](<https://x.example.org/%20a%3Eb>)\n",
    ] {
        assert!(comment.contains(part), "no {part} in {comment}");
    }
    let same = repo.run(&["comment", "--baseline=.coverage"]).status(0);
    same.stdout("; as much as before.\n").stderr("--baseline-rev names the revision");
    // A diff needs no git.
    let diff = repo.git(&["diff", "main"]);
    repo.0.write(".git/change.diff", diff);
    let by_diff = repo.run(&["comment", "--diff=.git/change.diff"]).status(0).stdout;
    assert!(by_diff.starts_with("<!-- pulpcov coverage -->\nChanges: 57% covered"), "{by_diff}");
    // It is written to a file, whatever it says.
    repo.run(&["comment", "-o", "comment.md"]).status(0);
    assert!(
        fs::read_to_string(repo.0.path("comment.md"))
            .unwrap()
            .contains("Gate: 1 of 2 files fails.")
    );
    // Without git, the comment is about the project. What is asked for must be there.
    fs::remove_file(repo.0.path("pulpcov.toml")).unwrap();
    fs::rename(repo.0.path(".git"), repo.0.path("git")).unwrap();
    let alone = repo.run(&["comment"]).status(0);
    assert_eq!(
        alone.stdout,
        "<!-- pulpcov coverage -->\nProject: 62% covered: 4 of 6 statements and 1 of 2 branches.\n"
    );
    alone.stderr("the comment is not about changes: ");
    repo.run(&["comment", "--base=main"]).status(1);
    repo.run(&["comment", "--diff=none.diff"]).status(1).stderr("none.diff");
}

/// Returns the text that GitHub shows of Markdown, without code, and the kinds of its elements.
fn shown_by_github(markdown: &str) -> (String, BTreeSet<String>) {
    let folder = venv("markdown-readers", &["cmarkgfm==2025.10.22"]);
    let code = r#"
import json, sys
from html.parser import HTMLParser
from cmarkgfm import github_flavored_markdown_to_html as to_html
class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text, self.code = [], [], 0
    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.code += tag == "code"
    def handle_endtag(self, tag):
        self.code -= tag == "code"
    def handle_data(self, data):
        if not self.code: self.text.append(data)
reader = Reader()
reader.feed(to_html(sys.stdin.buffer.read().decode()))
print(json.dumps(["".join(reader.text), reader.tags]))
"#;
    let dir = Dir::new();
    let file = dir.write("x.md", markdown);
    let mut reader = Command::new(folder.join("bin/python"));
    reader.args(["-c", code]).stdin(fs::File::open(file).unwrap());
    let output = reader.output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|err| panic!("{err}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// GitHub makes mentions and links of all text but code.
#[test]
fn names_in_markdown_mention_nobody() {
    let names = ["@org/team.py", "www.evil.example/x.py", "#123.py", "a@b.example.py"];
    let repo = Repo::of(&names.map(|name| (name, APP)));
    let run = |name: &str| format!("import runpy\nrunpy.run_path('{name}')['f'](1)\n");
    repo.measure(&names.map(run).concat());
    fs::rename(repo.0.path(".coverage"), repo.0.path(".coverage-base")).unwrap();
    let rules = "[gate]\nfloor = 90\n[[gate.rules]]\npaths = [\"@org/**\", \"www.evil.example/**\", \"#123.py\", \"a@b.example.py\", \"new.py\"]\neach = {lines = 90}\n";
    repo.0.write("pulpcov.toml", rules);
    repo.git(&["checkout", "-q", "-b", "feature"]);
    repo.git(&["mv", "@org/team.py", "new.py"]);
    repo.git(&["commit", "-q", "-m", "renamed"]);
    repo.0.write("new.py", format!("{APP}x = 1\nif x == 2:\n    x = 3\n"));
    repo.0.write("@org/other.py", APP);
    let now = ["new.py", "www.evil.example/x.py", "#123.py", "a@b.example.py", "@org/other.py"];
    repo.measure(&now.map(run).concat());
    fs::copy(repo.0.path(".coverage"), repo.0.path("@run")).unwrap();
    repo.measure(&now.map(|name| run(name).replace("(1)", "(0)")).concat());
    for args in [
        &["comment"][..],
        &["patch", "--format=markdown"],
        &["gate", "--format=markdown", "--baseline=.coverage-base", "--baseline-rev=main"],
        &["gate", "--format=markdown", "--runs", ".coverage", "@run"],
    ] {
        let markdown = repo.run(args).stdout;
        let (text, tags) = shown_by_github(&markdown);
        assert!(!tags.contains("a"), "{args:?}: {markdown}");
        for name in ["@", "www.", "#123"] {
            assert!(!text.contains(name), "{args:?}: {name} in {text}");
        }
        assert!(markdown.contains("@org"), "{args:?}: {markdown}");
    }
}

/// A step summary is made by several commands, one after the other.
#[test]
fn markdown_can_be_appended_to_markdown() {
    let repo = Repo::new();
    repo.0.write("src/app.py", format!("{APP}\n\ndef more():\n    return 2\n"));
    repo.measure("import runpy\nrunpy.run_path('src/app.py')['f'](1)\n");
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 90\n");
    let of = |command: &str| repo.run(&[command, "--format=markdown"]).stdout;
    let all = [of("report"), of("patch"), of("report"), of("gate"), of("report")].concat();
    let folder = venv("markdown-readers", &["cmarkgfm==2025.10.22"]);
    let code = "import sys\nfrom cmarkgfm import github_flavored_markdown_to_html as to_html\nprint(to_html(sys.argv[1]))";
    let output = Command::new(folder.join("bin/python")).args(["-c", code, &all]).output().unwrap();
    let html = String::from_utf8(output.stdout).unwrap();
    assert_eq!(html.matches("<table>").count(), 5, "{html}");
    assert_eq!(html.matches("<p>").count(), 2, "{html}");
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

/// What a program reads has no message in it.
#[test]
fn errors_are_not_in_what_programs_read() {
    let repo = Repo::new();
    repo.0.write("src/app.py", "def broken(:\n");
    for args in [
        &["report", "--format=gitlab"][..],
        &["report", "--format=github"],
        &["report", "--format=markdown", "--max-bytes=1000"],
        &["xml", "--sonar", "-o", "-"],
        &["xml", "--gitlab", "-o", "-"],
        &["json", "--codecov", "-o", "-"],
    ] {
        let ran = repo.run(args).status(1).stderr("Couldn't parse");
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    let empty = Dir::new();
    let ran = empty.pulpcov(["report", "--format=gitlab"]).status(1).stderr("No data to report");
    assert_eq!(ran.stdout, "");
}

/// Codecov takes a backslash for a slash, and XML has no control characters.
#[test]
fn names_that_services_read_as_one_are_refused() {
    for (one, other) in
        [("src/a.py", "src\\a.py"), ("a\u{1}.py", "a\u{2}.py"), ("a\u{1}.py", "a?.py")]
    {
        let repo = Repo::of(&[(one, APP), (other, APP)]);
        let run = |name: &str| {
            let name = name.replace('\\', "\\\\");
            format!("import runpy\nrunpy.run_path('{name}')['f'](1)\n")
        };
        repo.measure(&[run(one), run(other)].concat());
        for args in [
            &["json", "--codecov"][..],
            &["xml", "--sonar"],
            &["xml", "--gitlab"],
            &["report", "--format=github"],
        ] {
            repo.run(args).status(1).stderr("were both measured as this file of the repository");
        }
    }
}

#[test]
fn what_no_service_could_show_is_refused() {
    let repo = Repo::new();
    repo.run(&["xml", "--sonar", "--max-bytes=5"]).status(1).stderr("cannot be used with");
    for part in 2..5 {
        repo.0.write(format!("cobertura-{part}.xml"), "");
    }
    let ran = repo.run(&["xml", "--gitlab"]).status(0);
    ran.stderr("parts of an earlier report are here: cobertura-2.xml, cobertura-3.xml, cobertura-4.xml; remove them");
    let elsewhere = Dir::new();
    fs::copy(repo.0.path(".coverage"), elsewhere.path(".coverage")).unwrap();
    for args in [&["xml", "--sonar"][..], &["json", "--codecov"], &["report", "--format=github"]] {
        elsewhere.pulpcov(args).status(1).stderr("no file of the report is in ");
    }
}

#[test]
fn a_comment_refuses_what_it_cannot_say() {
    let repo = Repo::new();
    repo.run(&["comment", "--name=a-->b"]).status(1).stderr("cannot be the name of a comment");
    repo.run(&["comment", "--link=x"]).status(1).stderr("write TEXT=URL after --link");
    repo.run(&["comment", "--link=x=javascript:alert(1)"]).status(1).stderr("is not an address");
    repo.run(&["comment", "src"]).status(1).stderr("--include and --omit choose its files");
    repo.run(&["comment", "--max-bytes=20"]).status(1).stderr("20 bytes are too few");
    repo.run(&["comment", "--omit=src/x.py", "--include=src/*"]).status(0).stdout("57% covered");
    Dir::new().pulpcov(["comment"]).status(1).stderr("no data");
}

/// GitHub takes 65,536 characters.
#[test]
fn a_comment_keeps_its_limit() {
    let repo = many(60);
    let whole = repo.run(&["comment"]).status(0).stdout;
    let links = "--link=All=https://ci.example.org/all";
    for max in [400, 800, 1600, whole.len()] {
        let comment = repo.run(&["comment", links, &format!("--max-bytes={max}")]).status(0).stdout;
        assert!(comment.len() <= max, "{} > {max}", comment.len());
        assert!(comment.ends_with("[All](<https://ci.example.org/all>)\n"), "{comment}");
        let (rows, left_out) = rows(&comment);
        assert_eq!(rows.len() + left_out, 60, "{comment}");
        // The worst file comes first.
        assert!(rows.is_empty() || rows[0].contains("file059"), "{comment}");
    }
    // Many gaps of one file do not keep the others out.
    let gaps: String = (0..12_000).map(|n| format!("def f{n}(x):\n    return x\n")).collect();
    repo.0.write("src/large.py", gaps);
    repo.measure("import runpy\nfor n in range(60): runpy.run_path(f'src/file{n:03}.py')\nrunpy.run_path('src/large.py')\n");
    let comment = repo.run(&["comment"]).status(0).stdout;
    assert!(comment.len() <= 65_536);
    assert!(comment.contains("| `src/large.py` | 50% | 12000 gaps |"), "{comment}");
    assert_eq!(rows(&comment).0.len(), 61);
}

/// What a reader of Markdown sees of hostile names, by GitHub's own library.
#[test]
fn markdown_shows_hostile_names_as_they_are() {
    let folder = venv("markdown-readers", &["cmarkgfm==2025.10.22"]);
    let repo = Repo::hostile();
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 90\n");
    let code = r#"
import json, sys
from html.parser import HTMLParser
from cmarkgfm import github_flavored_markdown_to_html as to_html
class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.rows, self.tags, self.is_in_cell = [], set(), False
    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr": self.rows.append([])
        self.is_in_cell = tag in ("td", "th") or self.is_in_cell
        if tag in ("td", "th"): self.rows[-1].append("")
    def handle_endtag(self, tag):
        self.is_in_cell = self.is_in_cell and tag not in ("td", "th")
    def handle_data(self, data):
        if self.is_in_cell: self.rows[-1][-1] += data
reader = Reader()
reader.feed(to_html(sys.stdin.buffer.read().decode()))
print(json.dumps({"rows": reader.rows, "tags": sorted(reader.tags)}))
"#;
    let shown: BTreeSet<String> =
        HOSTILE.iter().map(|name| pulpcov_core::text::printable(name).into_owned()).collect();
    for args in [
        &["patch", "--format=markdown"][..],
        &["gate", "--format=markdown"],
        &["report", "--format=markdown", "--max-bytes=1000"],
        &["report", "--format=markdown"],
        &["comment"],
    ] {
        let markdown = repo.run(args).stdout;
        let file = Dir::new();
        let file = file.write("x.md", &markdown);
        let mut reader = Command::new(folder.join("bin/python"));
        reader.args(["-c", code]).stdin(fs::File::open(file).unwrap());
        let output = reader.output().unwrap();
        let page: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|err| panic!("{err}: {}", String::from_utf8_lossy(&output.stderr)));
        let tags: Vec<&str> =
            page["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
        for tag in tags {
            assert!(
                ["code", "p", "strong", "table", "tbody", "td", "th", "thead", "tr"].contains(&tag),
                "{args:?}: {tag} in {markdown}"
            );
        }
        let rows = page["rows"].as_array().unwrap();
        let names: BTreeSet<String> =
            rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
        for name in &shown {
            assert!(names.contains(name), "{args:?}: {name} is not in {names:#?}");
        }
    }
}

#[test]
fn hostile_names_stay_in_their_place() {
    let repo = Repo::hostile();
    for command in ["report", "patch"] {
        let github = repo.run(&[command, "--format=github"]).stdout;
        for line in github.lines() {
            let kind = line.strip_prefix("::").and_then(|line| line.split(' ').next());
            assert!(kind.is_some_and(|kind| ["warning", "notice"].contains(&kind)), "{line}");
            let properties = line.split("::").nth(1).unwrap();
            assert!(properties.contains("title="), "{line}");
        }
        assert!(github.contains("file=src/a%25b%2Cc%3Ad.py,line=4"), "{github}");
        assert!(!github.contains(['\x1b', '\r', '\u{202e}']), "{github}");
        let issues = repo.code_quality(&[command, "--format=gitlab"]);
        let paths: BTreeSet<&str> =
            issues.iter().map(|issue| issue["location"]["path"].as_str().unwrap()).collect();
        assert_eq!(paths, BTreeSet::from(HOSTILE));
    }
    // JSON and XML have each name as it is. XML has no escape for the escape character.
    let codecov: Value =
        serde_json::from_str(&repo.run(&["json", "--codecov", "-o", "-"]).status(0).stdout)
            .unwrap();
    let names: BTreeSet<&str> =
        codecov["coverage"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(HOSTILE));
    let in_xml: BTreeSet<String> = HOSTILE.iter().map(|name| name.replace('\x1b', "?")).collect();
    repo.run(&["xml", "--sonar"]).status(0);
    repo.run(&["xml", "--gitlab"]).status(0);
    for (file, key) in [("sonar.xml", "path"), ("cobertura-1.xml", "filename")] {
        xmllint(&repo.0, &[file]).status(0);
        let code = "import sys, json, xml.etree.ElementTree as E\nkey = sys.argv[2]\nprint(json.dumps([e.get(key) for e in E.parse(sys.argv[1]).iter() if e.get(key)]))";
        let names = python_json(&repo.0, code, &[file.into(), key.into()]);
        let names: BTreeSet<String> = names
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, in_xml, "{file}");
    }
}

/// Packages of several files, some of which ran.
fn packages() -> Repo {
    let names: Vec<String> = ["src/a", "src/a/b", "src/c", "lib"]
        .iter()
        .flat_map(|folder| (0..4).map(move |n| format!("{folder}/m{n}.py")))
        .collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), APP)).collect();
    let repo = Repo::of(&files);
    let list = names.iter().map(|name| format!("runpy.run_path({name:?})['f'](1)\n"));
    repo.measure(&format!("import runpy\n{}", list.collect::<String>()));
    repo
}

const READ_COBERTURA: &str = "\
import json, sys, xml.etree.ElementTree as E
found = {}
for path in sys.argv[1:]:
    root = E.parse(path).getroot()
    assert root.find('sources') is None
    lines = [line for line in root.iter('line')]
    assert int(root.get('lines-valid')) == len(lines), path
    assert int(root.get('lines-covered')) == sum(line.get('hits') != '0' for line in lines), path
    for file in root.iter('class'):
        assert file.get('filename') not in found
        found[file.get('filename')] = {line.get('number'): line.get('hits') != '0' for line in file.iter('line')}
print(json.dumps(found))
";

#[test]
fn each_part_for_gitlab_is_a_report_and_all_together_are_the_whole() {
    let repo = packages();
    let dtd = root().join("tests/fixtures/report/cobertura-04.dtd");
    let lines = serde_json::to_value(repo.lines()).unwrap();
    for (max, parts) in [(10_485_759, 1), (8_000, 2), (4_500, 4), (2_000, 16), (100, 16)] {
        let ran = repo.run(&["xml", "--gitlab", &format!("--max-bytes={max}")]).status(0);
        let names: Vec<String> = (1..=parts).map(|n| format!("cobertura-{n}.xml")).collect();
        for name in &names {
            xmllint(&repo.0, &["--dtdvalid", dtd.to_str().unwrap(), name]).status(0);
            let size = fs::metadata(repo.0.path(name)).unwrap().len();
            assert!(
                size <= max || ran.stderr.contains("this file alone is larger"),
                "{size} > {max}"
            );
        }
        assert!(
            !repo.0.path(format!("cobertura-{}.xml", parts + 1)).exists(),
            "{max}: {:?}",
            repo.0.names()
        );
        assert_eq!(python_json(&repo.0, READ_COBERTURA, &names), lines, "{max}");
    }
    // An earlier report had more parts.
    repo.run(&["xml", "--gitlab"])
        .status(0)
        .stderr("parts of an earlier report are here: cobertura-2.xml, cobertura-3.xml,");
    let ran = repo.run(&["xml", "--gitlab", "--max-bytes=4500", "-o", "one.xml"]).status(1);
    ran.stderr("the report has 4 parts, and all would be one.xml: in -o, write {} where");
    repo.run(&["xml", "--gitlab", "-q", "-o", "-"]).status(0).stdout("filename=\"src/a/b/m0.py\"");
    repo.run(&["xml", "--gitlab", "--root=."]).status(1);
    repo.run(&["xml", "--max-bytes=1"]).status(1);
    let mut command = pulpcov();
    command.current_dir(repo.0.path("src")).args([
        "xml",
        "--gitlab",
        "-q",
        "-o",
        "-",
        "--data-file=../.coverage",
    ]);
    Ran::from(command.output().unwrap()).status(0).stdout("filename=\"src/a/b/m0.py\"");
}

const READ_SONAR: &str = "\
import json, sys, xml.etree.ElementTree as E
found = {}
for file in E.parse(sys.argv[1]).getroot().iter('file'):
    lines = {}
    for line in file.iter('lineToCover'):
        branches, taken = line.get('branchesToCover', '0'), line.get('coveredBranches', '0')
        assert int(taken) <= int(branches)
        lines[line.get('lineNumber')] = line.get('covered') == 'true'
    found[file.get('path')] = lines
print(json.dumps(found))
";

#[test]
fn sonarqube_gets_the_lines_of_the_report() {
    let repo = packages();
    repo.run(&["xml", "--sonar"]).status(0).stderr("Wrote XML report to sonar.xml");
    let schema = root().join("tests/fixtures/report/sonar-generic-coverage.xsd");
    xmllint(&repo.0, &["--schema", schema.to_str().unwrap(), "sonar.xml"]).status(0);
    let lines = serde_json::to_value(repo.lines()).unwrap();
    assert_eq!(python_json(&repo.0, READ_SONAR, &["sonar.xml".into()]), lines);
    let text = fs::read_to_string(repo.0.path("sonar.xml")).unwrap();
    let line = "<lineToCover lineNumber=\"2\" covered=\"true\" branchesToCover=\"2\" coveredBranches=\"1\"/>";
    assert_eq!(text.matches(line).count(), 16);
    // A source that is gone is in no report.
    fs::remove_file(repo.0.path("lib/m0.py")).unwrap();
    repo.run(&["xml", "--sonar"]).status(1);
    repo.run(&["xml", "--sonar", "-i"]).status(0);
    assert!(!fs::read_to_string(repo.0.path("sonar.xml")).unwrap().contains("lib/m0.py"));
    // A program may read standard output.
    let ran = repo.run(&["xml", "--sonar", "-i", "-o", "-", "--fail-under=99"]).status(2);
    assert!(ran.stdout.ends_with("</coverage>\n"), "{}", ran.stdout);
    ran.stderr("is less than fail-under=99");
}

/// A file that is found in two places would be lost in one of them.
#[test]
fn a_file_that_may_be_two_is_refused_with_both_names() {
    let elsewhere = Repo::of(&[("src/pkg/mod.py", APP)]);
    elsewhere.measure("import runpy\nrunpy.run_path('src/pkg/mod.py')['f'](1)\n");
    let repo = Repo::of(&[("one/pkg/mod.py", APP), ("two/pkg/mod.py", APP)]);
    fs::copy(elsewhere.0.path(".coverage"), repo.0.path(".coverage")).unwrap();
    for args in [
        &["xml", "--sonar"][..],
        &["xml", "--gitlab"],
        &["json", "--codecov"],
        &["report", "--format=github"],
    ] {
        let ran = repo.run(&[args, &["-i", "--source-root=."]].concat()).status(1);
        ran.stderr("src/pkg/mod.py: this may be any of one/pkg/mod.py, two/pkg/mod.py; --source-root names");
    }
    // The advice helps.
    repo.run(&["xml", "--sonar", "--source-root=one", "-o", "-"])
        .status(0)
        .stdout("path=\"one/pkg/mod.py\"");
    let folder = elsewhere.0.path("src");
    repo.0.write(
        ".coveragerc",
        format!("[paths]\nx =\n    {}\n    {}\n", repo.0.path("two").display(), folder.display()),
    );
    repo.run(&["xml", "--sonar", "-o", "-"]).status(0).stdout("path=\"two/pkg/mod.py\"");
}

#[test]
fn codecov_gets_hits_branches_and_what_to_skip() {
    let repo = packages();
    repo.0.write("src/c/m0.py", format!("{APP}\n\ndef debug():  # pragma: no cover\n    pass\n"));
    repo.run(&["json", "--codecov"]).status(0).stderr("Wrote JSON report to codecov.json");
    let text = fs::read(repo.0.path("codecov.json")).unwrap();
    let report: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(report.as_object().unwrap().keys().collect::<Vec<_>>(), ["coverage"]);
    assert_eq!(
        report["coverage"]["src/c/m0.py"],
        json!({"1": 1, "2": "1/2", "3": 1, "4": 0, "9": 0, "12": null, "13": null})
    );
    let lines = repo.lines();
    let files = report["coverage"].as_object().unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), lines.keys().collect::<Vec<_>>());
    for (name, of_file) in &lines {
        for (line, ran) in of_file {
            let value = &files[name][&line.to_string()];
            let covered = match value {
                Value::Number(hits) => hits.as_u64().unwrap() > 0,
                Value::String(part) => part.split_once('/').is_some(),
                other => panic!("{other}"),
            };
            assert_eq!(covered, *ran, "{name} {line}");
        }
    }
    repo.run(&["json", "--codecov", "--show-contexts"]).status(1);
    // A line of which no branch was taken ran all the same.
    let raises = Repo::of(&[(
        "r.py",
        "def f():\n    raise ValueError\n\n\ntry:\n    if f():\n        x = 1\nexcept ValueError:\n    x = 2\n",
    )]);
    raises.measure("import runpy\nrunpy.run_path('r.py')\n");
    raises.run(&["json", "--codecov", "-o", "-"]).status(0).stdout("\"6\":\"1/2\"");
}

/// The commands of the workflows in README.md run as they are written there.
#[test]
fn the_commands_of_readme_run() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n### What CI shows\n").unwrap();
    let (section, _) = section.split_once("\n### ").unwrap();
    let commands = section.lines().filter_map(|line| {
        let line = line.trim_start();
        let command =
            ["- run: ", "run: ", "- "].iter().find_map(|start| line.strip_prefix(start))?;
        command.starts_with("pulpcov ").then_some(command)
    });
    let commands: Vec<&str> = commands.collect();
    assert!(commands.len() >= 8, "{commands:?}");
    let repo = Repo::new();
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 50\n");
    repo.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_pulpcov")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let summary = repo.0.path("summary.md");
    for command in commands {
        let mut shell = neutral(Command::new("sh"));
        shell.args(["-c", command]).current_dir(repo.0.path("")).env("PATH", &path);
        shell.env("GITHUB_STEP_SUMMARY", &summary).env("GITHUB_BASE_REF", "main");
        shell.env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_RUN_ID", "42");
        shell.env("GITHUB_REPOSITORY", "o/r").env_remove("CI_MERGE_REQUEST_DIFF_BASE_SHA");
        let ran = Ran::from(shell.output().unwrap());
        assert_eq!(ran.status, 0, "{command}: {}", ran.stderr);
    }
    let text = |name: &str| fs::read_to_string(repo.0.path(name)).unwrap();
    assert!(text("summary.md").contains("**TOTAL**"));
    assert!(text("comment.md").contains("[Run](<https://github.com/o/r/actions/runs/42>)"));
    assert_eq!(issues(&text("gaps.json")).len(), 2);
    assert!(repo.0.path("cobertura-1.xml").exists());
}
