//! Faults that strace injects into real system calls of the real command.

use std::collections::BTreeMap;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::NamedTempFile;

use crate::support::{Dir, HANGS, Ran, pulpcov};

/// System calls that change something, or that the safety of a combine depends on.
const STEPS: &str = "openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,\
    ftruncate,fallocate,flock,fcntl,chmod,fchmod,fchmodat,mkdir,mkdirat,rmdir,link,linkat,symlinkat,utimensat";

/// Returns the command `pulpcov combine`.
pub(super) fn combine(args: &[&str]) -> Command {
    let mut command = pulpcov();
    command.arg("combine").args(args);
    command
}

/// Runs `combine` in `dir` under strace.
fn traced(dir: &Dir, strace: &[String], combine: &Command) -> Output {
    strace_of(dir, strace, combine).output().unwrap_or_else(|err| no_strace(&err))
}

fn no_strace(err: &io::Error) -> ! {
    panic!(
        "strace: {err}\nThese tests inject faults with strace: install it (Debian and Ubuntu: the package strace)."
    )
}

/// Returns a command that runs `combine` in `dir` under strace. With one thread, the calls have the same order in every run.
fn strace_of(dir: &Dir, strace: &[String], combine: &Command) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]).args(strace).arg("--");
    command.arg(combine.get_program()).args(combine.get_args());
    for (name, value) in combine.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(dir.path("")).env("RAYON_NUM_THREADS", "1");
    command.stdin(Stdio::null());
    command
}

/// A system call of an undisturbed run.
pub(super) struct Call {
    /// The name, such as `unlink`.
    pub(super) name: String,
    /// The number of the call, counted from 1 among the calls of this name in its thread, as strace counts.
    pub(super) number: usize,
    /// The whole call, such as `unlink("/tmp/…/.coverage.1")`.
    pub(super) text: String,
}

/// Returns the system calls of an undisturbed run, in order.
pub(super) fn calls(dir: &Dir, combine: &Command) -> Vec<Call> {
    calls_with(dir, combine, &[])
}

/// Returns the system calls of a run with these faults, in order.
pub(super) fn calls_with(dir: &Dir, combine: &Command, faults: &[Fault]) -> Vec<Call> {
    let log = NamedTempFile::new().unwrap();
    let option = |text: &str| text.to_owned();
    let path = log.path().to_str().unwrap();
    let mut options = vec![option("-o"), option(path), option("-e"), format!("trace={STEPS}")];
    options.extend(faults.iter().flat_map(Fault::options));
    let output = traced(dir, &options, combine);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(log.path()).unwrap();
    let mut counts = BTreeMap::new();
    let call = |line: &str| {
        let (thread, text) = line.split_once(' ')?;
        let text = text.trim_start().to_owned();
        let (name, _) = text.split_once('(')?;
        if !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let name = name.to_owned();
        let number = counts.entry((thread.to_owned(), name.clone())).or_insert(0);
        *number += 1;
        Some(Call { name, number: *number, text })
    };
    text.lines().filter_map(call).collect()
}

/// A fault at some system calls.
#[derive(Clone, Copy)]
pub(super) struct Fault<'a> {
    /// The names of the calls, and which of them fail, such as `unlink:when=2`.
    pub(super) calls: &'a str,
    /// What happens, such as `signal=KILL` or `error=EIO`.
    pub(super) fault: &'a str,
}

impl Fault<'_> {
    fn names(&self) -> &str {
        self.calls.split(':').next().unwrap()
    }

    fn options(&self) -> [String; 2] {
        let names = self.names();
        ["-e".to_owned(), format!("inject={names}:{}{}", self.fault, &self.calls[names.len()..])]
    }
}

/// Runs `combine` with `fault` (`signal=KILL`, `error=EIO`) at the calls that `call` selects
/// (`unlink:when=2`).
pub(super) fn with_fault(dir: &Dir, combine: &Command, call: &str, fault: &str) -> Output {
    with_faults(dir, combine, &[Fault { calls: call, fault }])
}

/// Runs `combine` with several faults.
pub(super) fn with_faults(dir: &Dir, combine: &Command, faults: &[Fault]) -> Output {
    let names: Vec<&str> = faults.iter().map(Fault::names).collect();
    let mut options: Vec<String> =
        ["-o", "/dev/null", "-e"].into_iter().map(str::to_owned).collect();
    options.push(format!("trace={}", names.join(",")));
    options.extend(faults.iter().flat_map(Fault::options));
    traced(dir, &options, combine)
}

/// A command that runs under strace beside the test.
pub(super) struct Running {
    strace: Child,
    log: NamedTempFile,
}

impl Running {
    /// Starts a command whose calls of these names are traced.
    pub(super) fn start(dir: &Dir, command: &Command, calls: &str, faults: &[Fault]) -> Self {
        let log = NamedTempFile::new().unwrap();
        let path = log.path().to_str().unwrap().to_owned();
        let mut options = vec!["-o".to_owned(), path, "-e".to_owned(), format!("trace={calls}")];
        options.extend(faults.iter().flat_map(Fault::options));
        let mut strace = strace_of(dir, &options, command);
        strace.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { strace: strace.spawn().unwrap_or_else(|err| no_strace(&err)), log }
    }

    /// Starts a command, and stops it just before its first call whose name begins with `name`: after the call before that one.
    ///
    /// `calls` are those of an undisturbed run.
    pub(super) fn stopped_before(
        dir: &Dir,
        command: &Command,
        calls: &[Call],
        name: &str,
    ) -> Stopped {
        let at = calls.iter().position(|call| call.name.starts_with(name)).unwrap();
        let before = &calls[at - 1];
        let place = format!("{}:when={}", before.name, before.number);
        let fault = Fault { calls: &place, fault: "signal=STOP" };
        let running = Self::start(dir, command, &before.name, &[fault]);
        let line = running.wait_for("--- stopped by SIGSTOP ---");
        let process = line.split(' ').next().unwrap().parse().unwrap();
        Stopped { running, process: Pid::from_raw(process) }
    }

    /// Waits until the log has a line with this text, and returns the line.
    #[track_caller]
    pub(super) fn wait_for(&self, text: &str) -> String {
        let start = Instant::now();
        loop {
            let log = fs::read_to_string(self.log.path()).unwrap();
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            assert!(start.elapsed() < HANGS, "never came: {text}\n{log}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(super) fn end(self) -> Ran {
        Ran::from(self.strace.wait_with_output().unwrap())
    }
}

/// A command that does not go on by itself.
pub(super) struct Stopped {
    running: Running,
    process: Pid,
}

impl Stopped {
    pub(super) fn go_on(self) -> Ran {
        kill(self.process, Signal::SIGCONT).unwrap();
        self.running.end()
    }
}
