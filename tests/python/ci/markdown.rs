//! Comments, and summaries of steps.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde::Deserialize;

use super::{APP, HOSTILE, Repo};
use crate::support::{Dir, venv};

/// A repository with many files, of which the first have the least missing.
fn many(count: usize) -> Repo {
    let names: Vec<String> = (0..count).map(|n| format!("src/file{n:03}.py")).collect();
    let repo = Repo::of(&[]);
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
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

/// What GitHub shows of Markdown, by its own library.
#[derive(Deserialize)]
struct Shown {
    /// The text outside of code.
    text: String,
    /// The kinds of the elements, in order.
    tags: Vec<String>,
    /// The cells of the rows of all tables.
    rows: Vec<Vec<String>>,
}

impl Shown {
    fn of(markdown: &str) -> Self {
        let folder = venv("markdown-readers", &["cmarkgfm==2025.10.22"]);
        let code = r#"
import json, sys
from html.parser import HTMLParser
from cmarkgfm import github_flavored_markdown_to_html as to_html
class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text, self.rows = [], [], [], []
    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)
        if tag == "tr": self.rows.append([])
        if tag in ("td", "th"): self.rows[-1].append("")
    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag: pass
    def handle_data(self, data):
        if "code" not in self.open: self.text.append(data)
        if "td" in self.open or "th" in self.open: self.rows[-1][-1] += data
reader = Reader()
reader.feed(to_html(sys.stdin.buffer.read().decode()))
print(json.dumps({"text": "".join(reader.text), "tags": reader.tags, "rows": reader.rows}))
"#;
        let dir = Dir::new();
        let file = dir.write("x.md", markdown);
        let mut reader = Command::new(folder.join("bin/python"));
        reader.args(["-c", code]).stdin(fs::File::open(file).unwrap());
        let output = reader.output().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|err| panic!("{err}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn count(&self, tag: &str) -> usize {
        self.tags.iter().filter(|found| *found == tag).count()
    }
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
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
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
    let diff = repo.0.git(&["diff", "main"]);
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
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
    repo.0.git(&["mv", "@org/team.py", "new.py"]);
    repo.0.git(&["commit", "-q", "-m", "renamed"]);
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
        let shown = Shown::of(&markdown);
        assert_eq!(shown.count("a"), 0, "{args:?}: {markdown}");
        for name in ["@", "www.", "#123"] {
            assert!(!shown.text.contains(name), "{args:?}: {name} in {}", shown.text);
        }
        assert!(markdown.contains("@org"), "{args:?}: {markdown}");
    }
}

/// What a reader of Markdown sees of hostile names, by GitHub's own library.
#[test]
fn markdown_shows_hostile_names_as_they_are() {
    let repo = Repo::hostile();
    repo.0.write("pulpcov.toml", "[gate]\nfloor = 90\n");
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
        let page = Shown::of(&markdown);
        for tag in &page.tags {
            assert!(
                ["code", "p", "strong", "table", "tbody", "td", "th", "thead", "tr"]
                    .contains(&tag.as_str()),
                "{args:?}: {tag} in {markdown}"
            );
        }
        let names: BTreeSet<&String> = page.rows.iter().map(|row| &row[0]).collect();
        for name in &shown {
            assert!(names.contains(name), "{args:?}: {name} is not in {names:#?}");
        }
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
    let shown = Shown::of(&all);
    assert_eq!((shown.count("table"), shown.count("p")), (5, 2), "{all}");
}
