//! A combine that may hold next to no rows in memory, and so stores them on disk.
//!
//! The command itself holds more than a hundred MiB of rows in memory. A combine of more rows takes too long
//! to be killed hundreds of times.

use std::process::Command;

use pulpcov_core::combine::Combiner;

use super::inject::{Call, calls};
use super::{TARGET, inputs};
use crate::support::{Dir, Ran, Rows, neutral};

/// The environment variable that passes the arguments to the process that combines.
const ARGUMENTS: &str = "PULPCOV_TEST_COMBINE";
/// Two or three of the small inputs take this many bytes.
const MEMORY: usize = 250;

/// Returns a command like `pulpcov combine`, but with next to no memory.
///
/// The command is this test program, with arguments to run only the test below.
pub(super) fn combine(args: &[&str]) -> Command {
    let mut command = neutral(Command::new(std::env::current_exe().unwrap()));
    command.args([
        "--exact",
        "--nocapture",
        "python::faults::little_memory::rows_on_disk_are_combined",
    ]);
    command.env(ARGUMENTS, args.join(" "));
    command
}

#[test]
#[expect(clippy::exit, reason = "the process that combines ends as the command does")]
fn rows_on_disk_are_combined() {
    if let Ok(args) = std::env::var(ARGUMENTS) {
        let (status, said) = combine_here(&args.split_whitespace().collect::<Vec<_>>());
        eprint!("{said}");
        std::process::exit(status);
    }
    let dir = Dir::new();
    let rows = inputs(&dir, 1..=9);
    let calls = calls(&dir, &combine(&[]));
    let waited = |call: &&Call| {
        call.name.starts_with("unlink")
            && call.text.contains("/.pulpcov-")
            && call.text.contains(".tmp")
    };
    assert!(calls.iter().filter(waited).count() > 2, "no rows waited on disk");
    assert_eq!(Rows::by_sql(dir.path(TARGET)), rows);
    assert_eq!(dir.names(), [TARGET]);
}

/// Combines the current folder. Returns the exit code, and the messages to print.
fn combine_here(args: &[&str]) -> (i32, String) {
    let combiner = Combiner::new(TARGET)
        .append(args.contains(&"--append"))
        .keep(args.contains(&"--keep"))
        .memory(MEMORY);
    match combiner.run() {
        Ok(combined) => {
            let errors = combined.left_out.iter().chain(&combined.not_deleted);
            let said = errors.map(|err| format!("warning: {err}\n")).collect();
            (if combined.left_out.is_empty() { 0 } else { 3 }, said)
        }
        Err(err) => (1, format!("error: {err}\n")),
    }
}

/// Returns whether the fault hit the thread that starts the test, instead of a thread of the combine.
pub(super) fn never_began(ran: &Ran) -> bool {
    ran.stderr.contains("io error when listing tests")
}
