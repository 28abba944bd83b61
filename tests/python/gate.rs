//! `pulpcov gate` and the settings of pulpcov: real git, and data that coverage.py recorded.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Dir, Ran, pulpcov, root};

const VIEWS: &str = "\
def show(item, full=False):
    if full:
        text = repr(item)
        return text + \"!\"
    return str(item)


def edit(item):
    if not item:
        return None
    item[\"x\"] = 1
    return item
";

const DB: &str = "\
def connect(url):
    if url.startswith(\"pg\"):
        return 1
    if url.startswith(\"my\"):
        return 2
    return None


def close(c):
    c.x = 1
    return c
";

/// A repository with two modules, of which parts are measured.
struct Repo(Dir);

impl Repo {
    fn new() -> Self {
        let repo = Self(Dir::new());
        repo.0.init_git();
        repo.0.write("src/views.py", VIEWS);
        repo.0.write("src/legacy/db.py", DB);
        repo.0.write(".gitignore", ".coverage\n.coverage.*\n.pulpcov_cache/\n__pycache__/\n");
        repo.0.write(
            ".coveragerc",
            "[run]\nbranch = true\nsource = src\nrelative_files = true\n[report]\ninclude_namespace_packages = true\n",
        );
        repo.0.commit("first");
        repo.measure("show(1); connect('pg')");
        repo
    }

    /// Has coverage.py measure a program that imports the modules.
    fn measure(&self, code: &str) {
        self.measure_into(".coverage", code);
    }

    fn measure_into(&self, data: &str, code: &str) {
        let import = "import sys\nsys.path[:0] = ['src', 'src/legacy', 'src/new']\nfrom views import *\nfrom db import *\n";
        let dir = Dir::new();
        let program = dir.write("run.py", format!("{import}{code}\n"));
        let data = format!("--data-file={data}");
        self.0.coverage(["run", &data, program.to_str().unwrap()]).status(0);
    }

    fn gate(&self, args: &[&str]) -> Ran {
        self.0.pulpcov(std::iter::once(&"gate").chain(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.gate(&[&["--format=json"], args].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|err| panic!("{err}: {}", ran.stderr))
    }

    /// Returns the entries of the ratchet.
    fn ratchet(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.path(".pulpcov-ratchet")).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn write_ratchet(&self, entries: &str) {
        self.0.write(".pulpcov-ratchet", entries.replace("; ", "\n") + "\n");
    }

    fn set_driver_up(&self) {
        let driver = "pulpcov gate --merge-driver %O %A %B";
        self.0.git(&["config", "merge.pulpcov.driver", driver]);
        self.0.write(".gitattributes", ".pulpcov-ratchet merge=pulpcov\n");
    }
}

#[test]
fn data_of_another_version_are_not_judged() {
    let repo = Repo::new();
    repo.write_ratchet("5 3 src/legacy/db.py; 9 3 src/views.py");
    repo.gate(&[]).status(0);
    repo.0.write("src/views.py", format!("\n# A comment\n{VIEWS}"));
    let said = "changed after measuring: src/views.py; measure again. If what was measured is a commit, --source-rev=REV reports on it";
    repo.gate(&[]).status(4).stderr(said);
    // No number falls because of such data.
    repo.gate(&["--update"]).status(4).stderr(said);
    assert_eq!(repo.ratchet(), ["5 3 src/legacy/db.py", "9 3 src/views.py"]);
    repo.gate(&["--source-rev=HEAD"]).status(0);
    repo.gate(&["src/legacy"]).status(0);

    let comment = repo.0.pulpcov(["comment"]).status(0);
    let text = comment.stdout.clone();
    comment.stderr(&format!("the gate is left out: {said}"));
    assert!(!text.contains("floor"), "{text}");
}

#[test]
fn the_ratchet_is_made_and_only_falls() {
    let repo = Repo::new();
    repo.gate(&[]).status(1).stderr("there is nothing to compare with: set `floor`");
    let made = repo.gate(&["--update"]).status(0);
    made.stderr("Wrote .pulpcov-ratchet: 2 files below the floor");
    assert_eq!(repo.ratchet(), ["5 3 src/legacy/db.py", "6 3 src/views.py"]);
    repo.gate(&[]).status(0).stdout("2 files pass; 2 are below their floor, as the ratchet allows");

    // What is worse fails, and no update accepts it.
    repo.measure("show(1)");
    let ran = repo.gate(&[]).status(2);
    let said = "src/legacy/db.py: 7 of 9 lines and 4 of 4 branches missing, floor 100%; the ratchet allows 5 lines and 3 branches\n    cover or remove 2 lines and 1 branch, or reach the floor: cover or remove the 11 missing lines and branches\n";
    ran.clone().stderr("too little is covered of src/legacy/db.py").stdout(said);
    repo.gate(&["--update"]).status(2).stderr(".pulpcov-ratchet stays as it is");

    // What is better passes, and an update keeps it.
    repo.measure("show(1); show(1, True); connect('pg'); close(show)");
    repo.gate(&[])
        .status(0)
        .stdout("the ratchet can fall: `--update` would lower or remove 2 entries");
    repo.gate(&["--update"]).status(0);
    assert_eq!(repo.ratchet(), ["3 3 src/legacy/db.py", "4 2 src/views.py"]);
    assert_eq!(repo.json(&[])["lowers"], 0);
    let before = repo.0.state();
    repo.gate(&["--update"]).status(0);
    assert_eq!(repo.0.state()[".pulpcov-ratchet"], before[".pulpcov-ratchet"]);

    // A floor that is reached needs no entry, and a file that is gone has none.
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 57\n");
    repo.gate(&["--update"]).status(0);
    assert_eq!(repo.ratchet(), ["3 3 src/legacy/db.py"]);
    repo.0.write("src/more.py", "def f():\n    return 1\n");
    repo.measure("show(1, True); show(1); connect('pg'); close(show)");
    repo.gate(&["--update"]).status(2).stderr("too little is covered of src/more.py");
    assert_eq!(repo.ratchet(), ["3 3 src/legacy/db.py"]);
    repo.gate(&["--update", "--add=src/more.py"]).status(0);
    assert_eq!(repo.ratchet(), ["3 3 src/legacy/db.py", "2 0 src/more.py"]);
    repo.gate(&["--update", "--add=src/none.py"])
        .status(1)
        .stderr("src/none.py: this file was not");
    fs::remove_file(repo.0.path("src/more.py")).unwrap();
    repo.measure("show(1, True); show(1); connect('pg'); close(show)");
    repo.gate(&["--update"]).status(0);
    assert_eq!(repo.ratchet(), ["3 3 src/legacy/db.py"]);

    // A file that is still there was forgotten.
    repo.0.write(
        ".coveragerc",
        "[run]\nbranch = true\nrelative_files = true\ninclude = src/views.py\n",
    );
    repo.measure("show(1, True); show(1)");
    let ran = repo.gate(&[]).status(2);
    ran.stderr("not measured, though they were before: src/legacy/db.py").stdout("remove its line");
}

/// Deleting code that is covered lowers the percentage, and makes nothing worse.
#[test]
fn deleting_covered_code_passes() {
    let repo = Repo::new();
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 90\n");
    repo.gate(&["--update"]).status(0);
    let shorter = DB.replace("    if url.startswith(\"pg\"):\n        return 1\n", "");
    repo.0.write("src/legacy/db.py", shorter);
    repo.measure("show(1); connect('pg')");
    repo.gate(&[]).status(0);
}

#[test]
fn rules_judge_files_alone_and_together() {
    let repo = Repo::new();
    repo.0.write(
        "pyproject.toml",
        "[tool.pulpcov.gate]\nfloor = 40\n[[tool.pulpcov.gate.rules]]\npaths = \"src/**\"\neach = { lines = 45, branches = 25 }\n[[tool.pulpcov.gate.rules]]\npaths = \"src/legacy\"\ntogether = { max_missing = 8 }\n",
    );
    let ran = repo.gate(&[]).status(2);
    let expected = "src/views.py: 6 of 10 lines and 3 of 4 branches missing, rule src/**: lines=45, branches=25\n    cover 1 of the 6 missing lines, or remove 2\n\n1 of 2 files fails\n";
    assert_eq!(ran.stdout, expected);
    // The others can be asked for alone.
    repo.gate(&["src/legacy"]).status(0).stdout("1 file passes");
    repo.gate(&["src/views.py"]).status(2);
    repo.gate(&["src/view.py"]).status(1).stderr("src/view.py: no file of this name was measured");
    let settings = fs::read_to_string(repo.0.path("pyproject.toml")).unwrap();
    repo.0.write("pyproject.toml", settings.replace("max_missing = 8", "max_missing = 5"));
    repo.gate(&["src/legacy"]).status(2).stdout(
        "rule src/legacy: 5 of 9 lines and 3 of 4 branches missing in 1 file together: max_missing=5\n    cover or remove 3 of the 8 missing lines and branches",
    );
    // Folders are compared by whole names, and a rule for nothing is a mistake.
    repo.0.write("pyproject.toml", settings.replace("src/legacy", "src/leg"));
    repo.gate(&[]).status(1).stderr("the rule for \"src/leg\" matches no measured file");
    // What counts branches needs branches.
    repo.0.write("pyproject.toml", settings);
    repo.0.write(".coveragerc", "[run]\nsource = src\nrelative_files = true\n");
    repo.measure("show(1); connect('pg')");
    repo.gate(&[]).status(1).stderr("a limit counts branches, but the data has none");
}

/// The driver is set up as the help says.
#[test]
fn git_merges_ratchets_by_the_least_numbers() {
    let repo = Repo::new();
    repo.set_driver_up();
    repo.write_ratchet("5 3 a.py; 6 3 b.py; 7 - c.py; 8 0 d.py; 9 1 old.py");
    repo.0.commit("ratchet");
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
    // Lowered, removed, added, and renamed.
    repo.write_ratchet("2 3 a.py; 6 3 b.py; 7 1 c.py; 4 4 mine.py; 9 1 new.py");
    repo.0.commit("feature");
    repo.0.git(&["checkout", "-q", "main"]);
    repo.write_ratchet("5 1 a.py; 5 3 b.py; 6 - c.py; 8 0 d.py; 3 1 old.py; 1 1 theirs.py");
    repo.0.commit("main");
    let merged = ["2 1 a.py", "5 3 b.py", "6 1 c.py", "4 4 mine.py", "3 1 new.py", "1 1 theirs.py"];
    repo.0.git(&["checkout", "-q", "-b", "merged"]);
    repo.0.git(&["merge", "-q", "--no-edit", "feature"]);
    assert_eq!(repo.ratchet(), merged);
    // The other way round, and by a rebase.
    repo.0.git(&["checkout", "-q", "-b", "back", "feature"]);
    repo.0.git(&["merge", "-q", "--no-edit", "main"]);
    assert_eq!(repo.ratchet(), merged);
    repo.0.git(&["checkout", "-q", "-b", "rebased", "feature"]);
    repo.0.git(&["rebase", "-q", "main"]);
    assert_eq!(repo.ratchet(), merged);
    // Both branches made a ratchet: there is no common one.
    repo.0.git(&["checkout", "-q", "-b", "one", "main"]);
    repo.0.git(&["rm", "-q", ".pulpcov-ratchet"]);
    repo.0.commit("none");
    repo.0.git(&["checkout", "-q", "-b", "two"]);
    repo.write_ratchet("3 0 a.py; 1 0 b.py");
    repo.0.commit("two");
    repo.0.git(&["checkout", "-q", "one"]);
    repo.write_ratchet("2 1 a.py; 4 0 c.py");
    repo.0.commit("one");
    repo.0.git(&["merge", "-q", "--no-edit", "two"]);
    assert_eq!(repo.ratchet(), ["2 0 a.py", "1 0 b.py", "4 0 c.py"]);
}

#[test]
fn without_the_driver_a_conflict_is_told_with_the_way_out() {
    let repo = Repo::new();
    let branches = |repo: &Repo| {
        repo.write_ratchet("5 3 src/legacy/db.py; 6 3 src/views.py");
        repo.0.commit("ratchet");
        repo.0.git(&["checkout", "-q", "-b", "feature"]);
        repo.write_ratchet("5 3 src/legacy/db.py; 6 2 src/views.py");
        repo.0.commit("feature");
        repo.0.git(&["checkout", "-q", "main"]);
        repo.write_ratchet("5 3 src/legacy/db.py; 5 3 src/views.py");
        repo.0.commit("main");
    };
    branches(&repo);
    assert_eq!(repo.0.try_git(&["merge", "-q", "feature"]).status, 1);
    repo.gate(&[]).status(1).stderr(".pulpcov-ratchet: line 2: git left a conflict here");
    repo.0.git(&["merge", "--abort"]);
    // With the driver that the message names, there is none.
    repo.set_driver_up();
    repo.0.commit("driver");
    repo.0.git(&["merge", "-q", "--no-edit", "feature"]);
    assert_eq!(repo.ratchet(), ["5 3 src/legacy/db.py", "5 2 src/views.py"]);

    // A ratchet that cannot be read stays a conflict.
    let repo = Repo::new();
    repo.set_driver_up();
    branches(&repo);
    repo.write_ratchet("5 3 src/legacy/db.py; many 3 src/views.py");
    repo.0.commit("by hand");
    let ran = repo.0.try_git(&["merge", "-q", "--no-edit", "feature"]);
    assert_eq!(ran.status, 1);
    ran.stderr("the ratchet of this branch cannot be merged: line 2: a line has");
    assert_eq!(repo.ratchet()[1], "many 3 src/views.py");
    repo.gate(&[]).status(1).stderr(".pulpcov-ratchet: line 2: a line has the number of missing");
}

#[test]
fn renamed_files_keep_their_numbers() {
    let repo = Repo::new();
    repo.gate(&["--update"]).status(0);
    repo.0.commit("ratchet");
    let rename = |from: &str, to: &str, message: &str| {
        fs::create_dir_all(repo.0.path(to).parent().unwrap()).unwrap();
        repo.0.git(&["mv", from, to]);
        if !message.is_empty() {
            repo.0.commit(message);
        }
    };
    rename("src/legacy/db.py", "src/new/a.py", "one");
    rename("src/new/a.py", "src/new/b.py", "two");
    // The last one is not committed.
    rename("src/new/b.py", "src/new/db.py", "");
    repo.measure("show(1); connect('pg')");
    repo.gate(&[]).status(0).stdout("2 are below their floor");
    repo.gate(&["--update"]).status(0);
    assert_eq!(repo.ratchet(), ["5 3 src/new/db.py", "6 3 src/views.py"]);
    repo.0.git(&["checkout", "-q", ".pulpcov-ratchet"]);
    repo.0.commit("three");
    // A clone without the history cannot know.
    let url = format!("file://{}", repo.0.path("").display());
    let shallow = Repo(Dir::new());
    shallow.0.git(&["clone", "-q", "--depth=1", &url, "."]);
    shallow.measure("show(1); connect('pg')");
    shallow.gate(&[]).status(2).stderr("this clone is shallow");
    // Without git, the ratchet works by names.
    fs::remove_dir_all(repo.0.path(".git")).unwrap();
    repo.gate(&[]).status(2).stderr("too little is covered of src/new/db.py");
    repo.gate(&["src/views.py"]).status(0);
}

/// A rename is found though the ratchet was changed after it, by a merge.
#[test]
fn renames_are_followed_through_merges() {
    let repo = Repo::new();
    repo.set_driver_up();
    repo.write_ratchet("5 3 src/legacy/db.py; 9 9 src/views.py; 9 9 x.py");
    repo.0.commit("ratchet");
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
    repo.write_ratchet("5 3 src/legacy/db.py; 8 9 src/views.py; 9 9 x.py");
    repo.0.commit("lowered");
    fs::create_dir(repo.0.path("src/new")).unwrap();
    repo.0.git(&["mv", "src/legacy/db.py", "src/new/db.py"]);
    repo.0.commit("renamed");
    repo.0.git(&["checkout", "-q", "main"]);
    repo.write_ratchet("5 3 src/legacy/db.py; 9 7 src/views.py; 9 9 x.py");
    repo.0.commit("lowered, too");
    repo.0.git(&["merge", "-q", "--no-edit", "feature"]);
    assert_eq!(repo.ratchet()[1], "8 7 src/views.py");
    repo.measure("show(1); connect('pg')");
    repo.gate(&[]).status(0);
    repo.gate(&["--update"]).status(0);
    assert_eq!(repo.ratchet(), ["5 3 src/new/db.py", "6 3 src/views.py"]);
}

#[test]
fn renames_end_with_the_revision_of_the_sources() {
    let repo = Repo::new();
    let runs = "show(1); connect('pg'); close(show)";
    repo.measure_into("base.data", runs);
    fs::create_dir_all(repo.0.path("src/new")).unwrap();
    repo.0.git(&["mv", "src/legacy/db.py", "src/new/db.py"]);
    repo.0.commit("moved");
    repo.measure(runs);
    // This is not part of what is reported on.
    repo.0.git(&["mv", "src/new/db.py", "src/new/other.py"]);
    let args = ["--source-rev=HEAD", "--baseline=base.data", "--baseline-rev=HEAD~1"];
    let ran = repo.gate(&args).status(0);
    assert!(!ran.stdout.contains("new, "), "{}", ran.stdout);
}

#[test]
fn a_baseline_names_what_fell() {
    let repo = Repo::new();
    repo.0.write("src/gone.py", "x = 1\n");
    repo.0.commit("base");
    repo.measure_into("base.data", "show(1); show(1, True); connect('pg'); close(show)");
    fs::remove_file(repo.0.path("src/gone.py")).unwrap();
    repo.0.write("src/views.py", format!("# One more line.\n{VIEWS}"));
    repo.0.write("src/fresh.py", "def f():\n    return 1\n");
    fs::create_dir_all(repo.0.path("src/new")).unwrap();
    repo.0.git(&["mv", "src/legacy/db.py", "src/new/db.py"]);
    repo.0.commit("changed");
    repo.measure("show(1); connect('pg'); connect('my')");
    let args = ["--baseline=base.data", "--baseline-rev=HEAD~1"];
    let ran = repo.gate(&args).status(2);
    let expected = "\
src/fresh.py: 2 of 2 lines missing, floor 100%
    cover the 2 missing lines
src/views.py: 6 of 10 lines and 3 of 4 branches missing, floor 100%; the baseline allows 4 lines and 2 branches
    cover or remove 2 lines and 1 branch, or reach the floor: cover or remove the 9 missing lines and branches

Since the baseline:
  src/fresh.py: new, 2 of 2 lines missing
  src/gone.py: gone, with 1 of 1 line missing
  src/views.py: 2 more lines and 1 more branch missing than before
      show: 2 more lines and 1 more branch

2 of 3 files fail; 1 is below its floor, as the baseline allows
";
    assert_eq!(ran.stdout, expected);
    let report = repo.json(&args);
    let changes: Vec<(&str, &str)> = report["baseline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), file["change"].as_str().unwrap()))
        .collect();
    let expected = [
        ("src/fresh.py", "new"),
        ("src/gone.py", "gone"),
        ("src/new/db.py", "improved"),
        ("src/views.py", "fell"),
    ];
    assert_eq!(changes, expected);
    assert_eq!(report["baseline"][2]["old_path"], "src/legacy/db.py");
    // A floor lets files fall to it.
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 30\nnew_files = 0\n");
    repo.gate(&args).status(0).stdout("show: 2 more lines and 1 more branch");

    // Without the revision, the sources are those of now.
    repo.gate(&["--baseline=.coverage"]).status(0).stderr("--baseline-rev names the revision");
    let ran = repo.gate(&["--baseline=base.data", "--omit=src/gone.py,src/legacy/*"]).status(4);
    ran.stderr("the baseline was measured on other sources of src/views.py; --baseline-rev=REV");
    repo.gate(&["--baseline=none"]).status(1).stderr("none: no data");
    // A file that was measured before has to be, unless both leave it out.
    repo.measure_into("all.data", "show(1); connect('pg')");
    repo.0.write(
        ".coveragerc",
        "[run]\nbranch = true\nrelative_files = true\ninclude = src/views.py\n",
    );
    repo.measure("show(1)");
    let ran = repo.gate(&["--baseline=all.data"]).status(2);
    ran.stdout("src/new/db.py: not measured, though the baseline has it\n    measure it, or leave it out of both with --omit");
    repo.gate(&["--baseline=all.data", "--omit=src/new/*,src/fresh.py"]).status(0);
}

/// What only some runs reach fails no rule, and is named.
#[test]
fn lines_that_flap_are_named_and_fail_nothing() {
    let repo = Repo::new();
    repo.measure_into("a.data", "show(1); connect('pg')");
    repo.measure_into("b.data", "show(1, True); connect('pg')");
    repo.measure_into("c.data", "show(1); connect('pg')");
    repo.0.write("pulpcov.toml", "[[gate.rules]]\npaths = 'src/views.py'\neach = { lines = 60 }\n");
    repo.gate(&["--data-file=a.data"]).status(2);
    let runs = ["--runs", "a.data", "b.data", "c.data"];
    let ran = repo.gate(&runs).status(0);
    let expected = "\
Reached by some runs only, and not counted as missing:
  src/views.py: branch from line 2 to line 3 only in b.data
  src/views.py: branch from line 2 to line 5 only in a.data, c.data
  src/views.py: lines 3-4 only in b.data
  src/views.py: line 5 only in a.data, c.data

2 files pass
";
    assert_eq!(ran.stdout, expected);
    let report = repo.json(&runs);
    let expected = json!([[3, ["b.data"]], [4, ["b.data"]], [5, ["a.data", "c.data"]]]);
    assert_eq!(report["flapping"][0]["lines"], expected);
    repo.gate(&[&runs[..], &["--format=github"]].concat())
        .status(0)
        .stdout("::warning file=src/views.py,line=3,endLine=4,title=Not in every run::lines 3-4 only in b.data");
    // Each run alone passes a ratchet that was made of all.
    fs::remove_file(repo.0.path("pulpcov.toml")).unwrap();
    repo.gate(&[&runs[..], &["--update"]].concat()).status(0);
    for run in ["a.data", "b.data"] {
        repo.gate(&["--data-file", run]).status(0);
    }
    repo.gate(&["--runs", "a.data"]).status(1);
    repo.gate(&["--runs", "a.data", "none"]).status(1).stderr("none: no data");
}

#[test]
fn new_files_have_a_floor_of_their_own() {
    let repo = Repo::new();
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 30\nnew_files = 95\n");
    repo.gate(&[]).status(0);
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
    repo.0.write("src/fresh.py", "def f(x):\n    return 1\n");
    repo.measure("show(1); connect('pg'); import fresh");
    let said = "src/fresh.py: 1 of 2 lines missing, floor of new files 95%\n    cover or remove the missing line";
    repo.gate(&[]).status(2).stdout(said);
    repo.0.commit("fresh");
    repo.gate(&[]).status(2).stdout(said);
    repo.gate(&["--base=HEAD"]).status(0);
    // The setting of `patch` is the base of the branch here, too.
    repo.0.write("pulpcov.toml", "[patch]\nbase = 'feature'\n[gate]\nfloor = 30\nnew_files = 95\n");
    repo.gate(&[]).status(0);
    repo.gate(&["--base=main"]).status(2);
    // What cannot be known passes nothing.
    repo.gate(&["--base=nothing"]).status(1).stderr("git does not know the revision");
    repo.0.git(&["branch", "-q", "-D", "main"]);
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 30\nnew_files = 95\n");
    repo.gate(&[]).status(1).stderr("or remove the setting `new_files`");
}

/// Settings are refused by name, with file and line, whichever file they are in.
#[test]
fn wrong_settings_are_named() {
    let repo = Repo::new();
    for (file, text, words) in [
        ("pulpcov.toml", "[gate]\nflor = 80\n", "(pulpcov.toml, line 2, [gate] flor)"),
        ("pyproject.toml", "[tool.pulpcov]\nx = 1\n", "(pyproject.toml, line 2, [tool.pulpcov] x)"),
        ("setup.cfg", "[pulpcov:gate]\nfloor = 120\n", "(setup.cfg, line 2, [pulpcov:gate] floor)"),
        (
            "tox.ini",
            "[pulpcov:gate]\nratchet = ../x\n",
            "(tox.ini, line 2, [pulpcov:gate] ratchet)",
        ),
    ] {
        repo.0.write(file, text);
        for command in ["gate", "patch"] {
            repo.0.pulpcov([command]).status(1).stderr(words);
        }
        // They are no business of other commands.
        repo.0.pulpcov(["report"]).status(0);
        fs::remove_file(repo.0.path(file)).unwrap();
    }
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 80\n");
    repo.0.write("tox.ini", "[pulpcov:gate]\nfloor = 10\n");
    repo.gate(&[]).status(1).stderr("pulpcov.toml and tox.ini both have settings of pulpcov");
    repo.gate(&["--rcfile=tox.ini"]).stdout("floor 10%");
    fs::remove_file(repo.0.path("tox.ini")).unwrap();
    // Settings beside coverage.py's own do not disturb coverage.py.
    fs::remove_file(repo.0.path("pulpcov.toml")).unwrap();
    let own = fs::read_to_string(repo.0.path(".coveragerc")).unwrap();
    repo.0.write(".coveragerc", own + "[pulpcov:gate]\nfloor = 30\n[pulpcov:gate:views]\npaths = src/views.py\neach = lines=40\n");
    repo.measure("show(1); connect('pg')");
    repo.gate(&[]).status(0);
    let theirs = repo.0.coverage(["report"]).status(0);
    assert_eq!((theirs.stdout, theirs.stderr), {
        let ours = repo.0.pulpcov(["report"]).status(0);
        (ours.stdout, ours.stderr)
    });
}

#[test]
fn patch_takes_its_settings() {
    let repo = Repo::new();
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
    repo.0.write("src/views.py", VIEWS.replace("repr", "str"));
    repo.0.commit("feature");
    repo.0.git(&["checkout", "-q", "-b", "other"]);
    repo.measure("show(1); connect('pg')");
    let patch = |args: &[&str]| repo.0.pulpcov(std::iter::once(&"patch").chain(args));
    patch(&[]).status(0).stdout("1 file changed");
    repo.0.write("pulpcov.toml", "[patch]\nfail_under = 90\n");
    patch(&[]).status(2).stderr("less is covered than fail_under=90 asks for");
    patch(&["--fail-under=0"]).status(0);
    repo.0.write("pulpcov.toml", "[patch]\nmax_missing = 0\n");
    patch(&[]).status(2).stderr("more is missing than max_missing=0 allows");
    patch(&["--max-missing=5"]).status(0);
    repo.0.write("pulpcov.toml", "[patch]\nbase = 'feature'\nmax_missing = 0\n");
    patch(&[]).status(0).stdout("Changes since feature");
    patch(&["--base=main"]).status(2);
}

/// Neither a terminal nor CI can be tricked by the name of a file.
#[test]
fn formats_hold_any_name() {
    let repo = Repo::new();
    let names =
        ["a%b,c:d.py", "x|y`z.py", "::error::x.py", "<img>.py", "e\x1b[31m.py", "n\n::error::.py"];
    let program: String = names
        .iter()
        .map(|name| {
            format!(
                "exec(compile(open('src/{0}').read(), 'src/{0}', 'exec'))\n",
                name.replace('\n', "\\n").replace('\x1b', "\\x1b")
            )
        })
        .collect();
    for name in names {
        repo.0.write(format!("src/{name}"), "def f():\n    pass\n");
    }
    repo.measure(&program);
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 100\n");
    for format in ["text", "markdown", "github"] {
        let out = repo.gate(&["--format", format]).status(2).stdout;
        assert!(!out.contains('\x1b') && out.contains("n?::error::.py"), "{out}");
        match format {
            "github" => {
                assert!(
                    out.lines()
                        .all(|line| line.starts_with("::error ") || line.starts_with("::notice ")),
                    "{out}"
                );
                assert!(out.contains("::error file=src/a%25b%2Cc%3Ad.py,title=Coverage gate::src/a%25b,c:d.py: 1 of 2 lines missing"), "{out}");
            }
            "markdown" => {
                for row in out.lines().filter(|line| line.starts_with('|')) {
                    assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
                }
            }
            _ => {}
        }
    }
    assert!(
        repo.json(&[])["files"]
            .as_array()
            .unwrap()
            .iter()
            .any(|file| file["path"] == "src/n\n::error::.py")
    );
    // Each is one line of the ratchet.
    repo.gate(&["--update"]).status(0);
    assert!(
        repo.ratchet().contains(&"1 0 src/n\\u{a}::error::.py".to_owned()),
        "{:?}",
        repo.ratchet()
    );
    assert_eq!(repo.ratchet().len(), 8);
    repo.gate(&[]).status(0);
}

/// Annotations are no more than GitHub shows.
#[test]
fn many_failures_are_counted() {
    let repo = Repo::new();
    for n in 0..14 {
        repo.0.write(format!("src/m{n:02}.py"), "def f():\n    pass\n");
    }
    repo.measure("show(1)");
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 100\n");
    let out = repo.gate(&["--format=github"]).status(2).stdout;
    let errors: Vec<&str> = out.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(errors.len(), 10);
    assert_eq!(
        errors[9],
        "::error title=Coverage gate::7 failures more, in src/m08.py and other files"
    );
}

/// A repository may be anybody's. Its ratchet leads nowhere else, and does not keep a gate busy.
#[test]
fn hostile_ratchets_are_refused() {
    let repo = Repo::new();
    let outside = Dir::new();
    let victim = outside.path("victim");
    for target in [victim.as_path(), "/dev/zero".as_ref()] {
        symlink(target, repo.0.path(".pulpcov-ratchet")).unwrap();
        for args in [&[][..], &["--update"]] {
            repo.gate(args).status(1).stderr("not a plain file, or is behind a link");
        }
        fs::remove_file(repo.0.path(".pulpcov-ratchet")).unwrap();
    }
    symlink(outside.path(""), repo.0.path("ci")).unwrap();
    repo.0.write("pulpcov.toml", "[gate]\nratchet = 'ci/victim'\n");
    repo.gate(&["--update"]).status(1).stderr("behind a link");
    assert!(!victim.exists());
    repo.0.write("pulpcov.toml", "[gate]\nratchet = 'made/here'\n");
    repo.gate(&["--update"]).status(0);
    assert!(repo.0.path("made/here").is_file());
    fs::remove_file(repo.0.path("made/here")).unwrap();
    assert!(Command::new("mkfifo").arg(repo.0.path("made/here")).status().unwrap().success());
    repo.gate(&[]).status(1).stderr("not a plain file");
    fs::remove_file(repo.0.path("made/here")).unwrap();
    let huge: String = (0..300_000).map(|n| format!("1 0 src/file{n}.py\n")).collect();
    repo.0.write("made/here", huge);
    repo.gate(&[]).status(2).stderr("too little is covered of src/legacy/db.py, src/views.py");
    fs::File::create(repo.0.path("made/here")).unwrap().set_len(100 << 20).unwrap();
    repo.gate(&[]).status(1).stderr("more than 64 MiB");
}

/// A badge has the percentage of the report.
#[test]
fn badges_show_the_total_of_the_report() {
    let repo = Repo::new();
    let total = repo.0.coverage(["report", "--format=total", "--precision=2"]).status(0).stdout;
    let ran = repo.0.pulpcov(["badge", "--precision=2"]).status(0);
    let badge: Value = serde_json::from_str(&ran.stdout).unwrap();
    let expected = json!({"schemaVersion": 1, "label": "coverage", "message": format!("{}%", total.trim()), "color": "red"});
    assert_eq!(badge, expected);
    repo.0.pulpcov(["badge", "--label=a<b", "-o", "badge.svg"]).status(0);
    let svg = fs::read_to_string(repo.0.path("badge.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("<title>a&lt;b: 37%</title>"), "{svg}");
    repo.0.pulpcov(["badge", "--data-file=none"]).status(1).stderr("No data to report");
}

/// The sample data, as the README has it.
#[test]
fn the_sample_can_be_gated() {
    let dir = Dir::new();
    let sample = root().join("examples/pulp-host");
    let rcfile = format!("--rcfile={}", sample.join(".coveragerc").display());
    let data = sample.join("data");
    dir.pulpcov(["combine", &rcfile, "--keep", data.to_str().unwrap()]).status(0);
    let source = format!("--source-root={}", sample.display());
    dir.write("pulpcov.toml", "[gate]\nfloor = 80\n");
    let failing = dir.pulpcov(["gate", &source]).status(2).stdout;
    assert!(
        failing.starts_with(
            "src/pulpmini/settings.py: 6 of 15 lines and 5 of 8 branches missing, floor 80%"
        ),
        "{failing}"
    );
    dir.pulpcov(["gate", &source, "--update"]).status(0);
    dir.pulpcov(["gate", &source]).status(0);
}

#[test]
fn without_data_or_sources_nothing_passes() {
    let repo = Repo::new();
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 10\n");
    repo.gate(&["--data-file=none"]).status(1).stderr("none: no data; measure first");
    fs::remove_file(repo.0.path("src/views.py")).unwrap();
    repo.gate(&[]).status(1).stderr("No source for code");
    repo.gate(&["-i"]).status(0).stdout("1 file passes");
    // Options that make no sense together are refused.
    for args in [
        &["--update", "--baseline=.coverage"][..],
        &["--add=x.py"],
        &["--baseline-rev=HEAD"],
        &["--runs", ".coverage", ".coverage", "--data-file=x"],
        &["--merge-driver", "a", "b"],
    ] {
        repo.gate(args).status(1);
    }
    let mut alone = pulpcov();
    alone.args(["gate", "--merge-driver", "no1", "no2", "no3"]).current_dir(repo.0.path(""));
    assert_eq!(Ran::from(alone.output().unwrap()).status(1).stdout, "");
}
