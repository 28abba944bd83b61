//! Each command and option, with its exit code and its messages.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::formats::sqlite;
use pulpcov_core::{CoverageData, Numbits};

use crate::support::{Dir, Ran, Rows, pulpcov};

/// Writes a data file of lines. A row has a path, a context, and line numbers.
fn put_lines(dir: &Dir, name: &str, rows: &[(&str, &str, &[i32])]) {
    let mut data = CoverageData::new();
    for (path, context, lines) in rows {
        data.add_lines(*path, context, &lines.iter().copied().collect::<Numbits>()).unwrap();
    }
    sqlite::write(&data, dir.write(name, "")).unwrap();
}

fn put_arcs(dir: &Dir, name: &str, path: &str, context: &str, arcs: &[(i32, i32)]) {
    let mut data = CoverageData::new();
    data.add_arcs(path, context, arcs.iter().copied()).unwrap();
    sqlite::write(&data, dir.write(name, "")).unwrap();
}

/// Creates a folder with two data files of one program.
fn two_inputs() -> Dir {
    let dir = Dir::new();
    put_lines(&dir, ".coverage.web.pid1.Xabcdefx", &[("/srv/app.py", "", &[1, 2])]);
    put_lines(
        &dir,
        ".coverage.worker.pid2.Xghijklx",
        &[("/srv/app.py", "", &[1, 9]), ("/srv/b.py", "nightly", &[4])],
    );
    dir
}

/// Returns the lines of `/srv/app.py` in all contexts.
fn lines_of(dir: &Dir, data_file: &str) -> Vec<i32> {
    let rows = Rows::by_sql(dir.path(data_file));
    let mut lines: Vec<i32> = rows
        .lines
        .into_iter()
        .filter(|row| row.0.0 == "/srv/app.py")
        .flat_map(|row| row.1)
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

#[test]
fn combine_replaces_the_inputs_by_one_file() {
    let dir = two_inputs();
    put_lines(&dir, ".coverage", &[("/srv/app.py", "", &[100])]);
    let ran = dir.pulpcov(["combine"]).status(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "Combined 2 files\n"));
    assert_eq!(dir.names(), [".coverage"]);
    assert_eq!(lines_of(&dir, ".coverage"), [1, 2, 9]);
}

#[test]
fn append_adds_to_what_is_there() {
    for option in ["-a", "--append"] {
        let dir = two_inputs();
        put_lines(&dir, ".coverage", &[("/srv/app.py", "old", &[100])]);
        dir.pulpcov(["combine", option]).status(0).stderr("Combined 2 files\n");
        assert_eq!(lines_of(&dir, ".coverage"), [1, 2, 9, 100]);
    }
    let nothing_there = two_inputs();
    nothing_there.pulpcov(["combine", "-a"]).status(0);
    assert_eq!(lines_of(&nothing_there, ".coverage"), [1, 2, 9]);
}

/// A data file that cannot be read is neither appended to nor replaced.
#[test]
fn append_to_a_stranger_is_refused() {
    let dir = two_inputs();
    dir.write(".coverage", "my notes");
    let before = dir.state();
    dir.pulpcov(["combine", "--append"])
        .status(1)
        .stderr("error: ")
        .stderr("this is not in any format");
    assert_eq!(dir.state(), before);
}

#[test]
fn keep_keeps_the_inputs() {
    let dir = two_inputs();
    let before = dir.state();
    dir.pulpcov(["combine", "--keep"]).status(0);
    let mut after = dir.state();
    assert!(after.remove(".coverage").is_some());
    assert_eq!(after, before);
    // So they can be combined again.
    dir.pulpcov(["combine"]).status(0);
    assert_eq!(dir.names(), [".coverage"]);
}

#[test]
fn quiet_says_nothing_but_what_is_wrong() {
    for option in ["-q", "--quiet"] {
        let dir = two_inputs();
        assert_eq!(dir.pulpcov(["combine", option]).status(0).stderr, "");
        let dir = two_inputs();
        dir.write(".coverage.x", "no data file");
        let ran = dir
            .pulpcov(["combine", option])
            .status(3)
            .stderr("warning: left out: .coverage.x: this is");
        assert_eq!(ran.stderr.lines().count(), 1);
    }
}

#[test]
fn what_was_left_out_shows_in_the_exit_status() {
    let broken = || {
        let dir = two_inputs();
        dir.write(".coverage.x", "no data file");
        dir
    };
    let dir = broken();
    dir.pulpcov(["combine"]).status(3).stderr("Combined 2 files, 1 file errored\n");
    assert_eq!(dir.names(), [".coverage", ".coverage.x"]);
    for option in ["-i", "--ignore-errors"] {
        let dir = broken();
        dir.pulpcov(["combine", option]).status(0).stderr("warning: left out: .coverage.x: ");
        assert_eq!(dir.names(), [".coverage", ".coverage.x"]);
    }
}

#[test]
fn duplicates_are_counted_and_used_up() {
    let dir = two_inputs();
    fs::copy(dir.path(".coverage.web.pid1.Xabcdefx"), dir.path(".coverage.copy")).unwrap();
    dir.pulpcov(["combine"]).status(0).stderr("Combined 2 files, skipped 1\n");
    assert_eq!(dir.names(), [".coverage"]);
}

/// The hash in a name is only a hint: files with the same hash may hold different rows.
#[test]
fn a_hash_in_a_name_is_not_trusted() {
    let dir = Dir::new();
    put_lines(&dir, ".coverage.a.pid1.Xabcdefx.H0123456789h", &[("/srv/app.py", "", &[1])]);
    put_lines(&dir, ".coverage.b.pid2.Xabcdefx.H0123456789h", &[("/srv/app.py", "", &[2])]);
    dir.pulpcov(["combine"]).status(0).stderr("Combined 2 files\n");
    assert_eq!(lines_of(&dir, ".coverage"), [1, 2]);
}

#[test]
fn the_data_files_name_is_the_base_of_the_inputs_names() {
    let dir = Dir::new();
    put_lines(&dir, "data.web-1.example.org.4711.031337", &[("/srv/app.py", "", &[1])]);
    put_lines(&dir, "data.web-2.pid7.Xabcdefx", &[("/srv/app.py", "", &[2])]);
    put_lines(&dir, ".coverage.web-3.pid7.Xabcdefx", &[("/srv/app.py", "", &[3])]);
    dir.pulpcov(["combine", "--data-file", "data"]).status(0).stderr("Combined 2 files\n");
    assert_eq!(dir.names(), [".coverage.web-3.pid7.Xabcdefx", "data"]);
    assert_eq!(lines_of(&dir, "data"), [1, 2]);
}

#[test]
fn option_variable_and_setting_name_the_data_file_in_this_order() {
    let dir = Dir::new();
    dir.write(".coveragerc", "[run]\ndata_file = by-setting\n");
    for name in ["by-setting", "by-variable", "by-option"] {
        put_lines(&dir, &format!("{name}.1"), &[("/srv/app.py", "", &[1])]);
    }
    let run = |args: &[&str], variable: Option<&str>| {
        let mut command = pulpcov();
        command.arg("combine").args(args).current_dir(dir.path(""));
        command.envs(variable.map(|value| ("COVERAGE_FILE", value)));
        Ran::from(command.output().unwrap()).status(0)
    };
    run(&["--data-file=by-option"], Some("by-variable"));
    assert_eq!(dir.names(), [".coveragerc", "by-option", "by-setting.1", "by-variable.1"]);
    run(&[], Some("by-variable"));
    assert_eq!(dir.names(), [".coveragerc", "by-option", "by-setting.1", "by-variable"]);
    run(&[], None);
    assert_eq!(dir.names(), [".coveragerc", "by-option", "by-setting", "by-variable"]);
}

#[test]
fn folders_and_files_can_be_named_together() {
    let dir = Dir::new();
    put_lines(&dir, "web/.coverage.web.1.2", &[("/srv/app.py", "", &[1])]);
    put_lines(&dir, "worker/.coverage.worker.1.2", &[("/srv/app.py", "", &[2])]);
    put_lines(&dir, "worker/unrelated", &[("/srv/app.py", "", &[30])]);
    put_lines(&dir, "any name.db", &[("/srv/app.py", "", &[3])]);
    put_lines(&dir, ".coverage.here.1.2", &[("/srv/app.py", "", &[40])]);
    let ran = dir.pulpcov(["combine", "web", "worker", "any name.db", "web/.coverage.web.1.2"]);
    ran.status(0).stderr("Combined 3 files\n");
    assert_eq!(lines_of(&dir, ".coverage"), [1, 2, 3]);
    assert_eq!(dir.names(), [".coverage", ".coverage.here.1.2", "worker/unrelated"]);
}

/// Names that users chose by hand, and names of older versions.
#[test]
fn files_of_other_runs_are_combined_too() {
    let dir = two_inputs();
    put_lines(&dir, ".coverage.", &[("/srv/app.py", "", &[20])]);
    put_lines(&dir, ".coverage.from monday", &[("/srv/app.py", "", &[21])]);
    put_lines(&dir, ".coverage.old.example.org.4711.123456", &[("/srv/app.py", "", &[22])]);
    put_lines(&dir, ".coverage-not-this", &[("/srv/app.py", "", &[50])]);
    dir.pulpcov(["combine"]).status(0).stderr("Combined 5 files\n");
    assert_eq!(dir.names(), [".coverage", ".coverage-not-this"]);
    assert_eq!(lines_of(&dir, ".coverage"), [1, 2, 9, 20, 21, 22]);
}

#[test]
fn lines_and_branches_are_refused_by_name_or_reduced() {
    let dir = two_inputs();
    put_arcs(&dir, ".coverage.branch", "/srv/app.py", "arcs", &[(-1, 30), (30, 31), (31, -1)]);
    let before = dir.state();
    let ran = dir.pulpcov(["combine"]).status(1).stderr("--mixed=lines");
    assert!(ran.stderr.contains(
        "2 files measured statements:\n  .coverage.web.pid1.Xabcdefx\n  .coverage.worker.pid2.Xghijklx\n\
         1 file measured branches:\n  .coverage.branch\n"
    ), "{}", ran.stderr);
    assert_eq!(dir.state(), before);

    dir.pulpcov(["combine", "--mixed=lines"]).status(0).stderr("Combined 3 files\n");
    let rows = Rows::by_sql(dir.path(".coverage"));
    assert_eq!(rows.has_arcs, Some(false));
    assert!(rows.arcs.is_empty());
    assert_eq!(rows.lines[&("/srv/app.py".to_owned(), "arcs".to_owned())], [30, 31].into());
    assert_eq!(lines_of(&dir, ".coverage"), [1, 2, 9, 30, 31]);
}

/// Branch data is not reduced if there is no line data to combine it with.
#[test]
fn mixed_leaves_pure_branch_data_as_it_is() {
    let dir = Dir::new();
    put_arcs(&dir, ".coverage.branch", "/srv/app.py", "", &[(-1, 30)]);
    dir.pulpcov(["combine", "--mixed=lines"]).status(0);
    assert_eq!(Rows::by_sql(dir.path(".coverage")).has_arcs, Some(true));
}

#[test]
fn contexts_can_be_dropped() {
    let dir = two_inputs();
    dir.pulpcov(["combine", "--drop-contexts"]).status(0);
    let rows = Rows::by_sql(dir.path(".coverage"));
    assert_eq!(rows.contexts, [String::new()].into());
    assert_eq!(rows.lines[&("/srv/b.py".to_owned(), String::new())], [4].into());
}

#[test]
fn nothing_to_combine_is_an_error() {
    let dir = Dir::new();
    dir.pulpcov(["combine"]).status(1).stderr("error: No data to combine\n");
    dir.pulpcov(["combine", "gone"])
        .status(1)
        .stderr("gone: Couldn't combine from non-existent path");
    dir.write(".coverage.x", "no data file");
    dir.pulpcov(["combine"]).status(1).stderr("No usable data files");
    dir.pulpcov(["combine", "-i"]).status(1);
    assert_eq!(dir.names(), [".coverage.x"]);
}

#[test]
fn data_files_under_another_base_name_are_hinted_at() {
    let dir = Dir::new();
    for name in ["data.web-1.4711.031337", "data.web-1.pid4712.XaB3dEfx", "data.txt"] {
        dir.write(name, "");
    }
    for args in [&["combine"][..], &["combine", "."]] {
        dir.pulpcov(args)
            .status(1)
            .stderr("Files named like data.*: 2. Combine them with --data-file=data\n");
    }
}

#[test]
fn folders_below_that_have_data_are_hinted_at() {
    let dir = Dir::new();
    for number in 0..7 {
        put_lines(&dir, &format!("all/host{number}/.coverage.x"), &[("/srv/app.py", "", &[1])]);
    }
    dir.write("all/other/.coveragerc", "");
    let ran = dir.pulpcov(["combine", "all"]).status(1).stderr("No data to combine");
    ran.stderr("all/host0, all/host1, all/host2, all/host3, all/host4, and 2 more. ");
    let mut combine = pulpcov();
    let ran = Ran::from(combine.arg("combine").current_dir(dir.path("all")).output().unwrap());
    ran.status(1).stderr("Folders below have data files: host0, host1, ");
    dir.pulpcov(["combine", "all/host0", "all/host1"])
        .status(0)
        .stderr("Combined 1 file, skipped 1");
}

/// Appending replaces the data file, so rows that cannot be kept would be lost.
#[test]
fn rows_that_belong_to_nothing_are_not_appended_to() {
    let dir = two_inputs();
    dir.pulpcov(["combine", "--keep"]).status(0);
    let target = dir.path(".coverage");
    let database = rusqlite::Connection::open(&target).unwrap();
    database
        .execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO line_bits VALUES (99, 1, x'02');")
        .unwrap();
    drop(database);
    let before = dir.state();
    dir.pulpcov(["combine", "--append"]).status(1).stderr("cannot be appended to: 1 of its rows");
    assert_eq!(dir.state(), before);
}

/// A suffix that somebody chose may look like the name of a SQLite companion. No row may be lost, and no file
/// deleted unread.
#[test]
fn a_data_file_named_like_a_companion_is_combined() {
    let dir = Dir::new();
    let names = ["web", "web-journal", "web-shm", "web-wal"];
    for (number, name) in (1..).zip(names) {
        put_lines(&dir, &format!(".coverage.{name}"), &[("/srv/a.py", "", &[number])]);
    }
    // This one could be a companion of the target, but it is left alone.
    put_lines(&dir, ".coverage-wal", &[("/srv/a.py", "", &[9])]);
    dir.pulpcov(["combine"]).status(0).stderr("Combined 4 files");
    assert_eq!(dir.names(), [".coverage", ".coverage-wal"]);
    let lines = Rows::by_sql(dir.path(".coverage")).lines;
    assert_eq!(lines[&("/srv/a.py".to_owned(), String::new())], [1, 2, 3, 4].into());
}

#[test]
fn erasing_leaves_data_files_that_are_named_like_companions() {
    let dir = Dir::new();
    put_lines(&dir, ".coverage.web", &[("/srv/a.py", "", &[1])]);
    put_lines(&dir, ".coverage.web-wal", &[("/srv/a.py", "", &[2])]);
    dir.write(".coverage.web-journal", [0; 512]);
    dir.pulpcov(["erase", "--data-file=.coverage.web"]).status(0);
    assert_eq!(dir.names(), [".coverage.web-wal"]);
}

#[test]
fn the_folder_of_the_result_is_made_as_coverage_makes_it() {
    let dir = two_inputs();
    let args =
        ["combine", "--keep", "--data-file=made/below/.coverage", ".coverage.web.pid1.Xabcdefx"];
    dir.pulpcov(args).status(0);
    let ours = Rows::by_sql(dir.path("made/below/.coverage"));
    fs::remove_dir_all(dir.path("made")).unwrap();
    dir.coverage(args).status(0);
    assert_eq!(ours.lines, Rows::by_sql(dir.path("made/below/.coverage")).lines);
}

#[test]
fn a_result_that_cannot_be_written_is_named_and_no_temporary_file_is() {
    let dir = two_inputs();
    dir.write("file", "");
    let ran = dir.pulpcov(["combine", "--keep", "--data-file=file/.coverage", "."]).status(1);
    assert!(!ran.stderr.contains(".pulpcov-"), "{}", ran.stderr);
    let ran =
        dir.pulpcov(["convert", "--to=json", ".coverage.web.pid1.Xabcdefx", "gone/x"]).status(1);
    let said =
        ran.stderr("error: gone/x: the result cannot be written: No such file or directory").stderr;
    assert!(!said.contains(".pulpcov-"), "{said}");
}

#[test]
fn a_missing_column_is_named_without_the_query() {
    let dir = two_inputs();
    let path = dir.path(".coverage.web.pid1.Xabcdefx");
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch("ALTER TABLE line_bits RENAME COLUMN numbits TO bits").unwrap();
    dir.pulpcov(["combine"]).status(3).stderr("table line_bits: no such column: numbits\n");
}

#[test]
fn debug_topics_name_the_inputs_and_the_aliases() {
    let dir = two_inputs();
    fs::copy(dir.path(".coverage.web.pid1.Xabcdefx"), dir.path(".coverage.xcopy")).unwrap();
    let args = ["combine", "--debug=combine", "--keep", "--rcfile="];
    let sorted = |ran: Ran| {
        let mut lines: Vec<String> = ran.stderr.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let ours = sorted(dir.pulpcov(args).status(0));
    assert_eq!(ours, sorted(dir.coverage(args).status(0)));
    assert!(ours.contains(&"Skipping duplicate data .coverage.xcopy".to_owned()));
}

/// A path is explained once, even if both inputs have it, because aliases remember what they have mapped.
#[test]
fn debug_explains_the_aliases_as_coverage_does() {
    for relative in ["false", "true"] {
        let dir = two_inputs();
        put_lines(
            &dir,
            ".coverage.x",
            &[("src/a.py", "", &[1]), ("/ci/src/a.py", "", &[2]), ("C:\\ci\\a.py", "", &[3])],
        );
        put_lines(&dir, ".coverage.y", &[("/srv/app.py", "", &[1]), ("/ci/src/a.py", "", &[2])]);
        dir.write("app/app.py", "");
        let config = format!(
            "[run]\nrelative_files = {relative}\n[paths]\nsource =\n    app\n    /srv\n    /ci\n"
        );
        dir.write(".coveragerc", config);
        let args = ["combine", "--debug=pathmap", "--keep"];
        let ours = dir.pulpcov(args).status(0).stderr("Aliases (relative=");
        assert_eq!(ours.stderr, dir.coverage(args).status(0).stderr);
        assert!(
            ours.stderr.contains("doesn't exist, continuing") && ours.stderr.contains("producing")
        );
    }
}

#[test]
fn wrong_usage_is_1_and_does_nothing() {
    let dir = two_inputs();
    let before = dir.state();
    for args in [
        &["combine", "--no-such-option"][..],
        &["combine", "--mixed=arcs"],
        &["nonsense"],
        &[],
        &["convert", "a", "b"],
    ] {
        let ran = dir.pulpcov(args).status(1);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("--help"), "{ran:?}");
    }
    assert_eq!(dir.state(), before);
}

#[test]
fn tips_about_wrong_options_can_be_followed() {
    let dir = Dir::new();
    for args in
        [&["report", "-q"][..], &["hook", "report", "results", "--quiet"], &["watch", ".", "-z"]]
    {
        let ran = dir.pulpcov(args).status(1).stderr("unexpected argument");
        assert!(!ran.stderr.contains("as a value"), "{}", ran.stderr);
    }
    dir.pulpcov(["report", "--omitt=x"]).status(1).stderr("a similar argument exists: '--omit'");
}

#[test]
fn options_are_repeated_and_cut_short_as_optparse_allows() {
    let dir = two_inputs();
    dir.pulpcov(["combine", "--data-f=a", "--data-file=b", "--keep", "--kee"]).status(1);
    dir.pulpcov([
        "combine",
        "--data-f=.coverage",
        "--debug=pathmap",
        "--debug=combine",
        "--keep",
        "--keep",
    ])
    .status(0)
    .stderr("Combined data file");
    // An empty name counts as none. An ambiguous option is refused.
    dir.pulpcov(["report", "--data-file=", "--fail-under= 1_0", "--precision=0x2", "-i"]).status(1);
    dir.pulpcov(["report", "--skip"]).status(1).stderr("--skip");
    dir.pulpcov(["report", "--fail-under=half"]).status(1).stderr("not a number");
    dir.pulpcov(["report", "--precision=08"]).status(1).stderr("not an integer");
}

#[test]
fn rcfile_is_what_the_option_or_the_variable_says() {
    let dir = Dir::new();
    dir.write(".coveragerc", "[run]\ndata_file = standard\n");
    dir.write("rc.ini", "[run]\ndata_file = other\n");
    dir.write("rc.toml", "[tool.coverage.run]\ndata_file = 'third'\n");
    for name in ["standard", "other", "third", ".coverage"] {
        put_lines(&dir, &format!("{name}.1"), &[("/srv/app.py", "", &[1])]);
    }
    let run = |args: &[&str], variable: Option<&str>| {
        let mut command = pulpcov();
        command.args(["combine", "--keep"]).args(args).current_dir(dir.path(""));
        command.envs(variable.map(|value| ("COVERAGE_RCFILE", value)));
        Ran::from(command.output().unwrap()).status(0);
        let made = ["standard", "other", "third", ".coverage"]
            .into_iter()
            .find(|name| dir.path(name).exists());
        fs::remove_file(dir.path(made.unwrap())).unwrap();
        made.unwrap()
    };
    assert_eq!(run(&[], None), "standard");
    assert_eq!(run(&["--rcfile=rc.ini"], None), "other");
    assert_eq!(run(&["--rcfile", "rc.toml"], Some("rc.ini")), "third");
    assert_eq!(run(&[], Some("rc.ini")), "other");
    assert_eq!(run(&["--rcfile="], None), ".coverage");
}

/// The message is coverage.py's, and nothing is combined.
#[test]
fn a_wrong_configuration_stops_every_command() {
    for (config, sentence) in [
        ("[run]\nparallel = maybe\n", "Not a boolean: maybe"),
        ("[report]\nprecision = many\n", "invalid literal for int() with base 10: 'many'"),
        ("[report]\nexclude_lines =\n    (\n", "Invalid [report].exclude_lines value '(':"),
        ("no section\n", "File contains no section headers"),
        ("[run]\ndata_file = ${GONE?}\n", "Variable GONE is undefined: '${GONE?}'"),
        ("[paths]\nsource =\n    src\n    /ci/*\n", "Pattern must not end with wildcards."),
        (
            "[paths]\nsource =\n    src/*\n    /ci\n",
            "Result path must not contain wildcards: 'src/*'",
        ),
    ] {
        let dir = two_inputs();
        dir.write(".coveragerc", config);
        let before = dir.state();
        let theirs = dir.coverage(["combine", "--keep"]).status(1);
        let said =
            theirs.stdout.lines().chain(theirs.stderr.lines()).any(|line| line.contains(sentence));
        assert!(said, "{config}: {theirs:?}");
        let ours = dir.pulpcov(["combine"]).status(1).stderr("error: ").stderr(sentence);
        ours.stderr(".coveragerc");
        assert_eq!(dir.state().len(), before.len(), "{config}");
    }
    let dir = two_inputs();
    dir.pulpcov(["combine", "--rcfile=gone"])
        .status(1)
        .stderr("Couldn't read 'gone' as a config file");
    assert_eq!(dir.names().len(), 2);
}

#[test]
fn unknown_options_are_warned_of() {
    let dir = two_inputs();
    dir.write(".coveragerc", "[run]\nno_such_option = 1\n");
    dir.pulpcov(["combine"])
        .status(0)
        .stderr("warning: Unrecognized option '[run] no_such_option='");
}

#[test]
fn erase_removes_what_the_settings_say() {
    let full = || {
        let dir = two_inputs();
        put_lines(&dir, ".coverage", &[("/srv/app.py", "", &[1])]);
        dir.write("keep.me", "");
        dir
    };
    let dir = full();
    assert_eq!(
        dir.pulpcov(["erase"]).status(0),
        Ran { status: 0, stdout: String::new(), stderr: String::new() }
    );
    assert_eq!(dir.names().len(), 3);
    dir.pulpcov(["erase"]).status(0);

    let dir = full();
    dir.write("parallel.ini", "[run]\nparallel = true\n");
    dir.pulpcov(["erase", "--rcfile=parallel.ini"]).status(0);
    assert_eq!(dir.names(), ["keep.me", "parallel.ini"]);

    let dir = full();
    dir.pulpcov(["erase", "--data-file=keep.me"]).status(0);
    assert_eq!(dir.names().len(), 3);
    assert!(!dir.names().contains(&"keep.me".to_owned()));
}

#[test]
fn debug_data_prints_what_coverage_prints() {
    let dir = two_inputs();
    let ours = dir.pulpcov(["debug", "data"]).status(0);
    assert_eq!(ours, dir.coverage(["debug", "data"]).status(0));

    put_lines(
        &dir,
        ".coverage",
        &[("/srv/f10.py", "", &[1]), ("/srv/f9.py", "", &[1, 2]), ("größe.py", "", &[])],
    );
    put_arcs(&dir, ".coverage.branch", "/srv/app.py", "", &[(-1, 30), (30, 31), (31, -1)]);
    let mut traced = CoverageData::new();
    traced.add_lines("/srv/page.tmpl", "", &Numbits::from_iter([1, 2, 3])).unwrap();
    traced.set_file_tracer("/srv/page.tmpl", "pages.Plugin").unwrap();
    sqlite::write(&traced, dir.path(".coverage.traced")).unwrap();
    let ours = dir.pulpcov(["debug", "data"]).status(0).stdout(" [pages.Plugin]\n");
    assert_eq!(ours, dir.coverage(["debug", "data"]).status(0));
}

#[test]
fn debug_data_names_what_it_cannot_read() {
    let dir = two_inputs();
    dir.write("notes", "no data file");
    dir.pulpcov(["debug", "data", ".coverage.web.pid1.Xabcdefx", "notes"])
        .status(1)
        .stdout("/srv/app.py: 2 lines\n")
        .stderr("notes: this is not in any format");
}

#[test]
fn debug_config_prints_what_coverage_prints() {
    for (name, text) in [
        ("", ""),
        (
            ".coveragerc",
            "[run]\nbranch = yes\nsource = a, b\n    c\nomit =\n    x/*\n[report]\nprecision = 2\nshow_missing = on\n",
        ),
        (
            ".coveragerc",
            "[paths]\nsource =\n    src\n    /ci/*/src\nother = a, b\n[html]\ntitle = Größe\n[xml]\npackage_depth = 3\n",
        ),
        (
            "setup.cfg",
            "[coverage:run]\nparallel = true\ncontext = nightly\n[coverage:report]\nexclude_also =\n    if DEBUG:\n",
        ),
        (
            "pyproject.toml",
            "[tool.coverage.run]\nrelative_files = true\nconcurrency = ['thread', 'greenlet']\n[tool.coverage.report]\nfail_under = 87.5\n",
        ),
    ] {
        let dir = Dir::new();
        if !name.is_empty() {
            dir.write(name, text);
        }
        let ours = dir.pulpcov(["debug", "config"]).status(0);
        let theirs = dir.coverage(["debug", "config"]).status(0);
        assert_eq!(ours.stdout, theirs.stdout, "{name}");
    }
}

#[test]
fn convert_goes_both_ways_and_refuses_to_lose_contexts() {
    let dir = Dir::new();
    put_arcs(&dir, "arcs", "/srv/app.py", "", &[(-1, 1), (1, -1)]);
    dir.pulpcov(["convert", "--to=json", "arcs", "arcs.json"]).status(0);
    let json = fs::read_to_string(dir.path("arcs.json")).unwrap();
    assert!(json.starts_with("!coverage.py: This is a private format"), "{json}");
    dir.pulpcov(["convert", "--to=sqlite", "arcs.json", "arcs.again"]).status(0);
    assert_eq!(Rows::by_sql(dir.path("arcs.again")), Rows::by_sql(dir.path("arcs")));
    assert_eq!(Rows::by_coverage(dir.path("arcs.again")), Rows::by_pulpcov(dir.path("arcs.json")));

    put_lines(&dir, "contexts", &[("/srv/app.py", "nightly", &[1, 2])]);
    dir.pulpcov(["convert", "--to=json", "contexts", "no.json"]).status(1).stderr("no contexts");
    assert!(!dir.path("no.json").exists());
    dir.pulpcov(["convert", "--to=json", "--drop-contexts", "contexts", "yes.json"]).status(0);
    assert_eq!(Rows::by_pulpcov(dir.path("yes.json")).lines.len(), 1);
}

#[test]
fn convert_writes_to_standard_output() {
    let dir = Dir::new();
    put_arcs(&dir, "arcs", "/srv/app.py", "", &[(-1, 1), (1, -1)]);
    let before = dir.state();
    for to in ["json", "sqlite"] {
        let to = format!("--to={to}");
        dir.pulpcov(["convert", &to, "arcs", "file"]).status(0);
        let mut convert = pulpcov();
        convert.args(["convert", &to, "arcs", "-"]).current_dir(dir.path(""));
        let output = convert.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(output.stdout == fs::read(dir.path("file")).unwrap());
        fs::remove_file(dir.path("file")).unwrap();
    }
    assert_eq!(dir.state(), before);
    // If the conversion fails, nothing is written.
    put_lines(&dir, "contexts", &[("/srv/app.py", "nightly", &[1, 2])]);
    let ran =
        dir.pulpcov(["convert", "--to=json", "contexts", "-"]).status(1).stderr("no contexts");
    assert_eq!(ran.stdout, "");
}

#[test]
fn convert_overwrites_nothing_and_names_what_it_cannot_read() {
    let dir = two_inputs();
    dir.write("there", "precious");
    let before = dir.state();
    let from = ".coverage.web.pid1.Xabcdefx";
    dir.pulpcov(["convert", "--to=json", from, "there"])
        .status(1)
        .stderr("there: this exists already");
    dir.pulpcov(["convert", "--to=json", "there", "new"])
        .status(1)
        .stderr("there: this is not in any format");
    dir.pulpcov(["convert", "--to=json", "gone", "new"]).status(1).stderr("gone: ");
    dir.pulpcov(["convert", "--to=yaml", from, "new"]).status(1);
    assert_eq!(dir.state(), before);
}

#[test]
fn version_and_help() {
    let dir = Dir::new();
    let version = dir.pulpcov(["--version"]).status(0);
    assert_eq!(version.stdout, format!("pulpcov {}\n", env!("CARGO_PKG_VERSION")));
    let help = dir.pulpcov(["--help"]).status(0);
    for part in
        ["Usage: pulpcov", "combine", "convert", "debug", "erase", "Exit codes:", "COVERAGE_RCFILE"]
    {
        assert!(help.stdout.contains(part), "no {part} in:\n{}", help.stdout);
    }
    assert_eq!(dir.pulpcov(["help"]).status(0).stdout, help.stdout);
    let combine = dir.pulpcov(["combine", "--help"]).status(0);
    for part in [
        "--append",
        "--data-file <FILE>",
        "--drop-contexts",
        "--ignore-errors",
        "--keep",
        "--mixed <HOW>",
        "--quiet",
        "--rcfile <RCFILE>",
        "--debug <TOPICS>",
        "-a",
        "-i",
        "-q",
        "[PATH]...",
    ] {
        assert!(combine.stdout.contains(part), "no {part} in:\n{}", combine.stdout);
    }
    for text in [&help.stdout, &combine.stdout] {
        assert!(!text.contains('\x1b'), "colours in a pipe");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
}

/// As in `pulpcov debug data | head -1`, the output is larger than a pipe, and its reader stops early.
#[test]
fn a_broken_pipe_is_quiet() {
    let dir = Dir::new();
    let mut data = CoverageData::new();
    (0..20_000).for_each(|n| data.touch_file(format!("/srv/app/module_{n}.py")).unwrap());
    sqlite::write(&data, dir.path(".coverage")).unwrap();
    let mut child = pulpcov()
        .args(["debug", "data"])
        .current_dir(dir.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 6];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(&first, b"-- dat");
}

/// A combine that takes long enough for a progress bar draws none in a pipe.
#[test]
fn no_progress_bar_in_a_pipe() {
    let dir = Dir::new();
    let lines: Vec<i32> = (1..400).collect();
    for number in 0..120 {
        let names: Vec<String> = (0..150).map(|n| format!("/srv/{n}.py")).collect();
        let own = format!("only_{number}");
        let rows: Vec<(&str, &str, &[i32])> =
            names.iter().map(|name| (name.as_str(), own.as_str(), lines.as_slice())).collect();
        put_lines(&dir, &format!(".coverage.{number}"), &rows);
    }
    let ran = dir.pulpcov(["combine"]).status(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "Combined 120 files\n"));
}

/// The warning names a rule of `[paths]`, and that rule keeps the files apart.
#[test]
fn files_that_become_one_by_relative_paths_are_named_and_can_be_kept_apart() {
    let dir = Dir::new();
    let mut data = CoverageData::new();
    for file in ["shop/cart.py", "zone/shop/cart.py"] {
        dir.write(file, "x = 1\n");
        data.add_lines(file, "", &Numbits::from_iter([1])).unwrap();
    }
    store(&data, dir.path(".coverage.1"), StoreFormat::Sqlite).unwrap();
    dir.write(".coveragerc", "[run]\nrelative_files = true\n");
    let ran = dir.pulpcov(["combine", "--keep"]).status(0);
    let (about, rule) = ran.stderr.trim_end().rsplit_once(": ").unwrap();
    assert!(about.contains("zone/shop/cart.py is counted as shop/cart.py"), "{}", ran.stderr);
    let rule = rule.lines().next().unwrap();
    dir.write(".coveragerc", format!("[run]\nrelative_files = true\n[paths]\n{rule}\n"));
    let ran = dir.pulpcov(["combine", "--keep"]).status(0);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    assert_eq!(Rows::by_sql(dir.path(".coverage")), Rows::of(&data));
}

#[test]
fn debug_config_prints_the_settings_of_pulpcov_too() {
    let dir = Dir::new();
    let theirs = dir.pulpcov(["debug", "config"]).status(0).stdout;
    dir.write(
        "pulpcov.toml",
        "always = ['tests/test_smoke.py']\n[map]\n'docs/**' = []\n[routes]\n0 = ['src', '/ci/src']\n[patch]\nfail_under = 90\n[gate]\nfloor = 80\nratchet = 'low'\n\
         [[gate.rules]]\npaths = 'src/app'\neach = { lines = 95, max_missing = 3 }\n",
    );
    let ours = dir.pulpcov(["debug", "config"]).status(0).stdout;
    let own = ours.strip_prefix(&theirs).unwrap();
    let lines: Vec<&str> = own.lines().map(str::trim).collect();
    assert!(lines[0].starts_with("-- pulpcov ---"), "{own}");
    assert_eq!(
        lines[1..],
        [
            &format!("file: {}", dir.path("pulpcov.toml").display()),
            "always: tests/test_smoke.py",
            "map: docs/**:",
            "routes: 0: src, /ci/src",
            "patch.base: None",
            "patch.fail_under: 90",
            "patch.max_missing: None",
            "gate.floor: 80%",
            "gate.new_files: None",
            "gate.rules: src/app: each lines=95, max_missing=3",
            "gate.ratchet: low",
        ]
    );
}
