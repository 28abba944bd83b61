//! The `pulpcov` command: see the library of the same name.

use std::process::ExitCode;

/// Reports and merges are made of many small values on all cores.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pulpcov::run(std::env::args_os()).into()
}
