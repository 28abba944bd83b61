//! The streams that are read and written.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use std::path::Path;

use pulpcov_core::Error;
use pulpcov_core::subunit::{Incomplete, damaged_packets};

use crate::exit::Failure;
use crate::ui;

/// Opens a stream to read. `-` is standard input.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if is_standard_input(path) {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(File::open(path).map_err(|err| Failure::reading(path, &err))?))
}

/// Returns a function that adds the stream to an error.
pub(super) fn naming(path: &Path) -> impl Fn(Error) -> Failure {
    let name = if is_standard_input(path) { Path::new("standard input") } else { path };
    let name = name.to_owned();
    move |err| err.with_path(&name).into()
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Returns standard output without a buffer, so that what is written goes on at once, and a packet in one piece. Packets are not
/// for the eyes, so a terminal is refused.
pub(super) fn standard_output() -> Result<File, Failure> {
    let output = io::stdout().lock();
    if output.is_terminal() {
        let message =
            "packets are not written to a terminal: redirect standard output to a file or a pipe";
        return Err(Failure::Refused(message.to_owned()));
    }
    Ok(File::from(output.as_fd().try_clone_to_owned().map_err(Failure::Output)?))
}

/// Says that the end of a data file is missing.
pub(super) fn cut_file(file: &Incomplete) -> String {
    let Incomplete { id, size } = file;
    format!("{id}: the stream has {size} bytes of it, but not its end")
}

/// Warns of packets that are damaged.
pub(super) fn warn_of_damage(packets: u64) {
    if packets > 0 {
        ui::warning(&format!(
            "{} damaged, so data files may be missing or damaged",
            damaged_packets(packets)
        ));
    }
}
