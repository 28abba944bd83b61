//! Workflow commands of GitHub Actions, which become annotations.

use std::io::Write;

use crate::Result;
use crate::text::{plural, printable};

/// The number of annotations of one type that GitHub shows of one step.
const SHOWN: usize = 10;

/// Writes commands of one kind, each with the file that it is about, as many as GitHub shows. The last one counts the
/// others.
pub(super) fn write_limited(
    kind: &str,
    title: &str,
    what: &str,
    commands: Vec<(String, String)>,
    out: &mut impl Write,
) -> Result<()> {
    let shown = if commands.len() > SHOWN { SHOWN - 1 } else { commands.len() };
    for (_, command) in commands.iter().take(shown) {
        writeln!(out, "::{kind} {command}")?;
    }
    let rest = commands.get(shown..).unwrap_or_default();
    if let Some((first, _)) = rest.first() {
        let is_elsewhere = rest.iter().any(|(name, _)| name != first);
        let elsewhere = if is_elsewhere { " and other files" } else { "" };
        let message = format!("{} more, in {first}{elsewhere}", plural(rest.len(), what));
        writeln!(out, "::{kind} title={title}::{}", data(&message))?;
    }
    Ok(())
}

/// Escapes the message of a command. No line ends are left in printable text.
pub(super) fn data(text: &str) -> String {
    printable(text).replace('%', "%25")
}

/// Escapes a property of a command.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_start_a_command() {
        assert_eq!(property("a,b:c%\n::error::x"), "a%2Cb%3Ac%25?%3A%3Aerror%3A%3Ax");
        assert_eq!(data("100%\r\n\x1b::x"), "100%25???::x");
    }
}
