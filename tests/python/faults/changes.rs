//! Inputs that are locked, being written, or changed after they were read.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::formats::DataFile;
use rusqlite::Connection;

use super::inject::{Running, calls, combine};
use super::{TARGET, data, input_name, inputs, restore, snapshot};
use crate::support::{Dir, HANGS, Rows, pulpcov};

/// Adds a row that only a transaction of the test adds.
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
    assert!(start.elapsed() < HANGS, "{:?}", start.elapsed());
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
    let running = Running::start(&dir, &combine(&[]), "fcntl", &[]);
    running.wait_for("EAGAIN");
    db.execute_batch("commit").unwrap();
    db.close().unwrap();
    running.end().status(0);
    assert!(has_late_row(&dir.path(TARGET)));
    assert_eq!(dir.names(), [TARGET]);
}

#[test]
fn an_input_that_is_being_written_is_not_deleted() {
    // A transaction does not keep readers out of the file before it commits.
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
    let all = calls(&dir, &combine(&[]));
    restore(&dir, &before);
    // Once the result is about to get its name, all inputs have been read.
    let stopped = Running::stopped_before(&dir, &combine(&[]), &all, "rename");
    add_late_row(&Connection::open(dir.path(input_name(1))).unwrap());
    fs::remove_file(dir.path(input_name(2))).unwrap();
    store(&data(80), dir.path(input_name(2)), StoreFormat::Sqlite).unwrap();
    let ran = stopped.go_on().status(0);
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
fn a_file_that_comes_into_being_meanwhile_is_not_overwritten() {
    let dir = Dir::new();
    inputs(&dir, [1]);
    let mut convert = pulpcov();
    convert.args(["convert", "--to=sqlite", &input_name(1), "new"]);
    let all = calls(&dir, &convert);
    fs::remove_file(dir.path("new")).unwrap();
    let stopped = Running::stopped_before(&dir, &convert, &all, "renameat2");
    dir.write("new", "precious");
    stopped.go_on().status(1).stderr("new: this exists already, and is not overwritten");
    assert_eq!(fs::read_to_string(dir.path("new")).unwrap(), "precious");
    assert_eq!(dir.names(), [input_name(1), "new".to_owned()]);
}

#[test]
fn a_change_at_the_moment_of_reading_is_seen() {
    // The change happens within one tick of the clock, and keeps the size.
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
