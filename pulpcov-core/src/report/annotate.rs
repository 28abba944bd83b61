//! Annotated source: each line has a mark in its margin. `>` means that the line ran, `!` that it
//! did not, and `-` that it is excluded.
//!
//! A port of coverage.py's annotate.py. The report is one output for each file: [`write()`] writes
//! the text, and [`file_name`] returns a name for the file to write it to.

use std::io::Write;

use super::flat_name::flat_name;
use super::splitlines::lines_with_ends;
use crate::Result;
use crate::pytext::is_space;
use crate::results::Analysis;
use crate::summarize::{FileSummary, Summary};

/// Writes the annotated source of one file.
///
/// # Errors
///
/// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary does not
///   [keep](crate::summarize::Detail) enough of the file;
/// - [`ErrorKind::NoSource`](crate::ErrorKind::NoSource) if the source can no longer be read;
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::annotate;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let mut out = Vec::new();
/// annotate::write(&summary, &summary.files()[0], &mut out)?;
/// assert_eq!(String::from_utf8_lossy(&out), "> x = 1\n> if x > 1:\n!     x = 2\n");
/// assert_eq!(annotate::file_name(&summary.files()[0]), "a.py,cover");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(summary: &Summary<'_>, file: &FileSummary, mut out: impl Write) -> Result<()> {
    let source = summary.source(file)?;
    let mut margin = Margin::new(file.analysis()?);
    for (number, line) in (1..).zip(lines_with_ends(source.text())) {
        out.write_all(margin.mark(number, line).as_bytes())?;
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Returns a name for the annotated source of a file, for a folder that holds all annotated
/// sources.
///
/// # Examples
///
/// ```
/// # use pulpcov_core::report::annotate;
/// # use std::path::Path;
/// # use pulpcov_core::summarize::Summarizer;
/// # use pulpcov_core::{CoverageData, Numbits};
/// # let mut data = CoverageData::new();
/// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
/// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
/// # let summary = Summarizer::new(&data, &sources).run()?;
/// assert_eq!(annotate::file_name(&summary.files()[0]), "a.py,cover");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn file_name(file: &FileSummary) -> String {
    let extension = extension(file.name());
    let flat = flat_name(file.name());
    // The flat name ends with the extension too, but with an underscore for its dot.
    let stem = flat.get(..flat.len().saturating_sub(extension.len())).unwrap_or(&flat);
    format!("{stem}{extension},cover")
}

fn extension(name: &str) -> &str {
    let length = crate::paths::extension(name.as_bytes()).len();
    name.get(name.len() - length..).unwrap_or_default()
}

/// Marks the lines of a file, which must come in order.
struct Margin<'a> {
    statements: std::iter::Peekable<std::slice::Iter<'a, i32>>,
    missing: std::iter::Peekable<std::slice::Iter<'a, i32>>,
    excluded: &'a [i32],
    /// Whether the statement ran that the current line belongs to.
    covered: bool,
}

impl<'a> Margin<'a> {
    fn new(analysis: &'a Analysis) -> Self {
        Self {
            statements: analysis.statements().iter().peekable(),
            missing: analysis.missing().iter().peekable(),
            excluded: analysis.excluded(),
            covered: true,
        }
    }

    fn mark(&mut self, number: i32, line: &str) -> &'static str {
        while self.statements.next_if(|next| **next < number).is_some() {}
        while self.missing.next_if(|next| **next < number).is_some() {}
        if self.statements.peek() == Some(&&number) {
            self.covered = self.missing.peek() != Some(&&number);
        }
        if is_blank(line) {
            "  "
        } else if is_else(line) {
            // `else:` is not a statement. Its mark is that of the next statement, the first in its
            // block.
            let next_is_missing =
                self.missing.peek().is_some() && self.statements.peek() == self.missing.peek();
            if next_is_missing { "! " } else { "> " }
        } else if self.excluded.binary_search(&number).is_ok() {
            "- "
        } else if self.covered {
            "> "
        } else {
            "! "
        }
    }
}

/// Returns whether a line contains nothing but white space and a comment.
fn is_blank(line: &str) -> bool {
    let text = line.trim_start_matches(is_space);
    text.is_empty() || text.starts_with('#')
}

/// Returns whether a line contains nothing but `else:` and a comment.
fn is_else(line: &str) -> bool {
    let text = line.trim_start_matches(is_space);
    let colon = text.strip_prefix("else").map(|text| text.trim_start_matches(is_space));
    colon.and_then(|text| text.strip_prefix(':')).is_some_and(is_blank)
}
