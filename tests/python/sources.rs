//! Which files are in a report, and where their sources are read from.

use std::fs;

use crate::support::sample::{masked, recorded, same, shop};
use crate::support::{Dir, Ran, coverage, python};

#[test]
fn another_version_of_a_source_is_said_to_be_one() {
    let dir = recorded(&[]);
    dir.write("shop/cart10.py", "import sys\n");
    dir.pulpcov(["report"]).status(0).stderr("cart10.py has 1 line, but the data names line 21");

    for n in 0..7 {
        dir.write(format!("old{n}.py"), "x = 1\nx = 2\n");
    }
    dir.write("olds.py", "import old0, old1, old2, old3, old4, old5, old6\n");
    dir.coverage(["run", "--source=.", "olds.py"]).status(0);
    for n in 0..7 {
        dir.write(format!("old{n}.py"), "x = 1\n");
    }
    let warnings = |args: &[&str]| dir.pulpcov(args).status(0).stderr;
    let some = warnings(&["report"]);
    assert_eq!(some.lines().count(), 6, "{some}");
    assert!(some.ends_with(
        "warning: 2 more files that lack lines of their data: --debug=sources names each\n"
    ));
    let all = warnings(&["report", "--debug=sources"]);
    assert_eq!(all.lines().count(), 7, "{all}");
    assert!(
        all.lines().all(|line| line.contains("has 1 line, but the data names line 2")),
        "{all}"
    );
    dir.write(".coveragerc", "[run]\ndisable_warnings = source-mismatch\n");
    assert_eq!(warnings(&["report"]), "");
}

#[test]
fn sources_may_be_elsewhere() {
    let dir = recorded(&["--branch"]);
    let run = |program: &str, args: &[&str]| {
        let mut command = std::process::Command::new(program);
        for variable in
            ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"]
        {
            command.env(variable, "test");
        }
        let output = command.args(args).current_dir(dir.path("")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let expected = dir.pulpcov(["report", "-m"]).status(0).stdout;
    run("git", &["init", "-q"]);
    run("git", &["add", "shop", "main.py"]);
    run("git", &["commit", "-q", "-m", "sources"]);
    let zip = "import shutil\nshutil.make_archive('away', 'zip', '.', 'shop')\nshutil.make_archive('away', 'gztar', '.', 'shop')\n";
    let made = python().args(["-c", zip]).current_dir(dir.path("")).output();
    assert!(made.unwrap().status.success());
    fs::create_dir(dir.path("away")).unwrap();
    fs::rename(dir.path("shop"), dir.path("away/shop")).unwrap();
    fs::rename(dir.path("main.py"), dir.path("away/main.py")).unwrap();

    dir.pulpcov(["report"]).status(1);
    assert_eq!(dir.pulpcov(["report", "-m", "--source-root=away"]).status(0).stdout, expected);
    assert_eq!(dir.pulpcov(["report", "-m", "--source-rev=HEAD"]).status(0).stdout, expected);
    let shop: String = expected.lines().filter(|line| line.starts_with("shop/")).collect();
    for archive in ["--source-root=away.zip", "--source-root=away.tar.gz"] {
        let ran = dir.pulpcov(["report", "-m", archive, "--omit=main.py"]).status(0);
        let rows: String = ran.stdout.lines().filter(|line| line.starts_with("shop/")).collect();
        assert_eq!(rows, shop);
    }
    dir.pulpcov(["report", "--source-rev=no-such"])
        .status(1)
        .stderr("error: git does not know the revision \"no-such\"");
    dir.pulpcov(["report", "--source-rev=--output=x"])
        .status(1)
        .stderr("git does not know the revision \"--output=x\"");
    dir.pulpcov(["report", "--source-root=main.py"]).status(1).stderr("main.py: ");
    assert!(!dir.path("x").exists());
}

#[test]
fn modules_in_archives_have_sources() {
    let dir = Dir::new();
    dir.write("box/inside.py", "x = 1\nif x > 1:\n    x = 2\n");
    dir.write("main.py", "import sys\nsys.path.insert(0, 'box.zip')\nimport inside\n");
    let script = "import shutil; shutil.make_archive('box', 'zip', 'box')";
    let made = python().args(["-c", script]).current_dir(dir.path("")).output();
    assert!(made.unwrap().status.success());
    dir.coverage(["run", "--branch", "main.py"]).status(0);
    let ran = same(&dir, &["report", "-m"]).status(0);
    assert!(ran.stdout.contains("box.zip/inside.py"), "{}", ran.stdout);
}

#[test]
fn what_is_missing_or_no_python_stops_a_report_or_not() {
    let dir = shop();
    dir.write("main.py", "import shop.all, shop.cart9\nfor name in ['page.html', 'noext']:\n    exec(compile('x = 1\\n', name, 'exec'))\n");
    dir.write("page.html", "<p>\n");
    dir.write("noext", "x = 1\n");
    dir.coverage(["run", "--branch", "--source=.", "main.py"]).status(0);
    dir.write("shop/all.py", "print 'Python 2'\n");
    let stopped = same(&dir, &["report"]).status(1);
    assert!(stopped.stdout.starts_with("Couldn't parse '"), "{}", stopped.stdout);
    same(&dir, &["report", "-i"]).status(0).stderr("(couldnt-parse); see https://");
    same(&dir, &["json", "-o", "-"]).status(1);
    fs::remove_file(dir.path("shop/all.py")).unwrap();
    let stopped = same(&dir, &["report"]).status(1);
    assert!(stopped.stdout.contains("messages.html#error-no-source"), "{}", stopped.stdout);
    same(&dir, &["xml", "-i", "-o", "-"]).status(0).stderr("No source for code");
    dir.write(
        ".coveragerc",
        "[run]\ndisable_warnings = couldnt-parse\n[report]\nignore_errors = 1\n",
    );
    let quiet = same(&dir, &["report"]).status(0);
    assert_eq!(quiet.stderr, "");
    dir.write("shop/all.py", "# coding: nope\n");
    same(&dir, &["lcov", "-o", "-"]).status(0);
}

#[test]
fn paths_of_other_machines_and_relative_ones_are_found() {
    let dir = recorded(&["--branch"]);
    let here = dir.path("");
    let (checkout, build) = (dir.path("checkout"), dir.path("build"));
    fs::create_dir(&build).unwrap();
    fs::rename(dir.path("shop"), build.join("shop")).unwrap();
    fs::copy(here.join("main.py"), build.join("main.py")).unwrap();
    dir.write("build/.coveragerc", "[run]\nbranch = True\nsource = .\n");
    let run = coverage().args(["run", "main.py"]).current_dir(&build).output().unwrap();
    assert!(run.status.success());
    fs::rename(&build, &checkout).unwrap();
    fs::rename(checkout.join(".coverage"), dir.path(".coverage")).unwrap();
    dir.write(".coveragerc", format!("[paths]\nall =\n  {}\n  */build\n", checkout.display()));
    for command in
        [&["report", "-m"][..], &["xml", "-o", "-"], &["json", "-o", "-"], &["lcov", "-o", "-"]]
    {
        same(&dir, command).status(0);
    }

    let dir = shop();
    dir.write(".coveragerc", "[run]\nrelative_files = True\nsource = shop\n");
    dir.coverage(["run", "main.py"]).status(0);
    for command in [&["report", "--include=shop/*"][..], &["xml", "-o", "-"], &["json", "-o", "-"]]
    {
        same(&dir, command).status(0);
    }
}

/// Modules that nothing imports are reported, however the settings name the sources.
#[test]
fn what_never_ran_is_reported_too() {
    let settings = [
        ("source = .", &["shop/unused.py"][..]),
        ("source = shop", &["shop/unused.py"]),
        ("source_pkgs = shop", &["shop/unused.py"]),
        ("source_dirs = lib\n  shop", &["lib/outside.py", "shop/unused.py"]),
        ("source = deep/name\n  lib\n  shop", &["deep/name/space.py", "lib/outside.py"]),
        (
            "source = .\n[report]\ninclude_namespace_packages = yes",
            &["deep/name/space.py", "lib/outside.py"],
        ),
    ];
    for branch in [false, true] {
        for (source, unrun) in settings {
            let dir = shop();
            dir.write("deep/name/space.py", "def f():\n    if f: return 1\n");
            dir.write("lib/outside.py", "x = 1\n");
            dir.write(".coveragerc", format!("[run]\nbranch = {branch}\n{source}\n"));
            dir.coverage(["run", "main.py"]).status(0);
            let ran = same(&dir, &["report", "-m"]).status(0);
            for name in unrun {
                let row = ran.stdout.lines().find(|line| line.starts_with(name));
                let row = row.unwrap_or_else(|| panic!("{source}: no {name} in\n{}", ran.stdout));
                assert!(row.contains(" 0%"), "{source}: {row}");
            }
            for report in ["xml", "json", "lcov"] {
                same(&dir, &[report, "-o", "-"]).status(0);
            }
        }
    }
}

#[test]
fn sources_need_not_be_utf_8() {
    let dir = Dir::new();
    let text = "# coding: CODING\nname = 'gr\u{fc}\u{df}e'  # \u{e9}\nif not name:\n    name = 1\n";
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let coded = |name: &str| {
        let at = latin.windows(6).position(|bytes| bytes == b"CODING").unwrap();
        [&latin[..at], name.as_bytes(), &latin[at + 6..]].concat()
    };
    dir.write("latin.py", coded("latin-1"));
    dir.write("windows.py", coded("cp1252"));
    let marked = ["\u{feff}", &text.replace("CODING", "utf-8")].concat();
    dir.write("marked.py", marked);
    let japanese = [&b"# coding: euc-jp\nname = '"[..], &[0xc6, 0xfc, 0xcb, 0xdc], b"'\n"].concat();
    dir.write("japanese.py", japanese);
    dir.write("main.py", "import latin, windows, marked, japanese\n");
    dir.coverage(["run", "--branch", "--source=.", "main.py"]).status(0);
    dir.write(".coveragerc", "[lcov]\nline_checksums = yes\n");
    for report in ["report -m", "xml -o -", "json -o -", "lcov -o -"] {
        same(&dir, &report.split(' ').collect::<Vec<_>>()).status(0);
    }
    dir.coverage(["annotate", "-d", "theirs"]).status(0);
    dir.pulpcov(["annotate", "-d", "ours"]).status(0);
    for name in dir.names_in("theirs") {
        let copy = |folder: &str| fs::read(dir.path(folder).join(&name)).unwrap();
        assert_eq!(copy("ours"), copy("theirs"), "{name}");
    }

    // Bytes that are not in the encoding that the source declares.
    dir.write("latin.py", b"# coding: utf-8\nx = '\xe9'\n");
    same(&dir, &["report"]).status(0);
    // If the source declares no encoding, or an unknown one, coverage.py crashes.
    for wrong in [&b"x = '\xff'\n"[..], b"# coding: nope\n"] {
        dir.write("latin.py", wrong);
        dir.coverage(["report"]).status(1).stderr("SyntaxError: ");
        dir.pulpcov(["report"]).status(1).stdout("Couldn't parse '");
        same(&dir, &["report", "-i"]).status(0);
    }
}

/// If one of two folders of `source` contains the other, it depends on the hashes of the run which of them
/// coverage.py removes from the names of files.
#[test]
fn xml_names_files_from_the_folder_of_source_that_they_are_in() {
    let dir = shop();
    dir.write("lib/outside.py", "x = 1\n");
    for source in ["shop", "shop\n  lib", "./lib\n  nowhere", "shop\n  .", ".\n  lib\n  shop"] {
        dir.write(".coveragerc", format!("[run]\nsource =\n  {source}\n"));
        dir.coverage(["run", "main.py"]).status(0);
        let ours = masked(&dir.pulpcov(["xml", "-o", "-"]).status(0).stdout);
        let is_theirs = (0..40).any(|hashes: u32| {
            let mut command = coverage();
            command.args(["xml", "-o", "-"]).env("PYTHONHASHSEED", hashes.to_string());
            let theirs = Ran::from(command.current_dir(dir.path("")).output().unwrap());
            masked(&theirs.stdout) == ours
        });
        assert!(is_theirs, "{source}: never\n{ours}");
    }
}

/// Creates a project with two sources, and several data files.
///
/// All data files say that the same lines of the two sources ran, but each has paths of another kind.
fn measured_elsewhere() -> Dir {
    let dir = Dir::new();
    dir.write("repo/src/shop/a.py", "def f(a):\n    if a:\n        return 1\n    return 2\n");
    dir.write("repo/tests/t.py", "x = 1\n");
    let code = r"
from coverage import CoverageData
kinds = [('posix', '/app/', '/'), ('windows', 'C:\\ci\\shop\\', '\\'), ('slashes', 'C:/ci/shop/', '/'),
    ('unc', '\\\\srv\\x\\', '\\'), ('relative', '', '/'), ('windows-relative', '', '\\'), ('dot', './', '/')]
for name, prefix, sep in kinds:
    data = CoverageData(name + '.db')
    data.add_lines({prefix + sep.join(('src', 'shop', 'a.py')): [1, 2, 3], prefix + sep.join(('tests', 't.py')): [1]})
    data.write()
hosts = CoverageData('hosts.db')
hosts.add_lines({'/web/src/shop/a.py': [1, 2], r'D:\worker\src\shop\a.py': [3], '/web/tests/t.py': [1]})
hosts.write()
";
    let made = python().args(["-c", code]).current_dir(dir.path("")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    dir
}

#[test]
fn sources_elsewhere_have_the_same_figures_whatever_the_paths_of_the_data() {
    let dir = measured_elsewhere();
    let kinds =
        ["posix", "windows", "slashes", "unc", "relative", "windows-relative", "dot", "hosts"];
    for kind in kinds {
        for rcfile in ["--rcfile=", "--rcfile=relative.rc"] {
            dir.write("relative.rc", "[run]\nrelative_files = true\n");
            let data = format!("--data-file={kind}.db");
            let ran = dir.pulpcov(["report", "-m", &data, rcfile, "--source-root=repo"]).status(0);
            let expected = "\
Name            Stmts   Miss  Cover   Missing
---------------------------------------------
src/shop/a.py       4      1    75%   4
tests/t.py          1      0   100%
---------------------------------------------
TOTAL               5      1    80%
";
            assert_eq!(
                (ran.stdout.as_str(), ran.stderr.as_str()),
                (expected, ""),
                "{kind} {rcfile}"
            );
            let by = dir.pulpcov(["report", "--by=dir", &data, rcfile, "--source-root=repo"]);
            assert_eq!(by.status(0).stdout.lines().filter(|line| line.contains("/ ")).count(), 2);
        }
    }
}

#[test]
fn files_of_sources_elsewhere_are_named_as_they_are_there_or_on_disk() {
    let dir = measured_elsewhere();
    let names = |args: &[&str]| {
        let ran = dir
            .pulpcov(["report", "--data-file=windows.db", "--source-root=repo"].iter().chain(args));
        let rows = ran.status(0).stdout;
        rows.lines()
            .filter_map(|row| row.split_whitespace().next())
            .filter(|name| name.ends_with(".py"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&["src"]), ["src/shop/a.py"]);
    assert_eq!(names(&["repo/src/shop"]), ["src/shop/a.py"]);
    assert_eq!(names(&["repo/tests/t.py"]), ["tests/t.py"]);
    assert_eq!(names(&["tests/t.py", "src/shop"]), ["src/shop/a.py", "tests/t.py"]);
    assert_eq!(names(&["repo"]), ["src/shop/a.py", "tests/t.py"]);
    assert_eq!(names(&["--omit=tests/*"]), ["src/shop/a.py"]);
    assert_eq!(names(&["--include=*/shop/*"]), ["src/shop/a.py"]);
}

#[test]
fn xml_of_sources_elsewhere_starts_from_their_folder() {
    let dir = measured_elsewhere();
    let xml =
        |args: &[&str]| dir.pulpcov(["xml", "-q", "-o", "-"].iter().chain(args)).status(0).stdout;
    let repo = dir.path("repo").canonicalize().unwrap();
    let text = xml(&["--data-file=windows.db", "--source-root=repo"]);
    assert!(text.contains(&format!("<source>{}</source>", repo.display())), "{text}");
    assert!(text.contains(r#"filename="src/shop/a.py""#), "{text}");
}

#[test]
fn a_revision_has_names_as_seen_from_the_current_folder() {
    let dir = measured_elsewhere();
    let script = "cd repo && git init -q && git add . && git -c user.name=x -c user.email=x@x commit -qm 1 && rm -r src";
    let made =
        std::process::Command::new("sh").args(["-c", script]).current_dir(dir.path("")).status();
    assert!(made.unwrap().success());
    let mut command = crate::support::pulpcov();
    command.args(["report", "--data-file=../../windows.db", "--source-rev=HEAD"]);
    fs::create_dir_all(dir.path("repo/src")).unwrap();
    let ran = Ran::from(command.current_dir(dir.path("repo/src")).output().unwrap()).status(0);
    assert!(ran.stdout.contains("\nshop/a.py           4      1    75%\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n../tests/t.py       1      0   100%\n"), "{}", ran.stdout);
}

#[test]
fn rows_that_are_looked_for_by_another_name_are_told() {
    let dir = measured_elsewhere();
    fs::rename(dir.path("repo/src"), dir.path("src")).unwrap();
    fs::rename(dir.path("repo/tests"), dir.path("tests")).unwrap();
    let ran = dir.pulpcov(["report", "--data-file=relative.db"]).status(0);
    // The report has coverage.py's bytes.
    assert_eq!(ran.stdout, dir.coverage(["report", "--data-file=relative.db"]).status(0).stdout);
    assert!(ran.stdout.contains("TOTAL               5      5     0%"), "{}", ran.stdout);
    let warning = "warning: the report does not count what the data has of 2 files: the paths are relative, and \
        `relative_files` is off: src/shop/a.py, tests/t.py (unmatched-rows); set `relative_files = true` in [run]\n";
    assert_eq!(ran.stderr, warning);
    // The advice helps.
    dir.write(".coveragerc", "[run]\nrelative_files = true\n");
    let ran = dir.pulpcov(["report", "--data-file=relative.db"]).status(0);
    assert!(ran.stdout.contains("TOTAL               5      1    80%"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");

    // The same the other way round.
    let code = "import coverage, os\nd = coverage.CoverageData('absolute.db')\n\
        d.add_lines({os.path.abspath('src/shop/a.py'): [1]})\nd.write()\n\
        os.symlink('src', 'link')\nd = coverage.CoverageData('link.db')\n\
        d.add_lines({os.path.join(os.getcwd(), 'link/shop/a.py'): [1]})\nd.write()\n";
    let made = python().args(["-c", code]).current_dir(dir.path("")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let ran = dir.pulpcov(["report", "--data-file=absolute.db"]).status(0);
    ran.stderr("the paths are absolute, and `relative_files` is on");
    let ran = dir.pulpcov(["report", "--data-file=link.db", "--rcfile="]).status(0);
    ran.stderr("link/shop/a.py (the source is ").stderr("; --source-root=. finds them");
    let ran =
        dir.pulpcov(["report", "--data-file=link.db", "--rcfile=", "--source-root=."]).status(0);
    assert!(ran.stdout.contains("src/shop/a.py       4      3    25%"), "{}", ran.stdout);
}

#[test]
fn all_sources_that_are_missing_are_counted() {
    let dir = measured_elsewhere();
    let ran = dir.pulpcov(["report", "--data-file=posix.db"]).status(1);
    assert_eq!(ran.stdout, dir.coverage(["report", "--data-file=posix.db"]).status(1).stdout);
    ran.stderr(
        "warning: 2 sources are missing: /app/src/shop/a.py, /app/tests/t.py; -i leaves them out",
    );
}

#[test]
fn folders_of_windows_have_rows() {
    let dir = measured_elsewhere();
    let code = "import coverage\nd = coverage.CoverageData('odd.db')\nd.add_lines({r'src\\shop\\a.py': [1], r'src\\b.py': [1]})\nd.write()\n\
        open(r'src\\shop\\a.py', 'w').write('x = 1\\n')\nopen(r'src\\b.py', 'w').write('x = 1\\n')\n";
    let made = python().args(["-c", code]).current_dir(dir.path("")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    dir.write(".coveragerc", "[run]\nrelative_files = true\n");
    let ran = dir.pulpcov(["report", "--by=dir", "--data-file=odd.db"]).status(0);
    let names: Vec<_> =
        ran.stdout.lines().filter_map(|row| row.split_whitespace().next()).collect();
    assert!(names.contains(&r"src\") && names.contains(&r"src\shop\"), "{}", ran.stdout);
}

/// A repository can name a program that fetches missing objects.
#[test]
fn nothing_is_run_to_fetch_what_a_repository_lacks() {
    let dir = measured_elsewhere();
    let script = "\
cd repo && git init -q && git add . && git -c user.name=x -c user.email=x@x commit -qm 1
hash=$(git rev-parse HEAD:tests/t.py) && rm -f .git/objects/${hash%${hash#??}}/${hash#??}
git config core.repositoryformatversion 1 && git config extensions.partialClone origin
git config remote.origin.url $PWD && git config remote.origin.promisor true
git config remote.origin.uploadpack 'touch ../run; false'
git config core.fsmonitor 'touch ../run; false'
";
    let mut shell = std::process::Command::new("sh");
    let made = shell.args(["-ec", script]).current_dir(dir.path("")).status();
    assert!(made.unwrap().success());
    let mut command = crate::support::pulpcov();
    command.args(["report", "--data-file=../posix.db", "--source-rev=HEAD"]);
    let ran = Ran::from(command.current_dir(dir.path("repo")).output().unwrap()).status(1);
    ran.stderr("error: tests/t.py: git does not have this file");
    assert!(!dir.path("run").exists());
}
