//! SonarQube's generic format for coverage.
//!
//! The [format](https://docs.sonarsource.com/sonarqube-server/latest/analyzing-source-code/test-coverage/generic-test-data/) has the lines of
//! each file with the numbers of their branches. SonarQube looks for a file in the project, under the only name that it has
//! here. In Cobertura's format, a name may start from several folders, and a file that is found in two of them counts as
//! not covered.

use std::collections::BTreeMap;
use std::io::Write;

use super::RepositoryFiles;
use super::parallel::render_in_order;
use super::xml_writer::{Indent, Tag, XmlWriter};
use crate::Result;
use crate::results::Analysis;
use crate::summarize::FileSummary;

const INDENT: Indent = Indent::TwoSpaces;

/// Writes the report as SonarQube's generic coverage.
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
/// use pulpcov_core::CoverageData;
/// use pulpcov_core::report::{RepositoryFiles, sonar};
/// use pulpcov_core::summarize::Summarizer;
///
/// let mut data = CoverageData::new();
/// data.add_arcs("a.py", "", [(-1, 1), (1, 2), (2, 4), (4, -1)])?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x:\n    x = 3\nx = 4\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let mut out = Vec::new();
/// sonar::write(&RepositoryFiles::new(&summary, "")?, &mut out)?;
/// let line = r#"<lineToCover lineNumber="2" covered="true" branchesToCover="2" coveredBranches="1"/>"#;
/// assert!(String::from_utf8_lossy(&out).contains(line));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(files: &RepositoryFiles<'_>, out: impl Write) -> Result<()> {
    let mut xml = XmlWriter::new(out, INDENT);
    xml.declaration("version=\"1.0\" encoding=\"UTF-8\"")?;
    xml.start(Tag::new("coverage").plain("version", 1))?;
    let files: Vec<_> = files.iter().collect();
    let render = |(name, file): &(&str, &FileSummary)| rendered(name, file.analysis()?);
    render_in_order(&files, &mut xml, render, |xml, file| xml.rendered(&file))?;
    xml.end("coverage")?;
    xml.finish().map(drop)
}

fn rendered(name: &str, analysis: &Analysis) -> Result<Vec<u8>> {
    let stats = if analysis.has_arcs() { analysis.branch_stats() } else { BTreeMap::new() };
    let mut xml = XmlWriter::inside(1, INDENT)?;
    xml.start(Tag::new("file").text("path", name))?;
    // SonarQube counts lines from 1.
    for line in analysis.statements().iter().filter(|line| **line > 0) {
        let ran = analysis.missing().binary_search(line).is_err();
        let mut tag = Tag::new("lineToCover").plain("lineNumber", line).plain("covered", ran);
        if let Some((exits, taken)) = stats.get(line) {
            tag = tag.plain("branchesToCover", exits).plain("coveredBranches", taken);
        }
        xml.empty(tag)?;
    }
    xml.end("file")?;
    Ok(xml.into_text())
}
