//! The `pulpcov` command: combine and inspect coverage.py data files without Python.
//!
//! The work is done by [`pulpcov_core`], which is the crate to embed. Here are arguments,
//! messages and exit codes: [`run`] parses, calls one of `commands`, and maps what comes back to
//! an [`Exit`].
//!
//! [`services`] says how to measure processes that fork, are killed, or never end.

mod args;
mod commands;
mod exit;
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

/// Run the command with these arguments, the program's name first.
///
/// # Examples
///
/// ```
/// assert_eq!(pulpcov::run(["pulpcov", "--version"]), pulpcov::Exit::Success);
/// assert_eq!(pulpcov::run(["pulpcov", "--no-such-option"]), pulpcov::Exit::Usage);
/// ```
pub fn run<A: Into<OsString> + Clone>(args: impl IntoIterator<Item = A>) -> Exit {
    let outcome = match parsed(args.into_iter().map(Into::into).collect()) {
        Ok(cli) => commands::run(cli.command),
        Err(usage) => return print_usage(&without_tip_about_values(usage)),
    };
    match outcome {
        Ok(exit) => exit,
        // Whoever read our output has seen enough.
        Err(Failure::Output(err)) if err.kind() == std::io::ErrorKind::BrokenPipe => Exit::Success,
        Err(failure) => {
            ui::error(&failure.to_string());
            Exit::Error
        }
    }
}

fn parsed(args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    command.build();
    Cli::try_parse_from(args::written_out(args, &command)?)
}

/// Without the tip to write `-- -q` for an option that there is not: hardly anybody has a file of that name.
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

/// Help and version go to standard output and are a success; anything else is wrong usage.
fn print_usage(usage: &clap::Error) -> Exit {
    // If even this cannot be written, nobody is listening.
    let _ = usage.print();
    if usage.get(ContextKind::InvalidSubcommand) == Some(&ContextValue::String("run".to_owned())) {
        ui::message(
            "pulpcov does not run programs: `coverage run` does, and `pulpcov hook` measures services.",
        );
    }
    if usage.use_stderr() { Exit::Usage } else { Exit::Success }
}
