//! Faults injected into real system calls of the real command, by strace.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};

use crate::support::{Dir, pulpcov};

/// System calls that change something, or that the safety of a combine rests on.
const STEPS: &str = "openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,\
    ftruncate,fallocate,flock,fcntl,chmod,fchmod,fchmodat,mkdir,mkdirat,rmdir,link,linkat,symlinkat,utimensat";

/// `pulpcov combine`.
pub(super) fn combine(args: &[&str]) -> Command {
    let mut command = pulpcov();
    command.arg("combine").args(args);
    command
}

/// `combine` in `dir` under strace; one thread, so that calls come in the same order each time.
fn traced(dir: &Dir, strace: &[String], combine: &Command) -> Output {
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
    command.stdin(Stdio::null()).output().unwrap_or_else(|err| {
        panic!("strace: {err}\nThese tests inject faults with strace: install it (Debian and Ubuntu: the package strace).")
    })
}

/// A system call of an undisturbed run.
pub(super) struct Call {
    /// `unlink`.
    pub(super) name: String,
    /// The how many'th of this name in its thread: strace counts those of each thread alone.
    pub(super) number: usize,
    /// `unlink("/tmp/…/.coverage.1")`.
    pub(super) text: String,
}

/// The system calls of an undisturbed run, in order.
pub(super) fn calls(dir: &Dir, combine: &Command) -> Vec<Call> {
    calls_with(dir, combine, &[])
}

/// The system calls of a run with these faults, in order.
pub(super) fn calls_with(dir: &Dir, combine: &Command, faults: &[Fault]) -> Vec<Call> {
    let log = tempfile::NamedTempFile::new().unwrap();
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

/// What happens at some system calls.
#[derive(Clone, Copy)]
pub(super) struct Fault<'a> {
    /// Names of calls, and which of these: `unlink:when=2`.
    pub(super) calls: &'a str,
    /// `signal=KILL`, `error=EIO`.
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

/// `combine` with `fault` (`signal=KILL`, `error=EIO`) at the call of that name and number.
pub(super) fn with_fault(dir: &Dir, combine: &Command, call: &str, fault: &str) -> Output {
    with_faults(dir, combine, &[Fault { calls: call, fault }])
}

/// `combine` with several faults.
pub(super) fn with_faults(dir: &Dir, combine: &Command, faults: &[Fault]) -> Output {
    let names: Vec<&str> = faults.iter().map(Fault::names).collect();
    let mut options: Vec<String> =
        ["-o", "/dev/null", "-e"].into_iter().map(str::to_owned).collect();
    options.push(format!("trace={}", names.join(",")));
    options.extend(faults.iter().flat_map(Fault::options));
    traced(dir, &options, combine)
}
