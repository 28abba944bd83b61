//! Who ran it, as text for a terminal.

use std::io::Write;

use super::{FilePart, TestReach, WhoFile};
use crate::Numbits;
use crate::Result;
use crate::impact::{Part, TestRun};
use crate::results::format_lines;
use crate::text::{plural, printable};

/// Writes for each file how much of it ran, the tests that ran it, and their lines.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_text(files: &[WhoFile<'_>], mut out: impl Write) -> Result<()> {
    for who in files {
        writeln!(out, "{}: {}", printable(&who.name()), who.summary())?;
        for test in who.runs.tests() {
            let how = how(test);
            let lines = who.ranges(&test.lines());
            writeln!(out, "  {}{}: {lines}", printable(test.id()), printable(&how))?;
        }
        for (context, lines) in who.runs.others() {
            let who_else = match context.is_empty() {
                true => "outside of tests".to_owned(),
                false => format!("context {}", printable(context)),
            };
            writeln!(out, "  {who_else}: {}", who.ranges(lines))?;
        }
        let missing = who.not_run();
        if !missing.is_empty() && !who.is_alone {
            writeln!(out, "  nobody: {}", who.ranges(&missing))?;
        }
    }
    Ok(())
}

/// Writes what a test ran of each file, and what it alone ran.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_reach_text(reach: &TestReach<'_>, mut out: impl Write) -> Result<()> {
    let files = plural(reach.files().len(), "file");
    writeln!(out, "{} ran lines of {files}", plural(reach.tests().len(), "test"))?;
    for file in reach.files() {
        let ranges = |lines: &Numbits| ranges(file.statements(), lines);
        let alone = match file.alone().is_empty() {
            true => String::new(),
            false => format!("; alone {}", ranges(file.alone())),
        };
        writeln!(out, "  {}: {}{alone}", printable(file.name()), ranges(file.lines()))?;
    }
    Ok(())
}

/// Returns lines as ranges, which are not interrupted by lines that are no code.
fn ranges(statements: &[i32], lines: &Numbits) -> String {
    format_lines(statements, &lines.iter().collect::<Vec<_>>(), &[])
}

/// Returns under which static contexts and in which phases a test ran the lines, in parentheses.
fn how(test: &TestRun<'_>) -> String {
    let mut groups = Vec::<(&str, Vec<&str>)>::new();
    for Part { static_context, phase, .. } in test.parts() {
        let phase = phase.map(|phase| phase.as_str());
        match groups.last_mut() {
            Some((context, phases)) if context == static_context => phases.extend(phase),
            _ => groups.push((static_context, phase.into_iter().collect())),
        }
    }
    let words = groups.into_iter().map(|(context, phases)| {
        [context, &phases.join(", ")]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    });
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join("; ")) }
}

impl WhoFile<'_> {
    /// Returns how much of the part ran, as a sentence.
    fn summary(&self) -> String {
        let count = self.statements.len();
        if count == 0 {
            return match &self.part {
                FilePart::Lines(lines) if self.is_excluded(*lines.start()) => "excluded".to_owned(),
                FilePart::Lines(_) => "no code".to_owned(),
                _ => "no statements".to_owned(),
            };
        }
        let tests = plural(self.runs.tests().len(), "test");
        if self.is_alone {
            let ran = self.runs.lines().len();
            return format!("{ran} of {} ran in one test only", plural(count, "statement"));
        }
        let ran = count - self.not_run().len();
        format!("{ran} of {} ran, in {tests}", plural(count, "statement"))
    }

    fn is_excluded(&self, line: i32) -> bool {
        self.facts.excluded().binary_search(&self.facts.first_line(line)).is_ok()
    }

    /// Returns the statements that nothing ran.
    fn not_run(&self) -> Numbits {
        let mut ran = self.runs.lines();
        self.runs.others().iter().for_each(|(_, lines)| ran.union_with(lines));
        self.statements.iter().copied().filter(|line| !ran.contains(*line)).collect()
    }

    fn ranges(&self, lines: &Numbits) -> String {
        ranges(self.facts.statements(), lines)
    }
}
