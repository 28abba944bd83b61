//! What other tools measured, in reports of coverage.py's data: C by gcc and lcov, JavaScript by c8, Rust by rustc.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::merge::BRANCHES;
use crate::support::{Dir, REFERENCE, Ran, coverage, is_root, npm_package, pulpcov, python, venv};

#[track_caller]
fn run(dir: &Dir, command: &mut Command) -> Ran {
    dir.run(command).status(0)
}

const SPEED: &str = r#"#include <Python.h>

static PyObject *half(PyObject *self, PyObject *arg) {
    long n = PyLong_AsLong(arg);
    if (n % 2)
        return PyLong_FromLong(-1);
    return PyLong_FromLong(n / 2);
}

static PyObject *never(PyObject *self, PyObject *arg) {
    return PyLong_FromLong(3);
}

static PyMethodDef methods[] = {{"half", half, METH_O, ""}, {"never", never, METH_O, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_speed", NULL, -1, methods};
PyMODINIT_FUNC PyInit__speed(void) { return PyModule_Create(&module); }
"#;

/// Code of Python that uses an extension in C, measured, and the tracefile of the extension.
fn extension() -> Dir {
    let dir = Dir::new();
    dir.write("src/_speed.c", SPEED);
    dir.write(
        "app.py",
        "import sys\nimport _speed\n\ndef f(x):\n    if x:\n        return _speed.half(4)\n    return 2\n\nf(1)\n",
    );
    let include =
        python().args(["-c", "import sysconfig; print(sysconfig.get_path('include'))"]).output();
    let include = Ran::from(include.unwrap()).status(0).stdout;
    run(
        &dir,
        Command::new("gcc")
            .args(["--coverage", "-O0", "-shared", "-fPIC", "-I", include.trim()])
            .args(["src/_speed.c", "-o", "_speed.so"]),
    );
    dir.coverage(["run", "--branch", "app.py"]).status(0);
    run(
        &dir,
        Command::new("lcov")
            .args(["--capture", "--directory", ".", "--output-file", "c.info"])
            .args(BRANCHES),
    );
    dir
}

/// Each language has a table and a total. Figures are those that lcov tells.
#[test]
fn an_extension_in_c_has_a_table_of_its_own() {
    let dir = extension();
    let alone = dir.pulpcov(["report"]).status(0).stdout;
    let table = dir.pulpcov(["report", "--with", "c.info"]).status(0).stdout;
    let (python, c) = table.split_once("\n\n").unwrap();
    assert_eq!(python, alone.trim_end());
    // lcov extracts our file from those of the system.
    run(
        &dir,
        Command::new("lcov").args(["-e", "c.info", "*_speed.c", "-o", "own.info"]).args(BRANCHES),
    );
    let said = run(&dir, Command::new("lcov").args(["--summary", "own.info"]).args(BRANCHES));
    let said = said.stdout + &said.stderr;
    let of = |what: &str| -> (usize, usize) {
        let line = said.lines().find(|line| line.trim().starts_with(what)).unwrap();
        let (covered, rest) = line.split_once('(').unwrap().1.split_once(" of ").unwrap();
        (covered.parse().unwrap(), rest.split(' ').next().unwrap().parse().unwrap())
    };
    let (lines, branches) = (of("lines"), of("branches"));
    let row = c.lines().find(|line| line.starts_with("src/_speed.c")).unwrap();
    let figures: Vec<&str> = row.split_whitespace().collect();
    assert!(c.starts_with("C "), "{c}");
    assert_eq!(figures[1..4], [lines.1, lines.1 - lines.0, branches.1].map(|n| n.to_string()));
    assert!(branches.1 > 0 && branches.0 < branches.1, "{said}");

    // The total is that of the data, unless that of all is asked for.
    let total = |args: &[&str]| {
        dir.pulpcov(
            [&["report", "--format=total", "--precision=4", "--with", "c.info"], args].concat(),
        )
        .stdout
    };
    let alone = dir.pulpcov(["report", "--format=total", "--precision=4"]).stdout;
    assert_eq!(total(&[]), alone);
    assert_ne!(total(&["--one-total"]), alone);
    let low =
        dir.pulpcov(["report", "--with", "c.info", "--one-total", "--fail-under=99"]).status(2);
    assert!(low.stdout.contains("\n\nAll languages "), "{}", low.stdout);

    // One file for services: each line that lcov counts is there with its count.
    dir.pulpcov(["xml", "--with", "c.info"]).status(0);
    dir.pulpcov(["lcov", "--with", "c.info"]).status(0);
    let again = |report: &str| {
        let text = dir.pulpcov(["merge", report, "--include=src/*"]).status(0).stdout;
        let is_line = |line: &&str| line.starts_with("DA:");
        text.lines().filter(is_line).map(str::to_owned).collect::<Vec<_>>()
    };
    let counted = again("own.info");
    assert!(!counted.is_empty());
    assert_eq!(again("coverage.xml"), counted);
    assert_eq!(again("coverage.lcov"), counted);
    // The records of Python are the bytes of a report without the extension.
    let joined = fs::read_to_string(dir.path("coverage.lcov")).unwrap();
    let python = dir.pulpcov(["lcov", "-o", "-"]).status(0).stdout;
    assert!(joined.starts_with(&python));
    dir.pulpcov(["json", "--with", "c.info"]).status(0);
    let json: Value =
        serde_json::from_slice(&fs::read(dir.path("coverage.json")).unwrap()).unwrap();
    let c = &json["other_languages"]["C"];
    assert_eq!(c["totals"]["num_statements"], lines.1);
    assert_eq!(c["files"]["src/_speed.c"]["summary"]["covered_branches"], branches.0);
    assert!(json["files"]["src/_speed.c"].is_null());

    // The JSON can be joined again.
    let merged = dir.pulpcov(["merge", "coverage.json"]).status(0).stdout;
    assert!(merged.contains("SF:src/_speed.c\n"), "{merged}");

    // And one set of pages.
    dir.pulpcov(["html", "--with", "c.info"]).status(0);
    let index = fs::read_to_string(dir.path("htmlcov/index.html")).unwrap();
    assert!(index.contains("_speed.c"), "{index}");
}

/// A change of the extension is judged as one of Python.
#[test]
fn changes_in_other_languages_are_judged() {
    let dir = extension();
    dir.init_git();
    dir.write(".gitignore", "*.so\n*.gc*\n.coverage\n*.info\n");
    dir.write("src/_speed.c", SPEED.replace("return PyLong_FromLong(3)", "return NULL"));
    dir.commit("before");
    dir.git(&["checkout", "-q", "-b", "topic"]);
    dir.write("src/_speed.c", SPEED);
    dir.commit("after");
    let patch = dir.pulpcov(["patch", "--with", "c.info", "--fail-under=50"]).status(2);
    assert!(patch.stdout.contains("src/_speed.c"), "{}", patch.stdout);
    assert!(patch.stdout.contains("11"), "{}", patch.stdout);
    // Without the tracefile, nobody knows of it.
    dir.pulpcov(["patch", "--fail-under=50"]).status(0);
    // Floors are for all files.
    dir.write(
        "pulpcov.toml",
        "[gate]\n[[gate.rules]]\npaths = \"src/**\"\neach = { lines = 99 }\n",
    );
    let gate = dir.pulpcov(["gate", "--with", "c.info"]).status(2);
    assert!(gate.stdout.contains("src/_speed.c"), "{}", gate.stdout);
    let with = ["gate", "--baseline=.coverage", "--with", "c.info"];
    dir.pulpcov(with).status(1).stderr("leave out --with");
    dir.pulpcov(&with[..2]).status(1);
    // A new file that no report has may be without code.
    dir.write("src/new.c", "int a;\n");
    dir.git(&["add", "src/new.c"]);
    let patch = dir.pulpcov(["patch", "--with", "c.info"]);
    assert!(patch.stderr.contains("in no report of another tool: src/new.c"), "{}", patch.stderr);
    // What was written after its own report is told, whenever the data were written.
    let set_age = |name: &str, hours: u64| {
        let time = SystemTime::now() - Duration::from_secs(3600 * hours);
        fs::File::options().write(true).open(dir.path(name)).unwrap().set_modified(time).unwrap();
    };
    let is_accused = || {
        let ran = dir.pulpcov(["patch", "--with", "c.info"]);
        ran.stderr.contains("written after the data")
    };
    set_age("src/_speed.c", 2);
    set_age("c.info", 1);
    assert!(!is_accused());
    set_age(".coverage", 3);
    assert!(!is_accused());
    set_age("c.info", 3);
    set_age(".coverage", 1);
    assert!(is_accused());
    dir.pulpcov(["gate"]).status(1).stderr("the rule for \"src/**\" matches no measured file");
}

/// A file of the data keeps the facts of its source, and takes the lines that ran by another tool's account.
#[test]
fn a_file_of_both_takes_the_lines_that_ran() {
    let dir = Dir::new();
    dir.write(
        "app.py",
        "def f(\n    x,\n):\n    if x:\n        return 1\n    # a comment\n    return 2\n\nf(1)\n",
    );
    dir.coverage(["run", "--branch", "app.py"]).status(0);
    let report = |args: &[&str]| dir.pulpcov([&["report", "-m"], args].concat()).status(0).stdout;
    assert!(
        report(&[]).contains("app.py       5      1      2      1    71%   7"),
        "{}",
        report(&[])
    );
    // Line 6 is no statement here, whatever the other tool says.
    dir.write("other.info", "SF:app.py\nDA:1,0\nDA:5,0\nDA:6,1\nDA:7,2\nend_of_record\n");
    let joined = report(&["--with", "other.info"]);
    // The line ran, and nobody knows over which arc.
    assert!(joined.contains("app.py       5      0      2      1    86%   4->7"), "{joined}");
    assert!(!joined.contains("other tools"), "{joined}");
    // The data stay as they are.
    assert!(report(&[]).contains("71%   7"));
    // What ran in one context is not what ran in all.
    let one = report(&["--with", "other.info", "--contexts=nothing"]);
    assert!(!one.contains("86%"), "{one}");
}

/// A report of which no file is here is refused, with what would help; each way on works.
#[test]
fn names_of_another_place_are_found() {
    let dir = Dir::new();
    dir.write("app.py", "x = 1\n");
    dir.write("lib/src/a.c", "int a;\nint b;\n");
    dir.coverage(["run", "app.py"]).status(0);
    dir.write("c.info", "SF:/build/7/lib/src/a.c\nDA:1,1\nDA:2,0\nend_of_record\n");
    let refused = dir.pulpcov(["report", "--with", "c.info"]).status(1);
    for words in [
        "c.info: none of its files is in",
        "/build/7/lib/src/a.c",
        "--strip=N",
        "--source-root=.",
        "[paths]",
    ] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    let is_shown = |args: &[&str], name: &str| {
        let table = dir.pulpcov([&["report", "--with", "c.info"], args].concat()).status(0).stdout;
        assert!(table.contains(&format!("{name}       2      1    50%")), "{table}");
    };
    is_shown(&["--strip=2"], "lib/src/a.c");
    is_shown(&["--source-root=."], "lib/src/a.c");
    dir.write(".coveragerc", "[paths]\nsource =\n    lib\n    /build/*/lib\n");
    is_shown(&[], "lib/src/a.c");
    // Files of the system are not those of the project.
    dir.write(
        "c.info",
        "SF:/build/7/lib/src/a.c\nDA:1,1\nDA:2,0\nend_of_record\nSF:/usr/include/stdio.h\nDA:1,1\nend_of_record\n",
    );
    let said = dir.pulpcov(["report", "--with", "c.info"]).status(0);
    assert!(said.stderr.contains("c.info: 1 of 2 files are not sources in"), "{}", said.stderr);
    assert!(said.stderr.contains("/usr/include/stdio.h"), "{}", said.stderr);
    // What is no report stops the report.
    let wrong = dir.pulpcov(["report", "--with", "app.py"]).status(1);
    assert!(wrong.stderr.contains("app.py: this is no tracefile of lcov"), "{}", wrong.stderr);
    // --omit and --include choose among them, too.
    let omitted = dir.pulpcov(["report", "--with", "c.info", "--omit=lib/*"]).status(0).stdout;
    assert!(!omitted.contains("a.c"), "{omitted}");
    let only = dir.pulpcov(["report", "--with", "c.info", "--include=*.c"]).status(0).stdout;
    assert!(only.starts_with("C "), "{only}");
}

/// The total of other languages never passes for that of the project.
#[test]
fn a_report_without_data_is_refused() {
    let dir = Dir::new();
    dir.write("app.py", "x = 1\n");
    dir.write("a.c", "int a;\nint b;\n");
    dir.write("c.info", "SF:a.c\nDA:1,1\nDA:2,0\nend_of_record\n");
    dir.coverage(["run", "app.py"]).status(0);
    for command in ["report", "badge", "json", "xml", "lcov", "html"] {
        let ran = dir.pulpcov([command, "--data-file=misspelt", "--with", "c.info"]).status(1);
        assert!((ran.stdout + &ran.stderr).contains("misspelt"), "{command}");
    }
    // The total of a report of other languages alone is theirs.
    let args = ["report", "--include=*.c", "--with", "c.info", "--format=total"];
    assert_eq!(dir.pulpcov(args).status(0).stdout, "50\n");
    for command in ["report", "xml", "json", "lcov", "html"] {
        let floor = |include: &str, floor: &str| {
            let args = [command, "--with", "c.info", include, floor];
            dir.pulpcov(args)
        };
        floor("--include=*.c", "--fail-under=60").status(2);
        // Otherwise it is that of the data.
        floor("--omit=none", "--fail-under=100").status(0);
        dir.pulpcov([command, "--with", "c.info", "--one-total", "--fail-under=100"]).status(2);
    }
    dir.pulpcov(["html", "--with", "c.info", "--one-total", "--badge", "--summary"]).status(0);
    let badge = fs::read_to_string(dir.path("htmlcov/badge.svg")).unwrap();
    let summary = fs::read_to_string(dir.path("htmlcov/summary.md")).unwrap();
    assert!(badge.contains("67%") && summary.starts_with("# 67% covered"), "{summary}");
}

/// A report may be anybody's, and must not decide what becomes public.
#[test]
fn reports_show_no_secrets() {
    let dir = Dir::new();
    dir.init_git();
    dir.write("app.py", "x = 1\n");
    dir.write("a.c", "int a;\n");
    dir.write(".env", "PASSWORD=4711\n");
    dir.git(&["config", "remote.origin.url", "https://user:4711@example.org/x"]);
    dir.coverage(["run", "app.py"]).status(0);
    let record = |name: &str| format!("SF:{name}\nDA:1,1\nend_of_record\n");
    let names = [".git/config", ".env", ".coverage", "a.c"];
    dir.write("s.info", names.map(record).concat());
    let ran = dir.pulpcov(["html", "--with", "s.info"]).status(0);
    assert!(ran.stderr.contains("3 of 4 files are not sources in"), "{}", ran.stderr);
    let contents = |folder: &str| {
        let files = dir.names_in(folder);
        files
            .iter()
            .map(|name| fs::read_to_string(dir.path(folder).join(name)).unwrap())
            .collect::<String>()
    };
    assert!(contents("htmlcov").contains("int a;"));
    assert!(!contents("htmlcov").contains("4711"));
    // Who chooses files chooses these, too, but for those of git.
    dir.pulpcov(["report", "--with", "s.info", "--include=.env"]).status(0).stdout("Other files");
    dir.pulpcov(["report", "--with", "s.info", "--include=.git/*"]).status(1);
    // What the owner of a report may not read is not shown to others through it.
    if is_root() {
        dir.write("secret.c", "char *word = \"4711\";\n");
        fs::set_permissions(dir.path("secret.c"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(dir.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        dir.write("s.info", ["a.c", "secret.c"].map(record).concat());
        dir.pulpcov(["report", "--with", "s.info"]).status(0).stdout("secret.c");
        chown(dir.path("s.info"), Some(65534), None).unwrap();
        let ran = dir.pulpcov(["report", "--with", "s.info"]).status(0);
        assert!(!ran.stdout.contains("secret.c"), "{}", ran.stdout);
        assert!(ran.stderr.contains("not shown: secret.c"), "{}", ran.stderr);
    }
}

/// A file is one, by whatever name a report knows it.
#[test]
fn files_are_found_from_the_report_and_the_top() {
    let dir = Dir::new();
    dir.init_git();
    dir.write("backend/app.py", "x = 1\n");
    dir.write("frontend/src/cart.js", "one();\ntwo();\n");
    std::os::unix::fs::symlink("frontend", dir.path("link")).unwrap();
    let backend = |args: &[&str]| {
        let mut command = pulpcov();
        Ran::from(command.current_dir(dir.path("backend")).args(args).output().unwrap())
    };
    let mut measure = coverage();
    measure.current_dir(dir.path("backend")).args(["run", "app.py"]);
    Ran::from(measure.output().unwrap()).status(0);
    for (report, name) in [
        ("frontend/lcov.info", "src/cart.js".to_owned()),
        ("top.info", "frontend/src/cart.js".to_owned()),
        ("link.info", "link/src/cart.js".to_owned()),
        ("absolute.info", dir.path("").join("link/src/cart.js").display().to_string()),
    ] {
        dir.write(report, format!("SF:{name}\nDA:1,1\nDA:2,0\nend_of_record\n"));
        let table = backend(&["report", "--with", &format!("../{report}")]).status(0).stdout;
        assert!(table.contains("frontend/src/cart.js       2      1    50%"), "{table}");
    }
    let all = ["report", "--with", "../top.info", "../link.info", "../frontend/lcov.info"];
    let table = backend(&all).status(0).stdout;
    assert_eq!(table.matches("cart.js").count(), 1, "{table}");
    // Two files may be meant, and the message says which.
    dir.write("admin/src/cart.js", "one();\n");
    let args = ["report", "--source-root=..", "--with", "../frontend/lcov.info"];
    let refused = backend(&args).status(1);
    assert!(
        refused.stderr.contains("one may be any of admin/src/cart.js, frontend/src/cart.js"),
        "{}",
        refused.stderr
    );
}

/// JavaScript that c8 measured, in one report with Python.
#[test]
fn javascript_by_c8_is_joined() {
    let dir = Dir::new();
    dir.write("app.py", "x = 1\n");
    dir.write(
        "web/cart.js",
        "function total(items) {\n  if (items.length > 3) {\n    return 0;\n  }\n  return items.length;\n}\nfunction never() {\n  return 1;\n}\nconsole.log(total([1]));\n",
    );
    dir.coverage(["run", "app.py"]).status(0);
    let c8 = npm_package("c8", "12.0.0").join("node_modules/.bin/c8");
    run(
        &dir,
        Command::new(c8).args(["--reporter=lcovonly", "--reports-dir=js", "node", "web/cart.js"]),
    );
    let table = dir.pulpcov(["report", "-m", "--with", "js/lcov.info"]).status(0).stdout;
    let row = table.lines().find(|line| line.starts_with("web/cart.js")).unwrap();
    let lcov = fs::read_to_string(dir.path("js/lcov.info")).unwrap();
    let figure = |key: &str| {
        lcov.lines().find_map(|line| line.strip_prefix(key)).unwrap().parse::<usize>().unwrap()
    };
    let figures: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(figures[1], figure("LF:").to_string());
    assert_eq!(figures[2], (figure("LF:") - figure("LH:")).to_string());
    assert!(row.ends_with(" 3-4, 7-9"), "{row}");
    assert!(table.contains("\nJavaScript "), "{table}");
}

/// Rust that a test in Python called: an extension by PyO3, measured by rustc's instrumentation.
#[test]
fn rust_by_rustc_is_joined() {
    let dir = Dir::new();
    dir.write(
        "Cargo.toml",
        "[package]\nname = \"fast\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\npyo3 = { version = \"0.27\", features = [\"extension-module\"] }\n[workspace]\n",
    );
    dir.write(
        "src/lib.rs",
        "use pyo3::prelude::*;\n\n#[pyfunction]\nfn half(n: i64) -> i64 {\n    if n % 2 != 0 {\n        return -1;\n    }\n    n / 2\n}\n\n#[pyfunction]\nfn never() -> i64 {\n    3\n}\n\n#[pymodule]\nfn fast(m: &Bound<'_, PyModule>) -> PyResult<()> {\n    m.add_function(wrap_pyfunction!(half, m)?)?;\n    m.add_function(wrap_pyfunction!(never, m)?)\n}\n",
    );
    dir.write("app.py", "import fast\n\ndef f(n):\n    return fast.half(n)\n");
    dir.write("test_app.py", "from app import f\n\ndef test_half():\n    assert f(4) == 2\n");
    let coverage = format!("coverage=={REFERENCE}");
    let python = venv("pytest", &["pytest==9.0.2", &coverage]).join("bin/python");
    // Its dependencies are compiled once.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("rust-extension");
    let mut build = Command::new("cargo");
    build.args(["build", "-q"]).env("CARGO_TARGET_DIR", &target).env("PYO3_PYTHON", &python);
    run(&dir, build.env("RUSTFLAGS", "-Cinstrument-coverage"));
    fs::copy(target.join("debug/libfast.so"), dir.path("fast.so")).unwrap();
    let measured = ["-m", "coverage", "run", "--source=.", "-m", "pytest", "-q"];
    run(&dir, Command::new(&python).args(measured).env("LLVM_PROFILE_FILE", "run-%p.profraw"));
    let runs = dir.names_in("").into_iter().filter(|name| name.ends_with(".profraw"));
    let merge = ["merge", "-sparse", "-o", "all.profdata"];
    run(&dir, Command::new(llvm("profdata")).args(merge).args(runs));
    let export = ["export", "-format=lcov", "-instr-profile=all.profdata", "fast.so"];
    let lcov = run(&dir, Command::new(llvm("cov")).args(export)).stdout;
    dir.write("rust.info", &lcov);

    let ran = dir.pulpcov(["report", "-m", "--with", "rust.info"]).status(0);
    let row = ran.stdout.lines().find(|line| line.starts_with("src/lib.rs")).unwrap();
    // The crates that it uses have files of this name, too.
    let name = format!("SF:{}\n", dir.path("src/lib.rs").display());
    let own = lcov.split("end_of_record").find(|records| records.contains(&name)).unwrap();
    let figure = |key: &str| {
        own.lines().find_map(|line| line.strip_prefix(key)).unwrap().parse::<usize>().unwrap()
    };
    let figures: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(figures[1], figure("LF:").to_string());
    assert_eq!(figures[2], (figure("LF:") - figure("LH:")).to_string());
    // Half of it ran for an even number only.
    assert!(row.ends_with(" 6, 12-14"), "{row}");
    assert!(ran.stdout.contains("app.py            3      0   100%"), "{}", ran.stdout);
}

/// Returns a tool of the LLVM that rustc has.
fn llvm(tool: &str) -> String {
    let version = Ran::from(Command::new("rustc").arg("-vV").output().unwrap()).stdout;
    let version = version.split("LLVM version: ").nth(1).unwrap();
    format!("llvm-{tool}-{}", version.split('.').next().unwrap())
}
