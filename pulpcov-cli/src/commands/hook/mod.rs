//! `pulpcov hook`: installs the hook in a Python, removes it, and shows what it measures.
//!
//! | Module | Contents |
//! |---|---|
//! | `interpreter` | facts about a Python, asked from the Python itself |
//! | `hooks` | where the hooks of Pythons write, and what they measure |
//! | `hook_settings` | the settings of a Python's hook, in words |
//! | `installed` | the files of the hook in site-packages, and the record of what was written |
//! | `wsgi` | the marked import in a WSGI script |
//! | `data_root` | the folder that processes write into |
//! | `contents` | the files that processes have left there |
//! | `processes` | the processes that left data files and notes, and whether they still run |
//! | `purge` | removes what processes have left |
//! | `user_name` | the names of users |
//!
//! The Python side is in `pulpcov-cli/hook/`.

mod contents;
mod data_root;
mod hook_settings;
mod hooks;
mod install;
mod installed;
mod interpreter;
mod processes;
mod purge;
mod report;
mod status;
mod uninstall;
mod user_name;
mod wsgi;

pub(super) use hooks::{HOW_TO_NAME_ONE, Hooks};

use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::args::HookCommand;
use crate::exit::{Exit, Failure};
use crate::ui;

pub(super) fn run(command: &HookCommand) -> Result<Exit, Failure> {
    match command {
        HookCommand::Install(args) => install::run(args),
        HookCommand::Uninstall(args) => uninstall::run(args),
        HookCommand::Status(args) => status::run(args),
        HookCommand::Report(args) => report::run(args),
    }
}

/// Returns a refusal about the file `path`.
fn refusal_about(path: &Path, why: impl Display) -> Failure {
    Failure::Refused(format!("{}: {why}", path.display()))
}

/// Returns the options that name these Pythons again.
fn python_options(pythons: &[PathBuf]) -> String {
    pythons.iter().map(|python| format!(" --python {}", ui::name(python))).collect()
}

/// Calls `work` for each item. If it fails for one, prints the error and goes on with the others.
fn for_each<T>(
    items: impl IntoIterator<Item = T>,
    mut work: impl FnMut(T) -> Result<(), Failure>,
) -> Exit {
    let mut exit = Exit::Success;
    for item in items {
        if let Err(failure) = work(item) {
            ui::error(&failure.to_string());
            exit = Exit::Error;
        }
    }
    exit
}
