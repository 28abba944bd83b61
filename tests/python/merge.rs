//! Reports of other tools, as these tools write them.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::{Dir, Ran, pulpcov, root, venv};

pub(super) fn run(dir: &Dir, program: &str, args: &[&str]) -> Ran {
    dir.run(Command::new(program).args(args))
}

/// A program in C whose three runs take different ways, and a tracefile of each run.
fn measured_in_c() -> Dir {
    let dir = Dir::new();
    dir.write(
        "shop.h",
        "static inline int larger(int a, int b) {\n    return a > b ? a : b;\n}\nint total(int n);\n",
    );
    dir.write(
        "total.c",
        "#include \"shop.h\"\n\nint total(int n) {\n    int sum = 0;\n    for (int i = 0; i < n; i++)\n        sum += larger(i, 2);\n    return sum;\n}\n\nint never(void) {\n    return 1;\n}\n",
    );
    dir.write(
        "main.c",
        "#include <stdlib.h>\n#include \"shop.h\"\n\nint main(int argc, char **argv) {\n    if (argc > 1 && atoi(argv[1]) > 3)\n        return total(atoi(argv[1])) < 0;\n    return larger(argc, 0) < 0;\n}\n",
    );
    run(&dir, "gcc", &["--coverage", "-O0", "-o", "shop", "main.c", "total.c"]).status(0);
    for (name, args) in [("one", &[][..]), ("two", &["2"]), ("three", &["9"])] {
        run(&dir, "./shop", args).status(0);
        let info = format!("{name}.info");
        // Newer versions of lcov have another name for the setting, and know this one.
        let capture =
            ["--capture", "--directory", ".", "--test-name", name, "--output-file", &info];
        run(&dir, "lcov", &[&capture[..], &BRANCHES].concat()).status(0);
        for file in dir.names_in("").iter().filter(|file| file.ends_with(".gcda")) {
            std::fs::remove_file(dir.path(file)).unwrap();
        }
    }
    dir
}

pub(super) const BRANCHES: [&str; 2] = ["--rc", "lcov_branch_coverage=1"];
const RUNS: [&str; 3] = ["one.info", "two.info", "three.info"];

/// lcov reads what we merged, and finds in it what it finds in what it merged itself.
#[test]
fn tracefiles_are_merged_as_lcov_does() {
    let dir = measured_in_c();
    let inputs = RUNS.iter().flat_map(|run| ["--add-tracefile", run]);
    let inputs: Vec<&str> = inputs.chain(BRANCHES).chain(["--output-file", "lcov.info"]).collect();
    run(&dir, "lcov", &inputs).status(0);
    dir.pulpcov([&["merge"], &RUNS[..], &["-o", "ours.info"]].concat()).status(0);
    let summary = |name: &str| {
        let ran = run(&dir, "lcov", &[&["--summary", name], &BRANCHES[..]].concat()).status(0);
        let text = ran.stdout + &ran.stderr;
        let is_figure = |line: &&str| line.contains('%');
        text.lines().filter(is_figure).map(str::trim).collect::<Vec<_>>().join("\n")
    };
    let ours = summary("ours.info");
    assert_eq!(ours, summary("lcov.info"));
    assert!(ours.contains("branches"), "{ours}");
    // What lcov wrote says the same in each record.
    let again = |name: &str| dir.pulpcov(["merge", name]).status(0).stdout;
    assert_eq!(again("ours.info"), again("lcov.info"));
    // genhtml draws it.
    run(&dir, "genhtml", &[&["ours.info", "--output-directory", "html"], &BRANCHES[..]].concat())
        .status(0);
    assert!(dir.path("html/index.html").exists());
    // The order of the runs says nothing.
    let [one, two, three] = RUNS;
    let other = dir.pulpcov(["merge", three, one, two]).status(0).stdout;
    assert_eq!(other, again("ours.info"));
}

/// Files of several build folders become one.
#[test]
fn folders_are_removed_from_the_front_of_names() {
    let dir = Dir::new();
    for build in ["7", "8"] {
        let text = format!("SF:/build/{build}/src/a.c\nDA:1,1\nend_of_record\n");
        dir.write(format!("{build}.info"), text);
    }
    let merged = dir.pulpcov(["merge", "7.info", "8.info", "--strip=2"]).status(0).stdout;
    assert!(merged.contains("SF:src/a.c\nDA:1,2\n"), "{merged}");
    // The name of the file stays.
    let merged = dir.pulpcov(["merge", "7.info", "8.info", "--strip=9"]).status(0).stdout;
    assert!(merged.contains("SF:a.c\nDA:1,2\n"), "{merged}");
}

/// Two tools that read the same counters say the same of branches, one by names and one by numbers.
#[test]
fn branches_of_the_same_number_are_the_same() {
    let dir = measured_in_c();
    run(&dir, "./shop", &["9"]).status(0);
    let gcovr = venv("gcovr", &["gcovr==8.6"]).join("bin/gcovr");
    let gcovr = gcovr.to_str().unwrap();
    run(&dir, gcovr, &["--lcov", "g.info", "--cobertura", "g.xml"]).status(0);
    // Names and tests are made the same.
    let folder = format!("{}/", dir.path("").display());
    for name in ["g.info", "g.xml"] {
        let text = std::fs::read_to_string(dir.path(name)).unwrap();
        let source = format!("<source>{}</source>", folder.trim_end_matches('/'));
        let text = text.replace(&source, "<source>.</source>").replace(&folder, "");
        dir.write(name, text.replace("TN:GCOVR_report", "TN:"));
    }
    let branches = |args: &[&str]| {
        let merged = dir.pulpcov([&["merge"], args].concat()).status(0).stdout;
        let is_sum = |line: &&str| line.starts_with("BRF:") || line.starts_with("BRH:");
        merged.lines().filter(is_sum).map(str::to_owned).collect::<Vec<_>>()
    };
    let one = branches(&["g.info"]);
    assert!(!one.is_empty());
    assert_eq!(branches(&["g.info", "g.xml"]), one);
}

/// Compilers write the way to a file from the folder of the build.
#[test]
fn a_file_with_several_spellings_is_one() {
    let dir = Dir::new();
    dir.write("src/a.c", "int a;\n");
    dir.write("lib/b.c", "int b;\n");
    let names = ["src/a.c", "./src/a.c", "lib/../src/a.c", "src//a.c", "gone/../src/a.c"];
    let records = names.map(|name| format!("SF:{name}\nDA:1,1\nend_of_record\n"));
    dir.write("all.info", records.concat());
    let merged = dir.pulpcov(["merge", "all.info"]).status(0).stdout;
    assert!(merged.contains("SF:src/a.c\nDA:1,4\n"), "{merged}");
    // Where nobody knows what the name leads to, it stays.
    assert!(merged.contains("SF:gone/../src/a.c\nDA:1,1\n"), "{merged}");
}

/// coverage.py's own report is a tracefile, too, with words for branches.
#[test]
fn reports_of_coverage_are_merged() {
    let dir = Dir::new();
    dir.write("main.py", "import sys\nif len(sys.argv) > 1:\n    x = 1\nelse:\n    x = 2\n");
    for (name, args) in [("a", &[][..]), ("b", &["x"])] {
        dir.coverage([&["run", "--branch", "main.py"], args].concat()).status(0);
        dir.coverage(["lcov", "-q", "-o", name]).status(0);
    }
    let merged = dir.pulpcov(["merge", "a", "b"]).status(0).stdout;
    assert_eq!(
        merged,
        "TN:\nSF:main.py\nBRDA:2,0,jump to line 3,1\nBRDA:2,0,jump to line 5,1\nBRF:2\nBRH:2\nDA:1,2\nDA:2,2\nDA:3,1\nDA:5,1\nLF:4\nLH:4\nend_of_record\n"
    );
}

/// The XML of gcovr says of each line what the tracefiles say, and that of coverage.py what its own JSON says.
#[test]
fn xml_in_the_format_of_cobertura_is_merged() {
    let dir = measured_in_c();
    let gcovr = venv("gcovr", &["gcovr==8.6"]).join("bin/gcovr");
    let gcovr = |args: &[&str]| run(&dir, gcovr.to_str().unwrap(), args).status(0);
    for (name, args) in [("one", &[][..]), ("two", &["2"]), ("three", &["9"])] {
        run(&dir, "./shop", args).status(0);
        gcovr(&["--cobertura", &format!("{name}.xml"), "--delete"]);
    }
    // The counts of all runs, by file and line.
    let lines = |text: &str| {
        let (mut file, mut lines) = (String::new(), BTreeMap::<(String, u32), u64>::new());
        for record in text.lines() {
            if let Some(name) = record.strip_prefix("SF:") {
                file = name.rsplit('/').next().unwrap().to_owned();
            }
            if let Some((line, count)) = record.strip_prefix("DA:").and_then(|r| r.split_once(','))
            {
                let place = (file.clone(), line.parse().unwrap());
                *lines.entry(place).or_default() += count.parse::<u64>().unwrap();
            }
        }
        lines
    };
    let of_lcov = lines(&dir.pulpcov([&["merge"], &RUNS[..]].concat()).status(0).stdout);
    let xml = ["one.xml", "two.xml", "three.xml"];
    let of_gcovr = lines(&dir.pulpcov([&["merge"], &xml[..]].concat()).status(0).stdout);
    assert!(of_gcovr.len() > 10);
    assert_eq!(of_gcovr, of_lcov);
    // Both formats at once.
    dir.pulpcov(["merge", "one.info", "one.xml", "--format=cobertura", "-o", "all.xml"]).status(0);
    let dtd = root().join("tests/fixtures/report/cobertura-04.dtd");
    let valid = ["--noout", "--nonet", "--dtdvalid", dtd.to_str().unwrap(), "all.xml"];
    run(&dir, "xmllint", &valid).status(0);

    dir.write("main.py", "import sys\nif len(sys.argv) > 1:\n    x = 1\n");
    dir.coverage(["run", "--branch", "main.py"]).status(0);
    dir.coverage(["xml", "-q"]).status(0);
    let place = dir.path("main.py");
    let expected = format!(
        "TN:\nSF:{}\nBRDA:2,0,0,1\nBRDA:2,0,1,0\nBRF:2\nBRH:1\nDA:1,1\nDA:2,1\nDA:3,0\nLF:3\nLH:2\nend_of_record\n",
        place.display()
    );
    assert_eq!(dir.pulpcov(["merge", "coverage.xml"]).status(0).stdout, expected);
}

#[test]
fn what_cannot_be_read_is_named_and_left_out() {
    let dir = Dir::new();
    dir.write("good.info", "SF:src/a.c\nDA:1,1\nend_of_record\n");
    dir.write("cut.info", "SF:src/a.c\nDA:1,5\n");
    dir.write("bad.info", "SF:src/a.c\nDA:1,5\nDA:two,1\nend_of_record\n");
    dir.write("notes.txt", "hello: world\n");
    dir.write("empty.info", "");
    let all =
        ["merge", "good.info", "cut.info", "bad.info", "notes.txt", "empty.info", "gone.info"];
    let merged = dir.pulpcov(all).status(3);
    assert_eq!(merged.stdout, "TN:\nSF:src/a.c\nDA:1,1\nLF:1\nLH:1\nend_of_record\n");
    for message in [
        "warning: left out: cut.info: line 2: the records of \"src/a.c\" have no `end_of_record`",
        "warning: left out: bad.info: line 3: the parts of the record cannot be read: \"DA:two,1\"",
        "warning: left out: notes.txt: this is no tracefile of lcov, no XML in the format of Cobertura, and no JSON",
        "warning: left out: empty.info: this is no tracefile of lcov, no XML in the format of Cobertura, and no JSON",
        "warning: left out: gone.info: No such file or directory",
    ] {
        assert!(merged.stderr.contains(message), "{message}\n{}", merged.stderr);
    }
    dir.pulpcov(["merge", "-i", "good.info", "cut.info"]).status(0);
    dir.write("none.info", "TN:\n");
    dir.write("packed.info.gz", b"\x1f\x8b\x08");
    let merged = dir.pulpcov(["merge", "good.info", "none.info", "packed.info.gz"]).status(3);
    for message in [
        "none.info: the report has no files",
        "packed.info.gz: this is compressed with gzip: unpack it first",
    ] {
        assert!(merged.stderr.contains(message), "{message}\n{}", merged.stderr);
    }
    // Nothing is written over what is read, nor if nothing could be read.
    dir.pulpcov(["merge", "good.info", "cut.info", "-o", "./cut.info"])
        .status(1)
        .stderr("cut.info: this is one of the reports that are read");
    dir.write("out.info", "before");
    dir.pulpcov(["merge", "cut.info", "-o", "out.info"])
        .status(1)
        .stderr("no report could be read");
    assert_eq!(std::fs::read_to_string(dir.path("out.info")).unwrap(), "before");
}

#[test]
fn names_are_mapped_and_chosen() {
    let dir = Dir::new();
    dir.write(
        ".coveragerc",
        "[run]\nrelative_files = true\n[paths]\nsource =\n    src\n    /build/*/src\n",
    );
    dir.write("src/a.c", "");
    dir.write(
        "one.info",
        "SF:/build/1/src/a.c\nDA:1,1\nend_of_record\nSF:/usr/include/x.h\nDA:1,1\nend_of_record\n",
    );
    dir.write("two.info", "SF:/build/2/src/a.c\nDA:2,1\nend_of_record\n");
    let merged = dir.pulpcov(["merge", "one.info", "two.info", "--omit=/usr/*"]).status(0);
    assert_eq!(merged.stdout, "TN:\nSF:src/a.c\nDA:1,1\nDA:2,1\nLF:2\nLH:2\nend_of_record\n");
    assert!(
        merged.stderr.contains("the reports have different lines or versions of src/a.c"),
        "{}",
        merged.stderr
    );
    dir.pulpcov(["merge", "one.info", "--include=nothing/*"]).status(1).stderr("nothing is left");
    dir.write("up.info", "SF:./lib/../src/a.c\nDA:1,1\nend_of_record\n");
    dir.pulpcov(["merge", "up.info", "--include=src/*", "--omit=lib/*"])
        .status(0)
        .stdout("SF:lib/../src/a.c");
    let merged = dir.pulpcov(["merge", "one.info", "--include=*.h"]).status(0).stdout;
    assert!(merged.contains("SF:/usr/include/x.h") && !merged.contains("a.c"), "{merged}");
}

/// However many threads read, and in whatever order the reports are named, the result is the same.
#[test]
fn threads_and_order_change_nothing() {
    let dir = Dir::new();
    let section = |file: usize, run: usize| {
        let lines: String =
            (1..40).map(|line| format!("DA:{},{run}\n", line * (file + run % 3 + 1))).collect();
        let branches: String =
            (0..run % 4).map(|n| format!("BRDA:{},{n},{},1\n", 1 + n % 2, run % 3)).collect();
        let version = ["VER:a\n", "VER:b\n", ""][run % 3];
        let checksum = format!("DA:5000,1,{}\n", run % 7);
        format!(
            "SF:{file}.c\n{version}FN:{},f{}\nFNDA:{run},f{}\n{branches}{lines}{checksum}end_of_record\n",
            run % 5 + 1,
            run % 4,
            run % 6,
        )
    };
    let names: Vec<String> = (0..23).map(|run| format!("{run}.info")).collect();
    for (run, name) in names.iter().enumerate() {
        dir.write(name, (0..9).map(|file| section(file, run)).collect::<String>());
    }
    let merged = |threads: &str, names: &[String]| {
        let mut command = pulpcov();
        command
            .arg("merge")
            .args(names)
            .current_dir(dir.path(""))
            .env("RAYON_NUM_THREADS", threads);
        Ran::from(command.output().unwrap()).status(0).stdout
    };
    let one = merged("1", &names);
    assert!(one.lines().count() > 400);
    for threads in ["2", "3", "7", "40"] {
        assert!(merged(threads, &names) == one, "{threads}");
    }
    let mut others = names.clone();
    others.reverse();
    assert_eq!(merged("2", &others), one);
    others.rotate_left(5);
    assert_eq!(merged("2", &others), one);
}
