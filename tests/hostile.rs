//! A folder that everybody can write to, combined by root: nothing in it can trick, stop or exhaust us.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::{Uid, mkfifo};
use pulpcov_core::formats::read_bytes;
use pulpcov_core::{ErrorKind, MAX_LINE};
use rusqlite::Connection;

use crate::support::{Dir, Rows};

/// The tables of schema 7, as far as reading needs them; `replaced` are made otherwise.
fn database(path: &Path, replaced: &[&str], instead: &str) {
    let tables = [
        (
            "coverage_schema",
            "CREATE TABLE coverage_schema (version integer); INSERT INTO coverage_schema VALUES (7)",
        ),
        ("meta", "CREATE TABLE meta (key text, value text)"),
        (
            "file",
            "CREATE TABLE file (id integer primary key, path text); INSERT INTO file VALUES (1, 'a.py')",
        ),
        (
            "context",
            "CREATE TABLE context (id integer primary key, context text); INSERT INTO context VALUES (1, '')",
        ),
        ("line_bits", "CREATE TABLE line_bits (file_id integer, context_id integer, numbits blob)"),
        (
            "arc",
            "CREATE TABLE arc (file_id integer, context_id integer, fromno integer, tono integer)",
        ),
        ("tracer", "CREATE TABLE tracer (file_id integer primary key, tracer text)"),
    ];
    let db = Connection::open(path).unwrap();
    for (name, sql) in tables {
        if !replaced.contains(&name) {
            db.execute_batch(sql).unwrap();
        }
    }
    db.execute_batch(instead).unwrap();
    db.close().unwrap();
}

/// A good data file with lines 1 and 2 of `good.py`.
fn good(path: &Path) {
    let rows = "INSERT INTO file VALUES (2, 'good.py'); INSERT INTO line_bits VALUES (2, 1, x'06')";
    database(path, &[], rows);
}

fn refusal(replaced: &[&str], instead: &str) -> (ErrorKind, String) {
    let dir = Dir::new();
    let path = dir.path("data");
    database(&path, replaced, instead);
    let err = read_bytes(&fs::read(path).unwrap()).unwrap_err();
    (err.kind(), err.to_string())
}

#[test]
fn what_is_no_regular_file_is_neither_followed_nor_waited_for() {
    let dir = Dir::new();
    good(&dir.path(".coverage.good"));
    let secret = dir.write("elsewhere/secret", "secret");
    good(&dir.path("elsewhere/data"));
    symlink(&secret, dir.path(".coverage.link")).unwrap();
    symlink(dir.path("elsewhere/data"), dir.path(".coverage.link-to-data")).unwrap();
    symlink("nowhere", dir.path(".coverage.dangling")).unwrap();
    fs::create_dir(dir.path(".coverage.folder")).unwrap();
    mkfifo(&dir.path(".coverage.fifo"), Mode::from_bits_truncate(0o600)).unwrap();
    let _socket = UnixListener::bind(dir.path(".coverage.socket")).unwrap();

    let start = Instant::now();
    let ran = dir.pulpcov(["combine"]).status(3).stderr("Combined 1 file, 6 files errored");
    assert!(start.elapsed() < Duration::from_secs(20), "waited for something");
    for name in ["link", "link-to-data", "dangling"] {
        assert!(
            ran.stderr.contains(&format!(".coverage.{name}: this is a symbolic link")),
            "{}",
            ran.stderr
        );
    }
    for name in ["folder", "fifo", "socket"] {
        assert!(ran.stderr.contains(&format!(".coverage.{name}: this is a ")), "{}", ran.stderr);
    }
    assert_eq!(fs::read(secret).unwrap(), b"secret");
    assert!(dir.path("elsewhere/data").exists());
    assert!(!dir.path(".coverage.good").exists());
}

#[test]
fn a_target_that_is_a_link_is_replaced_and_not_followed() {
    let dir = Dir::new();
    good(&dir.path(".coverage.good"));
    let victim = dir.write("victim", "precious");
    symlink(&victim, dir.path(".coverage")).unwrap();
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(fs::read(victim).unwrap(), b"precious");
    assert!(!dir.path(".coverage").is_symlink());
    assert!(format!("{:?}", Rows::by_pulpcov(dir.path(".coverage"))).contains("good.py"));
}

#[test]
fn names_reach_the_terminal_without_control_characters() {
    let dir = Dir::new();
    good(&dir.path(".coverage.good"));
    dir.write(".coverage.\u{1b}[31mred\u{1b}]0;title\u{7}\nwarning: forged\u{202e}", "not data");
    database(
        &dir.path(".coverage.data"),
        &["file"],
        "CREATE TABLE file (id integer primary key, path text);
         INSERT INTO file VALUES (1, 'evil' || char(27) || '[2J' || char(10) || 'forged: 9 lines');
         INSERT INTO tracer VALUES (1, char(27) || '[31m');
         INSERT INTO line_bits VALUES (1, 1, x'02')",
    );
    let combined = dir.pulpcov(["combine", "--debug=combine,pathmap"]).status(3);
    let shown = dir.pulpcov(["debug", "data"]).status(1);
    for text in [&combined.stderr, &combined.stdout, &shown.stdout, &shown.stderr] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
        assert!(
            !text
                .lines()
                .any(|line| line.starts_with("warning: forged") || line.starts_with("forged")),
            "{text}"
        );
    }
}

#[test]
fn tables_that_compute_are_refused() {
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    for (table, instead) in [
        ("file", format!("CREATE VIEW file AS {endless} SELECT i AS id, 'x' || i AS path FROM n")),
        ("arc", format!("CREATE VIEW arc AS {endless} SELECT i AS rowid, 1 AS file_id, 1 AS context_id, i AS fromno, i AS tono FROM n")),
        ("context", "CREATE VIRTUAL TABLE context USING fts5(name)".to_owned()),
        ("line_bits", "CREATE TABLE line_bits (file_id integer, context_id integer, numbits blob AS (zeroblob(500000000)))".to_owned()),
    ] {
        let (kind, message) = refusal(&[table], &instead);
        assert_eq!((kind, message.contains(table)), (ErrorKind::Corrupt, true), "{message}");
    }
}

#[test]
fn a_trigger_never_runs() {
    let dir = Dir::new();
    let trigger = "CREATE TRIGGER t AFTER INSERT ON file BEGIN DELETE FROM line_bits; END;
        INSERT INTO line_bits VALUES (1, 1, x'02')";
    database(&dir.path(".coverage.a"), &[], trigger);
    good(&dir.path(".coverage.b"));
    dir.pulpcov(["combine"]).status(0);
    let rows = format!("{:?}", Rows::by_pulpcov(dir.path(".coverage")));
    assert!(rows.contains("a.py") && rows.contains("good.py"), "{rows}");
}

#[test]
fn numbers_and_lengths_are_bounded() {
    let far = i64::from(MAX_LINE) + 1;
    for rows in [
        format!("INSERT INTO arc VALUES (1, 1, 1, {far})"),
        format!("INSERT INTO arc VALUES (1, 1, {}, 1)", -far),
        format!("INSERT INTO arc VALUES (1, 1, {}, 1)", i64::MIN),
        format!("INSERT INTO line_bits VALUES (1, 1, zeroblob({}))", far / 8 + 2),
    ] {
        assert_eq!(refusal(&[], &rows).0, ErrorKind::TooLarge, "{rows}");
    }
    for rows in [
        "INSERT INTO arc VALUES (1, 1, 'one', 2)",
        "INSERT INTO line_bits VALUES (1, 1, 'text')",
        "INSERT INTO line_bits VALUES (1, 1, NULL)",
        "INSERT INTO file VALUES (2, NULL)",
        "INSERT INTO context VALUES (2, x'ff')",
        "INSERT INTO line_bits VALUES (1, 1, x'02'); INSERT INTO arc VALUES (1, 1, 1, 2)",
    ] {
        assert_eq!(refusal(&[], rows).0, ErrorKind::Corrupt, "{rows}");
    }
}

#[test]
fn a_few_bytes_cannot_fill_the_memory() {
    let line = MAX_LINE;
    let instead = format!(
        "CREATE TABLE line (file_id integer, context_id integer, lineno integer);
         INSERT INTO file WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i, i || '.py' FROM n;
         INSERT INTO line SELECT id, 1, {line} FROM file;
         CREATE TABLE coverage_schema (version integer); INSERT INTO coverage_schema VALUES (2);
         CREATE TABLE meta (has_lines boolean, has_arcs boolean); INSERT INTO meta VALUES (1, 0);"
    );
    assert_eq!(refusal(&["coverage_schema", "meta"], &instead).0, ErrorKind::TooLarge);
}

#[test]
fn a_sparse_file_of_any_size_is_refused_at_once() {
    let dir = Dir::new();
    good(&dir.path(".coverage.good"));
    good(&dir.path(".coverage.huge"));
    let huge = fs::OpenOptions::new().write(true).open(dir.path(".coverage.huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    dir.pulpcov(["combine"]).status(3).stderr("too large to read");
    assert!(dir.path(".coverage.huge").exists());
}

#[test]
fn a_journal_cannot_delete_another_file_nor_change_anothers_rows() {
    let dir = Dir::new();
    let victim = dir.write("victim", "precious");
    good(&dir.path(".coverage.good"));
    good(&dir.path(".coverage.forged"));
    // A journal that ends by naming a super-journal: length, checksum, magic (SQLite file format, section 3).
    let name = victim.to_str().unwrap().as_bytes();
    let sum = name.iter().fold(0u32, |sum, &byte| sum.wrapping_add(u32::from(byte)));
    let magic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let mut journal = magic.to_vec();
    journal.resize(512, 0);
    journal.extend_from_slice(name);
    journal.extend((name.len() as u32).to_be_bytes());
    journal.extend(sum.to_be_bytes());
    journal.extend(magic);
    dir.write(".coverage.forged-journal", &journal);
    dir.pulpcov(["combine"]).status(3).stderr("names a super-journal");
    assert_eq!(fs::read(victim).unwrap(), b"precious");
    assert!(dir.path(".coverage.forged").exists());
}

#[test]
fn a_journal_of_another_user_is_not_believed() {
    if !Uid::effective().is_root() {
        // Only root can make a file of another user's.
        return;
    }
    let dir = Dir::new();
    good(&dir.path(".coverage.good"));
    good(&dir.path(".coverage.mine"));
    let journal = dir.write(".coverage.mine-journal", [1; 600]);
    std::os::unix::fs::chown(&journal, Some(65534), None).unwrap();
    dir.pulpcov(["combine"]).status(3).stderr("belongs to another user");
    assert!(dir.path(".coverage.mine").exists() && journal.exists());
}

#[test]
fn a_stale_journal_beside_the_target_does_not_reach_the_new_result() {
    let dir = Dir::new();
    good(&dir.path(".coverage.good"));
    dir.write(".coverage", "an older result");
    dir.write(".coverage-journal", [1; 600]);
    dir.write(".coverage-wal", [1; 600]);
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(dir.names(), [".coverage"]);
    assert_eq!(
        dir.pulpcov(["debug", "data"]).status(0).stdout.matches("good.py: 2 lines").count(),
        1
    );
}

#[test]
fn pages_that_point_at_each_other_end() {
    let dir = Dir::new();
    let path = dir.path("data");
    let rows = "INSERT INTO arc WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT 1, 1, i, i FROM n";
    database(&path, &[], rows);
    let whole = fs::read(&path).unwrap();
    let page = 4096;
    // Make every child of each interior table page the same first child, or the page itself.
    for to_itself in [false, true] {
        let mut bytes = whole.clone();
        for number in 1..bytes.len() / page {
            let at = number * page;
            if bytes[at] != 5 {
                continue;
            }
            let cells = usize::from(u16::from_be_bytes([bytes[at + 3], bytes[at + 4]]));
            let pointer = |bytes: &[u8], cell: usize| {
                at + usize::from(u16::from_be_bytes([
                    bytes[at + 12 + 2 * cell],
                    bytes[at + 13 + 2 * cell],
                ]))
            };
            let first = pointer(&bytes, 0);
            let child = if to_itself {
                (number as u32 + 1).to_be_bytes()
            } else {
                bytes[first..first + 4].try_into().unwrap()
            };
            for cell in 0..cells {
                let place = pointer(&bytes, cell);
                bytes[place..place + 4].copy_from_slice(&child);
            }
            bytes[at + 8..at + 12].copy_from_slice(&child);
        }
        let start = Instant::now();
        // Either an error or rows; what counts is that it ends, soon.
        let _ = read_bytes(&bytes);
        assert!(start.elapsed() < Duration::from_secs(20), "{to_itself}");
    }
}

#[test]
fn thousands_of_stale_files_do_not_slow_the_rest_down() {
    let dir = Dir::new();
    for number in 0..20_000 {
        fs::write(dir.path(format!("stale.{number}")), "").unwrap();
    }
    good(&dir.path(".coverage.good"));
    let template = fs::read(dir.path(".coverage.good")).unwrap();
    for number in 0..2_000 {
        fs::write(dir.path(format!(".coverage.host.pid{number}.Xabcdefx")), &template).unwrap();
    }
    let start = Instant::now();
    dir.pulpcov(["combine"]).status(0).stderr("Combined 1 file, skipped 2000");
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(dir.path(".coverage").metadata().unwrap().nlink(), 1);
}
