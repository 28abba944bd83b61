//! The `pulpcov` command: combines, reports and inspects coverage.py data files without Python.
//!
//! [`pulpcov_core`] does the work, and is the crate to embed. This crate has the arguments, the messages and
//! the exit codes: [`run`] parses the arguments, calls one of the `commands`, and converts its outcome to an
//! [`Exit`].
//!
//! [`services`] describes how to measure processes that fork, are killed, or never end.

mod args;
mod commands;
mod exit;
mod plan;
mod progress;
mod settings;
mod trust;
mod ui;

#[doc = include_str!("../hook/README.md")]
pub mod services {}

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser};

pub use exit::Exit;

use args::Cli;
use exit::Failure;

/// Runs the command with these arguments. The first one is the program's name.
///
/// # Examples
///
/// ```
/// assert_eq!(pulpcov::run(["pulpcov", "--version"]), pulpcov::Exit::Success);
/// assert_eq!(pulpcov::run(["pulpcov", "--no-such-option"]), pulpcov::Exit::Usage);
/// ```
pub fn run<A: Into<OsString> + Clone>(args: impl IntoIterator<Item = A>) -> Exit {
    survive_large_writes();
    let outcome = match parsed(args.into_iter().map(Into::into).collect()) {
        Ok(cli) => commands::run(cli.command),
        Err(usage) => return print_usage(&without_tip_about_values(usage)),
    };
    match outcome {
        Ok(exit) => exit,
        // The reader of our output has seen enough and closed the pipe.
        Err(Failure::Output(err)) if err.kind() == std::io::ErrorKind::BrokenPipe => Exit::Success,
        Err(failure) => {
            ui::error(&failure.to_string());
            Exit::Error
        }
    }
}

/// Blocks SIGXFSZ: a write beyond the limit on file sizes fails with an error, instead of killing the
/// process.
fn survive_large_writes() {
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, Signal};
        let mut set = SigSet::empty();
        set.add(Signal::SIGXFSZ);
        // If this fails, such a write kills the process, as by default.
        let _ = set.thread_block();
    }
}

fn parsed(args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    command.build();
    Cli::try_parse_from(args::expand(args, &command)?)
}

/// Removes the tip to write `-- -q` for an unknown option `-q`. Hardly anyone has a file of that name.
fn without_tip_about_values(mut usage: clap::Error) -> clap::Error {
    if let Some(ContextValue::StyledStrs(tips)) = usage.remove(ContextKind::Suggested) {
        let others: Vec<_> =
            tips.into_iter().filter(|tip| !tip.to_string().starts_with("to pass '")).collect();
        if !others.is_empty() {
            usage.insert(ContextKind::Suggested, ContextValue::StyledStrs(others));
        }
    }
    usage
}

/// Prints a message of clap. Help and version go to standard output and are a success; all else is wrong
/// usage.
fn print_usage(usage: &clap::Error) -> Exit {
    match usage.print() {
        // If standard error cannot be written to, there is no place left to report that.
        Err(err) if !usage.use_stderr() && err.kind() != std::io::ErrorKind::BrokenPipe => {
            ui::error(&Failure::Output(err).to_string());
            return Exit::Error;
        }
        _ => {}
    }
    if usage.get(ContextKind::InvalidSubcommand) == Some(&ContextValue::String("run".to_owned())) {
        ui::message(
            "pulpcov does not run programs: `coverage run` does, and `pulpcov hook` measures services.",
        );
    }
    if usage.use_stderr() { Exit::Usage } else { Exit::Success }
}
