//! Messages to the person at the terminal, on standard error.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use pulpcov_core::text::printable;

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const RESET: &str = "\x1b[0m";

/// What stopped the command.
pub(crate) fn error(message: &str) {
    labelled("error", RED, message);
}

/// What the user should know, though the command goes on.
pub(crate) fn warning(message: &str) {
    labelled("warning", YELLOW, message);
}

/// What was done.
pub(crate) fn message(text: &str) {
    say(&safe(text));
}

/// A file's name for a message: it has no line breaks.
pub(crate) fn name(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// Text of several lines for standard output.
pub(crate) fn safe_lines(text: &str) -> String {
    text.split_inclusive('\n').map(safe_line).collect()
}

fn safe_line(line: &str) -> Cow<'_, str> {
    match line.strip_suffix('\n') {
        Some(text) => Cow::Owned(format!("{}\n", printable(text))),
        None => printable(line),
    }
}

/// Colours are dropped where they are not wanted: in a pipe, with `NO_COLOR`.
fn labelled(label: &str, colour: &str, message: &str) {
    say(&format!("{colour}{label}:{RESET} {}", safe(message)));
}

/// Write a line to standard error. If that fails, the command goes on: the message is lost, the work is not.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Names from outside cannot reach the terminal as escape sequences; our own line breaks can.
fn safe(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}
