//! The `pulpcov` command.
fn main() {}
