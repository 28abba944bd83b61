//! Lines that only some runs of the same code reach.

use std::collections::BTreeMap;

use crate::results::Analysis;
use crate::summarize::{FileSummary, Summary};
use crate::{CoverageData, LineArc, Result};

/// A run: a name, and the data of it.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The name of the run, such as that of its data file.
    pub name: &'a str,
    /// What ran, with the same paths as in the data of all runs together.
    pub data: &'a CoverageData,
}

/// What only some of several runs of the same code reach. A test that depends on time, on order or on chance is a likely
/// reason.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::gates::{Flapping, Run};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let run = |lines: &[i32]| {
///     let mut data = CoverageData::new();
///     data.add_lines("a.py", "", &lines.iter().copied().collect::<Numbits>()).map(|()| data)
/// };
/// let (first, second) = (run(&[1, 2])?, run(&[1])?);
/// let all = run(&[1, 2])?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\nz = 3\n".to_vec()));
/// let summary = Summarizer::new(&all, &sources).run()?;
///
/// let runs = [Run { name: "first", data: &first }, Run { name: "second", data: &second }];
/// let flapping = Flapping::new(&summary, &runs)?;
/// assert_eq!(flapping.files()[0].lines(), [(2, vec![0])]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flapping {
    runs: Vec<String>,
    files: Vec<FlappingFile>,
}

/// What only some runs reach of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlappingFile {
    name: String,
    lines: Vec<(i32, Vec<usize>)>,
    branches: Vec<(LineArc, Vec<usize>)>,
}

impl Flapping {
    /// Compares runs. `summary` is of all runs together.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`](crate::ErrorKind::NoData) unless the summary keeps
    /// [everything](crate::summarize::Detail::Everything).
    pub fn new(summary: &Summary<'_>, runs: &[Run<'_>]) -> Result<Self> {
        let mut files = Vec::new();
        for file in summary.files() {
            let found = FlappingFile::new(file, summary.has_arcs(), runs)?;
            if !found.lines.is_empty() || !found.branches.is_empty() {
                files.push(found);
            }
        }
        Ok(Self { runs: runs.iter().map(|run| run.name.to_owned()).collect(), files })
    }

    /// Returns the names of the runs.
    pub fn runs(&self) -> &[String] {
        &self.runs
    }

    /// Returns the files that have such lines or branches.
    pub fn files(&self) -> &[FlappingFile] {
        &self.files
    }
}

impl FlappingFile {
    fn new(file: &FileSummary, has_arcs: bool, runs: &[Run<'_>]) -> Result<Self> {
        let (mut lines, mut branches) = (BTreeMap::new(), BTreeMap::new());
        for (at, run) in runs.iter().enumerate() {
            let analysis = analyze(file, has_arcs, run.data)?;
            for &line in analysis.executed() {
                lines.entry(line).or_insert_with(Vec::new).push(at);
            }
            for arc in analysis.executed_branch_arcs() {
                branches.entry(arc).or_insert_with(Vec::new).push(at);
            }
        }
        lines.retain(|line, reached| {
            reached.len() < runs.len()
                && file.analysis().is_ok_and(|all| all.statements().binary_search(line).is_ok())
        });
        branches.retain(|_, reached| reached.len() < runs.len());
        Ok(Self {
            name: file.name().to_owned(),
            lines: lines.into_iter().collect(),
            branches: branches.into_iter().collect(),
        })
    }

    /// Returns the name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of lines, and the number of branches.
    pub fn counts(&self) -> (usize, usize) {
        (self.lines.len(), self.branches.len())
    }

    /// Returns the lines, each with the numbers of the runs that reached it, counted from 0.
    pub fn lines(&self) -> &[(i32, Vec<usize>)] {
        &self.lines
    }

    /// Returns the branches, each with the numbers of the runs that took it, counted from 0.
    pub fn branches(&self) -> &[(LineArc, Vec<usize>)] {
        &self.branches
    }
}

/// Returns what one run reached of a file.
fn analyze(file: &FileSummary, has_arcs: bool, data: &CoverageData) -> Result<Analysis> {
    let facts = file.facts()?;
    let path = file.recorded_path();
    let lines: Vec<i32> = data.lines(path).map(|lines| lines.iter().collect()).unwrap_or_default();
    Ok(match has_arcs {
        true => {
            let arcs = data.arcs(path).unwrap_or_default();
            Analysis::of_arcs(facts, lines, arcs.iter())
        }
        false => Analysis::of_lines(facts, lines),
    })
}
