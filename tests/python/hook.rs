//! `pulpcov hook` with the standard library: forks, exits, signals and failures; installing and removing.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;

use crate::support::hooked::{
    Hooked, Running, assert_equal, data_files, line_of_step, lines, lines_with, name, shop,
};
use crate::support::is_root;
use crate::support::{Dir, REFERENCE, Rows, copy_pulpcov, neutral, pulpcov, venv};

macro_rules! same_rows {
    ($($way:ident)*) => {
        mod same_rows_as_in_one_process {
            use crate::support::hooked::{Hooked, WAYS};

            $(#[test]
            fn $way() {
                for args in [&["--branch"][..], &[]] {
                    let hooked = Hooked::new().installed(args);
                    hooked.assert_same_rows(stringify!($way), &hooked.rows_of_one_process(args));
                }
            })*

            #[test]
            fn no_way_is_forgotten() {
                assert_eq!(WAYS.map(|(way, _)| way), [$(stringify!($way)),*]);
            }
        }
    };
}

same_rows! {
    fork_return
    fork_exception
    fork_os_exit
    fork_sigterm
    fork_sigterm_reset
    fork_execv
    fork_execle
    fork_twice
    fork_with_threads
    multiprocessing_fork
    multiprocessing_spawn
    multiprocessing_forkserver
    multiprocessing_terminate
    multiprocessing_pool
    pool_fork
    pool_spawn
    subprocess
    threads
    daemon_thread
    exit
    exception
}

#[test]
fn a_child_has_a_file_of_its_own_without_the_rows_of_its_parent() {
    let hooked = Hooked::new().installed(&[]);
    assert!(hooked.drive("fork_twice").status().unwrap().success());
    let files = hooked.files();
    assert_eq!(files.len(), 3, "{files:?}");
    let only_by_parent = [lines_with("work", "def "), lines_with("work", "before()\n")].concat();
    let with_imports = files.iter().filter(|file| {
        let ran = lines(&Rows::by_sql(file), "work");
        only_by_parent.iter().any(|line| ran.contains(line))
    });
    assert_eq!(with_imports.count(), 1);
    // The file is named after its process, and the child's number differs from the parent's.
    let pids: Vec<_> =
        files.iter().map(|file| name(file).split(".pid").nth(1).unwrap().to_owned()).collect();
    assert!(pids.windows(2).all(|pair| pair[0] != pair[1]), "{pids:?}");
}

#[test]
fn every_supported_coverage_measures_the_same() {
    for version in
        ["7.10.0", "7.11.3", "7.12.0", "7.13.5", "7.14.0", "7.15.0", "7.16.0", "7.17.3", REFERENCE]
    {
        let base = coverage_of(version);
        for args in [&["--branch"][..], &[]] {
            let hooked = Hooked::of(&base).installed(args);
            for way in ["fork_os_exit", "threads"] {
                assert!(hooked.drive(way).status().unwrap().success(), "{version}");
            }
            flush_and_kill(&hooked);
            assert_equal(&hooked.rows(), &hooked.rows_of_one_process(args), version);
        }
    }
}

/// Runs a process that flushes on a signal and is then killed. Checks that its data file has the rows.
fn flush_and_kill(hooked: &Hooked) {
    let before = hooked.files().len();
    let mut process = Running::start(hooked.drive("wait").stdout(Stdio::piped()));
    assert_eq!(process.read_line(), "ready");
    process.signal(Signal::SIGUSR1);
    hooked.wait_for("flush", |hooked| hooked.files().len() > before);
    process.signal(Signal::SIGKILL);
    process.0.wait().unwrap();
    let of_process = format!(".pid{}.", process.0.id());
    let file = hooked.files().into_iter().find(|file| name(file).contains(&of_process)).unwrap();
    let rows = Rows::by_sql(file);
    let ran = |line| rows.arcs.iter().any(|arc| arc.3 == line);
    let is_there = |line| ran(line) || lines(&rows, "work").contains(&line);
    assert!(lines_with("work", "return total").into_iter().all(is_there));
}

/// Returns a virtual environment with this version of coverage.py.
fn coverage_of(version: &str) -> PathBuf {
    venv(&format!("hook-coverage-{version}"), &[format!("coverage=={version}")])
}

/// Parses a line of output: the number of a step, and the time at which it was done.
fn step_done(line: &str) -> Option<(i32, f64)> {
    let (number, time) = line.split_once(' ')?;
    Some((number.parse().ok()?, time.parse().ok()?))
}

#[test]
fn a_killed_process_loses_one_interval_at_most() {
    const INTERVAL: f64 = 0.3;
    // The flush itself takes a moment, and longer on a busy machine.
    const FLUSH: f64 = 2.0;
    let hooked = Hooked::new().installed(&["--flush-interval", "300ms"]);
    let mut process =
        Running::start(hooked.drive("steps").env("PAUSE", "0.02").stdout(Stdio::piped()));
    let output = BufReader::new(process.0.stdout.take().unwrap());
    let mut lines = output.lines().map(|line| line.unwrap());
    let mut done = Vec::new();
    let is_safe = |step: &(i32, f64), now: f64| step.1 < now - INTERVAL - FLUSH;
    while !done.get(20).is_some_and(|step| is_safe(step, done.last().unwrap_or(step).1)) {
        done.extend(step_done(&lines.next().expect("it goes on")));
    }
    let killed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    process.signal(Signal::SIGKILL);
    done.extend(lines.filter_map(|line| step_done(&line)));
    let safe: Vec<i32> =
        done.iter().filter(|step| is_safe(step, killed)).map(|(number, _)| *number).collect();
    let ran = hooked.lines("steps");
    assert!(safe.iter().all(|step| ran.contains(&line_of_step(*step))), "{safe:?}\n{ran:?}");
    // A line proves that its step ran: the line of a step that was not done is missing.
    assert!(!ran.contains(&line_of_step(399)));
}

#[test]
fn a_signal_flushes_at_once() {
    let hooked = Hooked::new().installed(&["--flush-interval", "60m"]);
    let mut process = Running::start(hooked.drive("wait").stdout(Stdio::piped()));
    assert_eq!(process.read_line(), "ready");
    assert!(hooked.files().is_empty());
    process.signal(Signal::SIGUSR1);
    hooked.wait_for("flush", |hooked| !hooked.lines("work").is_empty());
    assert!(process.0.try_wait().unwrap().is_none(), "the process goes on");
}

#[test]
fn a_main_thread_that_misses_sigterm_ends_all_the_same() {
    let hooked = Hooked::new().installed(&["--flush-interval", "300ms"]);
    // The signal's handler runs, but nothing interrupts the wait, as if the signal had come just before it.
    let code = "\
import _thread, multiprocessing, signal, threading
from shop import work
work.before()
threading.Timer(0.2, _thread.interrupt_main, [signal.SIGTERM]).start()
multiprocessing.Semaphore(0).acquire()
";
    let mut process = Running::start(hooked.command().args(["-c", code]));
    assert_eq!(process.ends().signal(), Some(15));
    assert!(!hooked.lines("work").is_empty());
}

#[test]
fn a_child_that_is_terminated_at_once_ends() {
    let hooked = Hooked::new().installed(&[]);
    // The child gets the signal before it has run anything.
    let code = "\
import os, signal, time
import shop
for _ in range(50):
    child = os.fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
";
    assert!(hooked.command().args(["-c", code]).status().unwrap().success());
}

#[test]
fn two_hundred_processes_at_once_lose_nothing() {
    let hooked = Hooked::new().installed(&[]);
    let command = |step: i32| {
        let mut command = hooked.drive("steps");
        command.env("PAUSE", "0").env("STEPS", step.to_string()).stdout(Stdio::null());
        command
    };
    let running: Vec<_> = (0..200).map(|step| Running::start(&mut command(step))).collect();
    for mut process in running {
        assert!(process.0.wait().unwrap().success());
    }
    assert_eq!(hooked.files().len(), 200);
    let ran = hooked.lines("steps");
    let missing: Vec<_> = (0..200).filter(|step| !ran.contains(&line_of_step(*step))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn processes_that_flush_while_others_combine_lose_nothing() {
    const PROCESSES: i32 = 50;
    const STEPS: i32 = 8;
    let hooked = Hooked::new().installed(&["--flush-interval", "50ms"]);
    let running: Vec<_> = (0..PROCESSES)
        .map(|number| {
            let steps: Vec<_> =
                (0..STEPS).map(|step| (number * STEPS + step).to_string()).collect();
            let mut command = hooked.drive("steps");
            command.env("PAUSE", "0.3").env("STEPS", steps.join(",")).stdout(Stdio::null());
            Running::start(command.stderr(Stdio::piped()))
        })
        .collect();
    let mut watch = pulpcov();
    watch.arg("watch").arg(hooked.root()).args(["--interval", "50ms", "--quiet", "--xml"]);
    watch.arg(hooked.dir.path("watched.xml")).current_dir(hooked.dir.path(""));
    let mut watch = Running::start(watch.stderr(Stdio::null()));
    let combined = hooked.dir.path("combined");
    let combine = || {
        pulpcov()
            .args(["combine", "--quiet", "--append", "--rcfile=", "--data-file"])
            .arg(&combined)
            .args(hooked.files())
            .output()
            .unwrap()
    };
    let mut combines = 0;
    let mut running = running;
    while !running.is_empty() {
        combines += usize::from(combine().status.success());
        running.retain_mut(|process| match process.0.try_wait().unwrap() {
            None => true,
            Some(status) => {
                let mut stderr = String::new();
                process.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
                assert!(status.success() && stderr.is_empty(), "{status} {stderr}");
                false
            }
        });
    }
    assert!(combines > 1, "there were combines while they ran");
    assert!(watch.0.try_wait().unwrap().is_none() && hooked.dir.path("watched.xml").exists());
    drop(watch);
    let ran = lines(&hooked.rows().union(Rows::by_sql(&combined)), "steps");
    let missing: Vec<_> =
        (0..PROCESSES * STEPS).filter(|step| !ran.contains(&line_of_step(*step))).collect();
    assert!(missing.is_empty(), "{missing:?} of {combines} combines");
}

/// Checks that a program works as without the hook, though the hook cannot work and prints one line about it.
#[track_caller]
fn assert_undisturbed(command: &mut Command, complaint: &str) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let complaints: Vec<_> = stderr.lines().collect();
    assert!(
        complaints.len() == 1 && complaints[0].contains(complaint),
        "one line with {complaint:?}, not:\n{stderr}"
    );
}

#[test]
fn without_coverage_the_program_runs_as_ever() {
    let hooked = Hooked::new().installed(&[]);
    fs::remove_file(hooked.pth()).unwrap();
    assert_undisturbed(&mut hooked.drive("threads"), "pip install");
}

#[test]
fn without_settings_the_program_runs_as_ever() {
    let hooked = Hooked::new().installed(&[]);
    fs::write(hooked.site().join("pulpcov_hook.conf"), "nonsense\n").unwrap();
    assert_undisturbed(&mut hooked.drive("threads"), "not measured");
}

#[test]
fn without_a_folder_to_write_to_the_program_runs_as_ever() {
    let hooked = Hooked::new().installed(&[]);
    fs::remove_dir(hooked.root()).unwrap();
    fs::write(hooked.root(), "").unwrap();
    assert_undisturbed(&mut hooked.drive("threads"), "not measured");
}

#[test]
fn when_the_disk_has_room_again_everything_is_saved() {
    let hooked = Hooked::new().installed(&["--flush-interval", "60m"]);
    let mut process =
        Running::start(hooked.drive("wait").stdout(Stdio::piped()).stderr(Stdio::piped()));
    process.read_line();
    fs::rename(hooked.root(), hooked.dir.path("away")).unwrap();
    fs::write(hooked.root(), "nobody can write where a file is in the way").unwrap();
    process.signal(Signal::SIGUSR1);
    let mut complaint = String::new();
    BufReader::new(process.0.stderr.take().unwrap()).read_line(&mut complaint).unwrap();
    assert!(complaint.contains("tried again"), "{complaint}");
    fs::remove_file(hooked.root()).unwrap();
    fs::rename(hooked.dir.path("away"), hooked.root()).unwrap();
    drop(process.0.stdin.take());
    assert!(process.0.wait().unwrap().success());
    assert_eq!(hooked.lines("work"), lines(&hooked.rows_of_one_process(&[]), "work"));
}

/// Runs the command as a user who may not write everywhere.
fn unprivileged(command: &mut Command) -> &mut Command {
    if is_root() { command.uid(65534).gid(65534) } else { command }
}

fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_user_who_may_not_write_to_the_root_is_not_disturbed() {
    let hooked = Hooked::of_debian().published().installed(&[]);
    set_mode(hooked.root(), 0o555);
    let mut command = neutral(Command::new(hooked.python()));
    command.args(["-c", "import shop.work"]).current_dir(hooked.dir.path(""));
    assert_undisturbed(unprivileged(&mut command), "no permission to write");
    // Nothing else keeps the process from being measured.
    set_mode(hooked.root(), 0o1777);
    assert!(unprivileged(&mut command).status().unwrap().success());
    assert_eq!(hooked.files().len(), 1);
}

#[test]
fn a_process_that_is_not_selected_does_not_even_import_coverage() {
    let hooked = Hooked::new().installed(&[]);
    let loaded = |code: &str, hooked: &Hooked| {
        let code = format!(
            "import sys; {code}; print('coverage' in sys.modules, 'threading' in sys.modules)"
        );
        let output = hooked.command().args(["-c", &code]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(loaded("pass", &hooked), "False False\n");
    assert_eq!(loaded("import shop", &hooked), "True True\n");
    // Now for the processes of another user.
    hooked
        .hook("install", &["--user-only", "4711", "--data-root", hooked.root().to_str().unwrap()])
        .status(0);
    assert_eq!(loaded("import shop", &hooked), "False False\n");
    let own = nix::unistd::geteuid().to_string();
    let hooked = hooked.installed(&["--user-only", "4711", "--user-only", &own]);
    assert_eq!(loaded("import shop", &hooked), "True True\n");
}

#[test]
fn the_environment_says_where_a_process_writes_to() {
    let hooked = Hooked::new().installed(&[]);
    let root = hooked.dir.path("elsewhere");
    fs::create_dir(&root).unwrap();
    let status = hooked.drive("fork_os_exit").env("PULP_COVERAGE_ROOT", &root).status().unwrap();
    assert!(status.success());
    assert_eq!((hooked.files().len(), data_files(&root).len()), (0, 2));
    let mut hook = pulpcov();
    hook.args(["hook", "report", "out"]).env("PULP_COVERAGE_ROOT", &root);
    let output = hook.current_dir(hooked.dir.path("")).output().unwrap();
    crate::support::Ran::from(output).status(0).stdout("shop/work.py");
}

#[test]
fn a_program_that_has_its_own_signal_handlers_keeps_them() {
    let hooked = Hooked::new().installed(&["--flush-interval", "60m"]);
    let code = "\
import os, signal, sys
import shop
got = []
for number in (signal.SIGTERM, signal.SIGUSR1):
    assert signal.getsignal(number) is signal.SIG_DFL
    assert signal.signal(number, lambda *args: got.append(args[0])) is signal.SIG_DFL
    os.kill(os.getpid(), number)
print(*map(int, got))
";
    let output = hooked.command().args(["-W", "error", "-c", code]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "15 10\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn contexts_and_a_configuration_file_are_honoured() {
    let hooked = Hooked::new();
    let config = hooked.dir.write(
        "rc",
        "[run]\nomit = */steps.py\npatch = _exit, subprocess\nsigterm = true\nparallel = true\n",
    );
    let hooked = hooked.installed(&["--context", "night 1", "--config", config.to_str().unwrap()]);
    assert!(hooked.drive("fork_os_exit").status().unwrap().success());
    let rows = hooked.rows();
    assert!(rows.contexts.contains("night 1"), "{:?}", rows.contexts);
    assert_eq!(lines(&rows, "steps"), Vec::<i32>::new());
    assert_eq!(lines(&rows, "work"), lines(&hooked.rows_of_one_process(&[]), "work"));
}

#[test]
fn contexts_that_the_program_switches_are_recorded() {
    let hooked = Hooked::new().installed(&["--context", "all"]);
    let code = "\
import coverage
from shop import work
current = coverage.Coverage.current()
current.switch_context('first')
work.before()
current.switch_context('second')
work.after(False)
current.save()
";
    assert!(hooked.command().args(["-c", code]).status().unwrap().success());
    let rows = hooked.rows();
    let path = shop().join("shop/work.py").to_string_lossy().into_owned();
    let in_context = |context: &str| {
        rows.lines[&(path.clone(), context.to_owned())].iter().copied().collect::<Vec<_>>()
    };
    assert_eq!(
        in_context("all|second"),
        lines_with("work", "if flag")
            .into_iter()
            .chain(lines_with("work", "return None"))
            .collect::<Vec<_>>()
    );
    assert!(in_context("all|first").contains(&lines_with("work", "return total")[0]));
}

#[test]
fn threads_that_end_are_forgotten() {
    let hooked = Hooked::new().installed(&["--flush-interval", "100ms"]);
    let code = "\
import sys, threading, time
from shop import work
import coverage
for _ in range(20):
    threads = [threading.Thread(target=work.before) for _ in range(20)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
tracers = coverage.Coverage.current()._collector.tracers
give_up = time.monotonic() + 60
while len(tracers) >= 40 and time.monotonic() < give_up: time.sleep(0.05)
print(len(tracers))
";
    let output = hooked.command().args(["-c", code]).output().unwrap();
    let tracers: u32 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    assert!(tracers < 40, "{tracers}");
}

/// Returns the names of the files in site-packages, except those that the test itself created.
fn installed_files(hooked: &Hooked) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![hooked.site()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            names.push(name(&path));
        }
    }
    names.retain(|name| name != "packages.pth");
    names.sort();
    names
}

#[test]
fn uninstall_leaves_nothing_behind() {
    let hooked = Hooked::new();
    assert_eq!(installed_files(&hooked), Vec::<String>::new());
    let hooked = hooked.installed(&[]);
    let files = installed_files(&hooked);
    assert_eq!(files.len(), 5, "{files:?}");
    assert!(files.iter().any(|name| name.ends_with(".pyc")), "{files:?}");
    assert!(hooked.drive("threads").status().unwrap().success());
    hooked.hook("uninstall", &[]).status(0).stderr("Removed the hook");
    assert_eq!(installed_files(&hooked), Vec::<String>::new());
    assert_eq!(hooked.files().len(), 1, "data is kept");
    hooked.hook("uninstall", &[]).status(0).stderr("not installed");
    // From now on nothing is measured.
    assert!(hooked.drive("threads").status().unwrap().success());
    assert_eq!(hooked.files().len(), 1);
}

#[test]
fn purging_removes_the_data_and_the_folder_that_was_made_for_it() {
    let hooked = Hooked::new().installed(&[]);
    // When the hook is installed again, it remembers who created the folder.
    let hooked = hooked.installed(&["--branch"]);
    assert!(hooked.drive("threads").status().unwrap().success());
    fs::write(hooked.root().join(".pulpcov_hook.host.pid1.Xaaaaaaaax.tmp"), "killed").unwrap();
    hooked.hook("uninstall", &["--purge-data"]).status(0).stderr("Removed 2 data files");
    assert!(!hooked.root().exists());
}

#[test]
fn data_are_purged_after_the_hook_was_uninstalled() {
    let hooked = Hooked::new().installed(&[]);
    assert!(hooked.drive("threads").status().unwrap().success());
    // The message says what to do next.
    let ran = hooked.hook("uninstall", &[]).status(0);
    let (_, advice) = ran.stderr.split_once("pulpcov hook uninstall ").unwrap();
    let python = hooked.python().display().to_string();
    let root = hooked.root().display().to_string();
    let words: Vec<&str> = advice.trim_end().split(' ').collect();
    assert_eq!(words, ["--purge-data", "--data-root", &root, "--python", &python]);
    let mut purge = pulpcov();
    let purge = purge.args(["hook", "uninstall"]).args(words).output().unwrap();
    crate::support::Ran::from(purge).status(0).stderr("Removed 1 data file from ");
    assert!(!hooked.root().exists());
}

#[test]
fn purging_keeps_what_is_not_ours() {
    let hooked = Hooked::new();
    hooked.dir.write("data/notes", "of somebody");
    hooked.dir.write("data/.coveragerc", "");
    let hooked = hooked.installed(&[]);
    hooked.hook("uninstall", &["--purge-data"]).status(0);
    let mut left: Vec<_> =
        fs::read_dir(hooked.root()).unwrap().map(|entry| name(&entry.unwrap().path())).collect();
    left.sort();
    assert_eq!(left, [".coveragerc", "notes"]);
}

#[test]
fn installing_again_changes_the_settings() {
    let hooked = Hooked::new().installed(&[]);
    let before = installed_files(&hooked);
    let hooked = hooked.installed(&["--branch", "--context", "second"]);
    assert_eq!(installed_files(&hooked), before);
    assert!(hooked.drive("threads").status().unwrap().success());
    assert_eq!(hooked.rows().has_arcs, Some(true));
    assert!(hooked.rows().contexts.contains("second"));
}

#[test]
fn what_somebody_changed_is_neither_removed_nor_replaced() {
    for file in ["pulpcov_hook.py", "pulpcov_hook.conf", "zzz_pulpcov_hook.pth"] {
        let hooked = Hooked::new().installed(&[]);
        let path = hooked.site().join(file);
        let changed = fs::read_to_string(&path).unwrap() + "# by hand\n";
        fs::write(&path, &changed).unwrap();
        let before = installed_files(&hooked);
        for command in ["uninstall", "install"] {
            let ran = hooked.hook(command, &[]).status(1).stderr("was changed by someone else");
            assert!(ran.stderr.contains(file), "{}", ran.stderr);
            assert_eq!(installed_files(&hooked), before);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), changed);
        hooked.hook("status", &[]).status(1).stdout("was changed by someone else");
    }
}

#[test]
fn two_pythons_are_installed_into_and_one_that_fails_does_not_keep_the_other_from_it() {
    let (first, second) = (Hooked::new(), Hooked::new());
    let install = |more: &[&str]| {
        let mut command = pulpcov();
        command.args(["hook", "install", "--data-root"]).arg(first.root());
        for python in [&first, &second] {
            command.arg("--python").arg(python.python());
        }
        crate::support::Ran::from(command.args(more).output().unwrap())
    };
    install(&[]).status(0);
    assert_eq!(installed_files(&first), installed_files(&second));
    install(&["--python", "/no/such/python"]).status(1).stderr("there is no such Python");
    second.hook("uninstall", &[]).status(0);
    assert!(installed_files(&second).is_empty());
    assert!(!installed_files(&first).is_empty());
}

#[test]
fn install_says_what_is_missing() {
    let hooked = Hooked::new();
    fs::remove_file(hooked.pth()).unwrap();
    let root = hooked.root();
    let args = ["--data-root", root.to_str().unwrap()];
    hooked
        .hook("install", &args)
        .status(1)
        .stderr("has no coverage.py")
        .stderr("-m pip install 'coverage>=7.10,<8'");
    assert!(installed_files(&hooked).is_empty());
    assert!(!root.exists());
    let old = Hooked::of(&coverage_of("7.6.0"));
    old.hook("install", &args).status(1).stderr("has coverage.py 7.6.0");
    assert!(installed_files(&old).is_empty());
}

#[test]
fn what_cannot_be_written_is_a_clear_refusal_that_leaves_nothing_behind() {
    let hooked = Hooked::of_debian().published();
    let before = installed_files(&hooked);
    let elsewhere = Dir::new();
    set_mode(elsewhere.path(""), 0o777);
    let program = hooked.dir.path("pulpcov");
    copy_pulpcov(&program);
    let mut install = neutral(Command::new(program));
    install.args(["hook", "install", "--python"]).arg(hooked.python());
    install.arg("--data-root").arg(elsewhere.path("data")).current_dir("/");
    set_mode(hooked.site(), 0o555);
    let ran = crate::support::Ran::from(unprivileged(&mut install).output().unwrap());
    set_mode(hooked.site(), 0o755);
    ran.status(1).stderr("cannot be written into: Permission denied").stderr("--python");
    assert_eq!(installed_files(&hooked), before);
    assert!(!elsewhere.path("data").exists());
}

#[test]
fn a_read_only_file_system_is_a_clear_refusal() {
    let hooked = Hooked::new();
    // Uses a mount namespace, if the system allows it.
    let script = format!(
        "mount --bind {site} {site} && mount -o remount,ro,bind {site} && exec \"$@\"",
        site = hooked.site().display()
    );
    let unshared = |program: &str, args: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", &script, "sh", program]).args(args);
        crate::support::Ran::from(command.output().unwrap())
    };
    if unshared("true", &[]).status != 0 {
        println!("skipped: no file system can be mounted here; permissions stand in for it");
        return;
    }
    let (python, root) = (hooked.python(), hooked.root());
    let program = pulpcov().get_program().to_string_lossy().into_owned();
    let args = [
        "hook",
        "install",
        "--python",
        python.to_str().unwrap(),
        "--data-root",
        root.to_str().unwrap(),
    ];
    unshared(&program, &args).status(1).stderr("Read-only file system").stderr("--python");
    assert!(installed_files(&hooked).is_empty());
    assert!(!root.exists());
}

#[test]
fn the_data_root_is_like_tmp() {
    let hooked = Hooked::new().installed(&[]);
    assert_eq!(fs::metadata(hooked.root()).unwrap().permissions().mode() & 0o7777, 0o1777);
    // An existing folder keeps its permissions, with a warning.
    let other = hooked.dir.path("other");
    fs::create_dir(&other).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = hooked.hook("install", &["--data-root", other.to_str().unwrap()]);
    ran.status(0).stderr("not everybody can write into it");
    assert_eq!(fs::metadata(&other).unwrap().permissions().mode() & 0o7777, 0o755);
}

#[test]
fn a_wsgi_script_gets_an_import_that_goes_again() {
    let script = "#!/usr/bin/python3\n# -*- coding: utf-8 -*-\n\"\"\"The service.\"\"\"\nfrom __future__ import annotations\nimport shop.work\nprint(shop.work.before())\n";
    let hooked = Hooked::new();
    let path = hooked.dir.write("app.wsgi", script);
    let hooked = hooked.installed(&["--wsgi", path.to_str().unwrap()]);
    // Installing twice has the same effect as installing once.
    let once = fs::read_to_string(&path).unwrap();
    let hooked = hooked.installed(&["--wsgi", path.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&path).unwrap(), once);
    // Without `site`, only the script says where the hook and coverage.py are.
    let mut command = hooked.command();
    command.arg("-S").arg(&path);
    let packages = fs::read_to_string(hooked.pth()).unwrap();
    let output =
        command.env("PYTHONPATH", format!("{}:{packages}", shop().display())).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "4\n", "{output:?}");
    assert!(!hooked.lines("work").is_empty());
    // Somebody else changes the script.
    fs::write(&path, format!("{once}print()\n")).unwrap();
    hooked.hook("uninstall", &[]).status(1).stderr("app.wsgi: was changed by someone else");
    fs::write(&path, &once).unwrap();
    hooked.hook("uninstall", &[]).status(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), script);
}

#[test]
fn status_names_the_living_and_the_dead() {
    let hooked = Hooked::new().installed(&["--flush-interval", "50ms"]);
    assert!(hooked.drive("threads").status().unwrap().success());
    let mut process = Running::start(hooked.drive("wait").stdout(Stdio::piped()));
    assert_eq!(process.read_line(), "ready");
    hooked.wait_for("flush", |hooked| hooked.files().len() == 2);
    let ran = hooked.hook("status", &["--json"]).status(0);
    let status: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(status["interpreters"][0]["installed"], true);
    assert_eq!(status["data_roots"][0]["mode"], "1777");
    let processes = status["data_roots"][0]["processes"].as_array().unwrap();
    let in_state =
        |state: &str| processes.iter().filter(|each| each["state"] == state).collect::<Vec<_>>();
    let live = in_state("live");
    assert_eq!((live.len(), in_state("ended").len()), (1, 1), "{}", ran.stdout);
    assert_eq!(live[0]["pid"], process.0.id());
    assert!(live[0]["command"].as_str().unwrap().ends_with("drive.py wait"), "{}", ran.stdout);
    assert!(live[0]["measured"]["lines"].as_u64().unwrap() > 0);
    let words = hooked.hook("status", &[]).status(0);
    let words = words.stdout("live processes: 1\n").stdout("processes that have ended: 1\n");
    words.stdout("drive.py wait");
}

#[test]
fn files_whose_names_are_no_names_run_as_ever() {
    for folder in [false, true] {
        let hooked = Hooked::new();
        let source = format!("{}/", shop().display());
        let args = if folder { vec!["--source", &source] } else { vec![] };
        let hooked = hooked.installed(&args);
        let code = "\
import os, tempfile
from shop import steps, work
work.before()
def odd():
    return 1
folder = tempfile.mkdtemp()
os.chdir(folder)
os.rmdir(folder)
for name in ['odd.py', 'nul\\0.py', '/nul\\0.py', '\\ud800.py', '/\\ud800.py', '/\\udcff.py', 'x' * 5000, '']:
    assert eval(odd.__code__.replace(co_filename=name), {'__file__': None}) == 1
    assert eval(odd.__code__.replace(co_filename=name), {'__file__': name}) == 1
steps.step_1()
import coverage
coverage.Coverage.current().save()
steps.step_2()
if os.fork() == 0:
    steps.step_3()
    os._exit(0)
os.wait()
";
        let output =
            hooked.command().env("PYTHONPATH", shop()).args(["-c", code]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.lines().count() <= 1, "{said}");
        let ran = hooked.lines("steps");
        assert!((1..4).all(|step| ran.contains(&line_of_step(step))), "{ran:?}");
    }
}

/// Handlers of `atexit` run in reverse order, and some are registered before the measured package is imported.
#[test]
fn what_runs_at_the_very_end_is_measured() {
    let hooked = Hooked::new().installed(&["--flush-interval", "60m"]);
    let code = "\
import atexit, os
def last():
    steps.step_1()
    if os.fork() == 0:
        steps.step_2()
        os._exit(0)
    os.wait()
    steps.step_3()
atexit.register(last)
from shop import steps
";
    let output = hooked.command().args(["-W", "error", "-c", code]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let ran = hooked.lines("steps");
    assert!((1..4).all(|step| ran.contains(&line_of_step(step))), "{ran:?}");
}
