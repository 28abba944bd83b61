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
    let log = tempfile::NamedTempFile::new().unwrap();
    let option = |text: &str| text.to_owned();
    let path = log.path().to_str().unwrap();
    let output =
        traced(dir, &[option("-o"), option(path), option("-e"), format!("trace={STEPS}")], combine);
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

/// `combine` with `fault` (`signal=KILL`, `error=EIO`) at the call of that name and number.
pub(super) fn with_fault(dir: &Dir, combine: &Command, call: &str, fault: &str) -> Output {
    let option = |text: &str| text.to_owned();
    let trace = call.split(':').next().unwrap();
    let inject = format!("inject={trace}:{fault}{}", &call[trace.len()..]);
    traced(
        dir,
        &[
            option("-o"),
            option("/dev/null"),
            option("-e"),
            format!("trace={trace}"),
            option("-e"),
            inject,
        ],
        combine,
    )
}
