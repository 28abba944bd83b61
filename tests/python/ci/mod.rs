//! What services of CI show.
//!
//! The formats are compared with what the services document, and with programs that read them: xmllint, Python's XML, and
//! the Markdown library of GitHub.
//!
//! - `annotations`: annotations of GitHub and code quality of GitLab.
//! - `markdown`: comments, and summaries of steps.
//! - `uploads`: files that are uploaded to GitLab, SonarQube and Codecov.

mod annotations;
mod markdown;
mod uploads;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{Dir, Ran, neutral, python, root};

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
        repo.0.init_git();
        repo.0.write(".gitignore", ".coverage*\n.pulpcov_cache/\n__pycache__/\n*.xml\n*.md\n");
        for (name, text) in files {
            repo.0.write(name, text);
        }
        repo.0.git(&["add", "-A"]);
        repo.0.git(&["commit", "-q", "-m", "first"]);
        repo
    }

    /// Creates a repository with hostile names, all of them new since `main`.
    fn hostile() -> Self {
        let repo = Self::of(&[]);
        repo.0.git(&["checkout", "-q", "-b", "feature"]);
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
    repo.0.git(&["update-ref", "refs/remotes/origin/main", "main"]);
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
