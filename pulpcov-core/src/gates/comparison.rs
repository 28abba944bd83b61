//! A comparison with the data of another version: which files and functions fell.

use std::collections::{BTreeMap, BTreeSet};

use ordermap::OrderMap;

use super::{Debt, Ratchet};
use crate::Result;
use crate::python::{Region, RegionKind};
use crate::results::{Numbers, RegionSplitter};
use crate::summarize::{FileSummary, Summary};

/// What became of the coverage of files between two versions.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
/// use std::path::Path;
///
/// use pulpcov_core::gates::{Comparison, Ratchet};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let run = |lines: &[i32]| {
///     let mut data = CoverageData::new();
///     data.add_lines("a.py", "", &lines.iter().copied().collect::<Numbits>()).map(|()| data)
/// };
/// let sources = |_: &Path| Ok(Some(b"def f():\n    x = 1\n    return x\n".to_vec()));
/// let (old, new) = (run(&[1, 2, 3])?, run(&[1])?);
/// let before = Summarizer::new(&old, &sources).run()?;
/// let now = Summarizer::new(&new, &sources).run()?;
///
/// let comparison = Comparison::new(&before, &now, &BTreeMap::new())?;
/// let file = comparison.fallen().next().unwrap();
/// assert_eq!((file.name(), file.more_missing()), ("a.py", (2, 0)));
/// assert_eq!(file.regions()[0].name(), "f");
/// // Nothing was missing, so nothing may be.
/// assert_eq!(comparison.allowed(), Ratchet::parse(b"0 - a.py\n")?);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    files: Vec<FileComparison>,
    had_branches: bool,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileComparison {
    name: String,
    old_name: Option<String>,
    before: Option<Numbers>,
    now: Option<Numbers>,
    regions: Vec<RegionComparison>,
}

/// A function of which more is missing than before, or the code of a file outside of functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionComparison {
    name: String,
    before: Option<Numbers>,
    now: Numbers,
}

impl Comparison {
    /// Compares two versions. `renamed` has the new names of renamed files, by their old names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoData`](crate::ErrorKind::NoData) unless both summaries keep
    /// [everything](crate::summarize::Detail::Everything).
    pub fn new(
        before: &Summary<'_>,
        now: &Summary<'_>,
        renamed: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let mut old = by_new_names(before, now, renamed);
        let mut files = Vec::new();
        for file in now.files() {
            files.push(FileComparison::new(old.remove(file.name()), file)?);
        }
        files.extend(old.into_values().map(|gone| FileComparison {
            name: gone.name().to_owned(),
            old_name: None,
            before: Some(gone.numbers()),
            now: None,
            regions: Vec::new(),
        }));
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { files, had_branches: before.has_arcs() })
    }

    /// Returns all files of both versions, sorted by their names.
    pub fn files(&self) -> &[FileComparison] {
        &self.files
    }

    /// Returns the files of which more lines or more branches are missing than before.
    pub fn fallen(&self) -> impl Iterator<Item = &FileComparison> {
        self.files.iter().filter(|file| file.more_missing() != (0, 0))
    }

    /// Returns the files that only the new version has.
    pub fn added(&self) -> impl Iterator<Item = &FileComparison> {
        self.files.iter().filter(|file| file.before.is_none())
    }

    /// Returns the files that only the old version has.
    pub fn gone(&self) -> impl Iterator<Item = &FileComparison> {
        self.files.iter().filter(|file| file.now.is_none())
    }

    /// Returns what was missing in each file of the old version, under the names of the new version. As a ratchet it allows
    /// no file to become worse.
    pub fn allowed(&self) -> Ratchet {
        let debt = |file: &FileComparison| {
            Some((file.name.clone(), Debt::of(file.before?, self.had_branches)))
        };
        self.files.iter().filter_map(debt).collect()
    }

    /// Keeps the files that the caller asks for.
    pub fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.files.retain(|file| is_wanted(&file.name));
    }
}

/// Returns the files of an old version by their names in the new one. A file keeps its name if the new version has a file of
/// this name.
pub(crate) fn by_new_names<'s>(
    before: &'s Summary<'_>,
    now: &Summary<'_>,
    renamed: &BTreeMap<String, String>,
) -> BTreeMap<String, &'s FileSummary> {
    let names: BTreeSet<&str> = now.files().iter().map(FileSummary::name).collect();
    let new_name = |old: &str| match renamed.get(old).filter(|_| !names.contains(old)) {
        Some(new) => new.clone(),
        None => old.to_owned(),
    };
    before.files().iter().map(|file| (new_name(file.name()), file)).collect()
}

impl FileComparison {
    fn new(before: Option<&FileSummary>, now: &FileSummary) -> Result<Self> {
        let mut compared = Self {
            name: now.name().to_owned(),
            old_name: before.map(|file| file.name().to_owned()).filter(|old| old != now.name()),
            before: before.map(FileSummary::numbers),
            now: Some(now.numbers()),
            regions: Vec::new(),
        };
        if let Some(before) = before.filter(|_| compared.more_missing() != (0, 0)) {
            compared.regions = fallen_regions(before, now)?;
        }
        Ok(compared)
    }

    /// Returns the name in the new version, or in the old one if the file is gone.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name in the old version, if it is another.
    pub fn old_name(&self) -> Option<&str> {
        self.old_name.as_deref()
    }

    /// Returns the counts of the old version. `None` if the file is new.
    pub fn before(&self) -> Option<Numbers> {
        self.before
    }

    /// Returns the counts of the new version. `None` if the file is gone.
    pub fn now(&self) -> Option<Numbers> {
        self.now
    }

    /// Returns how many more lines, and how many more branches, are missing than before. Both are 0 for a file that is new
    /// or gone.
    pub fn more_missing(&self) -> (usize, usize) {
        match (self.before, self.now) {
            (Some(before), Some(now)) => more_missing(before, now),
            _ => (0, 0),
        }
    }

    /// Returns the functions of which more is missing than before, in the order of the new version. Functions with the same
    /// name count as one.
    pub fn regions(&self) -> &[RegionComparison] {
        &self.regions
    }
}

impl RegionComparison {
    /// Returns the qualified name of the function. It is empty for the code outside of functions.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the counts of the old version. `None` if the function is new.
    pub fn before(&self) -> Option<Numbers> {
        self.before
    }

    /// Returns the counts of the new version.
    pub fn now(&self) -> Numbers {
        self.now
    }

    /// Returns how many more lines, and how many more branches, are missing than before. All of a new function are more.
    pub fn more_missing(&self) -> (usize, usize) {
        more_missing(self.before.unwrap_or_default(), self.now)
    }
}

fn more_missing(before: Numbers, now: Numbers) -> (usize, usize) {
    (
        now.missing.saturating_sub(before.missing),
        now.missing_branches.saturating_sub(before.missing_branches),
    )
}

fn fallen_regions(before: &FileSummary, now: &FileSummary) -> Result<Vec<RegionComparison>> {
    let old: BTreeMap<String, Numbers> = functions(before)?.into_iter().collect();
    let compare = |(name, now): (String, Numbers)| {
        let compared = RegionComparison { before: old.get(&name).copied(), name, now };
        (compared.more_missing() != (0, 0)).then_some(compared)
    };
    Ok(functions(now)?.into_iter().filter_map(compare).collect())
}

/// Returns the counts of the functions of a file, in order, and of the code outside of functions under an empty name.
fn functions(file: &FileSummary) -> Result<Vec<(String, Numbers)>> {
    let is_function = |region: &&Region| region.kind() == RegionKind::Function;
    let regions: Vec<_> = file.facts()?.regions().iter().filter(is_function).collect();
    let mut splitter = RegionSplitter::new(file.analysis()?);
    regions.iter().for_each(|region| splitter.add(region.ranges()));
    let (parts, rest) = splitter.split();
    let mut functions = OrderMap::from([(String::new(), rest.numbers())]);
    for (region, part) in regions.iter().zip(parts) {
        *functions.entry(region.name().to_owned()).or_default() += part.numbers();
    }
    Ok(functions.into_iter().collect())
}
