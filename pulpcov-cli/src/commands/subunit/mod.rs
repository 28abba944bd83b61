//! `pulpcov subunit`

mod filter;
mod ls;
mod pack;
mod streams;

use crate::args::SubunitCommand;
use crate::exit::{Exit, Failure};

pub(super) fn run(command: &SubunitCommand) -> Result<Exit, Failure> {
    match command {
        SubunitCommand::Filter(args) => filter::run(args),
        SubunitCommand::Ls(args) => ls::run(args),
        SubunitCommand::Pack(args) => pack::run(args),
    }
}
