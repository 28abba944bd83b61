//! Nothing is lost: the command is killed at each step, the system refuses each step, inputs
//! are damaged, locked and changed, and many combines and writers are at work at once.
//!
//! Kills and refusals are injected into real system calls of the real command by strace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pulpcov_core::combine::{StoreFormat, store};
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

/// Does the call change something in the folder, or make a change durable?
fn changes(call: &str) -> bool {
    let creates = call.starts_with("openat(") && call.contains("O_CREAT");
    // What is written to the standard streams is in no folder.
    let reads = ["openat(", "fcntl(", "flock(", "write(1,", "write(2,"];
    let reads = reads.iter().any(|read| call.starts_with(read));
    creates || !reads
}

/// Let every change fail with `error`: what is said and done must fit.
fn refuse_every_change(args: &[&str], error: &str) {
    let dir = Dir::new();
    let new = inputs(&dir, 1..=4);
    let old = Rows::of(&data(90));
    store(&data(90), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
    let expected = if args.contains(&"--append") { new.union(old) } else { new };
    let before = snapshot(&dir);
    let all = calls(&dir, args);
    let mut counts = BTreeMap::new();
    let mut refused = BTreeSet::new();
    for call in all {
        let name = name(&call).unwrap();
        let number = *counts.entry(name.to_owned()).and_modify(|n| *n += 1).or_insert(1);
        if !changes(&call) {
            continue;
        }
        let at = format!("{error} at {call}, {args:?}");
        restore(&dir, &before);
        let fault = format!("error={error}");
        let ran = Ran::from(with_fault(&dir, args, &format!("{name}:when={number}"), &fault));
        let now = snapshot(&dir);
        let left = what_is_left(&dir, &before, now.get(TARGET).unwrap(), &at);
        match ran.status {
            0 => {
                assert_eq!(Rows::by_sql(dir.path(TARGET)), expected, "{at}");
                let kept =
                    now.keys().filter(|name| before.contains_key(*name) && *name != TARGET).count();
                let warned = ran.stderr.matches("not deleted").count();
                assert!(args.contains(&"--keep") || kept == warned, "{at}: {}", ran.stderr);
            }
            1 => {
                assert!(ran.stderr.contains("error: .coverage"), "{at}: {}", ran.stderr);
                assert!(!ran.stderr.contains("panicked"), "{at}: {}", ran.stderr);
                assert!(matches!(left, Left::AsItWas | Left::Written), "{at}: {left:?}");
                refused.insert(name.to_owned());
            }
            status => panic!("{at}: status {status}: {}", ran.stderr),
        }
        // Whatever was refused, it is not in the way the next time.
        if now.keys().any(|name| name != TARGET) {
            let again = if ran.status == 0 { &["--append"][..] } else { args };
            dir.pulpcov([&["combine"], again].concat()).status(0);
        }
        assert_eq!(Rows::by_sql(dir.path(TARGET)), expected, "{at}");
        assert!(!dir.names().iter().any(|name| name.starts_with(".pulpcov-")), "{at}");
    }
    for step in ["openat", "write", "fsync"] {
        assert!(refused.contains(step), "{step} was never refused: {refused:?}");
    }
    assert!(refused.iter().any(|name| name.starts_with("rename")), "{refused:?}");
}

#[test]
fn a_full_disk_at_any_step_loses_nothing() {
    refuse_every_change(&[], "ENOSPC");
}

#[test]
fn a_failing_disk_at_any_step_loses_nothing() {
    refuse_every_change(&["--append"], "EIO");
}

#[test]
fn refused_permissions_at_any_step_lose_nothing() {
    refuse_every_change(&["--keep"], "EACCES");
    refuse_every_change(&[], "EROFS");
}

#[test]
fn an_input_that_cannot_be_deleted_is_a_warning() {
    let dir = Dir::new();
    let rows = inputs(&dir, 1..=3);
    let path = dir.path(input_name(2));
    let before = snapshot(&dir);
    let number = 1 + calls(&dir, &[])
        .iter()
        .filter(|call| call.starts_with("unlink("))
        .position(|call| call.contains(&format!("{}\"", input_name(2))))
        .unwrap();
    restore(&dir, &before);
    let ran = with_fault(&dir, &[], &format!("unlink:when={number}"), "error=EPERM");
    let warning = format!("warning: {}: not deleted: Operation not permitted", path.display());
    let ran = Ran::from(ran).status(0);
    assert!(
        ran.stderr.contains("not deleted: Operation not permitted"),
        "{warning}\n{}",
        ran.stderr
    );
    assert!(ran.stderr.contains(&input_name(2)));
    assert_eq!(Rows::by_sql(dir.path(TARGET)), rows);
    assert_eq!(dir.names(), [TARGET.to_owned(), input_name(2)]);
}

/// The command as a shell runs it, after `prepare`.
fn shell(dir: &Dir, prepare: &str, args: &str) -> Ran {
    let program = pulpcov();
    let mut shell = Command::new("bash");
    shell
        .args(["-c", &format!("{prepare}; exec \"$0\" combine {args}")])
        .arg(program.get_program());
    Ran::from(shell.current_dir(dir.path("")).stdin(Stdio::null()).output().unwrap())
}

#[test]
fn a_result_beyond_the_file_size_limit_loses_nothing() {
    for (prepare, message) in [
        ("ulimit -f 16; trap '' XFSZ", "error: .coverage: the result cannot be written"),
        // Without the trap the signal ends the process.
        ("ulimit -f 16", ""),
    ] {
        let dir = Dir::new();
        let rows = inputs(&dir, 1..=3);
        store(&data(90), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
        let before = snapshot(&dir);
        let ran = shell(&dir, prepare, "").stderr(message);
        assert!(ran.status == 1 || message.is_empty() && ran.status == -1, "{ran:?}");
        let mut now = snapshot(&dir);
        now.retain(|name, _| !name.starts_with(".pulpcov-") || !message.is_empty());
        assert_eq!(now, before);
        dir.pulpcov(["combine"]).status(0);
        assert_eq!(Rows::by_sql(dir.path(TARGET)), rows);
        assert_eq!(dir.names(), [TARGET]);
    }
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn a_full_file_system_loses_nothing() {
    if !is_root() {
        println!(
            "skipped: only root can mount a small file system to fill; the injected ENOSPC stands in for it"
        );
        return;
    }
    let (dir, mounted) = (Dir::new(), Dir::new());
    inputs(&dir, 1..=4);
    let before = snapshot(&dir);
    let size: usize = before.values().map(|bytes| bytes.len().next_multiple_of(4096) + 4096).sum();
    let script = r#"mount -t tmpfs -o size=$1 none "$2" || exit 99
        cp -a "$3/." "$2" && cd "$2" && "$0" combine; status=$?
        rm "$3"/.coverage*; cp -a "$2/." "$3"; exit $status"#;
    let output = Command::new("unshare")
        .args(["--mount", "bash", "-c", script])
        .arg(pulpcov().get_program())
        .arg((size + 8192).to_string())
        .args([mounted.path(""), dir.path("")])
        .output()
        .unwrap();
    let ran = Ran::from(output);
    if ran.status == 99 || ran.stderr.contains("unshare failed") {
        println!(
            "skipped: no file system can be mounted here; the injected ENOSPC stands in for it"
        );
        return;
    }
    ran.status(1)
        .stderr("error: .coverage: the result cannot be written")
        .stderr("No space left on device");
    assert_eq!(snapshot(&dir), before);
}

/// The command as a user without privileges, in a folder that is theirs.
pub(crate) fn as_nobody(dir: &Dir, args: &[&str]) -> Ran {
    let program = pulpcov();
    if !is_root() {
        return dir.pulpcov([&["combine"], args].concat());
    }
    // Build folders may be out of reach for that user.
    let bin = Dir::new();
    let copy = bin.path("pulpcov");
    fs::copy(program.get_program(), &copy).unwrap();
    fs::set_permissions(bin.path(""), Permissions::from_mode(0o755)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(copy)
        .arg("combine")
        .args(args)
        .current_dir(dir.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|err| panic!("setpriv: {err}\nAs root, these tests need setpriv (Debian and Ubuntu: the package util-linux)."));
    Ran::from(output)
}

/// Give the folder and all in it to that user.
fn give_to_nobody(dir: &Dir) {
    if is_root() {
        let owned = dir.names().into_iter().map(|name| dir.path(name)).chain([dir.path("")]);
        owned.for_each(|path| std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap());
    }
}

#[test]
fn a_read_only_folder_keeps_what_it_has() {
    let dir = Dir::new();
    inputs(&dir, 1..=3);
    store(&data(90), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
    give_to_nobody(&dir);
    let before = snapshot(&dir);
    dir.seal(true);
    let ran = as_nobody(&dir, &[]);
    ran.status(1).stderr("error: .coverage: the result cannot be written: Permission denied");
    assert_eq!(snapshot(&dir), before);
}

#[test]
fn an_unreadable_input_is_left_out() {
    let dir = Dir::new();
    let rows = inputs(&dir, 1..=3);
    store(&data(90), dir.path(input_name(90)), StoreFormat::Sqlite).unwrap();
    give_to_nobody(&dir);
    let locked = dir.path(input_name(90));
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    as_nobody(&dir, &[])
        .status(3)
        .stderr("left out: ")
        .stderr(&input_name(90))
        .stderr("Permission denied");
    assert_eq!(Rows::by_sql(dir.path(TARGET)), rows);
    assert_eq!(dir.names(), [TARGET.to_owned(), input_name(90)]);
}

/// A row that only a transaction of the test adds.
fn add_late_row(db: &Connection) {
    db.execute("insert into file (path) values ('late.py')", []).unwrap();
}

fn has_late_row(path: &Path) -> bool {
    Rows::by_sql(path).files.contains_key("late.py")
}

#[test]
fn a_locked_input_is_left_out_after_a_while() {
    let dir = Dir::new();
    let rows = inputs(&dir, [1, 2]);
    store(&data(90), dir.path(input_name(90)), StoreFormat::Sqlite).unwrap();
    let db = Connection::open(dir.path(input_name(90))).unwrap();
    db.execute_batch("begin exclusive").unwrap();
    let start = Instant::now();
    dir.pulpcov(["combine"])
        .status(3)
        .stderr(&input_name(90))
        .stderr("another process is writing it");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert_eq!(Rows::by_sql(dir.path(TARGET)), rows);
    add_late_row(&db);
    db.execute_batch("commit").unwrap();
    assert!(has_late_row(&dir.path(input_name(90))));
}

#[test]
fn a_writer_is_waited_for() {
    let dir = Dir::new();
    inputs(&dir, [1, 2]);
    let db = Connection::open(dir.path(input_name(1))).unwrap();
    db.execute_batch("begin exclusive").unwrap();
    add_late_row(&db);
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        db.execute_batch("commit").unwrap();
        db.close().unwrap();
    });
    dir.pulpcov(["combine"]).status(0);
    writer.join().unwrap();
    assert!(has_late_row(&dir.path(TARGET)));
    assert_eq!(dir.names(), [TARGET]);
}

#[test]
fn an_input_that_is_being_written_is_not_deleted() {
    // A transaction under way does not keep readers out until it is committed.
    let dir = Dir::new();
    let rows = inputs(&dir, [1, 2]);
    let path = dir.path(input_name(2));
    for journal in ["delete", "truncate", "off", "memory"] {
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&format!("pragma journal_mode = {journal}; begin immediate")).unwrap();
        add_late_row(&db);
        dir.pulpcov(["combine", "--append"])
            .status(0)
            .stderr("not deleted: another process is writing it");
        assert_eq!(Rows::by_sql(dir.path(TARGET)), rows, "{journal}");
        db.execute_batch("commit").unwrap();
        assert!(has_late_row(&path), "{journal}");
        db.execute("delete from file where path = 'late.py'", []).unwrap();
    }
    dir.pulpcov(["combine", "--append"]).status(0);
    assert_eq!(dir.names(), [TARGET]);
}

#[test]
fn an_open_write_ahead_log_is_not_deleted() {
    let dir = Dir::new();
    inputs(&dir, [1, 2]);
    let path = dir.path(input_name(2));
    let db = Connection::open(&path).unwrap();
    db.execute_batch("pragma journal_mode = wal; pragma wal_autocheckpoint = 0").unwrap();
    db.execute("insert into file (path) values ('logged.py')", []).unwrap();
    dir.pulpcov(["combine", "--append"])
        .status(0)
        .stderr("not deleted: another process has it open");
    assert!(Rows::by_sql(dir.path(TARGET)).files.contains_key("logged.py"));
    add_late_row(&db);
    db.close().unwrap();
    assert!(has_late_row(&path));
    dir.pulpcov(["combine", "--append"]).status(0);
    assert!(has_late_row(&dir.path(TARGET)));
    assert_eq!(dir.names(), [TARGET]);
}

#[test]
fn an_input_that_changes_after_it_was_read_is_kept() {
    let dir = Dir::new();
    let rows = inputs(&dir, [1, 2, 3]);
    let before = snapshot(&dir);
    let all = calls(&dir, &[]);
    let rename = name(all.iter().find(|call| call.starts_with("rename")).unwrap()).unwrap();
    restore(&dir, &before);
    let output = std::thread::scope(|scope| {
        let running = scope.spawn(|| with_fault(&dir, &[], rename, "delay_enter=2000000"));
        // The result is about to get its name: all inputs are read.
        while !dir.names().iter().any(|name| name.ends_with(".mark")) {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(300));
        add_late_row(&Connection::open(dir.path(input_name(1))).unwrap());
        fs::remove_file(dir.path(input_name(2))).unwrap();
        store(&data(80), dir.path(input_name(2)), StoreFormat::Sqlite).unwrap();
        running.join().unwrap()
    });
    let ran = Ran::from(output).status(0);
    assert_eq!(
        ran.stderr.matches("not deleted: it has changed since it was read").count(),
        2,
        "{}",
        ran.stderr
    );
    assert_eq!(Rows::by_sql(dir.path(TARGET)), rows);
    assert_eq!(dir.names(), [TARGET.to_owned(), input_name(1), input_name(2)]);
    assert!(has_late_row(&dir.path(input_name(1))));
    assert_eq!(Rows::by_pulpcov(dir.path(input_name(2))), Rows::of(&data(80)));
}

#[test]
fn a_change_at_the_moment_of_reading_is_seen() {
    // In the same step of the clock, and of the same size.
    let dir = Dir::new();
    let path = dir.path("data");
    for round in 0..40 {
        store(&data(round), &path, StoreFormat::Sqlite).unwrap();
        let file = DataFile::open(&path).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        OpenOptions::new().write(true).open(&path).unwrap().write_all(&bytes).unwrap();
        let now = pulpcov_core::formats::FileIdentity::of_path(&path).unwrap();
        assert_ne!(*file.identity(), now, "round {round}");
    }
}

/// A small generator of the same numbers each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    /// `bytes` cut short, with bits flipped, or with a block replaced.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        match self.below(4) {
            0 => bytes.truncate(self.below(bytes.len())),
            1 => {
                let (from, to) = (self.below(bytes.len()), self.below(bytes.len()));
                let len = self.below(64).min(bytes.len() - from).min(bytes.len() - to);
                bytes.copy_within(from..from + len, to);
            }
            // The first bytes of pages rule over all others.
            kind => {
                for _ in 0..=self.below(8) {
                    let any = self.below(bytes.len());
                    let near = any / 512 * 512 + self.below(120);
                    let at = if kind == 2 || near >= bytes.len() { any } else { near };
                    bytes[at] ^= 1 << self.below(8);
                }
            }
        }
        bytes
    }
}

/// Good data files of all kinds, as bytes.
fn specimens() -> Vec<(String, Vec<u8>)> {
    let mut arcs = CoverageData::new();
    for file in 0..30 {
        arcs.add_arcs(format!("f{file}.py"), "", (1..60).map(|line| (line, line + 1))).unwrap();
    }
    arcs.set_file_tracer("f1.py", "plugin").unwrap();
    let dir = Dir::new();
    let mut specimens = Vec::new();
    for (name, data) in [("lines", data(7)), ("arcs", arcs)] {
        let path = dir.path(name);
        store(&data, &path, StoreFormat::Sqlite).unwrap();
        let small = Connection::open(&path).unwrap();
        small.execute_batch("pragma page_size = 512; vacuum").unwrap();
        small.close().unwrap();
        specimens.push((format!("{name}, SQLite"), fs::read(&path).unwrap()));
        let mut data = data;
        data.drop_contexts();
        store(&data, &path, StoreFormat::Json4).unwrap();
        specimens.push((format!("{name}, JSON"), fs::read(&path).unwrap()));
    }
    let written = crate::support::root().join("tests/fixtures/data/written");
    for entry in fs::read_dir(written).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        if read_bytes(&bytes).is_ok() {
            specimens.push((path.file_name().unwrap().to_string_lossy().into_owned(), bytes));
        }
    }
    specimens
}

#[test]
fn damaged_bytes_never_panic_nor_hang() {
    let specimens = specimens();
    assert!(specimens.len() > 10);
    let dir = Dir::new();
    let mut random = Random(0x5eed);
    let (mut refused, mut read) = (0, 0);
    for round in 0..4000 {
        let (name, good) = &specimens[round % specimens.len()];
        let bytes = random.damage(good);
        let start = Instant::now();
        let result = std::panic::catch_unwind(|| read_bytes(&bytes));
        let result = result.unwrap_or_else(|_| panic!("round {round}, {name}: it panicked"));
        if round % 20 == 0 {
            let path = dir.write("data", &bytes);
            let age = std::time::SystemTime::now() - Duration::from_secs(9);
            File::options().write(true).open(&path).unwrap().set_modified(age).unwrap();
            let by_path = DataFile::open(&path).and_then(DataFile::read);
            assert_eq!(by_path.is_ok(), result.is_ok(), "round {round}, {name}");
            if let Err(err) = by_path {
                assert_eq!(err.path(), Some(path.as_path()), "round {round}, {name}: {err}");
            }
        }
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "round {round}, {name}: {:?}",
            start.elapsed()
        );
        match result {
            Ok(_) => read += 1,
            Err(err) => {
                assert!(
                    !matches!(err.kind(), ErrorKind::Io | ErrorKind::Busy),
                    "round {round}, {name}: {err}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 500 && read > 100, "{refused} refused, {read} read");
}

#[test]
fn damaged_inputs_are_named_and_kept_and_the_rest_combined() {
    let mut random = Random(0xbad);
    let specimen = &specimens()[0].1;
    for round in 0..10 {
        let dir = Dir::new();
        let rows = inputs(&dir, 1..=5);
        let bad: Vec<_> = (20..50).map(input_name).collect();
        for name in &bad {
            let bytes = random.damage(specimen);
            dir.write(name, bytes);
        }
        // One of them is certainly damaged.
        dir.write(&bad[0], &specimen[..specimen.len() / 2]);
        let before = snapshot(&dir);
        let args: &[&str] = if round % 2 == 0 { &["combine"] } else { &["combine", "-i"] };
        let ran = dir.pulpcov(args).status(if round % 2 == 0 { 3 } else { 0 });
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        let after = snapshot(&dir);
        for name in &bad {
            let named =
                ran.stderr.lines().any(|line| line.contains("left out: ") && line.contains(name));
            assert_eq!(after.contains_key(name), named, "{name}\n{}", ran.stderr);
            assert!(!named || after[name] == before[name], "{name} has changed");
        }
        assert!(after.contains_key(&bad[0]));
        let result = Rows::by_sql(dir.path(TARGET));
        assert!(contains(&result, &rows), "round {round}");
    }
}

/// A Python process that writes data files with its own sqlite3, and prints each row that is committed.
///
/// Its arguments: a number for names, the journal mode, how many rows to write to a file, for how many seconds
/// each transaction lasts, the file with the schema.
const WRITER: &str = r#"
import sqlite3, sys, time
number, journal, rows, pause = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
schema = open(sys.argv[5]).read()
serial = 0
while True:
    serial += 1
    name = f".coverage.writer.pid{number}.X{serial:06}x"
    db = sqlite3.connect(name, isolation_level=None, timeout=30)
    db.execute(f"pragma journal_mode = {journal}")
    for line in range(1, rows + 1):
        path = f"writer{number}/{serial}/{line}.py"
        try:
            db.execute("begin immediate")
            if line == 1:
                for statement in schema.split(";"):
                    db.execute(statement)
                db.execute("insert into coverage_schema values (7)")
                db.execute("insert into meta values ('has_arcs', '0')")
                db.execute("insert into context (context) values ('')")
            file = db.execute("insert into file (path) values (?)", [path]).lastrowid
            db.execute("insert into line_bits values (?, 1, x'0a')", [file])
            time.sleep(pause)
            db.execute("commit")
        except sqlite3.OperationalError as err:
            # Its file has been combined and is gone. Nothing that was committed is lost, so it takes another one.
            assert "readonly" in str(err), err
            db.execute("rollback") if db.in_transaction else None
            break
        print(path, flush=True)
        time.sleep(pause)
    db.close()
"#;

fn start_writer(dir: &Dir, number: u32, [journal, rows, pause]: [&str; 3]) -> Child {
    let schema = crate::support::root().join("pulpcov-core/src/formats/sqlite/schema7.sql");
    python()
        .args(["-c", WRITER, &number.to_string(), journal, rows, pause])
        .arg(schema)
        .current_dir(dir.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kill a writer, wherever it is; the paths that it committed.
fn kill_writer(mut writer: Child) -> Vec<String> {
    let ended = writer.try_wait().unwrap();
    writer.kill().unwrap();
    let output = writer.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(ended.is_none(), "a writer was disturbed: {errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    // The last line may be cut off.
    text.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .map(str::to_owned)
        .collect()
}

/// What a combine may say when others are faster, or inputs are not ready.
fn assert_understandable(ran: &Ran) {
    let fine = match ran.status {
        0 => true,
        1 => {
            ran.stderr.contains("No data to combine") || ran.stderr.contains("No usable data files")
        }
        3 => ran.stderr.contains("left out: "),
        _ => false,
    };
    assert!(fine && !ran.stderr.contains("panicked"), "{ran:?}");
}

#[test]
fn many_combines_and_writers_at_once_lose_nothing() {
    let dir = Dir::new();
    let mut expected = inputs(&dir, 1..=200);
    let kinds = [
        ["delete", "1", "0.002"],
        ["delete", "30", "0.001"],
        ["truncate", "30", "0.03"],
        ["delete", "100000", "0.06"],
        ["wal", "20", "0.001"],
        ["wal", "100000", "0.001"],
        ["wal", "100000", "0.1"],
    ];
    let writers: Vec<_> =
        (500..).zip(kinds).map(|(number, kind)| start_writer(&dir, number, kind)).collect();
    let done = AtomicBool::new(false);
    let (committed, runs) = std::thread::scope(|scope| {
        let combine = || {
            let mut runs = Vec::new();
            while runs.is_empty() || !done.load(Ordering::Relaxed) {
                let ran = dir.pulpcov(["combine", "--append"]);
                assert_understandable(&ran);
                runs.push(ran);
            }
            runs
        };
        let combines: Vec<_> = (0..8).map(|_| scope.spawn(combine)).collect();
        std::thread::sleep(Duration::from_secs(4));
        let committed: Vec<String> = writers.into_iter().flat_map(kill_writer).collect();
        done.store(true, Ordering::Relaxed);
        let runs: Vec<Ran> =
            combines.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        (committed, runs)
    });
    assert!(committed.len() > 500, "{}", committed.len());
    assert!(runs.iter().any(|ran| ran.stderr.contains("Another combine is at work")));
    assert!(runs.iter().filter(|ran| ran.status == 0).count() > 1);

    // What the killed writers left: rows in the journal or the log are theirs or not, as SQLite has it.
    let last = dir.pulpcov(["combine", "--append"]);
    assert_understandable(&last);
    let row = |path: String| ((path, String::new()), BTreeSet::from([1, 3]));
    expected.files.extend(committed.iter().map(|path| (path.clone(), String::new())));
    expected.lines.extend(committed.into_iter().map(row));
    expected.contexts.insert(String::new());
    let result = Rows::by_sql(dir.path(TARGET));
    let missing: Vec<_> =
        expected.lines.keys().filter(|key| !result.lines.contains_key(*key)).collect();
    assert!(
        missing.is_empty(),
        "{} rows are lost, such as {:?}; last: {last:?}",
        missing.len(),
        missing[0]
    );
    assert!(contains(&result, &expected));
}

#[test]
fn of_many_combines_at_once_one_does_it() {
    let dir = Dir::new();
    let rows = inputs(&dir, 1..=200);
    let ran: Vec<Ran> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| dir.pulpcov(["combine"]))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ran.iter().filter(|ran| ran.status == 0).count(), 1, "{ran:?}");
    let others =
        ran.iter().filter(|ran| ran.status == 1 && ran.stderr.contains("No data to combine"));
    assert_eq!(others.count(), 7, "{ran:?}");
    assert_eq!(Rows::by_sql(dir.path(TARGET)), rows);
    assert_eq!(dir.names(), [TARGET]);
}
