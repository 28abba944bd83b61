//! The LCOV report, for `genhtml` and similar tools.
//!
//! A port of coverage.py's lcovreport.py.

use std::collections::HashSet;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use md5::{Digest, Md5};

use super::parallel::render_in_order;
use super::splitlines;
use crate::Result;
use crate::foreign::lcov as tracefile;
use crate::python::{Facts, Region, RegionKind};
use crate::results::{Analysis, RegionSplitter};
use crate::summarize::{FileSummary, Summary};
use crate::text::printable;

/// Options of the LCOV report.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::lcov::Options;
///
/// let options = Options::new().skip_empty(true).line_checksums(true);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    line_checksums: bool,
    skip_empty: bool,
    numeric_branches: bool,
}

impl Options {
    /// Returns coverage.py's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether to add a checksum to every line. Checksums require reading the sources again.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::lcov;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// lcov::write(&summary, &lcov::Options::new().line_checksums(true), &mut out)?;
    /// assert!(out.starts_with(b"SF:a.py\nDA:1,1,"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn line_checksums(mut self, checksums: bool) -> Self {
        self.line_checksums = checksums;
        self
    }

    /// Sets whether branches are numbers instead of descriptions. geninfo(1) asks for numbers, and genhtml counts no other
    /// branches, but coverage.py describes them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::lcov;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::CoverageData;
    /// # let mut data = CoverageData::new();
    /// # data.add_arcs("a.py", "", [(-1, 1), (1, 2), (2, -1)])?;
    /// # let sources = |_: &Path| Ok(Some(b"if len([]) < 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// lcov::write(&summary, &lcov::Options::new().numeric_branches(true), &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("BRDA:1,0,0,1\nBRDA:1,0,1,0\n"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn numeric_branches(mut self, numeric: bool) -> Self {
        self.numeric_branches = numeric;
        self
    }

    /// Sets whether to leave out files without statements.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::lcov;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app/done.py", "", &Numbits::from_iter([1]))?;
    /// # data.add_lines("app/half.py", "", &Numbits::from_iter([2]))?;
    /// # data.add_lines("empty.py", "", &Numbits::new())?;
    /// # let sources = |path: &Path| {
    /// #     let text = match path.to_str() {
    /// #         Some("app/done.py") => "x = 1\n",
    /// #         Some("app/half.py") => "x = 1\ny = 2\n",
    /// #         _ => "",
    /// #     };
    /// #     Ok(Some(text.as_bytes().to_vec()))
    /// # };
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// // All of `app/done.py` ran, half of `app/half.py`, and `empty.py` has no statements.
    /// let mut out = Vec::new();
    /// lcov::write(&summary, &lcov::Options::new().skip_empty(true), &mut out)?;
    /// assert!(!String::from_utf8_lossy(&out).contains("SF:empty.py"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn skip_empty(mut self, skip: bool) -> Self {
        self.skip_empty = skip;
        self
    }
}

/// Writes the report. Returns the total in percent, or 0 if there are no statements.
///
/// # Errors
///
/// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary does not
///   [keep](crate::summarize::Detail) enough of a file;
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written;
/// - [`ErrorKind::NoSource`](crate::ErrorKind::NoSource) if checksums are on and a source can no
///   longer be read.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::lcov;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let mut out = Vec::new();
/// lcov::write(&summary, &lcov::Options::new(), &mut out)?;
/// assert_eq!(String::from_utf8_lossy(&out), "SF:a.py\nDA:1,1\nLF:1\nLH:1\nend_of_record\n");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(summary: &Summary<'_>, options: &Options, mut out: impl Write) -> Result<f64> {
    let is_wanted = |file: &&FileSummary| file.numbers().statements > 0 || !options.skip_empty;
    let mut files: Vec<&FileSummary> = summary.files().iter().filter(is_wanted).collect();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    let render = |file: &&FileSummary| {
        let mut rendered = Vec::new();
        let text = match options.line_checksums {
            true => Some(summary.source(file)?),
            false => None,
        };
        let text = text.as_ref().map(|source| source.text());
        write_file(file, text, options, &mut rendered)?;
        Ok(rendered)
    };
    render_in_order(&files, &mut out, render, |out, text| Ok(out.write_all(&text)?))?;
    for other in summary.other_files().iter().filter(|other| is_wanted(&other.summary())) {
        tracefile::write_file(&printable(other.summary().name()), other.counts(), &mut out)?;
    }
    let totals = summary.totals();
    Ok(if totals.statements == 0 { 0.0 } else { totals.percent_covered() })
}

fn write_file(
    file: &FileSummary,
    text: Option<&str>,
    options: &Options,
    out: &mut impl Write,
) -> Result<()> {
    writeln!(out, "SF:{}", printable(file.name()))?;
    let (facts, analysis) = (file.facts()?, file.analysis()?);
    write_lines(analysis, text, out)?;
    write_functions(facts, analysis, out)?;
    if analysis.has_arcs() {
        write_branches(facts, analysis, options, out)?;
    }
    Ok(writeln!(out, "end_of_record")?)
}

fn write_lines(analysis: &Analysis, text: Option<&str>, out: &mut impl Write) -> Result<()> {
    let mut text = text.map(|text| (1..).zip(splitlines::lines(text)));
    for line in analysis.statements() {
        let hit = u8::from(analysis.missing().binary_search(line).is_err());
        write!(out, "DA:{line},{hit}")?;
        if let Some(lines) = &mut text {
            let line = lines.find(|(number, _)| number == line).map_or("", |(_, line)| line);
            write!(out, ",{}", checksum(line))?;
        }
        writeln!(out)?;
    }
    let numbers = analysis.numbers();
    if numbers.statements > 0 {
        writeln!(out, "LF:{}", numbers.statements)?;
        writeln!(out, "LH:{}", numbers.executed())?;
    }
    Ok(())
}

/// Returns the checksum of a line. The format requires MD5; nothing depends on its security.
fn checksum(line: &str) -> String {
    STANDARD_NO_PAD.encode(Md5::digest(line.as_bytes()))
}

/// A function with its first and its last line.
struct Function<'a> {
    first: i32,
    last: i32,
    region: &'a Region,
    analysis: Analysis,
}

impl<'a> Function<'a> {
    /// Returns the functions of a file, from top to bottom.
    fn all(facts: &'a Facts, analysis: &Analysis) -> Vec<Self> {
        let regions = facts.regions().iter();
        let regions: Vec<&Region> = regions
            .filter(|region| region.kind() == RegionKind::Function && !region.ranges().is_empty())
            .collect();
        let mut splitter = RegionSplitter::new(analysis);
        regions.iter().for_each(|region| splitter.add(region.ranges()));
        let (parts, _) = splitter.split();
        let mut functions: Vec<Self> = regions
            .into_iter()
            .zip(parts)
            .map(|(region, analysis)| {
                let start = region.start();
                let first = region.ranges().first().map_or(start, |range| *range.start());
                let last = region.ranges().last().map_or(start, |range| *range.end());
                Self { first: first.min(start), last: last.max(start), region, analysis }
            })
            .collect();
        functions.sort_by(|a, b| {
            let key = |function: &Self| (function.first, function.last);
            key(a).cmp(&key(b)).then_with(|| a.region.name().cmp(b.region.name()))
        });
        functions
    }
}

fn write_functions(facts: &Facts, analysis: &Analysis, out: &mut impl Write) -> Result<()> {
    let functions = Function::all(facts, analysis);
    if functions.is_empty() {
        return Ok(());
    }
    let (mut found, mut hit) = (0, 0);
    let mut names = HashSet::new();
    for Function { first, last, region, analysis } in &functions {
        let numbers = analysis.numbers();
        if numbers.statements == 0 {
            continue;
        }
        let ran = u8::from(numbers.executed() > 0);
        found += 1;
        hit += usize::from(ran);
        let name = printable(region.name());
        let unique = match names.insert(name.clone()) {
            true => name.into_owned(),
            false => format!("{name}@{first}"),
        };
        writeln!(out, "FN:{first},{last},{unique}")?;
        writeln!(out, "FNDA:{ran},{unique}")?;
    }
    writeln!(out, "FNF:{found}")?;
    Ok(writeln!(out, "FNH:{hit}")?)
}

fn write_branches(
    facts: &Facts,
    analysis: &Analysis,
    options: &Options,
    out: &mut impl Write,
) -> Result<()> {
    let executed = analysis.executed_branch_arcs();
    let missing = analysis.missing_branch_arcs();
    let stats = analysis.branch_stats();
    for line in analysis.statements() {
        let Some((_, taken)) = stats.get(line) else { continue };
        // If the line took none of its exits, it may have raised an exception every time.
        let not_taken = if *taken == 0 { "-" } else { "0" };
        let mut targets: Vec<(i32, &str)> =
            targets(missing, *line).map(|to| (to, not_taken)).collect();
        if *taken > 0 {
            targets.extend(self::targets(&executed, *line).map(|to| (to, "1")));
        }
        // Exits come last, because an exit is usually the other way of an `if` without `else`.
        targets.sort_by_key(|target| (target.0 < 0, *target));
        for (number, (to, hit)) in targets.into_iter().enumerate() {
            if options.numeric_branches {
                writeln!(out, "BRDA:{line},0,{number},{hit}")?;
                continue;
            }
            let branch = facts.arc_description(*line, to);
            writeln!(out, "BRDA:{line},0,{},{hit}", printable(&branch))?;
        }
    }
    let found: usize = stats.values().map(|(exits, _)| exits).sum();
    let hit: usize = stats.values().map(|(_, taken)| taken).sum();
    if found > 0 {
        writeln!(out, "BRF:{found}")?;
        writeln!(out, "BRH:{hit}")?;
    }
    Ok(())
}

/// Returns the targets of the arcs from a line; `arcs` are sorted.
fn targets(arcs: &[(i32, i32)], from: i32) -> impl Iterator<Item = i32> + '_ {
    let first = arcs.partition_point(|arc| arc.0 < from);
    let rest = arcs.get(first..).unwrap_or_default();
    rest.iter().take_while(move |arc| arc.0 == from).map(|arc| arc.1)
}
