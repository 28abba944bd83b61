//! What one worker of a combine has merged, and how much memory it may take.

use std::collections::btree_map;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::spill::SpillFile;
use crate::data::merging::{Merging, PathTable};
use crate::data::rows::Rows;
use crate::data::stored_text::StoredText;
use crate::data::{CoverageData, FilePath, Measurement};
use crate::error::Result;

/// Data sets by measurement: line data and branch data cannot share one.
#[derive(Default)]
pub(super) struct Parts {
    data: BTreeMap<Option<Measurement>, CoverageData>,
    /// Rows of these data sets that are on disk.
    spill_files: Vec<SpillFile>,
}

impl Parts {
    pub(super) fn merge(&mut self, mut other: Self) -> Result<()> {
        self.spill_files.append(&mut other.spill_files);
        for (measurement, data) in other.data {
            match self.data.entry(measurement) {
                btree_map::Entry::Vacant(entry) => drop(entry.insert(data)),
                btree_map::Entry::Occupied(mut entry) => entry.get_mut().merge(data)?,
            }
        }
        Ok(())
    }

    pub(super) fn into_parts(self) -> (impl Iterator<Item = CoverageData>, Vec<SpillFile>) {
        (self.data.into_values(), self.spill_files)
    }
}

/// The content of an input.
pub(super) struct DecodedInput {
    pub(super) rows: Rows,
    /// For each file of the input, the number of its renamed path.
    pub(super) numbers: Vec<usize>,
}

/// The largest buffer, in bytes, that is kept for the next input.
pub(super) const KEPT: usize = 8 << 20;

/// What a worker has merged so far.
#[derive(Default)]
pub(super) struct WorkerState {
    /// The memory of the last input.
    pub(super) buffer: Vec<u8>,
    pub(super) renamed: RenamedPaths,
    data: BTreeMap<Option<Measurement>, Merging>,
    spill_files: Vec<SpillFile>,
    /// An upper bound on the size of the rows in memory, in bytes.
    size: usize,
}

impl WorkerState {
    /// Adds what was read, and keeps the rows within the memory limit.
    pub(super) fn add(
        &mut self,
        DecodedInput { rows, numbers }: DecodedInput,
        budget: &MemoryBudget<'_>,
    ) -> Result<()> {
        self.size += rows.size();
        let data = self.data.entry(rows.measurement).or_default();
        data.add(rows, &numbers, self.renamed.paths.all())?;
        self.make_room(0, budget)
    }

    /// Keeps the rows within the memory limit, with room for `more` bytes.
    pub(super) fn make_room(&mut self, more: usize, budget: &MemoryBudget<'_>) -> Result<()> {
        let Some(bytes) = budget.bytes else { return Ok(()) };
        if self.size > 0 && self.size.saturating_add(more) > bytes {
            // The exact size is smaller than the sum so far, because inputs share rows.
            self.size = self.data.values().map(Merging::size).sum();
            // A few rows are not worth a file.
            if self.size.saturating_add(more) > bytes / 2 && self.size > bytes / 4 {
                self.spill(budget)?;
            }
        }
        Ok(())
    }

    /// Finishes the merge. If any worker has rows on disk, all rows go there, because writing the result
    /// takes memory too.
    pub(super) fn end(&mut self, budget: &MemoryBudget<'_>) -> Result<()> {
        if budget.spilled.load(Ordering::Relaxed) { self.spill(budget) } else { Ok(()) }
    }

    /// Moves the rows to disk.
    fn spill(&mut self, budget: &MemoryBudget<'_>) -> Result<()> {
        budget.spilled.store(true, Ordering::Relaxed);
        for data in self.data.values_mut() {
            self.spill_files.extend(SpillFile::take(
                data,
                self.renamed.paths.all(),
                budget.data_file,
            )?);
        }
        self.size = 0;
        Ok(())
    }

    pub(super) fn into_parts(self) -> Parts {
        let paths = self.renamed.paths.all();
        let named = |(measurement, data): (Option<Measurement>, Merging)| {
            (measurement, data.into_data(measurement, paths))
        };
        Parts { data: self.data.into_iter().map(named).collect(), spill_files: self.spill_files }
    }
}

/// Which aliases are for an input: those of a route, or `None` for those of all inputs.
pub(super) type Scope = Option<usize>;

/// The renamed paths of the inputs that a worker has seen. In a scope, a path is always renamed to the same new path.
#[derive(Default)]
pub(super) struct RenamedPaths {
    numbers: HashMap<Scope, HashMap<FilePath, usize>>,
    /// The paths of the result.
    pub(super) paths: PathTable,
}

impl RenamedPaths {
    /// Returns the number of each path's new path, or `None` where it is not known yet.
    pub(super) fn find<'p>(
        &self,
        scope: Scope,
        paths: impl Iterator<Item = &'p str>,
    ) -> Vec<Option<usize>> {
        let numbers = self.numbers.get(&scope);
        paths.map(|path| numbers.and_then(|numbers| numbers.get(path)).copied()).collect()
    }

    /// Returns the number of each path's new path. `new` holds the new paths of those that were not `found`.
    pub(super) fn learn<'p>(
        &mut self,
        scope: Scope,
        paths: impl Iterator<Item = StoredText<'p>>,
        found: Vec<Option<usize>>,
        new: Vec<FilePath>,
    ) -> Vec<usize> {
        let numbers = self.numbers.entry(scope).or_default();
        let mut new = new.into_iter();
        let mut learn = |path: StoredText<'_>| {
            let number = self.paths.number(new.next()?);
            numbers.insert(path.into(), number);
            Some(number)
        };
        let number = |(path, found): (_, Option<usize>)| found.or_else(|| learn(path));
        paths.zip(found).filter_map(number).collect()
    }
}

/// The memory limit of each worker's rows, and where the rows go beyond it.
pub(super) struct MemoryBudget<'a> {
    pub(super) bytes: Option<usize>,
    pub(super) data_file: &'a Path,
    /// Whether any rows are on disk.
    pub(super) spilled: &'a AtomicBool,
}
