//! If a report cannot be written, the file that it would replace stays unchanged.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::inject::{Call, Fault, calls, with_fault, with_faults};
use super::refusals::changes;
use crate::support::{Dir, Ran, Rows, coverage, pulpcov};

/// The output and the arguments of each report.
const REPORTS: [(&str, &[&str]); 8] = [
    ("out.xml", &["xml", "-o", "out.xml"]),
    ("out.json", &["json", "-o", "out.json", "--show-contexts"]),
    ("out.lcov", &["lcov", "-o", "out.lcov"]),
    ("out.html", &["html", "--single-file=out.html"]),
    ("htmlcov", &["html", "--show-contexts"]),
    ("copies", &["annotate", "-d", "copies"]),
    ("src", &["annotate"]),
    ("all", &["hook", "report", "--data-root=root", "all"]),
];

/// Returns a folder with sources and the data that coverage.py measured.
fn recorded() -> Dir {
    let dir = Dir::new();
    let lines: String = (0..3000).map(|n| format!("value_{n} = {n}\n")).collect();
    dir.write("src/long.py", lines);
    dir.write("src/main.py", "import long\nif long.value_1:\n    x = 2\nelse:\n    x = 3\n");
    let mut record = coverage();
    record.args(["run", "--branch", "--context=test", "--source=src", "src/main.py"]);
    Ran::from(record.current_dir(dir.path("")).output().unwrap()).status(0);
    dir.write("root/.coverage.host.pid7.Xabcdefx", fs::read(dir.path(".coverage")).unwrap());
    dir
}

fn report(args: &[&str]) -> Command {
    let mut command = pulpcov();
    command.args(args);
    command
}

/// Returns the files of a report: the file named `output`, or the files in the folder of this name.
fn written(dir: &Dir, output: &str) -> BTreeMap<String, Vec<u8>> {
    let is_other = |name: &str| {
        [".py", "status.json", ".gitignore"].iter().any(|ending| name.ends_with(ending))
    };
    let names = dir.names().into_iter().filter(|name| name.starts_with(output));
    names
        .filter(|name| !is_other(name))
        .map(|name| (name.clone(), fs::read(dir.path(name)).unwrap()))
        .collect()
}

/// Writes other content into each file of the report, and removes the record of the pages that are up to
/// date.
fn put_back(dir: &Dir, output: &str, complete: &BTreeMap<String, Vec<u8>>) {
    let status = dir.names().into_iter().filter(|name| name.ends_with("status.json"));
    for name in written(dir, output).into_keys().chain(status) {
        fs::remove_file(dir.path(name)).unwrap();
    }
    for (name, bytes) in complete {
        // The report adds its data to the existing data.
        let is_data = name.ends_with(".coverage");
        let other = format!("what {name} was");
        dir.write(name, if is_data { bytes } else { other.as_bytes() });
    }
    let _ = fs::remove_dir_all(dir.path(".pulpcov_cache"));
}

/// Returns the bytes with all digits replaced by `0`, because a report contains the time.
fn without_digits(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect()
}

/// Runs the report once for each system call that changes something, and lets this call fail with `error`.
/// Returns how many reports failed.
fn refuse_every_change(output: &str, args: &[&str], error: &str) -> usize {
    let dir = recorded();
    dir.pulpcov(args).status(0);
    let complete = written(&dir, output);
    assert!(!complete.is_empty());
    let data = complete.keys().find(|name| name.ends_with(".coverage"));
    let rows = data.map(|name| Rows::by_sql(dir.path(name)));
    let put_back = || put_back(&dir, output, &complete);
    put_back();
    // The old files have to exist for this run, too, because calls that read them are counted.
    let all = calls(&dir, &report(args));
    put_back();
    let before = written(&dir, output);
    let mut refused = 0;
    for Call { name, number, text } in all.into_iter().filter(|call| changes(&call.text)) {
        let at = format!("{error} at {text}, {args:?}");
        put_back();
        let call = format!("{name}:when={number}");
        let ran = Ran::from(with_fault(&dir, &report(args), &call, &format!("error={error}")));
        let after = written(&dir, output);
        let is_complete = |name: &String, bytes: &[u8]| {
            // Data that is written over the old file has the same rows, but other bytes.
            let same_rows = || Some(name) == data && Some(Rows::by_sql(dir.path(name))) == rows;
            complete.get(name).is_some_and(|it| without_digits(it) == without_digits(bytes))
                || same_rows()
        };
        match ran.status {
            // A report succeeds even if the cache of facts cannot be written.
            0 => {
                assert_eq!(after.keys().collect::<Vec<_>>(), complete.keys().collect::<Vec<_>>());
                assert!(after.iter().all(|(name, bytes)| is_complete(name, bytes)), "{at}");
            }
            1 => {
                refused += 1;
                let reason = match error {
                    "ENOSPC" => ": No space left on device",
                    _ => ": Permission denied",
                };
                assert!(ran.stderr.contains(reason), "{at}: {ran:?}");
                assert!(!ran.stderr.contains("pulpcov_"), "{at}: {}", ran.stderr);
                for (name, bytes) in &after {
                    let is_whole = Some(bytes) == before.get(name) || is_complete(name, bytes);
                    assert!(is_whole, "{at}: {name} is {} bytes", bytes.len());
                }
                let is_one_file = complete.len() == 1;
                assert!(!is_one_file || after == before, "{at}");
            }
            status => panic!("{at}: status {status}: {ran:?}"),
        }
        let temporary = dir.names().into_iter().find(|name| {
            let name = name.strip_prefix(".pulpcov_cache/").unwrap_or(name);
            name.contains(".pulpcov_") || name.contains(".pulpcov-") || name.contains(".tmp")
        });
        assert!(temporary.is_none() || name.starts_with("unlink"), "{at}: {temporary:?} is left");
        if let Some(name) = temporary {
            fs::remove_file(dir.path(name)).unwrap();
        }
    }
    refused
}

#[test]
fn a_report_that_a_full_disk_refuses_leaves_what_was_there() {
    for (output, args) in REPORTS {
        assert!(refuse_every_change(output, args, "ENOSPC") > 1, "{args:?}");
    }
}

/// If no new file can be created, the old one is overwritten once the report is complete.
#[test]
fn a_report_that_may_not_be_renamed_is_written_or_leaves_what_was_there() {
    for (output, args) in REPORTS {
        refuse_every_change(output, args, "EACCES");
    }
}

/// Before the old file is overwritten, room for the new bytes is reserved.
#[test]
fn a_report_for_which_there_is_no_room_in_place_leaves_what_was_there() {
    let dir = recorded();
    let mount_point = Fault { calls: "rename,renameat,renameat2", fault: "error=EBUSY" };
    let full = Fault { calls: "fallocate", fault: "error=ENOSPC" };
    for (output, args) in REPORTS.into_iter().filter(|(output, _)| output.starts_with("out.")) {
        dir.write(output, "what was there");
        let ran = Ran::from(with_faults(&dir, &report(args), &[mount_point, full]));
        ran.status(1).stderr(": No space left on device");
        assert_eq!(fs::read_to_string(dir.path(output)).unwrap(), "what was there");
        Ran::from(with_faults(&dir, &report(args), &[mount_point])).status(0);
        assert_ne!(fs::read_to_string(dir.path(output)).unwrap(), "what was there");
    }
}

#[test]
fn a_report_beyond_the_file_size_limit_leaves_what_was_there() {
    let dir = recorded();
    for (output, args) in REPORTS {
        let shell = |prepare: &str| {
            let mut shell = Command::new("bash");
            shell.args(["-c", &format!("{prepare}; exec \"$0\" \"$@\"")]);
            shell.arg(pulpcov().get_program()).args(args).current_dir(dir.path(""));
            Ran::from(shell.output().unwrap())
        };
        shell("true").status(0);
        let complete = written(&dir, output);
        put_back(&dir, output, &complete);
        let before = written(&dir, output);
        let ran = shell("ulimit -f 4; trap '' XFSZ").status(1);
        assert!(ran.stderr.contains("File too large"), "{args:?}: {}", ran.stderr);
        for (name, bytes) in written(&dir, output) {
            let is_complete = complete
                .get(&name)
                .is_some_and(|complete| without_digits(complete) == without_digits(&bytes));
            assert!(is_complete || before.get(&name) == Some(&bytes), "{args:?}: {name}");
        }
        shell("true").status(0);
    }
}
