//! `pulpcov hook` in Pythons that measure in other ways. Some use `sys.monitoring`, which reports each line
//! only once. Some warn of forks in processes with threads.
//!
//! The Pythons are Debian's: `debian_python.sh` fetches them.

use std::fs::{self};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::support::hooked::{Hooked, Running, WAYS, line_of_step, lines, shop};
use crate::support::{REFERENCE, Ran, Rows, debian_python, neutral, pulpcov, venv_of};

/// A Python, and the core that coverage.py measures with.
struct Kind {
    python: PathBuf,
    /// The name of the virtual environment.
    name: String,
    core: String,
    /// Whether coverage.py uses this core in this Python by default.
    is_default: bool,
}

impl Kind {
    fn debian(version: &str, release: &str, core: &str) -> Self {
        let default = if version == "3.13" { "ctrace" } else { "sysmon" };
        Self {
            is_default: core == default,
            python: debian_python(version, release),
            name: format!("python{version}-coverage-{REFERENCE}"),
            core: core.into(),
        }
    }

    /// Creates an environment with the hook, and installs it with these arguments.
    fn hooked(&self, args: &[&str]) -> Hooked {
        let packages = [format!("coverage=={REFERENCE}")];
        let hooked = Hooked::of(&venv_of(self.python.to_str().unwrap(), &self.name, &packages));
        let config = hooked.dir.write("rc", format!("[run]\ncore = {}\n", self.core));
        hooked.installed(&[&["--config", config.to_str().unwrap()], args].concat())
    }

    /// Returns whether branches can be measured: `sys.monitoring` reports the direction of a branch only
    /// since 3.14.
    fn measures_branches(&self) -> bool {
        let code = "import sys; print(hasattr(getattr(getattr(sys, 'monitoring', 0), 'events', 0), 'BRANCH_LEFT'))";
        let output = Command::new(&self.python).args(["-c", code]).output().unwrap();
        self.core != "sysmon" || output.stdout == b"True\n"
    }
}

macro_rules! on {
    ($($module:ident $kind:expr;)*) => {
        $(mod $module {
            use super::Kind;

            #[test]
            fn every_way_gives_the_rows_of_one_process() {
                super::every_way_gives_the_rows_of_one_process(&$kind);
            }

            #[test]
            fn a_child_records_what_its_parent_ran_before() {
                super::a_child_records_what_its_parent_ran_before(&$kind);
            }

            #[test]
            fn what_runs_after_the_data_was_erased_is_recorded_again() {
                super::what_runs_after_the_data_was_erased_is_recorded_again(&$kind);
            }

            #[test]
            fn threads_that_are_older_than_the_package_are_measured() {
                super::threads_that_are_older_than_the_package_are_measured(&$kind);
            }

            #[test]
            fn a_killed_process_has_saved() {
                super::a_killed_process_has_saved(&$kind);
            }

            #[test]
            fn forks_are_no_warnings() {
                super::forks_are_no_warnings(&$kind);
            }

            #[test]
            fn threads_that_end_are_forgotten() {
                super::threads_that_end_are_forgotten(&$kind);
            }

            #[test]
            fn a_program_that_begins_to_measure_itself_is_left_to_it() {
                super::a_program_that_begins_to_measure_itself_is_left_to_it(&$kind);
            }
        })*
    };
}

on! {
    python_3_13_ctrace Kind::debian("3.13", "trixie", "ctrace");
    python_3_13_sysmon Kind::debian("3.13", "trixie", "sysmon");
    python_3_14_ctrace Kind::debian("3.14", "forky", "ctrace");
    python_3_14_sysmon Kind::debian("3.14", "forky", "sysmon");
    python_3_15_sysmon Kind::debian("3.15", "sid", "sysmon");
}

/// The ways to fork and to end that have the least in common.
const FEW: [&str; 4] = ["fork_twice", "multiprocessing_pool", "subprocess", "daemon_thread"];

fn every_way_gives_the_rows_of_one_process(kind: &Kind) {
    let branches = kind.measures_branches().then_some(&["--branch"][..]);
    for args in branches.into_iter().chain([&[][..]]) {
        let hooked = kind.hooked(args);
        let config = format!("--rcfile={}", hooked.dir.path("rc").display());
        let single = hooked.rows_of_one_process(&[args, &[&config]].concat());
        for (way, _) in WAYS {
            if !kind.is_default && !FEW.contains(&way) {
                continue;
            }
            hooked.assert_same_rows(way, &single);
            hooked.files().iter().for_each(|file| fs::remove_file(file).unwrap());
        }
    }
}

fn a_child_records_what_its_parent_ran_before(kind: &Kind) {
    let hooked = kind.hooked(&["--flush-interval", "60m"]);
    let code = "\
import os
from shop import steps
steps.step_1()
if os.fork() == 0:
    steps.step_1()
    os._exit(0)
os.wait()
";
    assert!(hooked.command().args(["-c", code]).status().unwrap().success());
    let files = hooked.files();
    assert_eq!(files.len(), 2);
    for file in files {
        let ran = lines(&Rows::by_sql(&file), "steps");
        assert!(ran.contains(&line_of_step(1)), "{}: {ran:?}", file.display());
    }
}

fn what_runs_after_the_data_was_erased_is_recorded_again(kind: &Kind) {
    let hooked = kind.hooked(&["--flush-interval", "100ms"]);
    let mut steps = hooked.drive("steps");
    steps.env("PAUSE", "0.02").env("STEPS", "1,2,3,".repeat(1000));
    let _process = Running::start(steps.stdout(Stdio::null()));
    for _ in 0..3 {
        hooked.wait_for_steps([1, 2, 3]);
        hooked.files().iter().for_each(|file| fs::remove_file(file).unwrap());
    }
}

fn threads_that_are_older_than_the_package_are_measured(kind: &Kind) {
    let hooked = kind.hooked(&["--branch"]);
    let code = "\
import queue, threading
work, done = queue.SimpleQueue(), queue.SimpleQueue()
def serve():
    while True:
        done.put(work.get()())
for _ in range(3):
    threading.Thread(target=serve, daemon=True).start()
from shop import steps
for step in (1, 2, 3):
    work.put(getattr(steps, 'step_%d' % step))
    done.get()
steps.step_4()
";
    assert!(hooked.command().args(["-c", code]).status().unwrap().success());
    let arcs = hooked.rows().arcs;
    for step in [1, 2, 3, 4] {
        let line = line_of_step(step);
        assert!(arcs.iter().any(|arc| arc.3 == line), "{step} of {arcs:?}");
    }
}

fn a_killed_process_has_saved(kind: &Kind) {
    let hooked = kind.hooked(&["--flush-interval", "200ms"]);
    let process = Running::start(hooked.drive("steps").env("PAUSE", "0.01").stdout(Stdio::null()));
    hooked.wait_for_steps(0..100);
    process.signal(Signal::SIGKILL);
    assert!(!hooked.lines("steps").contains(&line_of_step(399)));
}

fn forks_are_no_warnings(kind: &Kind) {
    let hooked = kind.hooked(&[]);
    let code = "\
import os, subprocess, sys
import shop
for _ in range(50):
    if os.fork() == 0:
        os._exit(0)
    os.wait()
child, terminal = os.forkpty()
if child == 0:
    os._exit(0)
os.wait()
subprocess.run([sys.executable, '-S', '-c', ''], check=True)
";
    let output = hooked.command().args(["-W", "always", "-c", code]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

fn a_program_that_begins_to_measure_itself_is_left_to_it(kind: &Kind) {
    let hooked = kind.hooked(&["--flush-interval", "60m"]);
    let code = "\
import coverage
from shop import steps, work
steps.step_1()
own = coverage.Coverage(data_file=None, config_file=False, include=['*/work.py'])
own.set_option('run:core', CORE)
own.start()
work.before()
own.stop()
assert set(own.analysis2(work)[3]).isdisjoint([5, 6, 7, 8, 9]), own.analysis2(work)
assert coverage.Coverage.current() is None
steps.step_2()
";
    let code = code.replace("CORE", &format!("'{}'", kind.core));
    let output = hooked.command().args(["-c", &code]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let ran = hooked.lines("steps");
    assert!(ran.contains(&line_of_step(1)) && !ran.contains(&line_of_step(2)), "{ran:?}");
}

fn threads_that_end_are_forgotten(kind: &Kind) {
    let hooked = kind.hooked(&["--flush-interval", "100ms"]);
    let code = "\
import threading, time
from shop import steps
import coverage
end = threading.Event()
def live():
    end.wait()
    steps.step_1()
living = [threading.Thread(target=live) for _ in range(5)]
for thread in living: thread.start()
for _ in range(20):
    threads = [threading.Thread(target=steps.step_2) for _ in range(20)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
collector = coverage.Coverage.current()._collector
give_up = time.monotonic() + 60
while len(collector.tracers) >= 15 and time.monotonic() < give_up: time.sleep(0.05)
print(len(collector.tracers), 1 + len(living) if collector.core.systrace else 1)
end.set()
";
    let output = hooked.command().args(["-c", code]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<usize> = text.split_whitespace().map(|each| each.parse().unwrap()).collect();
    let [kept, living] = numbers[..] else { panic!("{text}") };
    // The tracers of living threads are kept, and at most a few others that have not been examined yet.
    assert!((living..living + 10).contains(&kept), "{kept} tracers of {living} living threads");
    assert!(hooked.lines("steps").contains(&line_of_step(1)));
}

/// Debian's own Python forbids pip to install into it, and has a `sitecustomize`.
#[test]
fn a_python_of_the_system_is_installed_into_and_left_as_it_was() {
    let original = debian_python("3.14", "forky").ancestors().nth(3).unwrap().to_owned();
    let hooked = Hooked::new();
    let system = hooked.dir.path("system");
    // Hard links are enough of a copy, since no existing file is written to.
    let copied = Command::new("cp").arg("-al").args([&original, &system]).status().unwrap();
    assert!(copied.success());
    let library = system.join("usr/lib/python3.14");
    assert!(library.join("EXTERNALLY-MANAGED").exists());
    assert!(library.join("sitecustomize.py").symlink_metadata().is_ok());
    let packages = system.join("usr/lib/python3/dist-packages");
    fs::create_dir_all(&packages).unwrap();
    let base = venv_of(
        original.join("usr/bin/python3.14").to_str().unwrap(),
        &format!("python3.14-coverage-{REFERENCE}"),
        &[format!("coverage=={REFERENCE}")],
    );
    let coverage = base.join("lib/python3.14/site-packages");
    fs::write(packages.join("coverage.pth"), coverage.as_os_str().as_encoded_bytes()).unwrap();
    let list = || {
        let output = Command::new("find").arg(&system).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let before = list();

    let python = system.join("usr/bin/python3.14");
    let hook = |args: &[&str]| {
        let mut hook = pulpcov();
        hook.arg("hook").args(args).arg("--python").arg(&python);
        Ran::from(hook.output().unwrap())
    };
    let root = hooked.root();
    hook(&["install", "--source", "shop", "--data-root", root.to_str().unwrap()]).status(0);
    let mut drive = neutral(Command::new(&python));
    let ran = drive.args(["drive.py", "fork_os_exit"]).current_dir(shop()).status().unwrap();
    assert!(ran.success());
    assert_eq!(hooked.files().len(), 2);
    hook(&["uninstall"]).status(0);
    assert_eq!(list(), before);
}
