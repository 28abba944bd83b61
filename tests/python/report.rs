//! Reports: the same bytes, messages and exit codes as coverage.py's, and features that coverage.py does not
//! have.
//!
//! Both programs run in the same folder, on data that coverage.py itself recorded.

use std::process::{Command, Stdio};
use std::{fs, io};

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::paths::WorkingFolder;
use pulpcov_core::python::PythonVersion;
use pulpcov_core::summarize::{Detail, DiskSources, PythonChoice, Summarizer};
use pulpcov_core::{CoverageData, Numbits};
use serde_json::{Value, json};

use crate::support::sample::{masked, recorded, same, shop};
use crate::support::{Dir, pulpcov, reference, root};

#[test]
fn the_table_is_the_same_with_every_option() {
    for dir in [recorded(&["--branch"]), recorded(&[])] {
        let options = [
            "-m",
            "--show-missing --skip-covered",
            "--skip-empty",
            "--skip-covered --skip-empty --precision=2",
            "--no-skip-covered",
            "--format=markdown",
            "--format=markdown -m --skip-covered",
            "--format=total",
            "--format=total --precision=3",
            "--format=html",
            "--sort=stmts",
            "--sort=-Miss",
            "--sort=+branch",
            "--sort=-brpart",
            "--sort cover",
            "--sort -cover",
            "--sort=-name",
            "--sort=nothing",
            "--precision=-1",
            "--include=shop/*",
            "--include=*/cart*,main.py --omit=*9.py",
            "--omit=***",
            "--include=nothing.py",
            "--fail-under=100",
            "--fail-under=57.51",
            "--fail-under=10",
            "--fail-under=101",
            "shop/cart10.py shop/cart9.py",
            "--contexts=nothing",
            "--contexts=(",
        ];
        for options in std::iter::once("").chain(options) {
            let args: Vec<&str> =
                std::iter::once("report").chain(options.split_whitespace()).collect();
            same(&dir, &args);
        }
    }
}

#[test]
fn files_for_programs_are_the_same() {
    for dir in [recorded(&["--branch", "--context=nightly"]), recorded(&[])] {
        for options in [
            "json -o -",
            "json -o - --pretty-print",
            "json -o - --pretty-print --show-contexts",
            "json -o - --contexts=night",
            "json -o - --contexts=x --fail-under=3",
            "xml -o -",
            "xml -o - --skip-empty --fail-under=99.5",
            "xml -o - shop/unused.py",
            "lcov -o -",
            "lcov -o - --include=shop/doc.py --fail-under=1",
        ] {
            same(&dir, &options.split_whitespace().collect::<Vec<_>>());
        }
    }
}

#[test]
fn settings_are_those_of_coverage() {
    let dir = recorded(&["--branch"]);
    let settings = [
        "[report]\nshow_missing = true\nskip_covered = true\nskip_empty = yes\nprecision = 1\nsort = -cover\n",
        "[report]\nexclude_also = def add\nfail_under = 90.5\npartial_also = while\nformat = markdown\n",
        "[report]\nomit = */cart10.py\nfail_under = 100\n",
        "[report]\nexclude_lines =\n",
        "[json]\npretty_print = true\nshow_contexts = true\noutput = -\n[xml]\noutput = -\npackage_depth = 1\n[lcov]\noutput = -\nline_checksums = true\n",
        "[run]\nsource = shop\n[report]\ninclude = shop/*\n[xml]\noutput = -\n[json]\noutput = -\n[lcov]\noutput = -\n",
        "[report]\nskip_empty = true\n[xml]\noutput = -\npackage_depth = -1\n[json]\noutput = -\n[lcov]\noutput = -\n",
    ];
    for settings in settings {
        dir.write(".coveragerc", settings);
        for command in ["report", "xml", "json", "lcov"] {
            same(&dir, &[command]);
        }
        for written in ["coverage.xml", "coverage.json", "coverage.lcov"] {
            let _ = fs::remove_file(dir.path(written));
        }
    }
}

#[test]
fn copies_with_a_margin_are_the_same() {
    let dir = recorded(&["--branch"]);
    dir.coverage(["annotate", "-d", "theirs"]).status(0);
    dir.pulpcov(["annotate", "-d", "ours"]).status(0);
    let of = |folder: &str| {
        let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(dir.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    assert_eq!(of("ours"), of("theirs"));
    assert_eq!(of("ours").len(), 7);

    dir.pulpcov(["annotate", "shop/cart9.py"]).status(0);
    let beside = fs::read_to_string(dir.path("shop/cart9.py,cover")).unwrap();
    assert!(beside.starts_with("> def f(a):\n>     try:\n"), "{beside}");
}

#[test]
fn without_data_there_is_no_report() {
    let dir = Dir::new();
    for command in ["report", "xml", "json", "lcov", "annotate"] {
        let ran = same(&dir, &[command]).status(1);
        assert_eq!(ran.stdout, "No data to report.\n");
    }
    assert_eq!(dir.names(), Vec::<String>::new());
}

#[test]
fn names_from_outside_forge_nothing() {
    let dir = Dir::new();
    let names = [
        "new\nSF:forged.py",
        "esc\x1b[2J.py",
        "quo\"te'.py",
        "a]]>b&<c>.py",
        "größe名.py",
        "pipe|`*.py",
        "turn\u{202e}ed\x07/\x1b[31mmod.py",
    ];
    for name in names {
        dir.write(name, "x = 1\nif x:\n    x = 2\n");
    }
    dir.write("run.py", "import glob, runpy\nfor name in glob.glob('**/*.py', recursive=True):\n    if name != 'run.py': runpy.run_path(name)\n");
    let context = "--context=night\n\x1b[2J\"</script>]]>";
    dir.coverage(["run", "--branch", "--include=*.py", context, "run.py"]).status(0);
    let forges =
        |text: &str| text.contains(['\x1b', '\x07', '\u{202e}']) || text.contains("\nSF:forged");
    for command in [
        &["report", "-m"][..],
        &["report", "--format=markdown"],
        &["json", "--show-contexts", "-o", "-"],
        &["xml", "-o", "-"],
        &["lcov", "-o", "-"],
    ] {
        let ran = same(&dir, command).status(0);
        assert!(!forges(&ran.stdout), "{}", ran.stdout);
    }
    for command in [
        &["report", "--by=dir"][..],
        &["report", "--by=dir", "--format=markdown"],
        &["debug", "data"],
    ] {
        let ran = dir.pulpcov(command).status(0);
        assert!(!forges(&ran.stdout), "{}", ran.stdout);
    }
    dir.pulpcov(["annotate", "-d", "ours"]).status(0);
    dir.coverage(["annotate", "-d", "theirs"]).status(0);
    assert_eq!(dir.names_in("ours"), dir.names_in("theirs"));

    // The same holds for messages about files.
    for (n, name) in names.into_iter().enumerate() {
        match n % 3 {
            0 => fs::remove_file(dir.path(name)).unwrap(),
            1 => drop(dir.write(name, "def (")),
            _ => drop(dir.write(name, "x = 1\n")),
        }
    }
    for command in [&["report", "-i", "--debug=sources"][..], &["xml", "-i", "-o", "\x1b[2J.xml"]] {
        let ran = dir.pulpcov(command).status(0).stderr("source-mismatch").stderr("couldnt-parse");
        assert!(!forges(&ran.stderr), "{}", ran.stderr);
    }
    for name in names {
        let ran = dir.pulpcov(["report", name]);
        assert!(!forges(&ran.stdout) && !forges(&ran.stderr), "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn parallel_files_are_combined_first() {
    for keep in [false, true] {
        let dir = shop();
        for context in ["--context=web", "--context=worker"] {
            dir.coverage(["run", "-p", "--source=.", context, "main.py"]).status(0);
        }
        let options: &[&str] = if keep { &["report", "--keep-combined"] } else { &["report"] };
        let ours = dir.pulpcov(options).status(0).stderr("Combined 2 files");
        let left = dir.names().iter().filter(|name| name.starts_with(".coverage.")).count();
        assert_eq!(left, if keep { 2 } else { 0 });
        same(&dir, &["json", "--show-contexts", "-o", "-", "--contexts=web"]).status(0);
        assert_eq!(ours.stdout, dir.coverage(["report"]).status(0).stdout);
    }
}

#[test]
fn contexts_of_lines_are_the_same_in_the_same_order() {
    let dir = shop();
    dir.write(
        "test_it.py",
        "from shop.cart9 import f\ndef test_b(): f(1)\ndef test_a(): f(0)\ntest_b()\ntest_a()\n",
    );
    dir.write(".coveragerc", "[run]\ndynamic_context = test_function\nbranch = True\n");
    dir.coverage(["run", "--source=.", "test_it.py"]).status(0);
    for options in [&["--contexts=test_a"][..], &[]] {
        let args = [&["json", "-q", "--show-contexts", "-o"][..], &["-"], options].concat();
        let sorted = |text: &str| {
            let mut value: Value = serde_json::from_str(text).unwrap();
            value["meta"]["timestamp"] = Value::Null;
            sort_contexts(&mut value);
            value.to_string()
        };
        let theirs = dir.coverage(&args).status(0);
        let ours = dir.pulpcov(&args).status(0);
        assert_eq!(sorted(&ours.stdout), sorted(&theirs.stdout));
    }
    same(&dir, &["report", "-m", "--contexts=test_a$,test_b"]).status(0);
}

/// Without `--contexts-once`, a report has a line's contexts three times: with its file, function and class.
///
/// Each file is written as soon as it is ready, so the memory of the report does not grow with the number of
/// files.
#[test]
fn each_name_of_a_context_can_be_written_once() {
    let dir = recorded(&["--branch"]);
    let combined = |args: &[&str]| {
        let args = [&["json", "-q", "-o", "-"], args].concat();
        serde_json::from_str::<Value>(&dir.pulpcov(args).status(0).stdout).unwrap()
    };
    let (long, once) = (combined(&["--show-contexts"]), combined(&["--contexts-once"]));
    let names = once["contexts"].as_array().unwrap();
    let name = |place: &Value| names[place.as_u64().unwrap() as usize].clone();
    let files = once["files"].as_object().unwrap();
    assert!(!files.is_empty());
    for (path, file) in files {
        let contexts = file["contexts"].as_object().unwrap();
        let line = |(line, places): (&String, &Value)| {
            let names: Vec<Value> = places.as_array().unwrap().iter().map(name).collect();
            (line.clone(), Value::from(names))
        };
        let expanded: serde_json::Map<String, Value> = contexts.iter().map(line).collect();
        assert_eq!(Value::from(expanded), long["files"][path]["contexts"], "{path}");
        assert!(file["functions"][""].get("contexts").is_none());
    }
}

#[test]
fn contexts_take_no_more_memory_than_a_few_files_need() {
    let dir = Dir::new();
    let functions: i32 = 100;
    let source: String = (0..functions).map(|n| format!("def f{n}():\n    return {n}\n")).collect();
    let mut data = CoverageData::new();
    for file in 0..20 {
        let path = dir.write(format!("m{file}.py"), &source).to_str().unwrap().to_owned();
        for test in 0..400 {
            let context =
                format!("tests/test_{test}.py::TestEverything::test_that_all_is_well[{test}]");
            data.add_lines(path.clone(), &context, &Numbits::from_iter(1..=2 * functions)).unwrap();
        }
    }
    store(&data, dir.path(".coverage"), StoreFormat::Sqlite).unwrap();
    let limited = |kilobytes: u32| {
        let report = format!("ulimit -v {kilobytes}; exec \"$0\" json -q --show-contexts -o -");
        let mut command = Command::new("bash");
        command.args(["-c", &report]).arg(pulpcov().get_program()).current_dir(dir.path(""));
        // Threads reserve a lot of memory that they never use.
        command.env("RAYON_NUM_THREADS", "2").env("MALLOC_ARENA_MAX", "1");
        let mut running = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let bytes = io::copy(&mut running.stdout.take().unwrap(), &mut io::sink()).unwrap();
        (running.wait().unwrap().success(), bytes)
    };
    let (done, bytes) = limited(300_000);
    assert!(done && bytes > 280_000_000, "{done}, {bytes} bytes");
}

/// Sorts the contexts, which coverage.py lists in another order in every run.
fn sort_contexts(value: &mut Value) {
    let Value::Object(object) = value else { return };
    for (key, value) in object {
        match value {
            Value::Object(lines) if key == "contexts" => {
                for names in lines.values_mut() {
                    let mut sorted: Vec<String> = serde_json::from_value(names.clone()).unwrap();
                    sorted.sort();
                    *names = sorted.into();
                }
            }
            value => sort_contexts(value),
        }
    }
}

#[test]
fn messages_say_what_was_written() {
    let dir = recorded(&[]);
    let ran = dir.pulpcov(["xml", "-o", "deep/er/report.xml"]).status(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("", "Wrote XML report to deep/er/report.xml\n")
    );
    assert_eq!(dir.pulpcov(["json", "-q"]).status(0).stderr, "");
    assert!(dir.path("coverage.json").exists() && dir.path("deep/er/report.xml").exists());
    dir.pulpcov(["lcov", "-o", "deep"]).status(1).stderr("deep: ");
}

#[test]
fn a_folder_narrows_the_report() {
    let dir = recorded(&[]);
    let ran = dir.pulpcov(["report", "shop"]).status(0);
    assert!(
        ran.stdout.contains("shop/cart9.py") && !ran.stdout.contains("main.py"),
        "{}",
        ran.stdout
    );
}

#[test]
fn the_version_of_python_can_be_chosen() {
    let dir = Dir::new();
    dir.write("a.py", "class A:\n    x: int\n");
    dir.coverage(["run", "a.py"]).status(0);
    let statements = |version: &str| {
        let ran = dir.pulpcov(["report", "--debug=python", "--python-version", version]).status(0);
        assert!(ran.stderr.contains("Statements are those of Python 3.1"), "{}", ran.stderr);
        ran.stdout.lines().last().unwrap().split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(["auto", "3.13", "3.14"].map(statements), ["2", "2", "1"]);
}

/// `tests/fixtures/auto/record.py` records the data files under real versions of Python.
#[test]
fn the_version_of_python_is_told_from_the_data() {
    let dir = Dir::new();
    for name in [".coveragerc", "plain.py", "shop.py", "recorded-3.11", "recorded-3.14"] {
        dir.write(name, fs::read(root().join("tests/fixtures/auto").join(name)).unwrap());
    }
    let report = |data: &str, more: &[&str]| {
        let option = format!("--data-file={data}");
        let args = ["report", "-m", "--debug=python", &option];
        dir.pulpcov(args.iter().chain(more)).status(0)
    };
    let old = report("recorded-3.11", &[]).stderr("Statements are those of Python 3.11");
    let reference = dir.coverage(["report", "-m", "--data-file=recorded-3.11"]).status(0);
    assert_eq!(old.stdout, reference.stdout);

    let new = report("recorded-3.14", &[]).stderr("Statements are those of Python 3.14");
    assert!(new.stdout.contains("shop.py       17      2    88%   21, 26"), "{}", new.stdout);
    assert_ne!(report("recorded-3.14", &["--python-version=3.13"]).stdout, new.stdout);
    // A file with the same lines in all versions of Python proves nothing.
    report("recorded-3.14", &["plain.py"]).stderr("Statements are those of Python 3.11");
}

/// Every 16th file is examined first, but all files decide.
#[test]
fn many_files_tell_the_version_of_python_together() {
    const DEFERRED: &[i32] = &[1, 3, 4, 5];
    const RAN: &[i32] = &[1, 2, 3, 4, 5];
    // This is not the trace of a whole run, so it proves nothing about deferred annotations.
    const ODD: &[i32] = &[1, 2, 3, 5];
    let dir = Dir::new();
    let told = |lines_of: fn(usize) -> &'static [i32]| {
        let mut data = CoverageData::new();
        for number in 0..40 {
            let path = dir.path(format!("m{number:02}.py"));
            let lines: Numbits = lines_of(number).iter().copied().collect();
            data.add_lines(path.to_str().unwrap(), "", &lines).unwrap();
        }
        store(&data, dir.path(".coverage"), StoreFormat::Sqlite).unwrap();
        let report = |version: &str| {
            let args = ["json", "-o-", "--debug=python", "--no-cache", "--python-version", version];
            let ran = dir.pulpcov(args).status(0);
            let files = ran.stdout.split_once("\"files\"").unwrap().1.to_owned();
            (files, ran.stderr.trim_end().rsplit(' ').next().unwrap().to_owned())
        };
        let (files, version) = report("auto");
        assert!(files == report(&version).0, "{version} reports other files");
        version
    };
    for number in 0..40 {
        let source = "class A:\n    x: int\n    y = 1\nz = 1\nz = 2\n";
        dir.write(format!("m{number:02}.py"), source);
    }
    assert_eq!(told(|_| DEFERRED), "3.14");
    assert_eq!(told(|_| RAN), "3.11");
    assert_eq!(told(|number| if number % 16 == 0 { RAN } else { DEFERRED }), "3.14");
    assert_eq!(told(|number| if number % 16 == 0 { DEFERRED } else { ODD }), "3.11");
    dir.write("m07.py", "type A = int\nb = 1\nb = 2\nb = 3\nb = 4\n");
    assert_eq!(told(|number| if number % 16 == 0 { DEFERRED } else { ODD }), "3.12");
}

#[test]
fn syntax_that_ran_tells_the_version_of_python() {
    let dir = Dir::new();
    dir.write("new.py", "a = 1\ntype B = int\n");
    dir.write("unused.py", "type B = int\n");
    reference(&[json!({
        "do": "write", "file": dir.path(".coverage"), "measure": "lines", "contexts": [],
        "files": [[dir.path("unused.py"), ""]], "lines": [[dir.path("new.py"), "", [1, 2]]],
        "arcs": [],
    })]);
    let ran = dir.pulpcov(["report", "--debug=python", "new.py"]).status(0);
    ran.stderr("Statements are those of Python 3.12").stdout("new.py       2      0   100%");
    dir.pulpcov(["report", "unused.py"]).status(1).stdout("Couldn't parse");
}

#[test]
fn folders_have_totals() {
    let dir = recorded(&[]);
    dir.write("shop/deep/er/a.py", "x = 1\n");
    dir.write("shop/deep/er/b/c.py", "x = 1\ny = 2\n");
    let ran = dir
        .pulpcov([
            "report",
            "--by=dir",
            "shop",
            "shop/deep/er/a.py",
            "shop/deep/er/b/c.py",
            "main.py",
        ])
        .status(0);
    let rows: Vec<Vec<&str>> =
        ran.stdout.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..3], ["./", "7", "0"]);
    assert_eq!(rows[1][..3], ["shop/", "26", "13"]);
    assert_eq!(rows[2][..3], ["shop/deep/er/", "3", "3"]);
    assert_eq!(rows[3][..3], ["shop/deep/er/b/", "2", "2"]);
    assert_eq!(rows[5][..3], ["TOTAL", "33", "13"]);
    dir.pulpcov(["report", "--by=dir", "--format=markdown", "--skip-covered"])
        .status(0)
        .stdout("| shop/");
}

#[test]
fn files_of_plugins_are_left_out_or_reported_as_measured() {
    let dir = recorded(&[]);
    let script = "import coverage, os\n\
        data = coverage.CoverageData()\n\
        data.read()\n\
        page = os.path.abspath('page.html')\n\
        data.add_lines({page: [1, 3]})\n\
        data.add_file_tracers({page: 'jinja.plugin'})\n";
    let made = crate::support::python().args(["-c", script]).current_dir(dir.path("")).output();
    assert!(made.unwrap().status.success());
    dir.write("page.html", "{{ a }}\n\n{{ b }}\n");
    let out = dir.pulpcov(["report"]).status(0);
    assert!(!out.stdout.contains("page.html"));
    let out = out.stderr("1 file traced by plugin jinja.plugin left out");
    assert_eq!(out.stderr.lines().count(), 1);
    let measured = dir.pulpcov(["report", "--plugin-lines=measured"]).status(0);
    let row = measured.stdout.lines().find(|line| line.starts_with("page.html")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["page.html", "2", "0", "100%"]);
    for command in ["json", "xml", "lcov"] {
        dir.pulpcov([command, "--plugin-lines=measured", "-o", "-"]).status(0).stdout("page.html");
    }
    dir.pulpcov(["annotate", "--plugin-lines=measured", "-d", "out", "page.html"]).status(0);
    let copy = fs::read_to_string(dir.path("out/page.html,cover")).unwrap();
    assert_eq!(copy, "> {{ a }}\n  \n> {{ b }}\n");
}

#[test]
fn what_is_known_about_sources_is_kept_and_never_stale() {
    let dir = recorded(&["--branch"]);
    same(&dir, &["report"]);
    let kept = fs::read(dir.path(".pulpcov_cache/facts-1")).unwrap();
    assert!(dir.path(".pulpcov_cache/CACHEDIR.TAG").exists());
    // The facts that a report of numbers caches are enough for all other reports.
    let first = same(&dir, &["report", "-m"]);
    for report in ["json", "xml", "lcov"] {
        let args = [report, "-o", "-"];
        let uncached = [&args[..], &["--no-cache"]].concat();
        let kept = dir.pulpcov(args).status(0).stdout;
        assert_eq!(masked(&kept), masked(&dir.pulpcov(uncached).status(0).stdout));
    }
    assert_eq!(fs::read(dir.path(".pulpcov_cache/facts-1")).unwrap(), kept, "nothing was new");

    // With other options, or after a change of the source, the facts differ.
    for args in ["report -m --python-version=3.14", "json -o - --show-contexts", "lcov -o -"] {
        let args: Vec<&str> = args.split(' ').collect();
        let uncached = [&args[..], &["--no-cache"]].concat();
        let kept = dir.pulpcov(&args).status(0).stdout;
        assert_eq!(masked(&kept), masked(&dir.pulpcov(uncached).status(0).stdout));
    }
    dir.write("rc", "[report]\nexclude_also = def add\n");
    same(&dir, &["report", "-m", "--rcfile=rc"]);
    let cart = fs::read_to_string(dir.path("shop/cart9.py")).unwrap();
    dir.write("shop/cart9.py", cart.replace("a = 2", "a = 3\n        a = 4"));
    same(&dir, &["report", "-m"]);
    dir.write("shop/cart9.py", "def (:\n");
    same(&dir, &["report", "-m"]);
    dir.write("shop/cart9.py", cart);
    assert_eq!(same(&dir, &["report", "-m"]).stdout, first.stdout);
}

#[test]
fn figures_do_not_depend_on_how_much_is_kept() {
    let sources = root().join("tests/fixtures/python/sources");
    let mut data = CoverageData::new();
    for file in fs::read_dir(&sources).unwrap().map(|file| file.unwrap().path()) {
        let lines = i32::try_from(fs::read_to_string(&file).unwrap().lines().count()).unwrap();
        let arcs = (1..lines).filter(|line| line % 3 > 0).map(|line| (line, line + 1));
        data.add_arcs(file.to_str().unwrap(), "", arcs).unwrap();
    }
    let disk = DiskSources::new(WorkingFolder::new("/"));
    let summarize = |detail| {
        let version = PythonChoice::Fixed(PythonVersion::Py314);
        let summarizer = Summarizer::new(&data, &disk).python(version);
        summarizer.ignore_errors(true).detail(detail).run().unwrap()
    };
    let all = summarize(Detail::Everything);
    let (lines, numbers) = (summarize(Detail::Lines), summarize(Detail::Numbers));
    assert!(all.totals().missing_branches > 50 && all.files().len() > 50, "{:?}", all.totals());
    for ((all, lines), numbers) in all.files().iter().zip(lines.files()).zip(numbers.files()) {
        assert_eq!(all.analysis().unwrap(), lines.analysis().unwrap(), "{}", all.name());
        assert_eq!((all.name(), all.numbers()), (numbers.name(), numbers.numbers()));
        assert!(lines.facts().is_err() && numbers.facts().is_err() && numbers.analysis().is_err());
    }
}

#[test]
fn kept_facts_that_are_broken_are_found_anew() {
    let dir = recorded(&["--branch"]);
    let first = dir.pulpcov(["report", "-m"]).status(0);
    let kept = fs::read(dir.path(".pulpcov_cache/facts-1")).unwrap();
    let mut broken = vec![Vec::new(), b"no cache".to_vec()];
    for cut in (0..kept.len()).step_by(kept.len() / 20) {
        broken.push(kept[..cut].to_vec());
        let mut flipped = kept.clone();
        flipped[cut] ^= 0x55;
        broken.push(flipped);
    }
    for bytes in broken {
        dir.write(".pulpcov_cache/facts-1", bytes);
        assert_eq!(dir.pulpcov(["report", "-m"]).status(0).stdout, first.stdout);
    }
    fs::remove_dir_all(dir.path(".pulpcov_cache")).unwrap();
    assert_eq!(dir.pulpcov(["report", "-m"]).status(0).stdout, first.stdout);
}

#[test]
fn reports_at_once_share_what_is_kept() {
    let dir = recorded(&["--branch"]);
    let uncached = dir.pulpcov(["report", "-m", "--no-cache"]).status(0);
    assert!(!dir.path(".pulpcov_cache").exists());
    std::thread::scope(|scope| {
        let report = || {
            for n in 0..5 {
                let pattern = format!("[report]\nexclude_also = nothing{n}\n");
                let rc = dir.write(format!("rc{n}"), pattern);
                let ran = dir.pulpcov(["report".into(), "-m".into(), rc_option(&rc)]).status(0);
                assert_eq!(ran.stdout, uncached.stdout);
            }
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(report)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    let mut names = fs::read_dir(dir.path(".pulpcov_cache")).unwrap();
    assert!(names.all(|name| !name.unwrap().file_name().to_string_lossy().starts_with(".tmp")));
}

fn rc_option(path: &std::path::Path) -> String {
    format!("--rcfile={}", path.display())
}

#[cfg(unix)]
#[test]
fn facts_that_others_could_write_are_not_used() {
    use std::os::unix::fs::PermissionsExt;

    let dir = recorded(&["--branch"]);
    let elsewhere = Dir::new();
    std::os::unix::fs::symlink(elsewhere.path(""), dir.path(".pulpcov_cache")).unwrap();
    let first = dir.pulpcov(["report", "-m"]).status(0);
    assert_eq!(elsewhere.names(), [""; 0], "a link is not followed");

    fs::remove_file(dir.path(".pulpcov_cache")).unwrap();
    fs::create_dir(dir.path(".pulpcov_cache")).unwrap();
    fs::set_permissions(dir.path(".pulpcov_cache"), fs::Permissions::from_mode(0o1777)).unwrap();
    assert_eq!(dir.pulpcov(["report", "-m"]).status(0).stdout, first.stdout);
    assert_eq!(fs::read_dir(dir.path(".pulpcov_cache")).unwrap().count(), 0);
}

#[test]
fn files_with_one_name_in_xml_are_told_and_have_names_of_their_own_below_a_root() {
    let dir = Dir::new();
    for package in ["proj", "testing"] {
        dir.write(format!("{package}/__init__.py"), "");
        dir.write(format!("{package}/settings.py"), "a = 1\n");
    }
    dir.write("main.py", "import proj.settings, testing.settings\n");
    dir.write(".coveragerc", "[run]\nsource =\n    proj\n    testing\n");
    dir.coverage(["run", "main.py"]).status(0);
    let ran = dir.pulpcov(["xml", "-q", "-o", "-"]).status(0);
    let ran = ran
        .stderr("warning: 2 files have the name settings.py, and only the last is in the report: ");
    assert_eq!(ran.stdout.matches("<class ").count(), 2);
    let ran = dir.pulpcov(["xml", "-q", "-o", "-", "--root=."]).status(0);
    assert_eq!(ran.stderr, "");
    for name in
        ["proj/__init__.py", "proj/settings.py", "testing/__init__.py", "testing/settings.py"]
    {
        assert!(ran.stdout.contains(&format!("filename=\"{name}\"")), "{}", ran.stdout);
    }
    let root = dir.path("").canonicalize().unwrap();
    assert!(ran.stdout.contains(&format!("<source>{}</source>", root.display())), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("<source>").count(), 1);
}

#[test]
fn every_file_is_in_the_xml_of_folders_in_each_other() {
    let dir = Dir::new();
    for folder in ["", "app/", "app/lib/"] {
        dir.write(format!("{folder}__init__.py"), "x = 1\n");
        dir.write(format!("{folder}util.py"), "x = 1\n");
    }
    dir.write("main.py", "import app.util, app.lib.util, util\n");
    for sources in ["., app, app/lib", "app/lib, app, .", "app, app/lib"] {
        dir.write(".coveragerc", format!("[run]\nsource = {sources}\n"));
        dir.coverage(["run", "main.py"]).status(0);
        let ran = dir.pulpcov(["xml", "-q", "-o", "-"]).status(0);
        let files = dir.pulpcov(["report"]).status(0).stdout.matches(".py ").count();
        assert_eq!(ran.stdout.matches("<class ").count(), files, "{sources}: {}", ran.stdout);
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn line_data_and_branch_data_beside_each_other_can_be_reported() {
    let dir = Dir::new();
    dir.write("a.py", "x = 1\nif x:\n    y = 2\n");
    dir.coverage(["run", "--branch", "--data-file=.coverage.b", "a.py"]).status(0);
    dir.coverage(["run", "--data-file=.coverage.l", "a.py"]).status(0);
    dir.pulpcov(["report"]).status(1).stderr("Use --mixed=lines to combine them as line data.");
    // The advice helps, and nothing was lost.
    let ran = dir.pulpcov(["report", "--mixed=lines"]).status(0);
    assert!(ran.stdout.contains("a.py        3      0   100%"), "{}", ran.stdout);
}

#[test]
fn pages_without_a_source_are_no_report() {
    let dir = Dir::new();
    dir.write("a.py", "x = 1\n");
    dir.coverage(["run", "a.py"]).status(0);
    fs::remove_file(dir.path("a.py")).unwrap();
    let theirs = dir.coverage(["html", "-i"]).status(1);
    let ours = dir.pulpcov(["html", "-i"]).status(1);
    assert_eq!(ours.stdout, theirs.stdout);
    assert!(!dir.path("htmlcov").exists());
}

#[test]
fn copies_of_sources_elsewhere_need_a_folder() {
    let dir = Dir::new();
    dir.write("a.py", "x = 1\n");
    dir.coverage(["run", "a.py"]).status(0);
    let ran = dir.pulpcov(["annotate", "--source-root=."]).status(1);
    ran.stderr("these are elsewhere: --directory names a folder for them");
    dir.pulpcov(["annotate", "--source-root=.", "-d", "copies"]).status(0);
    assert_eq!(dir.names_in("copies"), ["a.py,cover"]);
}

#[test]
fn a_command_of_coverage_py_that_runs_programs_is_told_from_a_slip() {
    let dir = Dir::new();
    dir.pulpcov(["run", "a.py"]).status(1).stderr("`coverage run` does");
}
