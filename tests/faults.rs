//! Nothing is lost: the command is killed at each step, the system refuses each step, inputs
//! are damaged, locked and changed, and many combines and writers are at work at once.
//!
//! Kills and refusals are injected into real system calls of the real command by strace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pulpcov_core::combine::{Combiner, StoreFormat, store};
use pulpcov_core::formats::{DataFile, read_bytes};
use pulpcov_core::{CoverageData, ErrorKind, Numbits};
use rusqlite::Connection;

use crate::support::{Dir, Ran, Rows, pulpcov, python};

/// System calls that change something, or that the safety of a combine rests on.
const STEPS: &str = "openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,\
    ftruncate,fallocate,flock,fcntl,chmod,fchmod,fchmodat,mkdir,mkdirat,rmdir,link,linkat,symlinkat,utimensat";
/// More kills than this at one system call are spread over the run.
const KILLS_PER_CALL: usize = 24;

const TARGET: &str = ".coverage";

/// The command in `dir` under strace; one thread, so that calls come in the same order each time.
fn traced(dir: &Dir, strace: &[String], args: &[&str]) -> Output {
    let pulpcov = pulpcov();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(strace).arg("--").arg(pulpcov.get_program());
    for (name, value) in pulpcov.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.arg("combine").args(args).current_dir(dir.path("")).env("RAYON_NUM_THREADS", "1");
    command.stdin(Stdio::null()).output().unwrap_or_else(|err| {
        panic!("strace: {err}\nThese tests inject faults with strace: install it (Debian and Ubuntu: the package strace).")
    })
}

/// The system calls of an undisturbed run: `unlink("/tmp/…/.coverage.1")`, in order.
fn calls(dir: &Dir, args: &[&str]) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let option = |text: &str| text.to_owned();
    let path = log.path().to_str().unwrap();
    let output =
        traced(dir, &[option("-o"), option(path), option("-e"), format!("trace={STEPS}")], args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(log.path()).unwrap();
    let call = |line: &str| line.split_once(' ').map(|(_, call)| call.trim_start().to_owned());
    text.lines().filter_map(call).filter(|call| name(call).is_some()).collect()
}

fn name(call: &str) -> Option<&str> {
    call.split_once('(')
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The command with `fault` (`signal=KILL`, `error=EIO`) at the call of that name and number.
fn with_fault(dir: &Dir, args: &[&str], call: &str, fault: &str) -> Output {
    let option = |text: &str| text.to_owned();
    let trace = call.split(':').next().unwrap();
    let inject = format!("inject={trace}:{fault}{}", &call[trace.len()..]);
    traced(
        dir,
        &[
            option("-o"),
            option("/dev/null"),
            option("-e"),
            format!("trace={trace}"),
            option("-e"),
            inject,
        ],
        args,
    )
}

/// Numbers from 1 to `count`, at most [`KILLS_PER_CALL`] of them.
fn spread(count: usize) -> impl Iterator<Item = usize> {
    let step = count.div_ceil(KILLS_PER_CALL).max(1);
    // The last ones are where results are written and inputs deleted.
    (1..=count).filter(move |n| n % step == 0 || *n + KILLS_PER_CALL / 2 > count)
}

/// Data with rows that no other number has.
fn data(number: u32) -> CoverageData {
    let mut data = CoverageData::new();
    let lines = [1, number + 2, number * 3 + 40].into_iter();
    data.add_lines("common.py", "", &Numbits::from_iter(lines)).unwrap();
    data.add_lines(
        format!("own{number}.py"),
        &format!("context {number}"),
        &Numbits::from_iter([number + 1]),
    )
    .unwrap();
    data
}

/// Inputs of both formats, and the rows that must come out.
fn inputs(dir: &Dir, numbers: impl IntoIterator<Item = u32>) -> Rows {
    let mut rows = Rows::default();
    for number in numbers {
        let mut data = data(number);
        let format = if number % 4 == 3 { StoreFormat::Json4 } else { StoreFormat::Sqlite };
        if format == StoreFormat::Json4 {
            data.drop_contexts();
        }
        rows = rows.union(Rows::of(&data));
        store(&data, dir.path(input_name(number)), format).unwrap();
    }
    rows
}

fn input_name(number: u32) -> String {
    format!(".coverage.host.pid{number}.Xabcdefx")
}

/// The rows that `rows` lacks.
fn contains(rows: &Rows, wanted: &Rows) -> bool {
    rows.clone().union(wanted.clone()) == *rows
}

/// Everything in the folder, by name.
fn snapshot(dir: &Dir) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| (name.clone(), fs::read(dir.path(&name)).unwrap());
    dir.names().into_iter().map(read).collect()
}

fn restore(dir: &Dir, files: &BTreeMap<String, Vec<u8>>) {
    dir.names().iter().for_each(|name| fs::remove_file(dir.path(name)).unwrap());
    files.iter().for_each(|(name, bytes)| drop(dir.write(name, bytes)));
}

/// What a killed combine left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    /// Inputs and target as they were.
    AsItWas,
    /// The same, and a temporary file.
    Temporary,
    /// The new target, and all inputs.
    Written,
    /// The new target, and some inputs.
    Deleting,
    /// The new target only.
    Deleted,
}

/// Kill a combine at every step. Then nothing is lost, and the same combine run again completes it.
fn kill_at_every_step(args: &[&str], old: Option<u32>) -> BTreeSet<Left> {
    let dir = Dir::new();
    let mut expected = inputs(&dir, 1..=6);
    if let Some(old) = old {
        store(&data(old), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
        if args.contains(&"--append") {
            expected = expected.union(Rows::of(&data(old)));
        }
    }
    let before = snapshot(&dir);
    let mut counts = BTreeMap::new();
    for call in calls(&dir, args) {
        *counts.entry(name(&call).unwrap().to_owned()).or_insert(0) += 1;
    }
    let after = snapshot(&dir);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);

    let mut seen = BTreeSet::new();
    for (call, count) in counts {
        for number in spread(count) {
            let at = format!("killed at {call} {number} of {count}, {args:?}");
            restore(&dir, &before);
            let output = with_fault(&dir, args, &format!("{call}:when={number}"), "signal=KILL");
            assert!(!output.status.success(), "not {at}");
            let left = what_is_left(&dir, &before, &after[TARGET], &at);
            seen.insert(left);
            let done = left == Left::Deleted && dir.names() == [TARGET];
            let again = dir.pulpcov([&["combine"], args].concat());
            match done {
                true => again.status(1).stderr("No data to combine"),
                false => again.status(0),
            };
            assert_eq!(Rows::by_sql(dir.path(TARGET)), expected, "{at}: {left:?}");
            let names: Vec<_> = dir.names();
            assert_eq!(names, after.keys().cloned().collect::<Vec<_>>(), "{at}: {left:?}");
        }
    }
    seen
}

fn what_is_left(dir: &Dir, before: &BTreeMap<String, Vec<u8>>, result: &[u8], at: &str) -> Left {
    let mut now = snapshot(dir);
    let target = now.remove(TARGET);
    let extra = now.keys().filter(|name| !before.contains_key(*name)).count();
    now.retain(|name, _| before.contains_key(name));
    let mut inputs = before.clone();
    let old = inputs.remove(TARGET);
    assert!(now.iter().all(|(name, bytes)| inputs[name] == *bytes), "an input changed: {at}");
    let all_inputs = now.len() == inputs.len();
    if target == old {
        assert!(all_inputs, "an input is gone, and the result is not there: {at}");
        return if extra > 0 { Left::Temporary } else { Left::AsItWas };
    }
    assert_eq!(target.as_deref(), Some(result), "neither the old nor the new target: {at}");
    match now.len() {
        0 => Left::Deleted,
        _ if all_inputs => Left::Written,
        _ => Left::Deleting,
    }
}

#[test]
fn a_killed_combine_loses_nothing() {
    let seen = kill_at_every_step(&[], None);
    assert_eq!(
        seen,
        [Left::AsItWas, Left::Temporary, Left::Written, Left::Deleting, Left::Deleted].into()
    );
}

#[test]
fn a_killed_combine_onto_an_older_result_loses_nothing() {
    let seen = kill_at_every_step(&[], Some(90));
    assert_eq!(
        seen,
        [Left::AsItWas, Left::Temporary, Left::Written, Left::Deleting, Left::Deleted].into()
    );
}

#[test]
fn a_killed_append_loses_nothing() {
    let seen = kill_at_every_step(&["--append"], Some(90));
    assert_eq!(
        seen,
        [Left::AsItWas, Left::Temporary, Left::Written, Left::Deleting, Left::Deleted].into()
    );
}

#[test]
fn a_killed_combine_that_keeps_its_inputs_loses_nothing() {
    let seen = kill_at_every_step(&["--keep"], Some(90));
    assert_eq!(seen, [Left::AsItWas, Left::Temporary, Left::Written].into());
}
