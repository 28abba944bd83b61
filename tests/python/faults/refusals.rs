//! Whatever the system refuses, a combine loses nothing and names what was refused.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use pulpcov_core::CoverageData;
use pulpcov_core::combine::{StoreFormat, store};

use super::inject::{Call, calls, combine, with_fault};
use super::leftovers::{Leftovers, what_is_left};
use super::{TARGET, data, input_name, inputs, little_memory, restore, snapshot};
use crate::support::{Dir, Ran, Rows, is_root, pulpcov};

/// Returns whether a call changes something in the folder, or makes a change durable.
pub(super) fn changes(call: &str) -> bool {
    let creates = call.starts_with("openat(") && call.contains("O_CREAT");
    // Output to the standard streams changes nothing in a folder.
    let reads = ["openat(", "fcntl(", "flock(", "write(1,", "write(2,"];
    let reads = reads.iter().any(|read| call.starts_with(read));
    creates || !reads
}

/// Lets every change that `combine` makes fail with `error`, and checks its messages and files.
fn refuse_every_change(
    combine: fn(&[&str]) -> Command,
    args: &[&str],
    error: &str,
) -> BTreeSet<String> {
    let dir = Dir::new();
    let new = inputs(&dir, 1..=8);
    let old = Rows::of(&data(90));
    store(&data(90), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
    let expected = if args.contains(&"--append") { new.union(old) } else { new };
    let before = snapshot(&dir);
    let all = calls(&dir, &combine(args));
    let mut refused = BTreeSet::new();
    for call in all {
        let Call { name, number, text } = call;
        if !changes(&text) {
            continue;
        }
        let at = format!("{error} at {text}, {args:?}");
        restore(&dir, &before);
        let fault = format!("error={error}");
        let call = format!("{name}:when={number}");
        let ran = Ran::from(with_fault(&dir, &combine(args), &call, &fault));
        if little_memory::never_began(&ran) {
            continue;
        }
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
                // A temporary file that cannot be removed stays. The next combine removes it.
                let stays = left == Leftovers::Temporary && name.starts_with("unlink");
                assert!(
                    stays || matches!(left, Leftovers::AsItWas | Leftovers::Written),
                    "{at}: {left:?}"
                );
                refused.insert(name);
            }
            status => panic!("{at}: status {status}: {}", ran.stderr),
        }
        // The files that were left do not disturb the next combine.
        if now.keys().any(|name| name != TARGET) {
            let again = if ran.status == 0 { &["--append"][..] } else { args };
            dir.pulpcov([&["combine"], again].concat()).status(0);
        }
        assert_eq!(Rows::by_sql(dir.path(TARGET)), expected, "{at}");
        assert!(!dir.names().iter().any(|name| name.starts_with(".pulpcov-")), "{at}");
    }
    // If the old file may not be replaced, the rows are written over it.
    let is_overcome = ["EACCES", "EROFS"].contains(&error);
    let steps = ["fsync", "rename", "openat", "pwrite64"];
    for step in steps.iter().take(if is_overcome { 1 } else { steps.len() }) {
        let was_refused = refused.iter().any(|name| name.starts_with(step));
        assert!(was_refused, "{step} was never refused: {refused:?}");
    }
    refused
}

#[test]
fn a_full_disk_at_any_step_loses_nothing() {
    refuse_every_change(combine, &[], "ENOSPC");
}

#[test]
fn a_failing_disk_at_any_step_loses_nothing() {
    refuse_every_change(combine, &["--append"], "EIO");
}

#[test]
fn refused_permissions_at_any_step_lose_nothing() {
    refuse_every_change(combine, &["--keep"], "EACCES");
    refuse_every_change(combine, &[], "EROFS");
}

/// Rows that cannot be stored on disk are still in the inputs.
#[test]
fn a_full_disk_while_rows_wait_on_it_loses_nothing() {
    for (args, error) in [(&[][..], "ENOSPC"), (&["--append"][..], "EIO")] {
        let refused = refuse_every_change(little_memory::combine, args, error);
        assert!(refused.contains("write"), "rows were never refused: {refused:?}");
    }
}

/// A large result is synced to disk while it is written.
#[test]
fn a_disk_that_fails_before_the_end_loses_nothing() {
    let dir = Dir::new();
    for number in [1, 2] {
        let mut data = CoverageData::new();
        data.add_arcs("large.py", "", (1..450_000).map(|line| (line, -line * number))).unwrap();
        store(&data, dir.path(input_name(number)), StoreFormat::Sqlite).unwrap();
    }
    let before = snapshot(&dir);
    let ran = with_fault(&dir, &combine(&[]), "fdatasync", "error=EIO");
    Ran::from(ran).status(1).stderr("the result cannot be written: Input/output error");
    assert!(snapshot(&dir) == before);
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(dir.names(), [TARGET]);
    assert_eq!(Rows::by_sql(dir.path(TARGET)).arcs.len(), 2 * 449_999);
}

#[test]
fn an_input_that_cannot_be_deleted_is_a_warning() {
    let dir = Dir::new();
    let rows = inputs(&dir, 1..=3);
    let path = dir.path(input_name(2));
    let before = snapshot(&dir);
    let all = calls(&dir, &combine(&[]));
    let deletes = |call: &&Call| {
        call.name == "unlinkat" && call.text.contains(&format!("{}\"", input_name(2)))
    };
    let number = all.iter().find(deletes).unwrap().number;
    restore(&dir, &before);
    let ran = with_fault(&dir, &combine(&[]), &format!("unlinkat:when={number}"), "error=EPERM");
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

/// Runs the command in a shell, after `prepare`.
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
        // Without the trap, the signal may end the process.
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
