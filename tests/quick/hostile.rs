//! A data folder that everybody can write to.
//!
//! Commands do not trust files that others put there: they follow no links, wait for nothing, print no
//! control characters, and do not become slow.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use nix::sys::stat::Mode;
use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::formats::{DataFile, FileKind, read_bytes};
use pulpcov_core::text::is_printable;
use pulpcov_core::{CoverageData, ErrorKind, MAX_LINE, Numbits};
use rusqlite::Connection;

use crate::support::{Dir, HANGS, Ran, Rows, is_root, neutral, pulpcov, root};

const TARGET: &str = ".coverage";

fn data() -> CoverageData {
    let mut data = CoverageData::new();
    data.add_lines("good.py", "", &Numbits::from_iter([1, 2])).unwrap();
    data
}

/// Writes an intact data file, which must be combined whatever is beside it.
fn good(dir: &Dir) -> PathBuf {
    let path = dir.path(".coverage.good");
    store(&data(), &path, StoreFormat::Sqlite).unwrap();
    path
}

/// Runs the command in the folder. The system ends it if it takes more seconds of processor time than these. Unlike
/// the time that passes, that does not depend on what else the machine does.
#[track_caller]
fn pulpcov_within<'a>(dir: &Dir, seconds: u32, args: impl IntoIterator<Item = &'a str>) -> Ran {
    let mut limited = neutral(Command::new("sh"));
    limited.args(["-c", "ulimit -t \"$0\"; exec \"$@\"", &seconds.to_string()]);
    limited.arg(pulpcov().get_program()).args(args).current_dir(dir.path(""));
    let start = Instant::now();
    let ran = Ran::from(limited.output().unwrap());
    assert!(start.elapsed() < HANGS, "it hangs: {ran:?}");
    ran
}

/// Combines, and returns the messages. Checks that the combine is quick, that the result has the good file's
/// rows, and that each file in `bad` is named and kept.
#[track_caller]
fn only_good_is_combined(dir: &Dir, bad: &[&str]) -> String {
    let ran = pulpcov_within(dir, 10, ["combine"]).status(3);
    assert_eq!(Rows::by_sql(dir.path(TARGET)), Rows::of(&data()));
    for name in bad {
        assert!(dir.path(name).symlink_metadata().is_ok(), "{name} is gone");
        assert!(ran.stderr.contains(&format!("left out: {}: ", name)), "{name} in {}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("left out: ").count(), bad.len(), "{}", ran.stderr);
    ran.stderr
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let (dir, elsewhere) = (Dir::new(), Dir::new());
    // If only its owner could write to the folder, links would be trusted.
    fs::set_permissions(dir.path(""), Permissions::from_mode(0o777)).unwrap();
    good(&dir);
    let private = elsewhere.path("private");
    store(&data(), &private, StoreFormat::Sqlite).unwrap();
    let before = elsewhere.state();
    symlink(&private, dir.path(".coverage.link")).unwrap();
    symlink("/nowhere/at/all", dir.path(".coverage.dangling")).unwrap();
    symlink("/etc/passwd", dir.path(".coverage.passwd")).unwrap();
    symlink(".coverage.loop", dir.path(".coverage.loop")).unwrap();
    symlink(elsewhere.path(""), dir.path(".coverage.linkdir")).unwrap();
    nix::unistd::mkfifo(&dir.path(".coverage.fifo"), Mode::from_bits_truncate(0o666)).unwrap();
    fs::create_dir(dir.path(".coverage.folder")).unwrap();
    let _socket = UnixListener::bind(dir.path(".coverage.socket")).unwrap();
    let mut bad = vec![
        ".coverage.link",
        ".coverage.dangling",
        ".coverage.passwd",
        ".coverage.loop",
        ".coverage.linkdir",
        ".coverage.fifo",
        ".coverage.folder",
        ".coverage.socket",
    ];
    if is_root() {
        let made = Command::new("mknod")
            .arg(dir.path(".coverage.zero"))
            .args(["c", "1", "5"])
            .status()
            .unwrap();
        bad.extend(made.success().then_some(".coverage.zero"));
    }
    let said = only_good_is_combined(&dir, &bad);
    assert_eq!(said.matches("this is a symbolic link, which is not followed").count(), 5, "{said}");
    assert_eq!(elsewhere.state(), before);

    // A link on the command line that leads to a folder stands for that folder. Anything else that is not a
    // regular file is refused.
    for name in
        bad.iter().filter(|name| **name != ".coverage.linkdir" && **name != ".coverage.folder")
    {
        dir.pulpcov(["combine", name]).status(1).stderr(name);
    }
    assert_eq!(elsewhere.state(), before);
}

/// Other users who can write to the folder may have planted the link.
#[test]
fn a_target_that_is_a_link_in_a_folder_of_others_is_not_followed() {
    let (dir, elsewhere) = (Dir::new(), Dir::new());
    store(&data(), elsewhere.path("victim"), StoreFormat::Sqlite).unwrap();
    let before = elsewhere.state();
    fs::set_permissions(dir.path(""), Permissions::from_mode(0o777)).unwrap();
    for link in [elsewhere.path("victim"), elsewhere.path("not there")] {
        good(&dir);
        symlink(&link, dir.path(TARGET)).unwrap();
        dir.pulpcov(["combine", "--append"])
            .status(1)
            .stderr("symbolic link, which is not followed");
        dir.pulpcov(["combine"]).status(0);
        assert!(dir.path(TARGET).symlink_metadata().unwrap().is_file());
        assert_eq!(elsewhere.state(), before);
        fs::remove_file(dir.path(TARGET)).unwrap();
    }
}

#[test]
fn a_target_that_is_no_file_is_replaced_and_a_folder_is_refused() {
    let dir = Dir::new();
    for kind in ["fifo", "folder"] {
        good(&dir);
        match kind {
            "fifo" => {
                nix::unistd::mkfifo(&dir.path(TARGET), Mode::from_bits_truncate(0o666)).unwrap()
            }
            _ => fs::create_dir(dir.path(TARGET)).unwrap(),
        }
        let ran = dir.pulpcov(["combine"]);
        if kind == "folder" {
            ran.status(1)
                .stderr("error: .coverage: the result cannot be written: this is a folder");
            assert!(dir.path(".coverage.good").exists());
        } else {
            ran.status(0);
            fs::remove_file(dir.path(TARGET)).unwrap();
        }
    }
}

#[test]
fn a_result_gets_no_special_bits_from_what_it_replaces() {
    let dir = Dir::new();
    good(&dir);
    let target = dir.write(TARGET, "old");
    fs::set_permissions(&target, Permissions::from_mode(0o6775)).unwrap();
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(target.metadata().unwrap().mode() & 0o7777, 0o775);
}

#[test]
fn a_forged_mark_of_an_unfinished_combine_is_not_believed() {
    let dir = Dir::new();
    let mut old = CoverageData::new();
    old.add_lines("old.py", "", &Numbits::from_iter([1])).unwrap();
    let target = dir.path(TARGET);
    store(&old, &target, StoreFormat::Sqlite).unwrap();
    let state = target.metadata().unwrap();
    let text =
        format!("{} {} {}.{:09}\n", state.ino(), state.size(), state.mtime(), state.mtime_nsec());
    good(&dir);
    // A mark that records another state of the target.
    dir.write(".pulpcov-aaaaaa.mark", format!("1{text}"));
    dir.write(".pulpcov-bbbbbb.mark", "\0".repeat(10_000));
    symlink(&target, dir.path(".pulpcov-cccccc.mark")).unwrap();
    nix::unistd::mkfifo(&dir.path(".pulpcov-dddddd.mark"), Mode::from_bits_truncate(0o666))
        .unwrap();
    if is_root() {
        // A mark of another user.
        let forged = dir.write(".pulpcov-eeeeee.mark", &text);
        std::os::unix::fs::chown(forged, Some(65534), Some(65534)).unwrap();
    }
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(Rows::by_sql(&target), Rows::of(&data()));
    assert_eq!(dir.names(), [TARGET]);

    // This is the effect of a genuine mark.
    good(&dir);
    store(&old, &target, StoreFormat::Sqlite).unwrap();
    let state = target.metadata().unwrap();
    let text =
        format!("{} {} {}.{:09}\n", state.ino(), state.size(), state.mtime(), state.mtime_nsec());
    dir.write(".pulpcov-aaaaaa.mark", &text);
    dir.pulpcov(["combine"]).status(0).stderr("An earlier combine was stopped");
    assert_eq!(Rows::by_sql(&target), Rows::of(&data()).union(Rows::of(&old)));
    assert_eq!(dir.names(), [TARGET]);
}

const EVIL: &[&str] = &[
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[31m",
    "\nerror: forged",
    "\rcombined",
    "\u{202e}txt.exe",
    "\u{9b}31m",
    "\u{200b}zero",
    "\u{2028}line",
    "\u{7f}\u{8}",
];

/// Checks that the command prints nothing that a terminal would interpret. Returns its output.
#[track_caller]
fn prints_harmlessly(dir: &Dir, args: &[&OsStr]) -> String {
    let output =
        pulpcov().args(args).current_dir(dir.path("")).env_remove("NO_COLOR").output().unwrap();
    let bytes = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(bytes).unwrap();
    let odd = text.chars().find(|&c| !is_printable(c) && c != '\n');
    assert_eq!(odd, None, "{args:?}: {text:?}");
    assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{args:?}: {text}");
    text
}

fn os(text: &str) -> &OsStr {
    OsStr::new(text)
}

#[test]
fn names_cannot_control_the_terminal() {
    let dir = Dir::new();
    let mut names: Vec<Vec<u8>> =
        EVIL.iter().map(|evil| format!(".coverage.{evil}").into_bytes()).collect();
    names.push(b".coverage.\xff\xfe\x1b[1m".to_vec());
    let fill = || {
        for (number, name) in names.iter().enumerate() {
            let path = dir.path(OsStr::from_bytes(name));
            match number % 3 {
                0 => fs::write(&path, "garbage").unwrap(),
                1 => fs::write(&path, [b"SQLite format 3\0".as_slice(), &[7; 4000]].concat())
                    .unwrap(),
                _ => store(&data(), &path, StoreFormat::Sqlite).unwrap(),
            }
            let folder = dir.path(OsStr::from_bytes(&[b"folder".as_slice(), &name[9..]].concat()));
            fs::create_dir_all(folder).unwrap();
        }
        good(&dir);
    };
    fill();
    prints_harmlessly(&dir, &[os("debug"), os("data")]);
    prints_harmlessly(&dir, &[os("combine"), os("--debug=combine,pathmap")]);
    fill();
    for name in &names {
        let name = OsStr::from_bytes(name);
        prints_harmlessly(&dir, &[os("combine"), os("--keep"), os("--debug=combine"), name]);
        prints_harmlessly(&dir, &[os("convert"), os("--to=json"), name, os("out")]);
        prints_harmlessly(&dir, &[os("merge"), name]);
        prints_harmlessly(&dir, &[os("convert"), os("--to=json"), os(".coverage.good"), name]);
        prints_harmlessly(&dir, &[os("debug"), os("data"), name]);
        prints_harmlessly(
            &dir,
            &[os("combine"), os("--keep"), os("--data-file"), name, os(".coverage.good")],
        );
        let folder = [b"folder".as_slice(), &name.as_bytes()[9..]].concat();
        prints_harmlessly(&dir, &[os("combine"), OsStr::from_bytes(&folder)]);
        prints_harmlessly(&dir, &[os("erase"), os("--data-file"), OsStr::from_bytes(&folder)]);
        let missing = [b"missing".as_slice(), &name.as_bytes()[9..]].concat();
        prints_harmlessly(&dir, &[os("combine"), OsStr::from_bytes(&missing)]);
    }
}

#[test]
fn what_is_in_a_data_file_cannot_control_the_terminal() {
    let dir = Dir::new();
    let (mut lines, mut arcs, mut other) =
        (CoverageData::new(), CoverageData::new(), CoverageData::new());
    for evil in EVIL {
        lines.add_lines(*evil, evil, &Numbits::from_iter([1])).unwrap();
        lines.set_file_tracer(*evil, evil).unwrap();
        arcs.add_arcs(*evil, evil, [(1, 2)]).unwrap();
        other.add_lines(*evil, "", &Numbits::from_iter([1])).unwrap();
        other.set_file_tracer(*evil, &format!("other{evil}")).unwrap();
    }
    for (name, data) in [("1", &lines), ("2", &arcs), ("3", &other)] {
        store(data, dir.path(format!(".coverage.{name}")), StoreFormat::Sqlite).unwrap();
    }
    let all: [&[&str]; 8] = [
        &["debug", "data"],
        &["combine", "--keep", "--debug=pathmap", ".coverage.1"],
        &["combine", "--keep", ".coverage.1", ".coverage.2"],
        &["combine", "--keep", ".coverage.1", ".coverage.3"],
        &["combine", "--keep", "--mixed=lines"],
        &["convert", "--to=json", ".coverage.1", "out.json"],
        &["convert", "--to=json", "--drop-contexts", ".coverage.1", "out.json"],
        &["debug", "data", "out.json"],
    ];
    for args in all {
        prints_harmlessly(&dir, &args.iter().map(|arg| os(arg)).collect::<Vec<_>>());
    }
    for evil in EVIL {
        let name = evil.replace('\n', " ");
        dir.write("1.info", format!("SF:{name}\nDA:1,1\nend_of_record\n"));
        dir.write("2.info", format!("SF:{name}\nDA:2,1\nend_of_record\n"));
        dir.write("3.info", format!("SF:{name}\nX{name}\n"));
        dir.write("4.info", format!("SF:a\nDA:{name}\n"));
        let args = ["merge", "1.info", "2.info", "3.info", "4.info", "-o", "out.info"];
        prints_harmlessly(&dir, &args.map(os));
    }
    for (number, evil) in EVIL.iter().enumerate() {
        let path = dir.path(format!(".coverage.schema{number}"));
        let db = Connection::open(&path).unwrap();
        db.execute_batch("create table coverage_schema (version)").unwrap();
        db.execute("insert into coverage_schema values (?1)", [evil]).unwrap();
        db.execute_batch(&format!("create view \"{evil}\" as select 1")).unwrap();
        dir.write(format!(".coverage.json{number}"), format!("!coverage.py: This is a private format, don't read it directly!{{\"lines\":{{\"a{evil}\":\"{evil}\"}}}}"));
    }
    prints_harmlessly(&dir, &[os("combine"), os("--mixed=lines")]);
    // Now the same texts in the configuration.
    for evil in EVIL {
        let evil = evil.replace('\n', "\n ");
        dir.write(".coveragerc", format!("[run]\nx{evil} = {evil}\ndata_file = {evil}\n[paths]\na{evil} =\n  {evil}\n  [{evil}\n"));
        prints_harmlessly(&dir, &[os("combine")]);
        prints_harmlessly(&dir, &[os("debug"), os("config")]);
        prints_harmlessly(&dir, &[os("combine"), os(&format!("--rcfile={evil}"))]);
    }
}

/// Creates a data file of schema 7, and changes its tables with SQL.
fn database(dir: &Dir, name: &str, change: &str) -> PathBuf {
    let path = dir.path(name);
    store(&data(), &path, StoreFormat::Sqlite).unwrap();
    let db = Connection::open(&path).unwrap();
    let change = format!("pragma foreign_keys = off; {change}");
    db.execute_batch(&change).unwrap_or_else(|err| panic!("{change}: {err}"));
    db.close().unwrap();
    path
}

#[test]
fn tables_that_compute_are_refused() {
    let dir = Dir::new();
    good(&dir);
    let recursive = "with recursive n(i) as (select 1 union all select i + 1 from n) select i as id, 'x' || i as path from n";
    let mut bad = Vec::new();
    let mut add = |what: &str, change: &str| {
        database(&dir, &format!(".coverage.{what}"), change);
        bad.push(format!(".coverage.{what}"));
    };
    add("view", "drop table tracer; create view tracer as select 1 as file_id, 'x' as tracer");
    add("recursive", &format!("drop table file; create view file as {recursive}"));
    add(
        "schema-view",
        "drop table coverage_schema; create view coverage_schema as select 7 as version",
    );
    add(
        "upper-view",
        "drop table tracer; create view TRACER as select 1 as file_id, 'x' as tracer",
    );
    add(
        "generated",
        "drop table tracer; create table tracer (file_id integer primary key, tracer text as (hex(zeroblob(1000000))))",
    );
    add(
        "stored",
        "drop table tracer; create table tracer (file_id integer primary key, tracer text generated/**/always/**/as/**/('x') stored)",
    );
    add("fts", "drop table file; create virtual table file using fts5(id, path)");
    add(
        "rtree",
        "drop table arc; create virtual table arc using rtree(file_id, context_id, fromno)",
    );
    add("missing", "drop table arc");
    let pages = "pragma writable_schema = on; update sqlite_master set rootpage = 2 where name = 'file'; pragma writable_schema = reset";
    add(
        "fts-with-pages",
        &format!("drop table file; create virtual table file using fts5(id, path); {pages}"),
    );
    add(
        "lower-case",
        "pragma writable_schema = on; update sqlite_master set sql = 'create view file as select 1' where name = 'file'",
    );
    add(
        "other-name",
        "pragma writable_schema = on; update sqlite_master set sql = 'CREATE TABLE other (id, path)' where name = 'file'",
    );
    let names: Vec<&str> = bad.iter().map(String::as_str).collect();
    let said = only_good_is_combined(&dir, &names);
    for refused in [
        "view",
        "recursive",
        "schema-view",
        "generated",
        "stored",
        "fts",
        "rtree",
        "fts-with-pages",
    ] {
        let line =
            said.lines().find(|line| line.contains(&format!(".coverage.{refused}: "))).unwrap();
        assert!(line.contains("not an ordinary table"), "{line}");
    }
}

#[test]
fn triggers_and_additional_objects_do_nothing() {
    let dir = Dir::new();
    database(&dir, ".coverage.t", "create trigger file after insert on line_bits begin delete from line_bits; end;
        create table more (x); create view v as select * from more, file; create index i on file (hex(path))");
    let ran = dir.pulpcov(["combine"]);
    assert!(ran.status == 0, "{ran:?}");
    assert_eq!(Rows::by_sql(dir.path(TARGET)), Rows::of(&data()));
}

#[test]
fn numbers_and_sizes_are_bounded() {
    let dir = Dir::new();
    good(&dir);
    let mut bad = Vec::new();
    let mut add = |what: &str, change: &str| {
        database(&dir, &format!(".coverage.{what}"), change);
        bad.push(format!(".coverage.{what}"));
    };
    let arc =
        |from: i64| format!("delete from line_bits; insert into arc values (1, 1, {from}, 1)");
    add("huge-arc", &arc(i64::MAX));
    add("huge-negative-arc", &arc(i64::MIN));
    add("large-arc", &arc(i64::from(MAX_LINE) + 1));
    add("text-arc", "delete from line_bits; insert into arc values (1, 1, 'one', 1)");
    add("float-arc", "delete from line_bits; insert into arc values (1, 1, 1.5, 1)");
    add("null-arc", "delete from line_bits; insert into arc values (1, 1, null, 1)");
    add("blob", &format!("update line_bits set numbits = zeroblob({})", MAX_LINE / 8 + 2));
    add("huge-blob", "update line_bits set numbits = zeroblob(20000000)");
    add("text-blob", "update line_bits set numbits = 'text'");
    add("huge-path", "update file set path = hex(zeroblob(20000000))");
    add("null-path", "update file set path = null");
    add("blob-path", "update file set path = x'00'");
    add("huge-context", "update context set context = hex(zeroblob(20000000))");
    add("schema-8", "update coverage_schema set version = 8");
    add("no-schema", "delete from coverage_schema");
    for (what, lines) in [
        ("huge", "[99999999999]".to_owned()),
        ("huger", "[9999999999999999999999999]".to_owned()),
        ("negative", "[-1]".to_owned()),
        ("float", "[1e300]".to_owned()),
        ("nested", "[".repeat(100_000)),
        ("object", "{}".to_owned()),
    ] {
        let name = format!(".coverage.json-{what}");
        dir.write(&name, format!("!coverage.py: This is a private format, don't read it directly!{{\"lines\":{{\"a.py\":{lines}}}}}"));
        bad.push(name);
    }
    // Each entry has a few bytes in the file, and would take half a megabyte in memory.
    let mut sparse =
        String::from("!coverage.py: This is a private format, don't read it directly!{\"lines\":{");
    (0..30_000).for_each(|n| write!(sparse, "\"{n}\":[{MAX_LINE}],").unwrap());
    dir.write(".coverage.json-sparse", format!("{}}}}}", sparse.trim_end_matches(',')));
    bad.push(".coverage.json-sparse".to_owned());
    let rows = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)";
    let path = dir.path(".coverage.sparse-rows");
    Connection::open(&path).unwrap().execute_batch(&format!(
        "create table coverage_schema (version integer); insert into coverage_schema values (2);
        create table meta (has_lines boolean, has_arcs boolean); insert into meta values (1, 0);
        create table file (id integer primary key, path text);
        create table context (id integer primary key, context text); insert into context values (1, '');
        create table line (file_id, context_id, lineno); create table arc (file_id, context_id, fromno, tono);
        create table tracer (file_id integer primary key, tracer text);
        {rows} insert into file select i, i from n; {rows} insert into line select i, 1, {MAX_LINE} from n"
    )).unwrap();
    bad.push(".coverage.sparse-rows".to_owned());
    let names: Vec<&str> = bad.iter().map(String::as_str).collect();
    only_good_is_combined(&dir, &names);
}

#[test]
fn a_hundred_thousand_contexts_are_no_trouble() {
    let dir = Dir::new();
    let rows = "with recursive n(i) as (select 2 union all select i + 1 from n where i < 100000)";
    database(
        &dir,
        ".coverage.1",
        &format!(
            "{rows} insert into context select i, 'test ' || i from n; {rows} insert into line_bits select 1, i, x'02' from n"
        ),
    );
    pulpcov_within(&dir, 20, ["combine"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(TARGET)).lines.len(), 100_000);
}

const PAGE: usize = 4096;

/// The pages of a database.
struct Pages(Vec<u8>);

impl Pages {
    fn of(sql: &str) -> Self {
        let dir = Dir::new();
        let path = dir.path("db");
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&format!("pragma page_size = {PAGE}; {sql}")).unwrap();
        db.close().unwrap();
        Self(fs::read(path).unwrap())
    }

    fn count(&self) -> u32 {
        u32::try_from(self.0.len() / PAGE).unwrap()
    }

    /// Returns a page. Pages are numbered from 1.
    fn page(&mut self, number: u32) -> &mut [u8] {
        let end = number as usize * PAGE;
        &mut self.0[end - PAGE..end]
    }

    fn add(&mut self, page: &[u8]) -> u32 {
        self.0.extend(page);
        let count = self.count();
        self.0[28..32].copy_from_slice(&count.to_be_bytes());
        count
    }

    fn root_of(&self, table: &str) -> u32 {
        let mut db = Connection::open_in_memory().unwrap();
        db.deserialize_read_exact("main", self.0.as_slice(), self.0.len(), true).unwrap();
        db.query_row("select rootpage from sqlite_master where name = ?1", [table], |row| {
            row.get(0)
        })
        .unwrap()
    }

    /// Puts `levels` of pages above the table's rows. All pointers of a page lead to the same page of the
    /// next level.
    fn add_fan_out(&mut self, table: &str, levels: u32) {
        let root = self.root_of(table);
        let leaf = self.page(root).to_vec();
        let mut child = self.add(&leaf);
        for _ in 1..levels {
            child = self.add(&interior(400, child));
        }
        self.page(root).copy_from_slice(&interior(400, child));
    }
}

/// Returns an interior page of a table, all of whose children are the same page (SQLite file format, section
/// 1.6).
fn interior(cells: u16, child: u32) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let start = PAGE - usize::from(cells) * 5;
    page[0] = 5;
    page[3..5].copy_from_slice(&cells.to_be_bytes());
    page[5..7].copy_from_slice(&u16::try_from(start).unwrap().to_be_bytes());
    page[8..12].copy_from_slice(&child.to_be_bytes());
    for cell in 0..usize::from(cells) {
        let at = start + cell * 5;
        page[12 + cell * 2..14 + cell * 2]
            .copy_from_slice(&u16::try_from(at).unwrap().to_be_bytes());
        page[at..at + 4].copy_from_slice(&child.to_be_bytes());
        page[at + 4] = 1;
    }
    page
}

const SCHEMA_7: &str = "create table coverage_schema (version integer); insert into coverage_schema values (7);
    create table meta (key, value); insert into meta values ('has_arcs', '0');
    create table file (id integer primary key, path text); insert into file values (1, 'a.py');
    create table context (id integer primary key, context text); insert into context values (1, '');
    create table line_bits (file_id, context_id, numbits); insert into line_bits values (1, 1, x'06');
    create table arc (file_id, context_id, fromno, tono); insert into arc values (1, 1, 1, 2);
    create table tracer (file_id integer primary key, tracer text); insert into tracer values (1, 'x');";

const SCHEMA_1: &str =
    "create table coverage_schema (version integer); insert into coverage_schema values (1);
    create table meta (has_lines boolean, has_arcs boolean); insert into meta values (0, 0);
    create table file (id integer primary key, path text); insert into file values (1, 'a.py');
    create table line (file_id, lineno); insert into line values (1, 1);
    create table arc (file_id, fromno, tono); insert into arc values (1, 1, 2);
    create table tracer (file_id integer primary key, tracer text);";

/// Checks that the bytes are refused. To read what they claim to have would take for ever.
#[track_caller]
fn refused(what: &str, bytes: &[u8]) {
    let start = Instant::now();
    let Err(err) = read_bytes(bytes) else { panic!("{what}: not refused") };
    assert!(matches!(err.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge), "{what}: {err}");
    assert!(start.elapsed() < HANGS, "{what}: {:?}", start.elapsed());
    assert_eq!(FileKind::of(bytes), FileKind::Sqlite);
}

#[test]
fn pages_that_point_at_each_other_end() {
    for table in ["file", "context", "arc", "line_bits", "meta", "tracer"] {
        // More rows than could be read in a lifetime, in ten pages.
        let mut pages = Pages::of(SCHEMA_7);
        pages.add_fan_out(table, 10);
        refused(&format!("fan-out of {table}"), &pages.0);
        let mut cycle = Pages::of(SCHEMA_7);
        let root = cycle.root_of(table);
        cycle.page(root).copy_from_slice(&interior(400, root));
        refused(&format!("cycle of {table}"), &cycle.0);
        let mut pair = Pages::of(SCHEMA_7);
        let root = pair.root_of(table);
        let other = pair.add(&interior(3, root));
        pair.page(root).copy_from_slice(&interior(3, other));
        refused(&format!("two pages of {table}"), &pair.0);
    }
    for table in ["file", "meta", "line", "arc"] {
        let mut pages = Pages::of(SCHEMA_1);
        pages.add_fan_out(table, 10);
        refused(&format!("fan-out of {table} of schema 1"), &pages.0);
    }
}

#[test]
fn rows_that_share_their_bytes_do_not_fill_the_memory() {
    let large = |table: &str, column: &str, value: &str| {
        let mut pages = Pages::of(&format!(
            "{SCHEMA_7} delete from arc; update {table} set {column} = {value}"
        ));
        pages.add_fan_out(table, 3);
        refused(&format!("{table}.{column}"), &pages.0);
    };
    large("line_bits", "numbits", "cast(replace(hex(zeroblob(200000)), '0', 'x') as blob)");
    large("context", "context", "hex(zeroblob(200000))");
    large("file", "path", "hex(zeroblob(200000))");
    large("meta", "value", "hex(zeroblob(200000))");
    large("meta", "key", "hex(zeroblob(200000))");
}

#[test]
fn headers_that_lie_are_survived() {
    let good = Pages::of(SCHEMA_7.replace("insert into arc values (1, 1, 1, 2);", "").as_str());
    assert!(read_bytes(&good.0).is_ok());
    for (at, bytes) in [
        (16, vec![0, 0]),
        (16, vec![0, 1]),
        (16, vec![2, 0]),
        (16, vec![255, 255]),
        (18, vec![9, 9]),
        (20, vec![255]),
        (28, vec![255; 4]),
        (28, vec![0; 4]),
        (28, vec![0, 0, 0, 1]),
        (32, vec![0, 0, 0, 3, 0, 0, 255, 255]),
        (44, vec![255; 4]),
        (56, vec![0, 0, 0, 9]),
        (100, vec![2]),
        (103, vec![255, 255]),
        (105, vec![0, 0]),
        (108, vec![255; 8]),
    ] {
        let mut pages = good.0.clone();
        pages[at..at + bytes.len()].copy_from_slice(&bytes);
        let start = Instant::now();
        let result = read_bytes(&pages);
        assert!(start.elapsed() < HANGS, "{at} {bytes:?}: {:?}", start.elapsed());
        // Some of the fields have no effect.
        assert!(result.is_err() || [16, 18, 20, 28, 32, 56, 105].contains(&at), "{at} {bytes:?}");
    }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(root().join("tests/fixtures/data/odd").join(name)).unwrap()
}

/// Returns the end of a journal that names a super-journal (SQLite file format, section 3; `pager.c`,
/// `writeSuperJournal`).
fn super_journal(name: &Path) -> Vec<u8> {
    let name = name.as_os_str().as_bytes();
    let sum: u32 = name.iter().map(|&byte| u32::from(byte)).sum();
    let mut end = (0x4000_0000_u32 / 4096 + 1).to_be_bytes().to_vec();
    end.extend(name);
    end.extend(u32::try_from(name.len()).unwrap().to_be_bytes());
    end.extend(sum.to_be_bytes());
    end.extend([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    end
}

#[test]
fn a_journal_deletes_no_file_that_it_names() {
    let (dir, elsewhere) = (Dir::new(), Dir::new());
    good(&dir);
    // Current versions of SQLite delete a file of such a name only if it names the journal. Older ones delete
    // any.
    let precious = dir.path(".coverage.j-journal").as_os_str().as_bytes().to_vec();
    let victim = elsewhere.write("victim-mjABCDEF9AB", &precious);
    dir.write(".coverage.j", fixture("journal-hot.sqlite"));
    let journal = [fixture("journal-hot.sqlite-journal"), super_journal(&victim)].concat();
    dir.write(".coverage.j-journal", &journal);
    let said = only_good_is_combined(&dir, &[".coverage.j"]);
    assert!(said.contains("super-journal"), "{said}");
    assert_eq!(fs::read(&victim).unwrap(), precious);
    assert_eq!(fs::read(dir.path(".coverage.j-journal")).unwrap(), journal);

    // SQLite itself deletes the file, so the test proves something.
    let db = Connection::open(dir.path(".coverage.j")).unwrap();
    db.query_row("select count(*) from file", [], |_| Ok(())).unwrap();
    assert!(!victim.exists());
}

#[test]
fn companions_of_others_are_not_believed() {
    let dir = Dir::new();
    good(&dir);
    dir.write(".coverage.link", fixture("wal-unread.sqlite"));
    symlink("/etc/passwd", dir.path(".coverage.link-wal")).unwrap();
    dir.write(".coverage.fifo", fixture("wal-unread.sqlite"));
    nix::unistd::mkfifo(&dir.path(".coverage.fifo-wal"), Mode::from_bits_truncate(0o666)).unwrap();
    dir.write(".coverage.jfifo", fixture("journal-hot.sqlite"));
    nix::unistd::mkfifo(&dir.path(".coverage.jfifo-journal"), Mode::from_bits_truncate(0o666))
        .unwrap();
    dir.write(".coverage.folder", fixture("journal-hot.sqlite"));
    fs::create_dir(dir.path(".coverage.folder-journal")).unwrap();
    let mut bad = vec![".coverage.link", ".coverage.fifo", ".coverage.jfifo", ".coverage.folder"];
    if is_root() {
        for (name, companion) in [("journal-hot.sqlite", "-journal"), ("wal-unread.sqlite", "-wal")]
        {
            dir.write(format!(".coverage.other{companion}.x"), fixture(name));
            let theirs = dir.write(
                format!(".coverage.other{companion}.x{companion}"),
                fixture(&format!("{name}{companion}")),
            );
            std::os::unix::fs::chown(theirs, Some(65534), Some(65534)).unwrap();
        }
        bad.extend([".coverage.other-journal.x", ".coverage.other-wal.x"]);
    }
    let before = dir.state();
    let ran = pulpcov_within(&dir, 10, ["combine"]).status(3);
    for name in bad {
        assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
    }
    assert_eq!(Rows::by_sql(dir.path(TARGET)), Rows::of(&data()));
    let mut after = dir.state();
    after.remove(TARGET);
    let mut kept = before;
    kept.remove(".coverage.good");
    assert_eq!(after, kept);
}

#[test]
fn companions_of_the_old_target_do_not_change_the_new_one() {
    for (name, companion) in [("journal-hot.sqlite", "-journal"), ("wal-unread.sqlite", "-wal")] {
        let dir = Dir::new();
        good(&dir);
        dir.write(TARGET, fixture(name));
        dir.write(format!("{TARGET}{companion}"), fixture(&format!("{name}{companion}")));
        dir.pulpcov(["combine", "--append"]).status(1).stderr("cannot be appended to");
        assert!(dir.path(".coverage.good").exists());
        dir.pulpcov(["combine"]).status(0);
        assert_eq!(Rows::by_sql(dir.path(TARGET)), Rows::of(&data()));
        assert_eq!(dir.names(), [TARGET]);
        // Now the companion of a target that does not exist.
        good(&dir);
        fs::remove_file(dir.path(TARGET)).unwrap();
        dir.write(format!("{TARGET}{companion}"), fixture(&format!("{name}{companion}")));
        dir.pulpcov(["combine"]).status(0);
        assert_eq!(Rows::by_sql(dir.path(TARGET)), Rows::of(&data()));
        assert_eq!(dir.names(), [TARGET]);
    }
}

fn small_file(number: usize) -> String {
    format!(
        "!coverage.py: This is a private format, don't read it directly!{{\"lines\":{{\"f{number}.py\":[1,{}]}}}}",
        number % 1000 + 2
    )
}

#[test]
fn stale_files_do_not_slow_the_rest_down() {
    let dir = Dir::new();
    let folder = dir.path("");
    for number in 0..68_000 {
        fs::File::create(folder.join(format!(".coverage.stale.pid{number}.Xabcdefx"))).unwrap();
    }
    let named: Vec<String> = (0..50).map(|number| format!("shard-{number}")).collect();
    named.iter().enumerate().for_each(|(number, name)| drop(dir.write(name, small_file(number))));
    pulpcov_within(&dir, 5, ["combine"].into_iter().chain(named.iter().map(String::as_str)))
        .status(0);
    assert_eq!(Rows::by_sql(dir.path(TARGET)).files.len(), 50);
}

#[test]
fn twenty_thousand_files_are_combined() {
    let dir = Dir::new();
    let folder = dir.path("");
    for number in 0..20_000 {
        fs::write(folder.join(format!(".coverage.host.{number}.1")), small_file(number)).unwrap();
    }
    pulpcov_within(&dir, 60, ["combine"]).status(0).stderr("Combined 20000 files");
    assert_eq!(Rows::by_sql(dir.path(TARGET)).files.len(), 20_000);
    assert_eq!(dir.names(), [TARGET]);
}

#[test]
fn an_open_data_file_is_the_one_that_was_checked() {
    // Later, the name leads elsewhere.
    let dir = Dir::new();
    let path = good(&dir);
    let file = DataFile::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    symlink("/etc/passwd", &path).unwrap();
    assert_eq!(Rows::of(&file.read().unwrap().data), Rows::of(&data()));
}

#[test]
fn a_sparse_file_of_any_size_is_refused_at_once() {
    let dir = Dir::new();
    let huge = good(&dir).with_file_name(".coverage.huge");
    fs::copy(good(&dir), &huge).unwrap();
    fs::OpenOptions::new().write(true).open(&huge).unwrap().set_len(1 << 40).unwrap();
    dir.pulpcov(["combine"]).status(3).stderr("too large to read");
    assert!(huge.exists());
}
