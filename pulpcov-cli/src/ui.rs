//! Messages to the user at the terminal, on standard error.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use pulpcov_core::text::{printable, without_error_numbers};

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const RESET: &str = "\x1b[0m";

/// Prints the error that stopped the command.
pub(crate) fn error(message: &str) {
    labelled("error", RED, message);
}

/// Prints what the user should know, though the command goes on.
pub(crate) fn warning(message: &str) {
    labelled("warning", YELLOW, message);
}

/// Prints what was done.
pub(crate) fn message(text: &str) {
    say(&safe(text));
}

/// Returns a file's name for a message, without line breaks.
pub(crate) fn name(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// Returns text of several lines for standard output. Characters that cannot be printed are replaced by `?`.
pub(crate) fn safe_lines(text: &str) -> String {
    text.split_inclusive('\n').map(safe_line).collect()
}

fn safe_line(line: &str) -> Cow<'_, str> {
    match line.strip_suffix('\n') {
        Some(text) => Cow::Owned(format!("{}\n", printable(text))),
        None => printable(line),
    }
}

/// Prints a message after a coloured label. `anstream` drops the colours in a pipe and with `NO_COLOR`.
fn labelled(label: &str, colour: &str, message: &str) {
    say(&format!("{colour}{label}:{RESET} {}", safe(message)));
}

/// Writes a line to standard error. If that fails, the message is lost, but the command goes on.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Replaces control characters by `?`, so that names cannot contain escape sequences for the terminal. Line
/// breaks of the message stay, and numbers of the system's errors do not.
fn safe(text: &str) -> String {
    without_error_numbers(text).lines().map(printable).collect::<Vec<_>>().join("\n")
}
