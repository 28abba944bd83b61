//! Many combines and writers at the same time.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use tempfile::NamedTempFile;

use super::{TARGET, has_rows, inputs};
use crate::support::{Dir, HANGS, Ran, Rows, python};

/// A Python process that writes data files with Python's own sqlite3, and prints each row that is committed.
///
/// Its arguments are a number for names, the journal mode, the number of rows per file, the seconds that each
/// transaction lasts, and the file with the schema.
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

struct Writer {
    process: Child,
    /// What it printed.
    printed: NamedTempFile,
}

impl Writer {
    fn committed(&self) -> Vec<String> {
        let text = fs::read_to_string(self.printed.path()).unwrap();
        // The last line may be cut off.
        let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        lines.map(str::to_owned).collect()
    }

    /// Kills the writer at any moment, and returns the paths that it committed.
    fn kill(mut self) -> Vec<String> {
        let ended = self.process.try_wait().unwrap();
        self.process.kill().unwrap();
        let mut errors = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        self.process.wait().unwrap();
        assert!(ended.is_none(), "a writer was disturbed: {errors}");
        self.committed()
    }
}

fn start_writer(dir: &Dir, number: i32, [journal, rows, pause]: [&str; 3]) -> Writer {
    let printed = NamedTempFile::new().unwrap();
    let schema = crate::support::root().join("pulpcov-core/src/formats/sqlite/schema7.sql");
    let process = python()
        .args(["-c", WRITER, &number.to_string(), journal, rows, pause])
        .arg(schema)
        .current_dir(dir.path(""))
        .stdout(printed.reopen().unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Writer { process, printed }
}

/// Checks the outcome of a combine when other combines are faster, or inputs are not ready.
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
        let (say, said) = mpsc::channel();
        for say in vec![say; 8] {
            let (dir, done) = (&dir, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    say.send(dir.pulpcov(["combine", "--append"])).unwrap();
                }
            });
        }
        let mut runs: Vec<Ran> = Vec::new();
        let is_enough = |runs: &[Ran]| {
            let committed: Vec<usize> =
                writers.iter().map(|writer| writer.committed().len()).collect();
            runs.iter().filter(|ran| ran.status == 0).count() > 10
                && runs.iter().any(|ran| ran.stderr.contains("Another combine is at work"))
                && committed.iter().all(|count| *count > 10)
                && committed.iter().sum::<usize>() > 1000
        };
        let start = Instant::now();
        while !is_enough(&runs) {
            assert!(start.elapsed() < HANGS, "not enough after {} combines", runs.len());
            runs.push(said.recv_timeout(HANGS).unwrap());
        }
        let committed: Vec<String> = writers.into_iter().flat_map(Writer::kill).collect();
        done.store(true, Ordering::Relaxed);
        runs.extend(said);
        (committed, runs)
    });
    runs.iter().for_each(assert_understandable);

    // The killed writers leave rows in a journal or a log. SQLite's rules decide whether these count.
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
    assert!(has_rows(&result, &expected));
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
