//! Where no file can take the place of the data file, its rows are replaced in the file itself, and nothing is lost.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};

use super::inject::{Fault, calls_with, combine, with_faults};
use super::{TARGET, data, input_name, inputs, restore, snapshot};
use crate::support::{Dir, Ran, Rows};

/// What the system says of a mount point that is to be replaced.
const MOUNT_POINT: Fault = Fault { calls: "rename,renameat,renameat2", fault: "error=EBUSY" };

/// More kills than this at one system call are spread over the run.
const KILLS_PER_CALL: usize = 14;

/// A data file of some pages, so that the new rows find room or do not.
fn old(rows: u32) -> CoverageData {
    let mut old = data(90);
    for row in 0..rows {
        old.add_lines("old.py", &format!("test {row}"), &Numbits::from_iter([row])).unwrap();
    }
    old
}

fn is_sound(dir: &Dir) -> bool {
    let connection = rusqlite::Connection::open(dir.path(TARGET)).unwrap();
    let found: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    found == "ok"
}

#[test]
fn a_mount_point_is_written_again_and_again() {
    for (rows, args) in
        [(0, ["--keep"].as_slice()), (3000, &["--keep"]), (3000, &["--keep", "--append"])]
    {
        let dir = Dir::new();
        let mut expected = inputs(&dir, 1..=6);
        store(&old(rows), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
        if args.contains(&"--append") {
            expected = expected.union(Rows::of(&old(rows)));
        }
        let inode = fs::metadata(dir.path(TARGET)).unwrap().ino();
        let mut sizes = Vec::new();
        for _ in 0..4 {
            Ran::from(with_faults(&dir, &combine(args), &[MOUNT_POINT])).status(0);
            assert_eq!(Rows::by_sql(dir.path(TARGET)), expected, "{rows}, {args:?}");
            assert!(is_sound(&dir), "{rows}, {args:?}");
            let file = fs::metadata(dir.path(TARGET)).unwrap();
            assert_eq!(file.ino(), inode);
            sizes.push(file.size());
        }
        // It does not grow with each time.
        assert!(sizes[3] <= sizes[1], "{sizes:?}");
    }
}

#[test]
fn an_empty_mount_point_gets_the_rows() {
    let dir = Dir::new();
    let expected = inputs(&dir, 1..=6);
    dir.write(TARGET, b"");
    Ran::from(with_faults(&dir, &combine(&[]), &[MOUNT_POINT])).status(0);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);
    assert!(is_sound(&dir));
    assert_eq!(dir.names(), [TARGET]);
}

#[test]
fn a_combine_killed_over_a_mount_point_loses_nothing() {
    for (rows, args) in [(0, [].as_slice()), (3000, &[]), (3000, &["--append"])] {
        kill_at_every_step(rows, args);
    }
}

fn kill_at_every_step(rows: u32, args: &[&str]) {
    let dir = Dir::new();
    let mut expected = inputs(&dir, 1..=6);
    let old = old(rows);
    store(&old, dir.path(TARGET), StoreFormat::Sqlite).unwrap();
    if args.contains(&"--append") {
        expected = expected.union(Rows::of(&old));
    }
    let before = snapshot(&dir);
    let mut counts = BTreeMap::new();
    for call in calls_with(&dir, &combine(args), &[MOUNT_POINT]) {
        let count = counts.entry(call.name).or_insert(0);
        *count = call.number.max(*count);
    }
    counts.retain(|name, _| !name.starts_with("rename"));
    let mut seen = BTreeMap::new();
    for (call, count) in counts {
        for number in (1..=count).rev().take(KILLS_PER_CALL) {
            let at = format!("killed at {call} {number} of {count}, {rows}, {args:?}");
            restore(&dir, &before);
            let calls = format!("{call}:when={number}");
            let kill = Fault { calls: &calls, fault: "signal=KILL" };
            let killed = with_faults(&dir, &combine(args), &[MOUNT_POINT, kill]);
            assert!(!killed.status.success(), "not {at}");
            let has_new = Rows::by_sql(dir.path(TARGET)) == expected;
            let all_inputs = (1..=6).all(|number| dir.path(input_name(number)).exists());
            assert!(
                has_new || all_inputs && Rows::by_sql(dir.path(TARGET)) == Rows::of(&old),
                "{at}"
            );
            *seen.entry((has_new, all_inputs)).or_insert(0) += 1;
            let is_done = dir.names() == [TARGET];
            let again = Ran::from(with_faults(&dir, &combine(args), &[MOUNT_POINT]));
            assert!(again.status == 0 || is_done, "{at}: {}", again.stderr);
            assert_eq!(Rows::by_sql(dir.path(TARGET)), expected, "{at}");
            assert!(is_sound(&dir), "{at}");
        }
    }
    assert!(seen.contains_key(&(false, true)) && seen.contains_key(&(true, false)), "{seen:?}");
}

#[test]
fn a_link_to_the_data_file_is_followed() {
    let dir = Dir::new();
    fs::create_dir(dir.path("elsewhere")).unwrap();
    let real = dir.path("elsewhere/data");
    store(&old(10), &real, StoreFormat::Sqlite).unwrap();
    symlink("elsewhere/data", dir.path(TARGET)).unwrap();
    let expected = inputs(&dir, 1..=6);
    dir.pulpcov(["combine", "--append"]).status(0);
    assert_eq!(Rows::by_sql(&real), expected.union(Rows::of(&old(10))));
    assert!(dir.path(TARGET).is_symlink());
    assert_eq!(dir.names(), [TARGET, "elsewhere/data"]);
}

/// coverage.py follows them, too. The links are the inputs: they are deleted, and what they lead to stays.
#[test]
fn inputs_that_are_links_of_ones_own_are_read() {
    for place in ["links", "links/.coverage.1"] {
        let dir = Dir::new();
        let expected = inputs(&dir, [2]);
        fs::create_dir(dir.path("links")).unwrap();
        symlink(format!("../{}", input_name(2)), dir.path("links/.coverage.1")).unwrap();
        dir.pulpcov(["combine", place]).status(0);
        assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);
        assert!(!dir.path("links/.coverage.1").is_symlink());
        assert!(dir.path(input_name(2)).exists());
    }
}
