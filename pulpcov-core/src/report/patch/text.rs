//! A patch as text for a terminal.

use std::collections::BTreeSet;
use std::io::Write;

use super::{FileState, Options, Patch, PatchFile};
use crate::Result;
use crate::changes::{FilePatch, LineState};
use crate::report::findings::{Finding, FindingKind, source_lines};
use crate::results::Numbers;
use crate::text::{branches, plural, printable};

/// The marks of lines, and their meanings.
const MARKS: [(char, &str); 3] =
    [('!', "did not run"), ('~', "did not take all branches"), ('-', "is excluded")];

/// How many digits of a commit are shown.
const SHORT_COMMIT: usize = 10;

/// Writes a patch as text: each file with its lines that need attention, and the total.
///
/// The mark of a line says what became of it: `!` did not run, `~` ran without taking all branches, `-` is excluded.
///
/// # Errors
///
/// - [`ErrorKind::NoSource`](crate::ErrorKind::NoSource) if a source can no longer be read;
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
pub fn write_text(patch: &Patch<'_>, options: &Options, mut out: impl Write) -> Result<()> {
    let mut marks = BTreeSet::new();
    for file in patch.files().iter().filter(|file| patch.shows(file)) {
        write_header(file, options, &mut out)?;
        marks.extend(write_lines(patch, file, &mut out)?);
    }
    if !marks.is_empty() {
        let explained = MARKS.iter().filter(|(mark, _)| marks.contains(mark));
        let explained: Vec<String> =
            explained.map(|(mark, meaning)| format!("{mark} {meaning}")).collect();
        writeln!(out, "  {}\n", explained.join(", "))?;
    }
    if let Some(base) = &options.base {
        let commit: String = base.commit.chars().take(SHORT_COMMIT).collect();
        writeln!(
            out,
            "Changes since {} (merge base {})",
            printable(&base.name),
            printable(&commit)
        )?;
    }
    if patch.is_of_new_misses {
        let fallen = fallen(patch.totals()).map(|fallen| format!("; {fallen}"));
        let total = patch.total(options);
        return Ok(writeln!(out, "Of what ran before: {total}{}", fallen.unwrap_or_default())?);
    }
    let files = plural(patch.files().len(), "file");
    Ok(writeln!(out, "{files} changed, {}", patch.total(options))?)
}

fn write_header(file: &PatchFile<'_>, options: &Options, out: &mut impl Write) -> Result<()> {
    let name = file.name();
    let counts = file.numbers().filter(|numbers| numbers.statements > 0);
    let parts = [counts.map(|numbers| options.covered(numbers)), file.remark()];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let said = if parts.is_empty() { "no statement changed".to_owned() } else { parts.join("; ") };
    Ok(writeln!(out, "{}: {}", printable(&name), printable(&said))?)
}

/// Says how much of what ran before does not run any more. Returns `None` if all of it does.
fn fallen(numbers: Numbers) -> Option<String> {
    let lines = plural(numbers.missing, "statement");
    let words = match (numbers.missing, numbers.missing_branches) {
        (0, 0) => return None,
        (_, 0) => lines,
        (0, count) => branches(count),
        (_, count) => format!("{lines} and {}", branches(count)),
    };
    let is_one = numbers.missing + numbers.missing_branches == 1;
    Some(format!("{words} {} not run any more", if is_one { "does" } else { "do" }))
}

/// Writes the lines of a file that a reader should see. Returns their marks.
fn write_lines(
    patch: &Patch<'_>,
    file: &PatchFile<'_>,
    out: &mut impl Write,
) -> Result<BTreeSet<char>> {
    let FileState::Measured { file: of_file, patch: changed } = file.state() else {
        return Ok(BTreeSet::new());
    };
    let rows = rows(changed, &file.findings()?);
    let Some(summary) = patch.summary.filter(|_| !rows.is_empty()) else {
        return Ok(BTreeSet::new());
    };
    let marks = rows.iter().map(|row| row.mark).collect();
    let lines = source_lines(summary, of_file)?;
    for Row { line, mark, note } in rows {
        let text = usize::try_from(line).ok().and_then(|line| lines.get(line));
        let text = text.map(|text| printable(text)).unwrap_or_default();
        writeln!(out, "{}", format!("{line:>5} {mark} {text}").trim_end())?;
        if let Some(note) = note {
            writeln!(out, "        {}", printable(&note))?;
        }
    }
    Ok(marks)
}

/// A line of the source, and what to say of it.
struct Row {
    line: i32,
    mark: char,
    note: Option<String>,
}

fn rows(changed: &FilePatch, findings: &[Finding]) -> Vec<Row> {
    let with = |wanted: LineState| {
        changed.lines().iter().filter(move |(_, state)| *state == wanted).map(|(line, _)| *line)
    };
    let row = |mark| move |line| Row { line, mark, note: None };
    let mut rows: Vec<Row> = with(LineState::Excluded).map(row('-')).collect();
    rows.extend(with(LineState::Missing).map(row('!')));
    for finding in findings {
        let line = *finding.lines.start();
        match finding.kind {
            FindingKind::Partial => {
                rows.push(Row { line, mark: '~', note: Some(finding.message.clone()) });
            }
            // Lines were removed from a statement, and no line of it was added.
            FindingKind::Missing if rows.iter().all(|row| row.line != line) => {
                rows.push(row('!')(line))
            }
            FindingKind::Missing => {}
        }
    }
    rows.sort_by_key(|row| row.line);
    rows
}
