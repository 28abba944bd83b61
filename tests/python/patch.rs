//! `pulpcov patch`: real git, data that coverage.py recorded, and diff-cover beside it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io::Write};

use serde_json::{Value, json};

use crate::support::random::Random;
use crate::support::{Dir, Ran, cases, neutral, number_of_environment, pulpcov, venv};

const BEFORE: &str = r#"def total(items, tax=0):
    """Add up."""
    if items:
        return sum(items) + tax
    return 0


def label(name):
    return (
        name
        .upper()
    )
"#;

const AFTER: &str = r#"def total(items, tax=0):
    """Add up everything."""
    if (items and
            tax >= 0):
        return sum(items) + tax
    # Nothing.
    return 0


def label(name):
    return (
        name
    )


def debug():  # pragma: no cover
    print("x")


def unused(a):
    b = a

    return b
"#;

/// A repository whose branch `feature` changed a file, and data that was measured on the changed file.
struct Repo(Dir);

impl Repo {
    fn new() -> Self {
        let repo = Self::empty();
        repo.0.write("src/shop.py", BEFORE);
        repo.0.write("run.py", "import sys\nsys.path.insert(0, 'src')\nimport shop\nshop.total([1])\nshop.label('x')\n");
        repo.0.write(".gitignore", ".coverage*\n.pulpcov_cache/\n__pycache__/\n");
        repo.0.commit("before");
        repo.0.git(&["checkout", "-q", "-b", "feature"]);
        repo.0.write("src/shop.py", AFTER);
        repo.measure();
        repo
    }

    fn empty() -> Self {
        let repo = Self(Dir::new());
        repo.0.init_git();
        repo
    }

    fn measure(&self) {
        self.0.coverage(["run", "--branch", "--include=src/*", "run.py"]).status(0);
    }

    fn patch(&self, args: &[&str]) -> Ran {
        self.0.pulpcov(std::iter::once(&"patch").chain(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.patch(&[&["--format=json"], args].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|err| panic!("{err}: {}", ran.stderr))
    }

    /// Returns what the report says of one file.
    fn file(&self, args: &[&str], path: &str) -> Value {
        let report = self.json(args);
        let files = report["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == path).unwrap_or(&Value::Null).clone()
    }
}

#[test]
fn each_changed_line_is_what_it_is() {
    let repo = Repo::new();
    let file = repo.file(&[], "src/shop.py");
    let expected = json!({
        "path": "src/shop.py", "change": "modified", "state": "measured",
        // The end of `label` was shortened, so the statement on line 11 was changed.
        "statements": [3, 11, 20, 21, 23],
        "missing_statements": [21, 23],
        "missing_branches": [[3, 7]],
        "covered_lines": [20], "partial_lines": [3, 4], "missing_lines": [21, 23],
        "excluded_lines": [16, 17], "lines_without_code": [2, 6, 14, 15, 18, 19, 22],
        "counts": {
            "statements": 5, "missing_statements": 2, "branches": 2, "missing_branches": 1,
            "percent_covered": 400.0 / 7.0,
        },
    });
    assert_eq!(file, expected);
    let text = repo.patch(&[]).status(0).stdout;
    let commit: String = repo.0.git(&["rev-parse", "main"]).chars().take(10).collect();
    let expected = format!(
        "\
src/shop.py: 57% covered: 3 of 5 statements and 1 of 2 branches
    3 ~     if (items and
        line 3 didn't jump to line 7 because the condition on line 3 was always true
   16 - def debug():  # pragma: no cover
   17 -     print(\"x\")
   21 !     b = a
   23 !     return b
  ! did not run, ~ did not take all branches, - is excluded

Changes since main (merge base {commit})
1 file changed, 57% covered: 3 of 5 statements and 1 of 2 branches; 2 changed lines are excluded
"
    );
    assert_eq!(text, expected);
}

/// A change that adds whole files has the counts of the report.
#[test]
fn all_lines_together_are_the_report() {
    let repo = Repo::new();
    repo.0.git(&["rm", "-q", "--cached", "-r", "."]);
    repo.0.git(&["checkout", "-q", "--orphan", "other"]);
    repo.0.git(&["commit", "-q", "--allow-empty", "-m", "empty"]);
    let totals = repo.json(&["--base=other"])["totals"].clone();
    let report = repo.0.coverage(["json", "-q", "-o", "-"]).status(0).stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    for (ours, theirs) in [
        ("statements", "num_statements"),
        ("missing_statements", "missing_lines"),
        ("branches", "num_branches"),
        ("missing_branches", "missing_branches"),
    ] {
        assert_eq!(totals[ours], report["totals"][theirs], "{ours}");
    }
}

/// Settings of git change what `git diff` prints. The report stays the same.
#[test]
fn settings_of_git_change_nothing() {
    let repo = Repo::new();
    repo.0.git(&["mv", "src/shop.py", "src/größe shop.py"]);
    let text = format!("{}\n\ndef new(x):\n    return x\n", BEFORE.replace("+ tax", "- tax"));
    repo.0.write("src/größe shop.py", text);
    let run =
        "import sys\nsys.path.insert(0, 'src')\nshop = __import__('größe shop')\nshop.total([1])\n";
    repo.0.write("run.py", run);
    repo.0.commit("renamed");
    repo.measure();
    let expected = repo.json(&[]);
    let file = &expected["files"][1];
    assert_eq!(file["path"], "src/größe shop.py");
    assert_eq!(file["old_path"], "src/shop.py");
    assert_eq!(file["statements"], json!([4, 15, 16]));
    for (key, value) in [
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.srcPrefix", "x/"),
        ("diff.dstPrefix", "y/"),
        ("diff.relative", "true"),
        ("diff.renames", "false"),
        ("diff.external", "false"),
        ("diff.context", "50"),
        ("diff.interHunkContext", "50"),
        ("diff.colorMoved", "zebra"),
        ("diff.submodule", "log"),
        ("diff.orderFile", "order"),
        ("diff.upper.textconv", "tr a-z A-Z <"),
        ("diff.algorithm", "patience"),
        ("color.ui", "always"),
        ("core.quotePath", "false"),
        ("core.fsmonitor", "false"),
        ("core.pager", "false"),
    ] {
        repo.0.git(&["config", key, value]);
        repo.0.write("order", "src/*\n");
        repo.0.write(".git/info/attributes", "*.py diff=upper\n");
        repo.0.write(".git/info/exclude", "order\n");
        assert_eq!(repo.json(&[]), expected, "{key}");
    }
    // From a folder below, too, and with variables of the environment that change diffs.
    let mut command = pulpcov();
    command.current_dir(repo.0.path("src")).args([
        "patch",
        "--format=json",
        "--data-file=../.coverage",
    ]);
    command.envs([("GIT_EXTERNAL_DIFF", "false"), ("GIT_DIFF_OPTS", "--unified=7")]);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|err| panic!("{err}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["totals"], expected["totals"]);
}

/// New files count before git knows them, and asking does not change the repository.
#[test]
fn files_that_git_does_not_track_count() {
    let repo = Repo::new();
    repo.0.write("src/extra.py", "def f():\n    return 1\n");
    repo.0.write("tools/build.py", "x = 1\n");
    repo.0.write("src/ignored.pyc.py", "x = 1\n");
    repo.0.write("src/empty.py", "# Nothing yet.\n");
    repo.0.write(".git/info/exclude", "ignored*\n");
    let index = fs::read(repo.0.path(".git/index")).unwrap();
    let before = repo.0.git(&["status", "--porcelain"]);
    let report = repo.json(&[]);
    let mut states: Vec<(String, String)> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap().into(), file["state"].as_str().unwrap().into()))
        .collect();
    states.sort();
    let expected = [
        ("src/empty.py", "no_statements"),
        ("src/extra.py", "unmeasured"),
        ("src/shop.py", "measured"),
        ("tools/build.py", "unmeasured"),
    ];
    assert_eq!(states, expected.map(|(path, state)| (path.to_owned(), state.to_owned())));
    assert_eq!(report["totals"]["missing_statements"], 4);
    assert_eq!(fs::read(repo.0.path(".git/index")).unwrap(), index);
    assert_eq!(repo.0.git(&["status", "--porcelain"]), before);

    repo.patch(&[])
        .status(2)
        .stderr("changed files were not measured: src/extra.py; --allow-unmeasured");
    repo.patch(&["--allow-unmeasured"]).status(0);
    repo.patch(&["--omit=src/extra.py"]).status(0).stdout("src/extra.py: left out by the settings");
    repo.patch(&["src/shop.py"]).status(0);
    // A source folder of the settings is one where files are expected.
    repo.0.write(".coveragerc", "[run]\nsource = tools\n");
    repo.patch(&[]).status(2).stderr("src/extra.py, tools/build.py");
}

#[test]
fn floors_are_exact() {
    let repo = Repo::new();
    repo.patch(&["--fail-under=57.14"]).status(0);
    repo.patch(&["--fail-under=57.15"]).status(2).stderr(
        "less is covered than --fail-under=57.15 asks for; missing: 2 statements and 1 branch",
    );
    repo.patch(&["--max-missing=3"]).status(0);
    repo.patch(&["--max-missing=2"])
        .status(2)
        .stderr("more is missing than --max-missing=2 allows: 2 statements and 1 branch");
    repo.patch(&["--fail-under=101"]).status(1).stderr("is not a percentage from 0 to 100");

    // One miss of 25,001 is not 100 %.
    let lines: String = (0..25_000).map(|n| format!("x = {n}\n")).collect();
    repo.0.write("src/shop.py", format!("{lines}if x < 0: x = 1\n"));
    repo.0.write("run.py", "import sys\nsys.path.insert(0, 'src')\nimport shop\n");
    repo.0.coverage(["run", "--include=src/*", "run.py"]).status(0);
    repo.patch(&["--fail-under=100"]).status(0);
    repo.0.write("src/shop.py", format!("{lines}if x < 0:\n    x = 1\n"));
    repo.0.coverage(["run", "--include=src/*", "run.py"]).status(0);
    repo.patch(&["--fail-under=100"]).status(2).stdout("99% covered: 25001 of 25002 statements");
    repo.patch(&["--fail-under=99.99"]).status(0);
}

#[test]
fn changes_without_statements_pass() {
    let repo = Repo::new();
    repo.0.git(&["checkout", "-q", "src/shop.py"]);
    repo.measure();
    repo.patch(&["--fail-under=100"])
        .status(0)
        .stdout("0 files changed, no statement that was measured changed");
    // What git does not track and is no code may be a report of ours.
    repo.0.write("README", "x\n");
    repo.patch(&["--fail-under=100"]).status(0).stdout("0 files changed, no statement");
    repo.0.git(&["add", "README"]);
    repo.patch(&["--fail-under=100"]).status(0).stdout("1 file changed, no statement");
    repo.0.git(&["rm", "-q", "-f", "src/shop.py"]);
    let file = repo.file(&["--fail-under=100"], "src/shop.py");
    assert_eq!((&file["change"], &file["state"]), (&json!("deleted"), &json!("no_statements")));
}

#[test]
fn data_of_another_version_are_recognized() {
    let repo = Repo::new();
    repo.0.write("src/shop.py", format!("\n\n{AFTER}"));
    let ran = repo.patch(&["--fail-under=10"]).status(4);
    ran.stderr("changed after measuring: src/shop.py");
    let file = repo.file(&[], "src/shop.py");
    assert_eq!(file["state"], "other_version");
    assert_eq!(file["not_of_this_source"][0], 1);
    // A change that leaves each statement on its line is only seen by the time of the file.
    repo.0.write("src/shop.py", AFTER);
    let newer = repo.0.path(".coverage").metadata().unwrap().modified().unwrap()
        + std::time::Duration::from_secs(60);
    fs::File::open(repo.0.path("src/shop.py")).unwrap().set_modified(newer).unwrap();
    repo.patch(&[]).status(0).stderr("written after the data: src/shop.py; if they changed since");
    // The version that was measured is in a commit.
    repo.0.commit("measured");
    repo.0.write("src/shop.py", format!("\n\n{AFTER}"));
    repo.patch(&["--source-rev=HEAD"])
        .status(0)
        .stdout("57% covered: 3 of 5 statements and 1 of 2 branches");
}

#[test]
fn the_base_is_found_or_asked_for() {
    let repo = Repo::new();
    repo.0.commit("feature");
    // What happened on the default branch since is no change of this branch.
    repo.0.git(&["checkout", "-q", "main"]);
    repo.0.write("src/other.py", "x = 1\n");
    repo.0.commit("elsewhere");
    let url = format!("file://{}", repo.0.path("").display());
    let clone = Repo(Dir::new());
    clone.0.git(&["clone", "-q", &url, "."]);
    clone.0.git(&["checkout", "-q", "feature"]);
    clone.measure();
    clone.patch(&[]).status(0).stdout("Changes since origin/main (merge base");

    repo.0.git(&["checkout", "-q", "feature"]);
    repo.patch(&[]).status(0).stdout("Changes since main (merge base");
    repo.patch(&["--base=main~1"]).status(0).stdout("1 file changed, 57% covered: 3 of 5");
    repo.patch(&["--base=nothing"]).status(1).stderr("git does not know the revision \"nothing\"");
    repo.patch(&["--base=--output=x"]).status(1).stderr("git does not know");
    assert!(!repo.0.path("x").exists());

    let shallow = Repo(Dir::new());
    shallow.0.git(&["clone", "-q", "--depth=1", "--no-single-branch", "-b", "feature", &url, "."]);
    shallow.measure();
    shallow.patch(&["--base=origin/main"]).status(1).stderr("this clone is shallow");

    repo.0.git(&["checkout", "-q", "--orphan", "alone"]);
    repo.0.git(&["commit", "-q", "-m", "alone"]);
    repo.patch(&[]).status(1).stderr("they have no commit in common");
    repo.0.git(&["branch", "-q", "-D", "main"]);
    repo.patch(&[]).status(1).stderr("git has none of the branches");
    let fresh = Dir::new();
    fresh.init_git();
    fs::copy(repo.0.path(".coverage"), fresh.path(".coverage")).unwrap();
    fresh.pulpcov(["patch"]).status(1).stderr("this repository has no commit yet");
}

/// A diff comes from anywhere, and git is not needed then.
#[test]
fn a_diff_is_read_from_a_file_or_from_standard_input() {
    let repo = Repo::new();
    let expected = repo.json(&[])["totals"].clone();
    let diff = repo.0.git(&["diff", "main", "--", "src"]);
    let plain = Dir::new();
    for name in ["src/shop.py", ".coverage"] {
        let bytes = fs::read(repo.0.path(name)).unwrap();
        plain.write(name, bytes);
    }
    // The data have the paths of the repository.
    plain.write(
        ".coveragerc",
        format!(
            "[paths]\nsource =\n  {}\n  {}\n",
            plain.path("src").display(),
            repo.0.path("src").display()
        ),
    );
    plain.write("change.diff", &diff);
    let run = |args: &[&str], input: &str| {
        let mut command = pulpcov();
        command.current_dir(plain.path("")).arg("patch").arg("--format=json").args(args);
        command.env("PATH", "/nonexistent").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or(Value::Null)["totals"].clone()
    };
    assert_eq!(run(&["--diff=change.diff"], ""), expected);
    assert_eq!(run(&["--diff=-"], &diff), expected);
    plain.write("damaged.diff", "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-x\n");
    plain.pulpcov(["patch", "--diff", "damaged.diff"]).status(1).stderr("line 4");
    plain.pulpcov(["patch", "--diff", "no.diff"]).status(1).stderr("no.diff");
}

/// What CI shows cannot be forged by the names of files.
#[test]
fn formats_of_ci_hold_any_name() {
    let repo = Repo::new();
    let names = ["src/a%b,c:d.py", "src/x|y`z.py", "src/::error::.py", "src/<img>.py"];
    for name in names {
        repo.0.write(name, "def f():\n    pass\n");
    }
    let github = repo.patch(&["--format=github"]).stdout;
    assert!(github.contains("::error file=src/a%25b%2Cc%3Ad.py,title=Not measured::"), "{github}");
    assert!(github.lines().all(|line| line.starts_with("::")), "{github}");
    assert!(github.lines().filter(|line| line.starts_with("::warning")).count() <= 10);
    let gitlab: Value = serde_json::from_str(&repo.patch(&["--format=gitlab"]).stdout).unwrap();
    let issues = gitlab.as_array().unwrap();
    let mut prints: Vec<&str> =
        issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), issues.len());
    for issue in issues {
        assert!(issue["location"]["lines"]["begin"].is_i64() && issue["description"].is_string());
        assert!(["major", "minor", "critical"].contains(&issue["severity"].as_str().unwrap()));
    }
    let markdown = repo.patch(&["--format=markdown"]).stdout;
    assert!(markdown.contains("| `` src/x\\|y`z.py `` | 0% | not measured, though"), "{markdown}");
    let table: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
    for row in table {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
    }
    repo.patch(&["--format=markdown", "-o", "patch.md"]).status(2);
    assert_eq!(fs::read_to_string(repo.0.path("patch.md")).unwrap(), markdown);
}

/// On committed changes of sources with one statement a line, the lines are those of diff-cover.
#[test]
fn missing_lines_are_those_of_diff_cover() {
    let diff_cover = venv("diff-cover", &["diff-cover==11.0.1"]).join("bin/diff-cover");
    let first = number_of_environment("PULPCOV_FIRST_CASE").unwrap_or_default();
    for case in first..first + cases(6) {
        compare_with_diff_cover(case, &diff_cover);
    }
}

fn compare_with_diff_cover(case: usize, diff_cover: &Path) {
    let mut random = Random::new(case as u64);
    let repo = Repo::empty();
    repo.0.write(".gitignore", ".coverage*\n.pulpcov_cache/\n__pycache__/\n*.json\n*.xml\n");
    let mut files: Vec<Vec<String>> = (0..3).map(|_| source(&mut random, 12)).collect();
    let write = |files: &[Vec<String>]| {
        for (at, functions) in files.iter().enumerate() {
            repo.0.write(format!("src/m{at}.py"), functions.concat());
        }
    };
    write(&files);
    repo.0.write("run.py", "import sys\nsys.path.insert(0, 'src')\nimport m0, m1, m2\nfor m in m0, m1, m2:\n    for name in sorted(vars(m)):\n        if name.startswith('f') and int(name[1:]) % 2:\n            vars(m)[name](3)\n");
    repo.0.commit("before");
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
    for functions in &mut files {
        for _ in 0..4 {
            let at = random.below(functions.len());
            match random.below(3) {
                0 => drop(functions.remove(at)),
                1 => functions[at] = function(&mut random),
                _ => functions.insert(at, function(&mut random)),
            }
        }
    }
    write(&files);
    repo.0.commit("after");
    repo.0.coverage(["run", "--include=src/*", "run.py"]).status(0);
    repo.0.coverage(["xml", "-q"]).status(0);
    let output = neutral(Command::new(diff_cover))
        .current_dir(repo.0.path(""))
        .args(["coverage.xml", "--compare-branch=main", "--format", "json:diff.json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: Value =
        serde_json::from_slice(&fs::read(repo.0.path("diff.json")).unwrap()).unwrap();
    let ours = repo.json(&[]);
    let mut compared = 0;
    for (path, stats) in theirs["src_stats"].as_object().unwrap() {
        let file =
            ours["files"].as_array().unwrap().iter().find(|file| file["path"] == *path).unwrap();
        assert_eq!(file["missing_lines"], stats["violation_lines"], "case {case}, {path}");
        compared += 1;
    }
    assert_eq!(theirs["total_num_lines"], ours["totals"]["statements"], "case {case}");
    assert_eq!(theirs["total_num_violations"], ours["totals"]["missing_statements"], "case {case}");
    assert!(compared > 0, "case {case}");
}

fn source(random: &mut Random, functions: usize) -> Vec<String> {
    (0..functions).map(|_| function(random)).collect()
}

/// Returns a function with one statement a line.
fn function(random: &mut Random) -> String {
    let (name, limit) = (random.below(1000), random.below(6));
    let mut text = format!("def f{name}(x):\n    # A comment.\n    y = x + {limit}\n");
    for _ in 0..random.below(3) {
        let bound = random.below(8);
        text.push_str(&format!("    if y > {bound}:\n        y = y - {bound}\n\n"));
    }
    text.push_str("    return y\n\n\n");
    text
}

#[test]
fn without_data_the_way_to_some_is_named() {
    let repo = Repo::new();
    let file = repo.0.path(".coverage");
    fs::rename(&file, repo.0.path("other")).unwrap();
    repo.patch(&[]).status(1).stderr(".coverage: no data; measure first");
    repo.patch(&["--data-file=other"]).status(0);
}

/// The settings leave files out, all of them or some, and of the report or of what is measured.
#[test]
fn what_the_settings_leave_out_fails_nothing() {
    let repo = Repo::new();
    for args in [["--omit=src/shop.py"], ["--include=nothing.py"]] {
        let ran = repo.patch(&args).status(0);
        ran.stdout("src/shop.py: left out by the settings\n");
    }
    repo.0.write("src/extra.py", "def f():\n    return 1\n");
    repo.0.write("src/deep/er/extra.py", "def f():\n    return 1\n");
    repo.patch(&[]).status(2).stderr("not measured: src/deep/er/extra.py, src/extra.py;");
    repo.0.write(".coveragerc", "[run]\nomit = src/extra.py\n    src/deep/*\n");
    repo.patch(&[]).status(0).stdout("src/extra.py: not measured\n");
    repo.0.write(".coveragerc", "[run]\ninclude = src/shop.py\n");
    repo.patch(&[]).status(0);
}

/// A gate must not pass because it looked at nothing.
#[test]
fn what_cannot_be_looked_at_is_refused() {
    let repo = Repo::new();
    repo.patch(&["src/shopp.py"]).status(1).stderr("src/shopp.py: no such file or folder");
    repo.0.write("no.diff", "[tool.coverage]\n");
    repo.patch(&["--diff=no.diff"]).status(1).stderr("no.diff: this is not a unified diff");
    repo.0.write("no.diff", "\n");
    repo.patch(&["--diff=no.diff"]).status(0).stderr("no.diff: the diff is empty");
    // Attributes can declare Python to be binary.
    repo.0.write(".git/info/attributes", "*.py -diff\n");
    repo.patch(&[]).status(0).stdout("57% covered");
    let shown = repo.0.git(&["diff", "main"]);
    repo.0.write("binary.diff", &shown);
    let ran = repo.patch(&["--diff=binary.diff"]).status(3);
    ran.stdout(
        "src/shop.py: its source is missing, or is not Python, or the diff does not show it",
    );
    fs::remove_file(repo.0.path(".git/info/attributes")).unwrap();
    repo.0.git(&["config", "core.bigFileThreshold", "10"]);
    repo.patch(&[]).status(0).stdout("57% covered");
    repo.patch(&["--base=main..feature"]).status(1).stderr("is a range of revisions");
    // A source that is not Python is said to be none, and the total is not all there is.
    repo.0.write("src/broken.py", "def (\n");
    let file = repo.file(&[], "src/broken.py");
    assert_eq!(file["state"], "no_source");
    repo.patch(&[]).status(3).stdout("src/broken.py: its source is missing, or is not Python");
    fs::remove_file(repo.0.path("src/broken.py")).unwrap();
    // What git says is passed on.
    let outside = Dir::new();
    fs::copy(repo.0.path(".coverage"), outside.path(".coverage")).unwrap();
    outside.pulpcov(["patch"]).status(1).stderr("not a git repository");
    // There is no index before the first checkout.
    let bare = Repo(Dir::new());
    bare.0.git(&[
        "clone",
        "-q",
        "--no-checkout",
        &format!("file://{}", repo.0.path("").display()),
        ".",
    ]);
    fs::copy(repo.0.path(".coverage"), bare.0.path(".coverage")).unwrap();
    bare.patch(&["--base=origin/main"]).status(0);
}

/// GitHub shows ten annotations of a kind. The tenth counts the others.
#[test]
fn annotations_are_no_more_than_github_shows() {
    let repo = Repo::new();
    let function = |n: usize| format!("def f{n}(x):\n    y = x\n    return y\n\n\n");
    repo.0.write("src/shop.py", AFTER.to_owned() + &(0..14).map(function).collect::<String>());
    repo.measure();
    let github = repo.patch(&["--format=github"]).status(0).stdout;
    let warnings: Vec<&str> = github.lines().filter(|line| line.starts_with("::warning")).collect();
    assert_eq!(warnings.len(), 10, "{github}");
    // Two lines and one branch of the old functions, and two lines of each new one.
    assert_eq!(warnings[9], "::warning title=Not covered::7 gaps more, in src/shop.py");
}

/// Data that were measured in another folder have other paths.
#[test]
fn data_of_another_place_pass_no_gate() {
    let repo = Repo::new();
    let other = Dir::new();
    for name in ["run.py", "src/shop.py"] {
        other.write(name, fs::read(repo.0.path(name)).unwrap());
    }
    other.coverage(["run", "--branch", "--include=src/*", "run.py"]).status(0);
    fs::copy(other.path(".coverage"), repo.0.path(".coverage")).unwrap();
    repo.patch(&[]).status(2).stderr("src/shop.py was not measured, but /");
    repo.patch(&["--source-root=."]).status(0).stdout("57% covered");
}

/// git must not fetch on behalf of a repository that may be anybody's.
#[test]
fn a_partial_clone_is_told_to_pass_a_diff() {
    let repo = Repo::new();
    repo.0.git(&["config", "uploadpack.allowFilter", "true"]);
    repo.0.commit("feature");
    let url = format!("file://{}", repo.0.path("").display());
    let clone = Repo(Dir::new());
    clone.0.git(&["clone", "-q", "--filter=blob:none", "-b", "feature", &url, "."]);
    clone.measure();
    clone.patch(&["--base=origin/main"]).status(1).stderr("this clone is partial");
    let diff = clone.0.git(&["diff", "origin/main...HEAD"]);
    clone.0.write("change.diff", diff);
    clone.patch(&["--diff=change.diff"]).status(0).stdout("57% covered");
}

/// What is no change of a source counts nothing and fails nothing.
#[test]
fn links_repositories_and_odd_names_do_not_count() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let repo = Repo::new();
    let totals = repo.json(&[])["totals"].clone();
    symlink("shop.py", repo.0.path("src/link.py")).unwrap();
    symlink("nothing.py", repo.0.path("src/dangling.py")).unwrap();
    repo.0.git(&["add", "src/link.py"]);
    repo.0.git(&["init", "-q", "nested"]);
    repo.0.write("nested/src/x.py", "x = 1\n");
    repo.0.write("src/pkg/__init__.py", "");
    let report = repo.json(&["--allow-unmeasured"]);
    assert_eq!(report["totals"], totals);
    assert_eq!(repo.file(&["--allow-unmeasured"], "src/link.py")["state"], "no_statements");
    fs::remove_file(repo.0.path("src/dangling.py")).unwrap();
    repo.patch(&[]).status(0);
    // A name that is not UTF-8 cannot be in any data.
    let odd = repo.0.path("src").join(std::ffi::OsStr::from_bytes(b"b\xffd.py"));
    fs::write(odd, "x = 1\n").unwrap();
    repo.patch(&[]).status(3).stdout("its source is missing, or is not Python");
}

/// git ends lines at line feeds only. Python also ends them at a carriage return that stands alone.
#[test]
fn lines_are_those_of_python() {
    let repo = Repo::new();
    let text = |value: u32| format!("a = 1\rb = 2\n\ndef never():\n    return {value}\n\nc = 3\n");
    repo.0.git(&["checkout", "-q", "src/shop.py"]);
    repo.0.write("src/shop.py", text(1));
    repo.0.commit("odd lines");
    repo.0.git(&["branch", "-q", "-f", "main"]);
    repo.0.write("src/shop.py", text(99));
    repo.0.write("run.py", "import sys\nsys.path.insert(0, 'src')\nimport shop\n");
    repo.measure();
    let file = repo.file(&[], "src/shop.py");
    assert_eq!((&file["missing_lines"], &file["statements"]), (&json!([5]), &json!([5])));
}

/// coverage.py records line 0 of an empty module if it measures lines.
#[test]
fn an_empty_module_was_measured_on_its_source() {
    let repo = Repo::new();
    repo.0.write("src/pkg/__init__.py", "");
    repo.0.write("src/license.py", "# All rights.\n");
    repo.0.write("run.py", "import sys\nsys.path.insert(0, 'src')\nimport shop, pkg, license\n");
    repo.0.coverage(["run", "--include=src/*", "run.py"]).status(0);
    repo.patch(&[]).status(0);
}

/// Whoever can commit a file must not decide what counts as covered.
#[test]
fn a_cache_in_git_is_not_used() {
    let repo = Repo::new();
    repo.patch(&[]).status(0);
    assert!(repo.0.path(".pulpcov_cache/facts-1").exists());
    assert!(!repo.patch(&[]).stderr.contains("is in git"));
    repo.0.git(&["add", "-f", ".pulpcov_cache/facts-1"]);
    for command in ["patch", "report"] {
        repo.0.pulpcov([command]).status(0).stderr(".pulpcov_cache is in git");
        assert!(!repo.0.pulpcov([command, "--no-cache"]).stderr.contains("is in git"));
    }
    repo.0.git(&["update-index", "--split-index"]);
    repo.patch(&[]).stderr(".pulpcov_cache is in git");
    repo.0.git(&["update-index", "--no-split-index"]);
    repo.0.git(&["update-index", "--index-version", "4"]);
    repo.patch(&[]).stderr(".pulpcov_cache is in git");
    repo.0.git(&["rm", "-q", "--cached", ".pulpcov_cache/facts-1"]);
    assert!(!repo.patch(&[]).stderr.contains("is in git"));
}

/// A path that a tool gives may be absolute, or start at the current folder.
#[test]
fn files_that_are_asked_for_narrow_the_report() {
    let repo = Repo::new();
    repo.0.write("src/extra.py", "def f():\n    return 1\n");
    let count = |args: &[&str]| repo.json(args)["totals"]["statements"].as_u64().unwrap();
    let all = count(&[]);
    let absolute = repo.0.path("src/extra.py");
    assert_eq!(count(&[absolute.to_str().unwrap()]), 2);
    assert_eq!(count(&["src/extra.py"]), 2);
    assert_eq!(count(&["src"]), all);
    assert_eq!(count(&["src/shop.py"]), all - 2);
}

#[test]
fn what_ran_before_and_does_not_now_is_found_in_all_files() {
    let repo = Repo::empty();
    let other = "def other(x):\n    if x:\n        return 1\n    return 2\n";
    repo.0.write("src/shop.py", BEFORE);
    repo.0.write("src/other.py", other);
    repo.0.write("src/gone.py", "a = 1\n");
    repo.0.write(".gitignore", ".coverage*\n*.data\n.pulpcov_cache/\n__pycache__/\n");
    let run = "import sys\nsys.path.insert(0, 'src')\nimport shop, other\nshop.total([1])\nshop.total([])\n";
    repo.0.write(
        "run.py",
        format!("{run}import gone\nother.other(0)\nother.other(1)\nshop.label('x')\n"),
    );
    repo.0.commit("before");
    repo.measure();
    fs::rename(repo.0.path(".coverage"), repo.0.path("before.data")).unwrap();
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
    // Lines move, a file moves, and less of them runs.
    repo.0.write("src/shop.py", format!("import os\n\n\n{BEFORE}"));
    repo.0.git(&["mv", "src/gone.py", "src/moved.py"]);
    repo.0.write("run.py", format!("{run}import moved\nother.other(0)\n"));
    repo.0.commit("after");
    repo.measure();

    let args = ["--only-new-misses", "--baseline=before.data"];
    let ran = repo.patch(&args).status(0);
    let commit = repo.0.git(&["rev-parse", "--short=10", "main"]);
    assert_eq!(
        ran.stdout,
        format!(
            "\
src/shop.py: 88% covered: 5 of 6 statements and 2 of 2 branches
   12 !     return (
src/other.py: 67% covered: 3 of 4 statements and 1 of 2 branches
    2 ~     if x:
        line 2 didn't jump to line 3 because the condition on line 2 was never true
    3 !         return 1
  ! did not run, ~ did not take all branches

Changes since main (merge base {})
Of what ran before: 80% covered: 9 of 11 statements and 3 of 4 branches; 2 statements and 1 branch do not run any more
",
            commit.trim()
        )
    );
    assert_eq!(ran.stderr, "");
    let json = repo.json(&args);
    let moved =
        json["files"].as_array().unwrap().iter().find(|file| file["path"] == "src/moved.py");
    assert_eq!(moved.unwrap()["missing_statements"], json!([]));
    let failed = repo.patch(&[&args[..], &["--max-missing=2"]].concat()).status(2);
    assert!(
        failed.stderr.contains("more is missing than --max-missing=2 allows"),
        "{}",
        failed.stderr
    );
    repo.patch(&[&args[..], &["--max-missing=3"]].concat()).status(0);
    // With its revision, a baseline need not be of the commit that the branch left.
    repo.patch(&[&args[..], &["--baseline-rev=main"]].concat()).status(0);
    // It must be of that revision.
    let wrong = repo.patch(&[&args[..], &["--baseline-rev=HEAD"]].concat()).status(4);
    assert!(
        wrong.stderr.contains("the baseline was measured on another version of src/shop.py"),
        "{}",
        wrong.stderr
    );
    // A baseline of another place is found, or refused.
    let moved = repo.0.path("moved.data");
    fs::copy(repo.0.path("before.data"), &moved).unwrap();
    let program = format!(
        "import sqlite3\nc = sqlite3.connect({moved:?})\nc.execute(\"update file set path = replace(path, '{}', '/ci/build')\")\nc.commit()",
        repo.0.path("").canonicalize().unwrap().display().to_string().trim_end_matches('/')
    );
    assert!(crate::support::python().args(["-c", &program]).status().unwrap().success());
    let elsewhere = ["--only-new-misses", "--baseline=moved.data"];
    repo.patch(&elsewhere).status(1).stderr("the baseline has no file of this repository");
    let found = repo.patch(&[&elsewhere[..], &["--source-root=."]].concat()).status(0);
    found.stdout("src/other.py: 67% covered: 3 of 4 statements and 1 of 2 branches");
    // The same data has no new misses.
    let same =
        repo.patch(&["--only-new-misses", "--baseline=.coverage", "--baseline-rev=HEAD"]).status(0);
    assert!(same.stdout.contains("Of what ran before: 100% covered"), "{}", same.stdout);
}
