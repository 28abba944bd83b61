//! Workflow commands of GitHub Actions, which become annotations.

use std::io::Write;
use std::ops::RangeInclusive;

use super::findings::{FileFindings, Finding, FindingKind};
use crate::Result;
use crate::text::{plural, printable};

/// The number of annotations of one type that GitHub shows of one step.
const SHOWN: usize = 10;

/// What one command says.
pub(super) struct Command {
    title: &'static str,
    message: String,
    file: Option<String>,
    lines: Option<RangeInclusive<i32>>,
}

impl Command {
    pub(super) fn new(title: &'static str, message: impl Into<String>) -> Self {
        Self { title, message: message.into(), file: None, lines: None }
    }

    /// Sets the file that the command is about.
    pub(super) fn file(mut self, name: impl Into<String>) -> Self {
        self.file = Some(name.into());
        self
    }

    /// Sets the lines that the command is about.
    pub(super) fn lines(mut self, lines: RangeInclusive<i32>) -> Self {
        self.lines = Some(lines);
        self
    }

    fn write(&self, kind: &str, out: &mut impl Write) -> Result<()> {
        let mut properties = String::new();
        if let Some(file) = &self.file {
            properties.push_str(&format!("file={},", property(file)));
        }
        if let Some(lines) = &self.lines {
            properties.push_str(&format!("line={},endLine={},", lines.start(), lines.end()));
        }
        Ok(writeln!(out, "::{kind} {properties}title={}::{}", self.title, data(&self.message))?)
    }
}

/// Writes commands of one kind, as many as GitHub shows. The last one counts the others.
pub(super) fn write_limited(
    kind: &str,
    title: &'static str,
    what: &str,
    commands: &[Command],
    out: &mut impl Write,
) -> Result<()> {
    let shown = if commands.len() > SHOWN { SHOWN - 1 } else { commands.len() };
    let (first, rest) = commands.split_at(shown);
    for command in first {
        command.write(kind, out)?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    let mut names = rest.iter().filter_map(|command| command.file.as_deref());
    let place = match names.next() {
        None => String::new(),
        Some(first) if rest.iter().all(|command| command.file.as_deref() == Some(first)) => {
            format!(", in {first}")
        }
        Some(first) => format!(", in {first} and other files"),
    };
    let message = format!("{} more{place}", plural(rest.len(), what));
    Command::new(title, message).write(kind, out)
}

/// Writes a warning for each finding, the largest gaps first, as many as GitHub shows.
pub(super) fn write_findings(files: &[FileFindings<'_>], out: &mut impl Write) -> Result<()> {
    let mut gaps: Vec<(&str, &Finding)> = files.iter().flat_map(FileFindings::named).collect();
    // The sort is stable, so equal gaps stay in the order of the files.
    gaps.sort_by_key(|(_, finding)| (finding.kind == FindingKind::Partial, -finding.size()));
    let warnings: Vec<Command> = gaps
        .into_iter()
        .map(|(name, finding)| {
            let title = match finding.kind {
                FindingKind::Missing => "Not covered",
                FindingKind::Partial => "Partly covered",
            };
            Command::new(title, finding.message.clone()).file(name).lines(finding.lines.clone())
        })
        .collect();
    write_limited("warning", "Not covered", "gap", &warnings, out)
}

/// Writes a notice that is about no file.
pub(super) fn notice(title: &'static str, message: &str, out: &mut impl Write) -> Result<()> {
    Command::new(title, message).write("notice", out)
}

/// Escapes the message of a command. No line ends are left in printable text.
fn data(text: &str) -> String {
    printable(text).replace('%', "%25")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
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
