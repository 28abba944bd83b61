//! Standard input as an input of a command.

use std::fs::{File, Metadata};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use pulpcov_core::{Author, Authors};

use crate::exit::Failure;

/// The name of standard input in messages.
pub(super) const NAME: &str = "standard input";

/// The argument that stands for standard input. A file with this name is `./-`.
pub(super) const ARGUMENT: &str = "-";

/// Opens standard input, and returns who may have written what is read from it. `wanted` says what it should be.
pub(super) fn open(wanted: &str) -> Result<(File, Authors), Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::Refused(format!(
            "{NAME} is a terminal; pipe {wanted} into the command"
        )));
    }
    let named =
        |err: io::Error| Failure::Input(io::Error::new(err.kind(), format!("{NAME}: {err}")));
    let file = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(named)?);
    let authors = authors(&file.metadata().map_err(named)?);
    Ok((file, authors))
}

/// Returns who may have written a file, or at the other end of a pipe.
fn authors(metadata: &Metadata) -> Authors {
    if metadata.is_file() && metadata.mode() & 0o002 != 0 {
        return Author::Anybody.into();
    }
    match metadata.uid() {
        owner if owner == nix::unistd::geteuid().as_raw() => Authors::Caller,
        owner => Author::User(owner).into(),
    }
}
