//! What was covered before, in another version of the sources and data.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::tables::regions;
use crate::Result;
use crate::changes::FileChange;
use crate::gates::comparison::by_new_names;
use crate::python::{Region, RegionKind};
use crate::results::{Analysis, Numbers};
use crate::summarize::{FileSummary, Summary};

/// What was covered in another version, for [`Options::baseline`](super::Options::baseline): the numbers of each file, function
/// and class then, and the lines that ran in one version and not in the other.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
/// use std::path::Path;
///
/// use pulpcov_core::report::html;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
/// let mut data = [CoverageData::new(), CoverageData::new()];
/// data[0].add_lines("a.py", "", &Numbits::from_iter([1, 2, 3]))?;
/// data[1].add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
/// let before = Summarizer::new(&data[0], &sources).run()?;
/// let now = Summarizer::new(&data[1], &sources).run()?;
///
/// // Nothing was renamed, and no source changed.
/// let baseline = html::Baseline::new(&before, &now, &BTreeMap::new(), |_| None)?;
/// let mut page = Vec::new();
/// html::write_single_file(&now, &html::Options::new().baseline(baseline), &mut page)?;
/// assert!(String::from_utf8_lossy(&page).contains("before 100%"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Baseline {
    pub(super) totals: Numbers,
    /// The files that the new version does not have, with their old names.
    pub(super) gone: Vec<(String, Numbers)>,
    /// The files, by their names in the new version.
    files: HashMap<String, FileBefore>,
}

/// What was covered of a file.
#[derive(Debug, Clone)]
pub(super) struct FileBefore {
    pub(super) numbers: Numbers,
    /// The numbers of functions and classes. Each is with its first line in the new version, because several can have the
    /// same name. The code outside of them has no name.
    regions: HashMap<(RegionKind, Option<String>), Vec<RegionBefore>>,
    /// What ran before, and did not run now.
    pub(super) lost: Differing,
    /// What ran now, and did not run before.
    pub(super) won: Differing,
}

/// What ran in one version only, by the lines of now.
#[derive(Debug, Clone, Default)]
pub(super) struct Differing {
    /// Statements.
    pub(super) lines: Vec<i32>,
    /// Branches from lines that ran in both versions.
    pub(super) branches: BTreeSet<(i32, i32)>,
}

impl Differing {
    /// Returns the lines with a statement or a branch.
    pub(super) fn count(&self) -> usize {
        let lines: BTreeSet<i32> = self.branches.iter().map(|(from, _)| *from).collect();
        self.lines.len() + lines.len()
    }

    pub(super) fn has_line(&self, line: i32) -> bool {
        self.lines.binary_search(&line).is_ok()
    }

    pub(super) fn has_branch_from(&self, line: i32) -> bool {
        self.branches.range((line, i32::MIN)..=(line, i32::MAX)).next().is_some()
    }
}

/// The first line of a region in the new version, unless it was edited, and what was covered.
type RegionBefore = (Option<i32>, Numbers);

impl Baseline {
    /// Compares two versions. `renamed` has the new names of renamed files, by their old names. `change_of` returns how a file
    /// changed, by its name in `now`; `None` stands for a file that did not change.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) unless both summaries keep
    ///   [everything](crate::summarize::Detail::Everything);
    /// - [`ErrorKind::NoSource`](crate::ErrorKind::NoSource) if the source of a file that changed can no longer be read.
    pub fn new<'c>(
        before: &Summary<'_>,
        now: &Summary<'_>,
        renamed: &BTreeMap<String, String>,
        change_of: impl Fn(&str) -> Option<&'c FileChange>,
    ) -> Result<Self> {
        let mut old = by_new_names(before, now, renamed);
        let mut files = HashMap::new();
        for file in now.files() {
            if let Some(old) = old.remove(file.name()) {
                let change = change_of(file.name());
                let source = change.map(|_| now.source_bytes(file)).transpose()?;
                let change = change.zip(source.as_deref());
                let change = change.map(|(change, source)| change.with_python_lines(source));
                let compared = FileBefore::new(old, file, change.as_deref())?;
                files.insert(file.name().to_owned(), compared);
            }
        }
        let gone = old.into_iter().map(|(name, file)| (name, file.numbers())).collect();
        Ok(Self { totals: before.totals(), gone, files })
    }

    /// Returns whether no file of the new version was in the old one. Then the names of one of them start elsewhere.
    pub fn is_unrelated(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns what was covered of a file, by its name now. A new file has nothing.
    pub(super) fn file(&self, name: &str) -> Option<&FileBefore> {
        self.files.get(name)
    }
}

impl FileBefore {
    fn new(before: &FileSummary, now: &FileSummary, change: Option<&FileChange>) -> Result<Self> {
        let line_now = |line: i32| change.map_or(Some(line), |change| change.new_line(line));
        let mut numbers_of = HashMap::<_, Vec<RegionBefore>>::new();
        for kind in [RegionKind::Function, RegionKind::Class] {
            for (region, numbers) in regions(before, kind)? {
                let name = region.map(|region| region.name().to_owned());
                let line = region.and_then(|region| line_now(region.start()));
                numbers_of.entry((kind, name)).or_default().push((line, numbers));
            }
        }
        let (old, new) = (before.analysis()?, now.analysis()?);
        let differ = |old_ran: bool| -> Vec<i32> {
            let lines = old.statements().iter().filter(|line| has_run(old, **line) == old_ran);
            let lines = lines.filter_map(|line| line_now(*line));
            lines
                .filter(|line| is_statement(new, *line) && has_run(new, *line) != old_ran)
                .collect()
        };
        // The target of an exit is the line that the code begins with, as a negative number.
        let target_now = |line: i32| match line {
            ..0 => line_now(-line).map(|line| -line),
            _ => line_now(line),
        };
        let branches = |old_arcs: &[(i32, i32)], new_arcs: &[(i32, i32)]| {
            let ran = old_arcs.iter().filter(|(from, _)| has_run(old, *from));
            let now = ran.filter_map(|&(from, to)| Some((line_now(from)?, target_now(to)?)));
            let both = now.filter(|arc| has_run(new, arc.0) && new_arcs.binary_search(arc).is_ok());
            both.collect()
        };
        let lost = Differing {
            lines: differ(true),
            branches: branches(&old.executed_branch_arcs(), new.missing_branch_arcs()),
        };
        let won = Differing {
            lines: differ(false),
            branches: branches(old.missing_branch_arcs(), &new.executed_branch_arcs()),
        };
        Ok(Self { numbers: before.numbers(), regions: numbers_of, lost, won })
    }

    /// Returns the numbers of a function or a class of the new version, or of the code outside of them. If its first line was
    /// edited, it is known by its name alone.
    pub(super) fn region(&self, kind: RegionKind, region: Option<&Region>) -> Option<Numbers> {
        let name = region.map(|region| region.name().to_owned());
        let alike = self.regions.get(&(kind, name))?;
        let line = region.map(Region::start);
        let same = alike.iter().find(|(first, _)| *first == line);
        let only = alike.first().filter(|(first, _)| alike.len() == 1 && first.is_none());
        same.or(only).map(|(_, numbers)| *numbers)
    }
}

fn is_statement(analysis: &Analysis, line: i32) -> bool {
    analysis.statements().binary_search(&line).is_ok()
}

fn has_run(analysis: &Analysis, line: i32) -> bool {
    analysis.missing().binary_search(&line).is_err()
}
