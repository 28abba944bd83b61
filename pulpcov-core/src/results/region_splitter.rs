//! The analysis of parts of a file: of each function, or of each class.

use std::ops::RangeInclusive;

use super::analysis::{Analysis, AnalysisInput};

/// Splits an [`Analysis`] by regions that share no line, in time linear in the size of the file.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::{AnalyzeOptions, PythonSource};
/// use pulpcov_core::results::{Analysis, RegionSplitter};
///
/// let source = PythonSource::decode(b"def f():\n    return 1\ndef g():\n    return 2\n")?;
/// let facts = source.analyze(&AnalyzeOptions::new()?)?;
/// let analysis = Analysis::of_lines(&facts, [1, 3, 4]);
/// let mut splitter = RegionSplitter::new(&analysis);
/// for region in facts.regions() {
///     splitter.add(region.ranges());
/// }
/// let (parts, rest) = splitter.split();
/// assert_eq!(parts.iter().map(|part| part.missing().len()).collect::<Vec<_>>(), [1, 0]);
/// assert_eq!(rest.executed(), [1, 3]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct RegionSplitter<'a> {
    analysis: &'a Analysis,
    /// The region of each line, counted from 1; 0 if the line is in no region.
    owners: Vec<usize>,
    regions: usize,
}

impl<'a> RegionSplitter<'a> {
    /// Creates a splitter without regions.
    pub fn new(analysis: &'a Analysis) -> Self {
        let lines = usize::try_from(analysis.last_line_outside_regions).unwrap_or_default();
        Self { analysis, owners: vec![0; lines + 1], regions: 0 }
    }

    /// Adds a region. A line in two regions belongs to the one that was added later.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// # use pulpcov_core::results::{Analysis, RegionSplitter};
    /// let source = PythonSource::decode(b"x = 1\ny = 2\nz = 3\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// let analysis = Analysis::of_lines(&facts, [1, 2, 3]);
    /// let mut splitter = RegionSplitter::new(&analysis);
    /// splitter.add(&[1..=3]);
    /// splitter.add(&[2..=2]);
    /// let (parts, _) = splitter.split();
    /// assert_eq!(parts[0].statements(), [1, 3]);
    /// assert_eq!(parts[1].statements(), [2]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn add(&mut self, lines: &[RangeInclusive<i32>]) {
        self.regions += 1;
        for line in lines.iter().cloned().flatten() {
            let slot = usize::try_from(line).ok().and_then(|line| self.owners.get_mut(line));
            if let Some(owner) = slot {
                *owner = self.regions;
            }
        }
    }

    /// Returns the analysis of each region, in the order in which they were added, and the analysis
    /// of the lines outside of all regions.
    ///
    /// An arc between two regions is in the analyses of both.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::python::{AnalyzeOptions, PythonSource};
    /// # use pulpcov_core::results::{Analysis, RegionSplitter};
    /// let source = PythonSource::decode(b"def f():\n    return 1\n")?;
    /// let facts = source.analyze(&AnalyzeOptions::new()?)?;
    /// let analysis = Analysis::of_lines(&facts, [1]);
    /// let mut splitter = RegionSplitter::new(&analysis);
    /// splitter.add(facts.regions()[0].ranges());
    /// let (parts, rest) = splitter.split();
    /// assert_eq!(parts[0].missing(), [2]);
    /// assert_eq!(rest.executed(), [1]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn split(&self) -> (Vec<Analysis>, Analysis) {
        let mut parts: Vec<AnalysisInput> = (0..=self.regions).map(|_| self.empty()).collect();
        let analysis = self.analysis;
        self.distribute(&analysis.statements, &mut parts, |part| &mut part.statements);
        self.distribute(&analysis.excluded, &mut parts, |part| &mut part.excluded);
        self.distribute(&analysis.executed, &mut parts, |part| &mut part.executed);
        self.distribute(&analysis.no_branch, &mut parts, |part| &mut part.no_branch);
        self.distribute_arcs(&analysis.arcs_possible, &mut parts, |part| &mut part.arcs_possible);
        self.distribute_arcs(&analysis.arcs_executed, &mut parts, |part| &mut part.arcs_executed);
        for &(line, exits) in &analysis.exit_counts {
            if let Some(part) = self.owner(line).and_then(|owner| parts.get_mut(owner)) {
                part.exit_counts.push((line, exits));
            }
        }
        let mut analyses = parts.into_iter().map(Analysis::from_input);
        let rest = analyses.next().unwrap_or_else(|| Analysis::from_input(self.empty()));
        (analyses.collect(), rest)
    }

    fn empty(&self) -> AnalysisInput {
        AnalysisInput {
            last_line_outside_regions: self.analysis.last_line_outside_regions,
            has_arcs: self.analysis.has_arcs,
            ..AnalysisInput::default()
        }
    }

    fn owner(&self, line: i32) -> Option<usize> {
        usize::try_from(line)
            .ok()
            .filter(|&line| line > 0)
            .and_then(|line| self.owners.get(line))
            .copied()
    }

    fn distribute(
        &self,
        lines: &[i32],
        parts: &mut [AnalysisInput],
        list: impl Fn(&mut AnalysisInput) -> &mut Vec<i32>,
    ) {
        for &line in lines {
            if let Some(part) = self.owner(line).and_then(|owner| parts.get_mut(owner)) {
                list(part).push(line);
            }
        }
    }

    fn distribute_arcs(
        &self,
        arcs: &[(i32, i32)],
        parts: &mut [AnalysisInput],
        list: impl Fn(&mut AnalysisInput) -> &mut Vec<(i32, i32)>,
    ) {
        for &(from, to) in arcs {
            let owners = (self.owner(from), self.owner(to));
            for owner in [owners.0, owners.1.filter(|_| owners.0 != owners.1)].into_iter().flatten()
            {
                if let Some(part) = parts.get_mut(owner) {
                    list(part).push((from, to));
                }
            }
        }
    }
}
