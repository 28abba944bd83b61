//! JSON reports of other tools, as these tools write them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::merge::run;
use crate::support::{Dir, root, venv};

const PROGRAM: &str = "import sys

def larger(a, b):
    if a > b:
        return a
    return b

class Never:
    def run(self):  # pragma: no cover
        return 1

for n in range(len(sys.argv)):
    larger(n, 1)
if len(sys.argv) > 2:
    print([
        n for n in range(3)
    ])
";

const RUNS: [(&str, &[&str]); 2] = [("one", &[]), ("two", &["x", "y"])];

/// Returns the lines of a tracefile and their counts, by file and line.
fn counts(tracefile: &str) -> BTreeMap<(String, u32), u64> {
    let (mut file, mut lines) = (String::new(), BTreeMap::new());
    for record in tracefile.lines() {
        if let Some(name) = record.strip_prefix("SF:") {
            file = name.to_owned();
        }
        if let Some((line, count)) = record.strip_prefix("DA:").and_then(|r| r.split_once(',')) {
            // Some versions of coverage.py write checksums, too.
            let count = count.split(',').next().unwrap();
            let place = (file.clone(), line.parse().unwrap());
            *lines.entry(place).or_default() += count.parse::<u64>().unwrap();
        }
    }
    lines
}

/// Returns how many branches of a tracefile were taken, and how many there are, by file and line.
fn branches(tracefile: &str) -> BTreeMap<(String, u32), (usize, usize)> {
    let (mut file, mut branches) = (String::new(), BTreeMap::<_, (usize, usize)>::new());
    for record in tracefile.lines() {
        if let Some(name) = record.strip_prefix("SF:") {
            file = name.to_owned();
        }
        if let Some((line, rest)) = record.strip_prefix("BRDA:").and_then(|r| r.split_once(',')) {
            let (_, taken) = rest.rsplit_once(',').unwrap();
            let of_line = branches.entry((file.clone(), line.parse().unwrap())).or_default();
            *of_line = (of_line.0 + usize::from(taken != "-" && taken != "0"), of_line.1 + 1);
        }
    }
    branches
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A program that coverage.py measured twice, with reports of each run: `one.json`, `two.json` and tracefiles.
fn measured_by_coverage(version: &str) -> Dir {
    let dir = Dir::new();
    dir.write("main.py", PROGRAM);
    let coverage = venv(&format!("coverage-{version}"), &[format!("coverage=={version}")]);
    let coverage = coverage.join("bin/coverage");
    let coverage = |args: &[&str]| run(&dir, coverage.to_str().unwrap(), args).status(0);
    for (name, args) in RUNS {
        let context = format!("--context={name}");
        coverage(&[&["run", "--branch", &context, "main.py"], args].concat());
        coverage(&["json", "--show-contexts", "-o", &format!("{name}.json")]);
        // Versions before 6.3 write no tracefiles.
        if version >= "6.3" {
            coverage(&["lcov", "-o", &format!("{name}.info")]);
        }
    }
    dir
}

#[test]
fn json_of_coverage_says_what_its_tracefiles_say() {
    let dir = measured_by_coverage("7.17.5");
    let merge = |args: &[&str]| {
        dir.pulpcov([&["merge", "--include=main.py"], args].concat()).status(0).stdout
    };
    for (name, _) in RUNS {
        let (ours, theirs) = (merge(&[&format!("{name}.json")]), merge(&[&format!("{name}.info")]));
        assert_eq!(counts(&ours), counts(&theirs));
        assert_eq!(branches(&ours), branches(&theirs));
        // The context is the test.
        assert!(ours.contains(&format!("TN:{name}\nSF:main.py\n")), "{ours}");
    }
    let (ours, theirs) = (merge(&["one.json", "two.json"]), merge(&["one.info", "two.info"]));
    assert!(counts(&ours).values().any(|count| *count == 2));
    assert_eq!(counts(&ours), counts(&theirs));
    assert_eq!(branches(&ours), branches(&theirs));
    // lcov reads it.
    dir.write("all.info", &ours);
    run(&dir, "lcov", &["--summary", "all.info"]).status(0);
}

#[test]
fn what_is_written_is_what_coverage_writes() {
    let dir = measured_by_coverage("7.17.5");
    for (name, _) in RUNS {
        let input = format!("{name}.json");
        let mut theirs = json(&fs::read_to_string(dir.path(&input)).unwrap());
        let mut ours = json(&dir.pulpcov(["merge", "--format=json", &input]).status(0).stdout);
        // Excluded lines, functions and classes are left out.
        let of_main = &mut theirs["files"]["main.py"];
        of_main.as_object_mut().unwrap().retain(|key, _| key != "functions" && key != "classes");
        let excluded = of_main["excluded_lines"].take();
        assert_eq!(excluded.as_array().unwrap().len(), 2);
        of_main["excluded_lines"] = json("[]");
        let executed: Vec<String> =
            of_main["executed_lines"].as_array().unwrap().iter().map(Value::to_string).collect();
        let contexts = of_main["contexts"].as_object_mut().unwrap();
        contexts.retain(|line, _| executed.contains(line));
        of_main["summary"]["excluded_lines"] = 0.into();
        theirs["totals"]["excluded_lines"] = 0.into();
        theirs["meta"]["timestamp"] = ours["meta"]["timestamp"].take();
        ours["meta"]["timestamp"] = theirs["meta"]["timestamp"].clone();
        assert_eq!(ours, theirs);
    }
}

/// The formats before the newest one, and ours with numbers for contexts.
#[test]
fn other_formats_of_coverage_are_read() {
    for (version, format) in [("6.5.0", Value::Null), ("7.2.7", Value::Null), ("7.5.4", 2.into())] {
        let dir = measured_by_coverage(version);
        assert_eq!(
            json(&fs::read_to_string(dir.path("two.json")).unwrap())["meta"]["format"],
            format
        );
        let ours = dir.pulpcov(["merge", "one.json", "two.json"]).status(0).stdout;
        let theirs = dir.pulpcov(["merge", "one.info", "two.info"]).status(0).stdout;
        // Tracefiles of some versions have excluded lines that ran.
        let mut theirs = counts(&theirs);
        theirs.remove(&("main.py".to_owned(), 9));
        assert_eq!(counts(&ours), theirs, "{version}");
        assert!(ours.contains("TN:two\n"));
    }
    let dir = measured_by_coverage("7.17.5");
    dir.pulpcov(["json", "--contexts-once", "-o", "once.json"]).status(0);
    let merge = |name: &str| dir.pulpcov(["merge", name]).status(0).stdout;
    assert_eq!(merge("once.json"), merge("two.json"));
}

#[test]
fn json_of_slipcover_is_merged_as_slipcover_does() {
    let dir = Dir::new();
    dir.write("main.py", PROGRAM);
    let python = venv("slipcover", &["slipcover==1.1.0"]).join("bin/python");
    let slipcover = |args: &[&str]| {
        run(&dir, python.to_str().unwrap(), &[&["-m", "slipcover"], args].concat()).status(0)
    };
    for options in [&[][..], &["--branch"], &["--immediate", "--branch"]] {
        for (name, args) in RUNS {
            for (format, ending) in [("--json", "json"), ("--lcov", "info")] {
                let output = format!("{name}.{ending}");
                slipcover(&[options, &[format, "--out", &output, "main.py"], args].concat());
            }
            let (ours, theirs) = (format!("{name}.json"), format!("{name}.info"));
            let merge = |name: &str| dir.pulpcov(["merge", name]).status(0).stdout;
            assert_eq!(counts(&merge(&ours)), counts(&merge(&theirs)));
            assert_eq!(branches(&merge(&ours)), branches(&merge(&theirs)));
        }
        slipcover(&["--json", "--out", "all.json", "--merge", "one.json", "two.json"]);
        let theirs = json(&fs::read_to_string(dir.path("all.json")).unwrap());
        let merge = ["merge", "--format=json", "one.json", "two.json"];
        let ours = json(&dir.pulpcov(merge).status(0).stdout);
        let (ours, theirs) = (&ours["files"]["main.py"], &theirs["files"]["main.py"]);
        for key in ["executed_lines", "missing_lines", "executed_branches", "missing_branches"] {
            assert_eq!(ours[key], theirs[key], "{options:?} {key}");
        }
        assert_eq!(ours["executed_branches"].is_array(), options.contains(&"--branch"));
    }
}

/// `tests/fixtures/foreign/record` made an export and a tracefile of one profile.
#[test]
fn exports_of_llvm_cov_say_what_its_tracefiles_say() {
    for version in ["14", "19"] {
        let folder = root().join("tests/fixtures/foreign");
        let [export, tracefile] = ["json", "info"].map(|ending| {
            let name = format!("llvm-cov-{version}.{ending}");
            folder.join(name).to_str().unwrap().to_owned()
        });
        let dir = Dir::new();
        let merge = |args: &[&str]| dir.pulpcov([&["merge"], args].concat()).status(0).stdout;
        let (ours, theirs) = (merge(&[&export]), merge(&[&tracefile]));
        assert!(counts(&ours).len() > 30);
        assert_eq!(counts(&ours), counts(&theirs), "{version}");
        // The tracefile has the branches of a template once for each of its instantiations.
        let (ours_of, mut theirs_of) = (branches(&ours), branches(&theirs));
        let template = ("/shop/shop.h".to_owned(), 3);
        assert_eq!((ours_of[&template], theirs_of[&template]), ((2, 2), (3, 4)));
        theirs_of.insert(template, (2, 2));
        assert_eq!(ours_of, theirs_of, "{version}");
        let functions = |text: &str| {
            let is_function = |record: &&str| record.starts_with("FN");
            text.lines().filter(is_function).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(functions(&ours), functions(&theirs), "{version}");
        // Merged with itself, each count is doubled.
        let doubled = counts(&merge(&[&export, &export]));
        assert_eq!(doubled, counts(&ours).into_iter().map(|(line, n)| (line, 2 * n)).collect());
    }
}

#[test]
fn what_is_written_for_codecov_is_read_again() {
    let dir = measured_by_coverage("7.17.5");
    let merge = |args: &[&str]| dir.pulpcov([&["merge"], args].concat()).status(0).stdout;
    let written = merge(&["--format=codecov", "one.info", "two.info"]);
    let lines = &json(&written)["coverage"]["main.py"];
    assert_eq!((&lines["4"], &lines["5"]), (&2.into(), &1.into()), "{written}");
    dir.write("codecov.json", &written);
    assert_eq!(merge(&["--format=codecov", "codecov.json"]), written);
    // Its own report of the data has the same lines, which ran or did not.
    dir.pulpcov(["json", "--codecov", "-o", "ours.json"]).status(0);
    let lines = |name: &str| counts(&merge(&[name])).into_iter().map(|(line, n)| (line, n > 0));
    assert!(lines("ours.json").eq(lines("two.json")));
}

#[test]
fn reports_that_cannot_be_read_are_named_with_their_place() {
    let dir = Dir::new();
    dir.write("good.json", r#"{"coverage": {"a.rb": {"1": 1}}}"#);
    dir.write("cut.json", r#"{"coverage": {"a.rb": {"1": 1}"#);
    dir.write("other.json", r#"{"a.js": {"path": "a.js", "s": {"0": 1}}}"#);
    dir.write("escape.json", "{\"coverage\": {\"a\": {\"1\": \"\\u001b[31m\"}}}");
    let merged =
        dir.pulpcov(["merge", "good.json", "cut.json", "other.json", "escape.json"]).status(3);
    assert_eq!(counts(&merged.stdout).len(), 1);
    assert!(!merged.stderr.contains('\u{1b}'), "{:?}", merged.stderr);
    for message in [
        "left out: cut.json: line 1, column 30: EOF while parsing an object",
        "left out: other.json: this JSON is no report of coverage.py, slipcover or llvm-cov, and not in Codecov's format",
        "left out: escape.json: line 1, column",
    ] {
        assert!(merged.stderr.contains(message), "{message}\n{}", merged.stderr);
    }
}
