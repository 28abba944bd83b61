//! Codecov's own format.
//!
//! The [format](https://docs.codecov.com/docs/codecov-custom-coverage-format) has the lines of each file. A line that ran is 1, and one that
//! did not is 0. If only some branches of a line were taken, it is a text: `"1/2"` is one of two. An excluded line is `null`.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::RepositoryFiles;
use crate::Result;
use crate::results::Analysis;

/// What became of a line.
#[derive(Serialize)]
#[serde(untagged)]
enum Line {
    Hits(u8),
    Branches(String),
    Excluded,
}

/// Writes the report as Codecov's JSON, one file a line.
///
/// # Errors
///
/// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary does not keep the
///   [lines](crate::summarize::Detail::Lines);
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::{RepositoryFiles, codecov};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::CoverageData;
///
/// let mut data = CoverageData::new();
/// data.add_arcs("a.py", "", [(-1, 1), (1, 2), (2, 4), (4, -1)])?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x:\n    x = 3\nx = 4\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let mut out = Vec::new();
/// codecov::write(&RepositoryFiles::new(&summary, "")?, &mut out)?;
/// assert_eq!(
///     String::from_utf8_lossy(&out),
///     "{\"coverage\": {\n\"a.py\": {\"1\":1,\"2\":\"1/2\",\"3\":0,\"4\":1}\n}}\n",
/// );
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(files: &RepositoryFiles<'_>, mut out: impl Write) -> Result<()> {
    write!(out, "{{\"coverage\": {{")?;
    let mut separator = "";
    for (name, file) in files.iter() {
        writeln!(out, "{separator}")?;
        separator = ",";
        serde_json::to_writer(&mut out, name).map_err(std::io::Error::from)?;
        write!(out, ": ")?;
        serde_json::to_writer(&mut out, &lines(file.analysis()?)).map_err(std::io::Error::from)?;
    }
    Ok(writeln!(out, "\n}}}}")?)
}

fn lines(analysis: &Analysis) -> BTreeMap<i32, Line> {
    let stats = if analysis.has_arcs() { analysis.branch_stats() } else { BTreeMap::new() };
    let line = |line: &i32| {
        let ran = analysis.missing().binary_search(line).is_err();
        let state = match stats.get(line) {
            // Codecov counts a line without any branch as missing, but this one ran.
            Some((exits, taken)) if ran && taken < exits => {
                Line::Branches(format!("{}/{exits}", taken.max(&1)))
            }
            _ => Line::Hits(u8::from(ran)),
        };
        (*line, state)
    };
    let excluded = analysis.excluded().iter().map(|line| (*line, Line::Excluded));
    excluded.chain(analysis.statements().iter().map(line)).collect()
}
