//! The HTML report: figures, settings, and which files are written.
//!
//! `browser/` tests in a browser how the report looks and works.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::sample::measured;
use crate::support::{Dir, pulpcov};

/// Returns the data that a file `data.NAME.js` of a report passes to the script.
#[track_caller]
fn data(folder: &Path, name: &str) -> Value {
    let text = fs::read_to_string(folder.join(format!("data.{name}.js"))).unwrap();
    let json = text.strip_prefix(&format!("pulpcov(\"{name}\",")).unwrap();
    serde_json::from_str(json.trim_end().strip_suffix(')').unwrap()).unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    value.as_array().unwrap().iter().map(text).collect()
}

/// Returns the counts of a row, with the names of the JSON report.
fn counts(table: &Value, row: usize) -> BTreeMap<String, u64> {
    let number = |column: &str| table[column][row].as_u64().unwrap();
    let mut counts = BTreeMap::from([
        ("num_statements".to_owned(), number("statements")),
        ("missing_lines".to_owned(), number("missing")),
        ("excluded_lines".to_owned(), number("excluded")),
    ]);
    if number("branches") > 0 {
        counts.insert("num_branches".to_owned(), number("branches"));
        counts.insert("num_partial_branches".to_owned(), number("partial"));
        counts.insert("missing_branches".to_owned(), number("missing_branches"));
    }
    counts
}

#[track_caller]
fn assert_counts(summary: &Value, table: &Value, row: usize) {
    for (name, count) in counts(table, row) {
        assert_eq!(summary[&name], count, "{name} of row {row}");
    }
}

/// Creates a package with branches, exclusions, regions of the same name, and an empty file.
fn shop() -> Dir {
    let dir = Dir::new();
    dir.write("shop/__init__.py", "");
    dir.write("shop/unused.py", "class Unused:\n    def __init__(self):\n        self.x = 1\n");
    dir.write("shop/all.py", "def everything():\n    return 1\n");
    dir.write(
        "shop/cart.py",
        "import sys\n\n\nclass Cart:\n    def add(self, n):\n        if n > 1:\n            return [\n                n,\n            ]\n        for _ in range(n):\n            print(1)\n        return '<script>alert(1)</script>'\n\n    def add(self, n, m=1):\n        while True:\n            if n or m:\n                return 1\n\n\nif sys.argv == []:  # pragma: no cover\n    print(2)\n",
    );
    dir.write("main.py", "from shop.cart import Cart\nimport shop.all\n\nshop.all.everything()\nCart().add(3)\nif Cart: pass\n");
    dir
}

fn recorded(options: &[&str]) -> Dir {
    measured(shop(), options)
}

#[test]
fn the_figures_are_those_of_the_json_report() {
    for dir in [recorded(&["--branch", "--context=nightly"]), recorded(&[])] {
        dir.pulpcov(["html", "--show-contexts"]).status(0);
        let json: Value =
            serde_json::from_str(&dir.pulpcov(["json", "-o", "-"]).status(0).stdout).unwrap();
        let report = dir.path("htmlcov");
        let files = data(&report, "files");
        let names = texts(&files["name"]);
        let wanted: Vec<&String> = json["files"].as_object().unwrap().keys().collect();
        assert_eq!(names.iter().collect::<Vec<_>>(), wanted);
        assert_counts(&json["totals"], &files["totals"], 0);
        for (row, name) in names.iter().enumerate() {
            assert_counts(&json["files"][name]["summary"], &files, row);
        }
        for (table, key) in [("functions", "functions"), ("classes", "classes")] {
            let table = data(&report, table);
            let rows = texts(&table["name"]);
            let in_json: usize =
                wanted.iter().map(|file| json["files"][file][key].as_object().unwrap().len()).sum();
            assert_eq!(rows.len(), in_json);
            for (row, name) in rows.iter().enumerate() {
                let file = &names[usize::try_from(table["file"][row].as_u64().unwrap()).unwrap()];
                let regions = &json["files"][file][key];
                let line = &table["line"][row];
                let named = format!("{name}@{line}");
                let region = [&regions[name], &regions[&named]];
                // If two functions have the same name, the JSON report adds the line to the name of the
                // second.
                let region = region
                    .into_iter()
                    .find(|region| line == 0 || region["start_line"] == *line)
                    .unwrap();
                assert_counts(&region["summary"], &table, row);
            }
        }
    }
}

#[test]
fn a_source_page_can_be_read_without_script() {
    let dir = recorded(&["--branch"]);
    dir.pulpcov(["html"]).status(0);
    let name = dir.names_in("htmlcov").into_iter().find(|name| name.ends_with("_cart_py.html"));
    let page = fs::read_to_string(dir.path("htmlcov").join(name.unwrap())).unwrap();
    for wanted in [
        "<li id=t1 class=r><a href=#t1>1</a><b>import</b> sys",
        "<li id=t6 class=m><a href=#t6>6</a>        <b>if</b> n > <var>1</var>:",
        "<li id=t8 class=m2><a href=#t8>8</a>                n,",
        "<b>return</b> <u>'&lt;script>alert(1)&lt;/script>'</u>",
        "<li id=t16 class=p>",
        "<details class=why><summary>16\u{202f}↛\u{202f}15</summary>line 16 didn't jump to line 15 because the condition on line 16 was always true</details>",
        "<li id=t20 class=x>",
        "Content-Security-Policy",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    assert!(!page.contains("<script>"));
    let index = fs::read_to_string(dir.path("htmlcov/index.html")).unwrap();
    assert!(index.contains(">shop/<wbr>cart.py</a>"), "{index}");
}

/// Returns the bytes and the time of every file of a report, except those that say when it was made.
fn state(dir: &Dir) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let folder = dir.path("htmlcov");
    let names = dir.names_in("htmlcov").into_iter();
    names
        .filter(|name| !["index.html", "status.json"].contains(&name.as_str()))
        .map(|name| {
            let path = folder.join(&name);
            let time = path.metadata().unwrap().modified().unwrap();
            (name, (fs::read(path).unwrap(), time))
        })
        .collect()
}

#[test]
fn pages_that_did_not_change_are_not_written_again() {
    let dir = recorded(&["--branch", "--context=a"]);
    dir.pulpcov(["html", "--show-contexts"]).status(0);
    assert_eq!(
        fs::read_to_string(dir.path("htmlcov/.gitignore")).unwrap(),
        "# Created by pulpcov\n*\n"
    );
    let first = state(&dir);
    dir.pulpcov(["html", "--show-contexts"]).status(0);
    assert_eq!(state(&dir), first);

    // A page that is missing is written again, and a changed source is shown as it is now.
    fs::remove_file(dir.path("htmlcov/main_py.html")).unwrap();
    let all = fs::read_to_string(dir.path("shop/all.py")).unwrap();
    dir.write("shop/all.py", all.replace("everything", "all_things"));
    dir.pulpcov(["html", "--show-contexts"]).status(0);
    let second = state(&dir);
    let changed: Vec<&String> = second
        .iter()
        .filter(|(name, content)| first.get(*name) != Some(content))
        .map(|entry| entry.0)
        .collect();
    assert_eq!(changed.len(), 6, "{changed:?}");
    assert!(changed.iter().any(|name| name.ends_with("_all_py.html")), "{changed:?}");
    assert!(changed.iter().any(|name| *name == "main_py.html"), "{changed:?}");
    assert_eq!(second["main_py.html"].0, first["main_py.html"].0);

    // Other settings lead to other pages.
    dir.pulpcov(["html", "--precision=2"]).status(0);
    let third = state(&dir);
    assert!(third["main_py.html"].0 != first["main_py.html"].0);
    assert!(!third.keys().any(|name| name.starts_with("ctx.") || name == "contexts.html"));
}

#[test]
fn what_is_no_longer_reported_has_no_page() {
    let dir = recorded(&[]);
    dir.pulpcov(["html"]).status(0);
    dir.write("htmlcov/mine.html", "mine");
    let neighbours = |dir: &Dir| {
        let page = fs::read_to_string(dir.path("htmlcov/main_py.html")).unwrap();
        page.split("id=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    assert!(neighbours(&dir).ends_with("__init___py.html"));
    dir.pulpcov(["html", "--omit=shop/__init__.py,shop/all.py"]).status(0);
    assert!(neighbours(&dir).ends_with("_cart_py.html"));
    let names = dir.names_in("htmlcov");
    assert!(!names.iter().any(|name| name.ends_with("_all_py.html")), "{names:?}");
    assert!(names.contains(&"mine.html".to_owned()));
}

#[test]
fn settings_and_messages_are_those_of_coverage() {
    let dir = recorded(&["--branch"]);
    dir.write(".coveragerc", "[html]\ndirectory = out\ntitle = <i>Nightly</i> & Co\nskip_covered = true\nskip_empty = true\nextra_css = my.css\nshow_contexts = true\n");
    dir.write("my.css", "body { color: red }");
    let ran = dir.pulpcov(["html"]).status(0);
    assert!(ran.stderr.contains("Wrote HTML report to out/index.html"), "{}", ran.stderr);
    assert!(ran.stderr.contains("No contexts were measured"), "{}", ran.stderr);
    let files = data(&dir.path("out"), "files");
    assert_eq!(texts(&files["name"]), ["shop/cart.py", "shop/unused.py"]);
    assert_eq!(texts(&files["notes"]), ["3 files skipped due to complete coverage."]);
    let index = fs::read_to_string(dir.path("out/index.html")).unwrap();
    assert!(index.contains("Nightly") && !index.contains("<i>Nightly"), "{index}");
    let extra = |dir: &Dir| {
        let name = dir.names_in("out").into_iter().find(|name| name.starts_with("extra_")).unwrap();
        fs::read_to_string(dir.path("out").join(name)).unwrap()
    };
    assert_eq!(extra(&dir), "body { color: red }");
    dir.write("other.css", "body { color: blue }");
    dir.pulpcov(["html", "--extra-css=other.css"]).status(0);
    assert_eq!(extra(&dir), "body { color: blue }");
    dir.pulpcov(["html", "--extra-css=none.css"]).status(1);

    dir.pulpcov(["html", "--no-skip-covered", "--rcfile=", "-q", "-d", "all"]).status(0).stderr("");
    assert_eq!(texts(&data(&dir.path("all"), "files")["name"]).len(), 5);
    for (args, status) in [
        (&["html", "--fail-under=99"][..], 2),
        (&["html", "--fail-under=1", "--precision=3"], 0),
        (&["html", "--include=nothing.py"], 1),
        (&["html", "--precision=-1"], 1),
        (&["html", "--contexts=nothing"], 0),
    ] {
        let ours = dir.pulpcov(args);
        let theirs = dir.coverage(args);
        assert_eq!((ours.status, theirs.status), (status, status), "{args:?} {}", ours.stderr);
        let without_wrote = |text: &str| {
            text.lines().filter(|line| !line.starts_with("Wrote ")).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(without_wrote(&ours.stdout), without_wrote(&theirs.stdout), "{args:?}");
    }
}

#[test]
fn a_single_file_holds_everything() {
    let dir = recorded(&["--branch", "--context=nightly"]);
    dir.pulpcov(["html", "--show-contexts", "--single-file=report.html"]).status(0);
    let page = fs::read_to_string(dir.path("report.html")).unwrap();
    assert!(!dir.path("htmlcov").exists());
    assert!(!page.contains("src=") && !page.contains("href=\"http"));
    for name in ["index", "function_index", "tree", "worst", "contexts", "main_py"] {
        assert!(
            page.contains(&format!("<script type=\"text/html\" data-page=\"{name}\"")),
            "{name}"
        );
    }
    let out = dir.pulpcov(["html", "--single-file=-"]).status(0).stdout;
    assert!(out.starts_with("<!doctype html>"));
}

/// Names that tables, pages and scripts must treat as text.
#[test]
fn hostile_names_are_text() {
    let dir = Dir::new();
    let names = [
        "<script>alert(1)<／script>.py",
        "\"quoted\" 'name'.py",
        "back`tick ${1}.py",
        "left\u{202e}right.py",
        "index",
        "new\nline.py",
        "a b#c?d%41.py",
    ];
    for name in names {
        dir.write(name, "x = '</script><!--'\nif x:\n    y = 2\n");
    }
    let context = format!("</script><script>alert('{}')", "\u{202e}x".repeat(2000));
    let mut code =
        String::from("import sys, coverage.data\nd = coverage.data.CoverageData('.coverage')\n");
    code.push_str(&format!("d.set_context({context:?})\n").replace("\\u{202e}", "\\u202e"));
    for name in names {
        let path = dir.path(name);
        code.push_str(
            &format!("d.add_lines({{{:?}: [1, 2]}})\n", path.to_str().unwrap())
                .replace("\\u{202e}", "\\u202e"),
        );
    }
    code.push_str("d.write()\n");
    dir.write("make.py", &code);
    let made = crate::support::python().current_dir(dir.path("")).arg("make.py").output().unwrap();
    assert!(made.status.success(), "{made:?}");
    dir.pulpcov(["html", "--show-contexts", "--title=</title><script>alert(2)</script>"]).status(0);
    dir.pulpcov(["html", "--show-contexts", "--single-file=one.html"]).status(0);
    let mut pages = dir.names_in("htmlcov");
    pages.retain(|name| {
        name.ends_with(".html") || name.starts_with("data.") || name.starts_with("ctx.")
    });
    assert_eq!(texts(&data(&dir.path("htmlcov"), "files")["name"]).len(), names.len());
    for page in pages {
        let text = fs::read_to_string(dir.path("htmlcov").join(&page)).unwrap();
        assert!(!text.contains("alert(1)<") && !text.contains("<script>"), "{page}");
        assert!(!text.contains('\u{202e}'), "{page}");
        assert!(page.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{page}");
        if page.ends_with(".js") {
            assert!(!text.contains('<'), "{page}");
        }
    }
    let single = fs::read_to_string(dir.path("one.html")).unwrap();
    // One element is the script's own. The others have the data.
    assert_eq!(single.matches("<script>").count(), 1);
    assert_eq!(single.matches("<script").count(), single.matches("</script>").count());
}

/// A report says where it is from, and leads to the same source on a website.
#[test]
fn pages_say_where_they_are_from() {
    let dir = Dir::new();
    dir.write("my app/src/cart.py", "x = 1\n");
    dir.write(".gitignore", ".coverage\nhtmlcov/\n.pulpcov_cache/\n");
    dir.coverage(["run", "my app/src/cart.py"]).status(0);
    let index = |dir: &Dir| fs::read_to_string(dir.path("htmlcov/index.html")).unwrap();
    let page = |dir: &Dir| {
        let names = dir.names_in("htmlcov");
        let name = names.iter().find(|name| name.ends_with("cart_py.html")).unwrap().clone();
        fs::read_to_string(dir.path("htmlcov").join(name)).unwrap()
    };
    // Without a repository, no commit is named, and none can be linked to.
    dir.pulpcov(["html"]).status(0);
    let text = index(&dir);
    assert!(
        text.contains("<span>pulpcov ") && text.contains("<span>data .coverage of 2"),
        "{text}"
    );
    assert!(!text.contains("commit"), "{text}");
    assert!(!page(&dir).contains("id=\"forge\""));
    let ran = dir.pulpcov(["html", "--source-url=github:ann/shop"]).status(1);
    ran.stderr("--source-url needs the commit of the sources");

    dir.init_git();
    dir.commit("The shop");
    let commit = dir.git(&["rev-parse", "HEAD"]).trim().to_owned();
    dir.pulpcov(["html", "--source-url=github:ann/shop"]).status(0);
    assert!(index(&dir).contains(&format!("<span>sources of commit {}</span>", &commit[..10])));
    let address = |line: &str| {
        format!("https://github.com/ann/shop/blob/{commit}/my%20app/src/cart.py#L{line}")
    };
    assert!(page(&dir).contains(&format!(
        "href=\"{}\" data-url=\"{}\"",
        address("1"),
        address("{line}")
    )));
    // Names begin at the top of the repository, wherever the report is made.
    let options =
        ["-q", "-d", "../htmlcov", "--data-file=../.coverage", "--source-url=gitlab:a/b/c"];
    let inside = pulpcov().arg("html").args(options).current_dir(dir.path("my app")).status();
    assert!(inside.unwrap().success());
    assert!(
        page(&dir)
            .contains(&format!("https://gitlab.com/a/b/c/-/blob/{commit}/my%20app/src/cart.py#L1"))
    );
    dir.write("my app/src/cart.py", "x = 2\n");
    dir.pulpcov(["html", "--source-url=https://example.org/{path}?at={line}"]).status(0);
    assert!(index(&dir).contains(" with changes</span>"));
    assert!(page(&dir).contains("href=\"https://example.org/my%20app/src/cart.py?at=1\""));
    dir.pulpcov(["html", "--source-rev=HEAD"]).status(0);
    assert!(index(&dir).contains("<span>sources of HEAD</span>"));
    for (template, why) in [
        ("javascript:{path}", "javascript: no forge of this name is known"),
        ("hub:ann/shop", "hub: no forge of this name is known"),
        ("example.org/{path}", "must begin with https:// or http://"),
        ("https://example.org/", "must have {path}"),
    ] {
        let ran = dir.pulpcov(["html", &format!("--source-url={template}")]).status(1);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(why), "{template}: {said}");
    }
}

/// The data of long sources is compressed, so that a browser need not skip a hundred megabytes.
#[test]
fn a_single_file_is_shorter_than_its_sources() {
    let dir = Dir::new();
    dir.write("long.py", "value = 'a rather long line' + str(sum(range(100)))\n".repeat(20_000));
    dir.coverage(["run", "long.py"]).status(0);
    dir.pulpcov(["html", "--single-file=one.html"]).status(0);
    let length = |name| fs::metadata(dir.path(name)).unwrap().len();
    assert!(length("one.html") < length("long.py") / 2, "{}", length("one.html"));
}

#[test]
fn contexts_that_the_data_does_not_have_are_told() {
    let dir = recorded(&["--branch", "--context=nightly"]);
    let plain = recorded(&["--branch"]);
    for command in ["html", "report", "json"] {
        let args = [command, "--contexts=weekly,^\x1b"];
        let said = "no context matches \"weekly\", \"^\\u{1b}\", so nothing counts as run: ";
        let ran = dir.pulpcov(args).status(dir.coverage(args).status);
        ran.stderr(&format!("{said}the data has 1 context, such as nightly (no-such-context)"));
        plain.pulpcov(args).stderr(&format!("{said}no contexts were measured"));
    }
    for right in ["nightly", "weekly,night"] {
        let ran = dir.pulpcov(["report", &format!("--contexts={right}")]).status(0);
        assert!(!ran.stderr.contains("no context matches"), "{}", ran.stderr);
    }
    // The page says so, too.
    dir.pulpcov(["html", "--contexts=weekly"]).status(0);
    let index = fs::read_to_string(dir.path("htmlcov/index.html")).unwrap();
    assert!(index.contains("no context matches"), "{index}");
    dir.write(".coveragerc", "[run]\ndisable_warnings = no-such-context\n");
    let ran = dir.pulpcov(["html", "--contexts=weekly"]).status(0);
    assert!(!ran.stderr.contains("no context matches"), "{}", ran.stderr);
}

/// coverage.py says only that there is no data.
#[test]
fn a_report_of_nothing_says_what_to_do() {
    let empty = Dir::new();
    let ran = empty.pulpcov(["html"]).status(1).stderr(".coverage: no data; measure first");
    assert_eq!(ran.stdout, "No data to report.\n");
    let dir = recorded(&[]);
    dir.write("gone.py", "x = 1\n");
    dir.coverage(["run", "--data-file=gone.data", "gone.py"]).status(0);
    fs::remove_file(dir.path("gone.py")).unwrap();
    for (nothing, something) in [
        (&["html", "--include=nothing.py"][..], &["html", "--include=main.py"][..]),
        (&["html", "--omit=*"], &["html", "--omit=main.py"]),
        (&["html", "-i", "--data-file=gone.data"], &["html", "-i"]),
    ] {
        let ran = dir.pulpcov(nothing).status(1);
        let count = if nothing.contains(&"-i") { "gone.data has 1 file" } else { " has 5 files" };
        let ran = ran.stderr(&format!("{count}, but the report has none: --include, --omit"));
        assert!(ran.stdout.contains("No data to report."), "{nothing:?}: {}", ran.stdout);
        dir.pulpcov(something).status(0);
    }
}

/// A percentage below a floor is not shown as the floor.
#[test]
fn a_percentage_below_a_floor_is_seen_to_be_below() {
    let dir = Dir::new();
    let ran = "x = 1\n".repeat(1_697);
    dir.write("app.py", format!("{ran}if x == 2:\n{}", "    x = 2\n".repeat(302)));
    dir.write(".gitignore", "*\n!app.py\n!.gitignore\n");
    dir.init_git();
    dir.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
    dir.coverage(["run", "app.py"]).status(0);
    dir.write("pulpcov.toml", "[gate]\nfloor = 85\n\n[patch]\nfail_under = 85\n");
    let below = "84.9% covered: 1698 of 2000 statements";
    let ran = dir.pulpcov(["patch", "--base=HEAD"]).status(2);
    assert!(ran.stdout.contains(below), "{}", ran.stdout);
    let markdown = dir.pulpcov(["patch", "--base=HEAD", "--format=markdown"]).status(2).stdout;
    assert!(markdown.contains(below), "{markdown}");
    // Without the floor, digits are as many as they always are.
    let ran = dir.pulpcov(["patch", "--base=HEAD", "--fail-under=80"]).status(0).stdout;
    assert!(ran.contains("85% covered: 1698 of 2000 statements"), "{ran}");

    dir.pulpcov(["html", "--patch", "--base=HEAD"]).status(0);
    let page = |name: &str| fs::read_to_string(dir.path("htmlcov").join(name)).unwrap();
    assert!(page("app_py.html").contains("<span class=\"pc\">84.9%</span>"));
    assert!(page("index.html").contains("<td>84.9%</td>"));
    assert!(page("index.html").contains(below));
    assert_eq!(data(&dir.path("htmlcov"), "files")["judged"]["0"][2], "84.9");
    // What coverage.py judges and prints stays as it is.
    for options in [["report", "--fail-under=85"], ["report", "--fail-under=84.96"]] {
        let (ours, theirs) = (dir.pulpcov(options), dir.coverage(options));
        assert_eq!((ours.status, &ours.stdout), (theirs.status, &theirs.stdout));
    }
}

#[test]
fn what_is_written_beside_the_report_is_said() {
    let dir = recorded(&[]);
    let ran = dir.pulpcov(["html", "-d", "out", "--badge", "--summary"]).status(0);
    for said in ["Wrote HTML report to out/index.html", "Wrote badge to out/badge.svg"] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    ran.stderr("Wrote summary to out/summary.md");
    let ran = dir.pulpcov(["html", "-q", "--badge"]).status(0);
    assert_eq!(ran.stderr, "");
}

/// A branch that added a line above the rest, so that nothing is where it was.
fn branch() -> Dir {
    let dir = recorded(&["--branch"]);
    dir.write(".gitignore", "*\n!*.py\n!shop/\n!.gitignore\n!runs.jsonl\n");
    dir.init_git();
    dir.commit("before");
    dir.git(&["checkout", "-q", "-b", "feature"]);
    fs::rename(dir.path(".coverage"), dir.path("main.data")).unwrap();
    let cart = fs::read_to_string(dir.path("shop/cart.py")).unwrap();
    dir.write("shop/cart.py", format!("# One line more.\n{cart}"));
    dir.commit("changed");
    measured(dir, &["--branch"])
}

#[test]
fn the_baseline_is_where_the_branch_began() {
    let dir = branch();
    let before = |dir: &Dir| data(&dir.path("htmlcov"), "files")["before"].clone();
    dir.pulpcov(["html", "--baseline=main.data", "--baseline-rev=main"]).status(0);
    let wanted = before(&dir);
    let said = "The baseline counts as measured where the branch left main; --baseline-rev names";
    let ran = dir.pulpcov(["html", "--patch", "--baseline=main.data"]).status(0).stderr(said);
    assert!(!ran.stderr.contains("sources of now"), "{}", ran.stderr);
    assert_eq!(before(&dir), wanted);
    // Another revision can be named, and without changes, the sources are those of now.
    let named = ["html", "--patch", "--baseline=main.data", "--baseline-rev=main"];
    let ran = dir.pulpcov(named).status(0);
    assert!(!ran.stderr.contains("counts as measured"), "{}", ran.stderr);
    // A baseline of other sources is refused, and that is said once.
    dir.write("shop/cart.py", "class Cart:\n    def add(self, n):\n        return n\n");
    let dir = measured(dir, &["--branch"]);
    let ran = dir.pulpcov(["html", "--baseline=main.data"]).status(1);
    let lines: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("baseline")).collect();
    assert_eq!(lines.len(), 2, "{}", ran.stderr);
    assert!(lines[0].starts_with("The baseline is compared with the sources of now"));
    assert!(lines[1].contains("the baseline was measured on other sources of shop/cart.py;"));
}

/// That a run was added to the history is no change of the sources.
#[test]
fn the_history_makes_no_revision_dirty() {
    let dir = branch();
    let html = || dir.pulpcov(["html", "--history=runs.jsonl"]).status(0);
    let revisions = || {
        let runs = fs::read_to_string(dir.path("runs.jsonl")).unwrap();
        let runs = runs.lines().map(|run| serde_json::from_str::<Value>(run).unwrap());
        runs.map(|run| run["revision"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let commit = |dir: &Dir| dir.git(&["rev-parse", "--short=10", "HEAD"]).trim().to_owned();
    html();
    dir.commit("the first run");
    let second = commit(&dir);
    html();
    html();
    assert_eq!(revisions()[1..], [second.clone(), second.clone()]);
    let index = || fs::read_to_string(dir.path("htmlcov/index.html")).unwrap();
    assert!(index().contains(&format!("<span>sources of commit {second}</span>")));
    // Another change is one. So it is from a folder below.
    dir.write("shop/all.py", "def everything():\n    return 2\n");
    html();
    assert_eq!(revisions()[3], format!("{second}-dirty"));
    dir.git(&["checkout", "-q", "shop/all.py"]);
    let mut below = pulpcov();
    below.args(["html", "--data-file=../.coverage", "--history=../runs.jsonl"]);
    assert!(below.current_dir(dir.path("shop")).status().unwrap().success());
    assert_eq!(revisions()[4], second);
}

/// The curve of a renamed file goes on.
#[test]
fn the_history_follows_renamed_files() {
    let dir = branch();
    let html = || dir.pulpcov(["html", "--history=runs.jsonl"]).status(0);
    html();
    dir.commit("the first run");
    for (old, new) in [("shop/cart.py", "shop/basket.py"), ("shop/basket.py", "shop/trolley.py")] {
        dir.git(&["mv", old, new]);
        let module = new.trim_start_matches("shop/").trim_end_matches(".py");
        dir.write("main.py", format!("from shop.{module} import Cart\n\nCart().add(3)\n"));
        dir.commit("renamed");
        dir.coverage(["run", "--branch", "--source=.", "main.py"]).status(0);
        html();
    }
    let folder = dir.path("htmlcov");
    let names = texts(&data(&folder, "files")["name"]);
    let row = names.iter().position(|name| name == "shop/trolley.py").unwrap();
    let points = &data(&folder, "history")["files"][row.to_string()];
    assert!(points.as_array().unwrap().iter().all(Value::is_array), "{points}");
    // The file keeps what was measured. A revision that git does not have is no reason to fail.
    let runs = fs::read_to_string(dir.path("runs.jsonl")).unwrap();
    assert_eq!(runs.matches("shop/cart.py").count(), 1);
    dir.write("runs.jsonl", runs.replacen("\"revision\":\"", "\"revision\":\"--output=x", 1));
    html();
    assert!(!dir.path("x").exists());
}
