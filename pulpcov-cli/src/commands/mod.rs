//! The commands, one a file.

mod analyze;
mod combine;
mod convert;
mod debug;
mod erase;

use crate::args::Command;
use crate::exit::{Exit, Failure};

/// Run one command.
pub(crate) fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Combine(args) => combine::run(args),
        Command::Convert(args) => convert::run(&args),
        Command::Debug(args) => debug::run(&args),
        Command::Erase(args) => erase::run(args),
    }
}
