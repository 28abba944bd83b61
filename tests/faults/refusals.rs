//! Whatever the system refuses, a combine loses nothing and says what was refused.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use pulpcov_core::combine::{StoreFormat, store};

use super::inject::{Call, calls, with_fault};
use super::left::{Left, what_is_left};
use super::permissions::is_root;
use super::{TARGET, data, input_name, inputs, restore, snapshot};
use crate::support::{Dir, Ran, Rows, pulpcov};

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
    let mut refused = BTreeSet::new();
    for call in all {
        let Call { name, number, text } = call;
        if !changes(&text) {
            continue;
        }
        let at = format!("{error} at {text}, {args:?}");
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
                refused.insert(name);
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
    for step in ["openat", "pwrite64", "fsync"] {
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
    let all = calls(&dir, &[]);
    let deletes =
        |call: &&Call| call.name == "unlink" && call.text.contains(&format!("{}\"", input_name(2)));
    let number = all.iter().find(deletes).unwrap().number;
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
