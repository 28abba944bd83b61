//! The `pulpcov` command. The library of the same name does the work.

use std::process::ExitCode;

/// Reports and merges allocate many small values on all cores, which mimalloc does faster than the system's
/// allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pulpcov::run(std::env::args_os()).into()
}
