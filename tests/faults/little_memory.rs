//! A combine whose rows wait on disk. The command holds a hundred MiB of them in memory, which are too many to
//! kill it again and again; this one holds next to none.

use std::process::Command;

use pulpcov_core::combine::Combiner;

use super::inject::{Call, calls};
use super::{TARGET, inputs};
use crate::support::{Dir, Ran, Rows, neutral};

/// Set in the process that combines, to its arguments.
const ARGUMENTS: &str = "PULPCOV_TEST_COMBINE";
/// What two or three of the small inputs take.
const MEMORY: usize = 250;

/// `pulpcov combine` with next to no memory: this program, told to run the test below and no other.
pub(super) fn combine(args: &[&str]) -> Command {
    let mut command = neutral(Command::new(std::env::current_exe().unwrap()));
    command.args(["--exact", "--nocapture", "faults::little_memory::rows_on_disk_are_combined"]);
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

/// Combine the current folder: the status to end with, and what is to be said.
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

/// Was the fault meant for a thread of the combine, and met the one that begins the test?
pub(super) fn never_began(ran: &Ran) -> bool {
    ran.stderr.contains("io error when listing tests")
}
