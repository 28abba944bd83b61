//! The `pulpcov` command: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    pulpcov::run(std::env::args_os()).into()
}
