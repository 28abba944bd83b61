//! The commands, one per file.

mod analyze;
mod annotate;
mod badge;
mod changes;
mod choice;
mod combine;
mod comment;
mod convert;
mod data;
mod debug;
mod erase;
mod forge;
mod gate;
mod git;
mod hook;
mod html;
mod json;
mod lcov;
mod merge;
mod origin;
mod own;
mod patch;
mod plain_file;
mod plugins;
mod report;
mod reporting;
mod repository;
mod source_tree;
mod standard_input;
mod subunit;
mod tests_for;
mod watch;
mod who;
mod xml;

use crate::args::Command;
use crate::exit::{Exit, Failure};

/// Runs one command.
pub(crate) fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Annotate(args) => annotate::run(&args),
        Command::Badge(args) => badge::run(&args),
        Command::Combine(args) => combine::run(args),
        Command::Comment(args) => comment::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Debug(args) => debug::run(&args),
        Command::Erase(args) => erase::run(args),
        Command::Gate(args) => gate::run(&args),
        Command::Hook(command) => hook::run(&command),
        Command::Html(args) => html::run(&args),
        Command::Json(args) => json::run(&args),
        Command::Lcov(args) => lcov::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Patch(args) => patch::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Subunit(command) => subunit::run(&command),
        Command::TestsFor(args) => tests_for::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Who(args) => who::run(args),
        Command::Xml(args) => xml::run(&args),
    }
}
