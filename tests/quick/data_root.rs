//! The data root as `pulpcov hook status` shows it: the folders of users, and the notes of processes.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, SystemTime};

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};
use serde_json::Value;

use crate::support::enemy::set_mode;
use crate::support::{Dir, Ran, pulpcov};

struct Root(Dir);

impl Root {
    fn new() -> Self {
        let dir = Dir::new();
        set_mode(&dir.path(""), 0o1777);
        Self(dir)
    }

    /// Writes a data file of a process.
    fn data(&self, name: &str) -> &Self {
        let mut data = CoverageData::new();
        data.add_lines("a.py", "", &Numbits::from_iter([1])).unwrap();
        let path = self.0.write(name, "");
        fs::remove_file(&path).unwrap();
        store(&data, path, StoreFormat::Sqlite).unwrap();
        self
    }

    fn note(&self, name: &str, text: &str) -> &Self {
        self.0.write(name, text);
        self
    }

    fn status(&self, args: &[&str]) -> Ran {
        let mut command = pulpcov();
        command.args(["hook", "status", "--python", "/usr/bin/python3", "--data-root"]);
        Ran::from(command.arg(self.0.path("")).args(args).output().unwrap())
    }

    fn json(&self) -> Value {
        let json: Value = serde_json::from_str(&self.status(&["--json"]).stdout).unwrap();
        json["data_roots"][0].clone()
    }
}

/// Returns this host's name, as it is in the names of data files, and the name of the user's own folder.
fn own() -> (String, String) {
    let host = nix::unistd::gethostname().unwrap().to_string_lossy().replace('.', "_");
    (host, format!("uid-{}", nix::unistd::geteuid()))
}

#[test]
fn processes_of_all_users_are_listed_with_what_they_say() {
    let ((host, folder), root) = (own(), Root::new());
    let mut sleeping = Command::new("sleep").arg("600").spawn().unwrap();
    let live = sleeping.id();
    root.data(&format!("{folder}/.coverage.{host}.pid{live}.Xabcdefghx"))
        .data(&format!("{folder}/.coverage.{host}.pid4000000.Xabcdefghx"))
        .data(".coverage.other.pid7.Xabcdefx")
        .note(
            &format!("{folder}/.pulpcov_hook.{host}.pid{live}.note"),
            "rows are kept: the disk is full\n",
        )
        .note(
            &format!("{folder}/.pulpcov_hook.{host}.pid4000001.note"),
            "not measured: no coverage.py\nmore",
        )
        .note(".pulpcov_hook.other.pid8.note", "not measured: no permission\n")
        .note(&format!("{folder}/.pulpcov_hook.{host}.pid4000000.Xabcdefghx.tmp"), "half");
    let words = root.status(&[]).stdout;
    let json = root.json();
    sleeping.kill().unwrap();
    sleeping.wait().unwrap();
    for line in [
        "  live processes: 1\n",
        "  data files of processes that have ended: 1\n",
        "  data files from other hosts: 1\n",
        "      rows are kept: the disk is full\n",
        "  processes that are not measured: 2\n",
        "      not measured: no coverage.py\n",
        "      not measured: no permission\n",
        "  data files that are being written, or were when their process was killed: 1\n",
    ] {
        assert!(words.contains(line), "{line:?} in {words}");
    }
    assert!(
        words.contains(&format!("    {live} on {host}, ")) && words.contains(": sleep 600\n"),
        "{words}"
    );
    assert!(words.contains("    8 on other, ") && words.contains(", on another host\n"), "{words}");
    let processes = json["processes"].as_array().unwrap();
    let of = |pid: u64| processes.iter().find(|process| process["pid"] == pid).unwrap();
    assert_eq!(processes.len(), 3);
    let amount = serde_json::json!({ "files": 1, "lines": 1, "arcs": null });
    assert_eq!(
        (&of(live.into())["state"], &of(live.into())["measured"]),
        (&"live".into(), &amount)
    );
    assert_eq!(of(live.into())["note"], "rows are kept: the disk is full");
    assert_eq!(of(4_000_000)["note"], Value::Null);
    let unmeasured = json["unmeasured"].as_array().unwrap();
    assert_eq!(unmeasured.len(), 2);
    assert!(unmeasured.iter().any(|process| {
        process["pid"] == 4_000_001
            && process["note"] == "not measured: no coverage.py"
            && process["state"] == "ended"
    }));
    assert_eq!(json["left_out"], Value::Array(Vec::new()));
}

#[test]
fn of_processes_that_have_ended_the_newest_are_listed() {
    let ((host, folder), root) = (own(), Root::new());
    for number in 0..7 {
        let name = format!("{folder}/.coverage.{host}.pid{}.Xabcdefghx", 4_000_000 + number);
        root.data(&name);
        let written = SystemTime::now() - Duration::from_secs(1000 * number);
        File::open(root.0.path(name)).unwrap().set_modified(written).unwrap();
    }
    let words = root.status(&[]).stdout;
    let title =
        "  data files of processes that have ended: 7\n    the newest 5; --json lists all:\n";
    let (_, listed) = words.split_once(title).unwrap();
    let pids: Vec<&str> = listed.lines().map_while(|line| line.strip_prefix("    400")).collect();
    let pids: Vec<&str> = pids.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(pids, ["0000", "0001", "0002", "0003", "0004"], "{words}");
    assert_eq!(root.json()["processes"].as_array().unwrap().len(), 7);
}

#[test]
fn what_was_measured_is_counted_in_words() {
    let ((host, folder), root) = (own(), Root::new());
    root.data(&format!("{folder}/.coverage.{host}.pid4000000.Xabcdefghx"));
    root.data(&format!("{folder}/.coverage.{host}.pid4000001.Xabcdefghx"));
    let mut data = CoverageData::new();
    for file in ["a.py", "b.py"] {
        data.add_arcs(file, "", [(-1, 1), (1, 2), (2, -1)]).unwrap();
    }
    data.touch_file("never.py").unwrap();
    let path = root.0.path(format!("{folder}/.coverage.{host}.pid4000001.Xabcdefghx"));
    store(&data, path, StoreFormat::Sqlite).unwrap();
    let words = root.status(&[]).stdout;
    assert!(words.contains(", 1 file, 1 line, saved "), "{words}");
    assert!(words.contains(", 2 files, 4 lines, 6 jumps between lines, saved "), "{words}");
}

#[test]
fn a_root_of_somebody_else_is_a_problem() {
    if !crate::support::is_root() {
        return;
    }
    let root = Root::new();
    std::os::unix::fs::chown(root.0.path(""), Some(65534), None).unwrap();
    let problem = "problem: it belongs to nobody, who can remove and replace others' data files";
    assert!(root.status(&[]).stdout.contains(problem));
}

#[test]
fn what_is_in_users_folders_is_read_by_every_command() {
    let (folder, root) = (own().1, Root::new());
    root.data(&format!("{folder}/.coverage.host.pid7.Xabcdefghx"));
    let dir = Dir::new();
    dir.write("a.py", "x = 1\n");
    let run = |args: &[&str]| {
        let data = root.0.path("");
        let args =
            args.iter().map(|arg| if *arg == "ROOT" { data.as_os_str() } else { arg.as_ref() });
        dir.pulpcov(args)
    };
    let listed = run(&["debug", "data", root.0.path(".coverage").to_str().unwrap()]).status(0);
    assert!(listed.stdout.contains(&format!("{folder}/.coverage.host")), "{}", listed.stdout);
    run(&["combine", "--keep", "ROOT"]).status(0).stderr("Combined 1 file");
    assert!(run(&["report"]).status(0).stdout.contains("a.py"));
    // Reports first combine the parallel data files beside the data file.
    let beside = root.0.path(".coverage");
    run(&["report", "--data-file", beside.to_str().unwrap()]).status(0).stdout("a.py");
    assert_eq!(root.0.names(), [".coverage"]);
    // With `parallel = true`, `erase` erases them too.
    root.data(&format!("{folder}/.coverage.host.pid7.Xabcdefghx"));
    dir.write(".coveragerc", "[run]\nparallel = true\n");
    run(&["erase", "--data-file", beside.to_str().unwrap()]).status(0);
    assert_eq!(root.0.names(), Vec::<String>::new());
}
