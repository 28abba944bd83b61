//! The whole report.

use ordermap::OrderMap;

use std::io::Write;

use serde::Serialize;

use super::contexts::ContextNames;
use super::counts::Counts;
use super::file::RenderedFile;
use super::format::write_value;
use super::options::Options;
use super::other_languages::OtherLanguages;
use crate::report::parallel::render_in_order;
use crate::summarize::{FileSummary, Summary};
use crate::{REFERENCE_VERSION, Result};

/// The version of the JSON format.
const FORMAT: u32 = 3;

/// Writes the report. Returns the total in percent, or 0 if there are no statements.
///
/// # Errors
///
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written;
/// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary does not
///   [keep](crate::summarize::Detail) enough of a file.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::json;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let mut out = Vec::new();
/// json::write(&summary, &json::Options::new(), &mut out)?;
/// assert!(out.starts_with(br#"{"meta": {"format": 3, "#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(summary: &Summary<'_>, options: &Options, mut out: impl Write) -> Result<f64> {
    let pretty = options.pretty_print;
    // The object around the files is written by hand, because the files are rendered on all cores
    // and not serialized as one value.
    let (item, close_files, close) =
        if pretty { ("\n    ", "\n    }", "\n}") } else { ("", "}", "}") };
    let (next, inner) = if pretty { (",", "\n        ") } else { (", ", "") };
    write!(out, "{{{item}\"meta\": ")?;
    let meta = Meta::new(&options.timestamp, summary.has_arcs(), options.show_contexts);
    write_value(&meta, pretty, 1, &mut out)?;
    let names = ContextNames::of(summary, options);
    if let ContextNames::Indexed(index) = &names {
        write!(out, "{next}{item}\"contexts\": ")?;
        write_value(&index.names, pretty, 1, &mut out)?;
    }
    write!(out, "{next}{item}\"files\": {{")?;
    let files = files_by_name(summary);
    let mut first = true;
    render_in_order(
        &files,
        &mut out,
        |file| RenderedFile::new(summary, file, options, &names),
        |out, file| {
            let before = if first { "" } else { next };
            first = false;
            write!(out, "{before}{inner}")?;
            Ok(out.write_all(&file.0)?)
        },
    )?;
    let close_files = if files.is_empty() { "}" } else { close_files };
    write!(out, "{close_files}{next}{item}\"totals\": ")?;
    let totals = summary.totals();
    let counts = Counts::new(totals, options.precision, summary.has_arcs());
    write_value(&counts, pretty, 1, &mut out)?;
    if !summary.other_files().is_empty() {
        write!(out, "{next}{item}\"other_languages\": ")?;
        write_value(&OtherLanguages::new(summary, options.precision)?, pretty, 1, &mut out)?;
    }
    write!(out, "{close}")?;
    Ok(if totals.statements == 0 { 0.0 } else { totals.percent_covered() })
}

/// Returns the files of the report. Two files can have the same name: the later one takes the place
/// of the first.
fn files_by_name<'s>(summary: &'s Summary<'_>) -> Vec<&'s FileSummary> {
    let named = summary.files().iter().map(|file| (file.name(), file));
    named.collect::<OrderMap<_, _>>().into_values().collect()
}

/// What the report says of itself.
#[derive(Serialize)]
pub(crate) struct Meta<'a> {
    format: u32,
    version: &'static str,
    timestamp: &'a str,
    branch_coverage: bool,
    show_contexts: bool,
}

impl<'a> Meta<'a> {
    pub(crate) fn new(timestamp: &'a str, branch_coverage: bool, show_contexts: bool) -> Self {
        let version = REFERENCE_VERSION;
        Self { format: FORMAT, version, timestamp, branch_coverage, show_contexts }
    }
}
