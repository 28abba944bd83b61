//! If the data file cannot be replaced, it is overwritten in place, and nothing is lost.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};

use super::inject::{Fault, calls_with, combine, with_faults};
use super::{TARGET, data, input_name, inputs, restore, snapshot};
use crate::support::{Dir, Ran, Rows};

/// The error that the system returns if a mount point is to be replaced.
const MOUNT_POINT: Fault = Fault { calls: "rename,renameat,renameat2", fault: "error=EBUSY" };

/// If a system call occurs more often than this, the kills are spread over the run.
const KILLS_PER_CALL: usize = 14;

/// Returns data that fills several pages, so that new rows may or may not fit into the old file.
fn old(rows: i32) -> CoverageData {
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
        // The file does not grow with every combine.
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

fn kill_at_every_step(rows: i32, args: &[&str]) {
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

/// coverage.py follows such links, too. The links themselves are the inputs: they are deleted, and their
/// targets stay.
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

/// The folder of a user `nobody`, who may write the data file and nothing else.
struct Confined(Dir);

impl Confined {
    const NOBODY: u32 = 65534;

    /// Returns `None` if this process is not root, since only root can become another user.
    fn new() -> Option<Self> {
        if !crate::support::is_root() {
            return None;
        }
        let dir = Dir::new();
        fs::set_permissions(dir.path(""), Permissions::from_mode(0o755)).unwrap();
        crate::support::copy_pulpcov(&dir.path("pulpcov"));
        Some(Self(dir))
    }

    /// Gives the data file to the user.
    fn hand_over(&self) {
        chown(self.0.path(TARGET), Some(Self::NOBODY), Some(Self::NOBODY)).unwrap();
    }

    fn combine(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(self.0.path("pulpcov"));
        command.arg("combine").args(args).current_dir(self.0.path(""));
        Ran::from(command.uid(Self::NOBODY).gid(Self::NOBODY).output().unwrap())
    }
}

/// A journal and a log are part of the file's state, so the file cannot be replaced without them.
#[test]
fn what_is_beside_the_file_stays_if_it_cannot_be_overwritten() {
    let Some(confined) = Confined::new() else { return };
    let dir = &confined.0;
    inputs(dir, 1..=3);
    for (mode, suffix) in [("wal", "-wal"), ("delete", "-journal")] {
        store(&old(10), dir.path("base"), StoreFormat::Sqlite).unwrap();
        let connection = rusqlite::Connection::open(dir.path("base")).unwrap();
        connection.pragma_update(None, "journal_mode", mode).unwrap();
        // With such a small cache, SQLite writes uncommitted rows to the file, which makes the journal hot.
        connection.execute_batch("PRAGMA cache_size = 1; BEGIN").unwrap();
        for number in 0..2000 {
            let path = format!("late{number}.py");
            connection.execute("INSERT INTO file (path) VALUES (?)", [path]).unwrap();
        }
        if mode == "wal" {
            connection.execute_batch("COMMIT").unwrap();
        }
        fs::copy(dir.path("base"), dir.path(TARGET)).unwrap();
        let companion = format!("{TARGET}{suffix}");
        fs::copy(dir.path(format!("base{suffix}")), dir.path(&companion)).unwrap();
        confined.hand_over();
        let before = dir.state();
        for args in [["--keep"].as_slice(), &["--append", "--keep"]] {
            confined.combine(args).status(1).stderr("SQLite must take in first");
            assert_eq!(dir.state()[TARGET], before[TARGET], "{mode}, {args:?}");
            assert_eq!(dir.state()[&companion], before[&companion], "{mode}, {args:?}");
        }
        drop(connection);
        fs::remove_file(dir.path(&companion)).unwrap();
    }
}

/// A combine waits for a writer. If the writer goes on, the combine changes nothing of its file.
#[test]
fn a_writer_keeps_its_journal_and_its_transaction() {
    for mode in ["delete", "wal"] {
        let dir = Dir::new();
        inputs(&dir, 1..=3);
        store(&old(10), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
        let writer = rusqlite::Connection::open(dir.path(TARGET)).unwrap();
        writer.pragma_update(None, "journal_mode", mode).unwrap();
        writer
            .execute_batch("BEGIN IMMEDIATE; INSERT INTO file (path) VALUES ('late.py')")
            .unwrap();
        dir.pulpcov(["combine", "--keep"]).status(1).stderr(TARGET);
        writer.execute_batch("COMMIT").unwrap();
        let late: i64 = rusqlite::Connection::open(dir.path(TARGET))
            .and_then(|reader| {
                let sql = "SELECT count(*) FROM file WHERE path = 'late.py'";
                reader.query_row(sql, [], |row| row.get(0))
            })
            .unwrap();
        assert_eq!(late, 1, "{mode}");
    }
}

/// A combine appends only to the rows that it has read.
#[test]
fn rows_that_are_committed_meanwhile_are_not_overwritten() {
    let dir = Dir::new();
    inputs(&dir, 1..=3);
    store(&old(10), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
    let writer = rusqlite::Connection::open(dir.path(TARGET)).unwrap();
    writer.pragma_update(None, "journal_mode", "memory").unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO file (path) VALUES ('late.py')").unwrap();
    let combine = std::thread::scope(|scope| {
        let combine = scope.spawn(|| dir.pulpcov(["combine", "--append", "--keep"]));
        // When the result is complete, the combine waits for the writer.
        while !dir.names().iter().any(|name| name.ends_with(".tmp")) && !combine.is_finished() {
            std::thread::yield_now();
        }
        writer.execute_batch("COMMIT").unwrap();
        combine.join().unwrap()
    });
    let has_late =
        || fs::read(dir.path(TARGET)).unwrap().windows(7).any(|bytes| bytes == b"late.py");
    assert!(has_late(), "{combine:?}");
    if combine.status != 0 {
        // The error says so or, on a busy machine, that the combine waited too long.
        combine.status(1).stderr("another process");
        dir.pulpcov(["combine", "--append", "--keep"]).status(0);
        assert!(has_late());
    }
}

#[test]
fn an_empty_data_file_is_added_to_and_reported_on() {
    let dir = Dir::new();
    dir.write(TARGET, b"");
    for report in ["report", "json", "xml", "lcov", "html", "annotate"] {
        let (ours, theirs) = (dir.pulpcov([report]), dir.coverage([report]));
        assert_eq!((ours.status, ours.stdout), (theirs.status, theirs.stdout), "{report}");
        dir.write(TARGET, b"");
    }
    let expected = inputs(&dir, 1..=3);
    dir.pulpcov(["combine", "--append"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);
}

/// An empty file is turned into a database before rows are written, so that a kill leaves a file that can be
/// read.
#[test]
fn a_combine_killed_over_an_empty_mount_point_leaves_a_data_file() {
    let dir = Dir::new();
    let expected = inputs(&dir, 1..=6);
    dir.write(TARGET, b"");
    let before = snapshot(&dir);
    let writes = calls_with(&dir, &combine(&[]), &[MOUNT_POINT]);
    let count = writes.iter().filter(|call| call.name == "pwrite64").map(|call| call.number).max();
    for number in 1..=count.unwrap() {
        restore(&dir, &before);
        let calls = format!("pwrite64:when={number}");
        let kill = Fault { calls: &calls, fault: "signal=KILL" };
        let killed = with_faults(&dir, &combine(&[]), &[MOUNT_POINT, kill]);
        assert!(!killed.status.success());
        let report = dir.coverage(["report"]);
        assert!(!report.stdout.contains("not a database"), "{number}: {report:?}");
        let again = Ran::from(with_faults(&dir, &combine(&["--append"]), &[MOUNT_POINT]));
        again.status(0);
        assert_eq!(Rows::by_sql(dir.path(TARGET)), expected, "{number}");
    }
}

/// A limit on the size of files causes an error, like a full disk.
#[test]
fn a_limit_on_the_size_of_files_is_an_error() {
    let dir = Dir::new();
    let expected = inputs(&dir, 1..=6);
    let mut limited = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_pulpcov");
    limited.args(["-c", "ulimit -f 8; exec \"$0\" combine", program]).current_dir(dir.path(""));
    Ran::from(limited.output().unwrap()).status(1).stderr("File too large");
    assert_eq!(dir.names(), (1..=6).map(input_name).collect::<Vec<_>>());
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);
}

/// A reader keeps the combine from switching to the new rows. Then the file has its old length and permissions.
#[test]
fn a_file_that_could_not_be_overwritten_is_as_it_was() {
    let dir = Dir::new();
    inputs(&dir, 1..=3);
    let private = Permissions::from_mode(0o600);
    fs::set_permissions(dir.path(input_name(1)), private).unwrap();
    for empty in [false, true] {
        if empty {
            dir.write(TARGET, b"");
        } else {
            store(&old(10), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
        }
        fs::set_permissions(dir.path(TARGET), Permissions::from_mode(0o644)).unwrap();
        let before = (fs::read(dir.path(TARGET)).unwrap(), dir.path(TARGET).metadata().unwrap());
        let _reader = read_lock(&dir, SHARED_BYTE);
        let ran = Ran::from(with_faults(&dir, &combine(&["--keep"]), &[MOUNT_POINT]));
        ran.status(1).stderr("another process is reading it");
        let after = (fs::read(dir.path(TARGET)).unwrap(), dir.path(TARGET).metadata().unwrap());
        assert_eq!(after.0, before.0, "{empty}");
        assert_eq!(after.1.mode(), before.1.mode(), "{empty}");
    }
}

/// The bytes of a database that SQLite locks to write and to read.
const RESERVED_BYTE: i64 = 0x4000_0001;
const SHARED_BYTE: i64 = 0x4000_0002;

/// Returns an open file that holds a read lock on a byte of the target. The target need not be writable.
fn read_lock(dir: &Dir, byte: i64) -> fs::File {
    let file = fs::File::open(dir.path(TARGET)).unwrap();
    let lock = nix::libc::flock {
        l_type: nix::libc::F_RDLCK as i16,
        l_whence: nix::libc::SEEK_SET as i16,
        l_start: byte,
        l_len: 1,
        l_pid: 0,
    };
    nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_OFD_SETLK(&lock)).unwrap();
    file
}

/// Everybody who may read a file can lock it like this.
#[test]
fn a_read_lock_keeps_nobody_from_combining() {
    let dir = Dir::new();
    let expected = inputs(&dir, 1..=3);
    store(&old(10), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
    let _reader = read_lock(&dir, RESERVED_BYTE);
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);
}

/// SQLite could not read the result with a folder of this name beside it.
#[test]
fn a_folder_in_the_place_of_a_journal_is_removed() {
    let dir = Dir::new();
    let expected = inputs(&dir, 1..=3);
    fs::create_dir(dir.path(format!("{TARGET}-journal"))).unwrap();
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);
}
