//! Data sets that are being merged.

use std::collections::{BTreeMap, HashMap};

use super::conflict::tracer_conflict;
use super::contexts::{ContextId, ContextTable};
use super::file_record::FileRecord;
use super::rows::{FileRuns, Rows, Runs};
use super::{CoverageData, FilePath, LineArc, Measurement};
use crate::error::Result;

/// The number of runs from which merging them in parallel pays.
const MANY_RUNS: usize = 20_000;

/// Paths and their numbers, in the order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct PathTable {
    paths: Vec<FilePath>,
    numbers: HashMap<FilePath, usize>,
}

impl PathTable {
    /// Returns the number of `path`, which is added if it is new.
    pub(crate) fn number(&mut self, path: FilePath) -> usize {
        *self.numbers.entry(path).or_insert_with_key(|path| {
            self.paths.push(path.clone());
            self.paths.len() - 1
        })
    }

    /// Returns the paths by number.
    pub(crate) fn all(&self) -> &[FilePath] {
        &self.paths
    }
}

/// A union of data sets that refers to files by number. A number is an index of a list of paths.
///
/// Comparing numbers is cheaper than comparing long paths in each data set.
#[derive(Debug, Default)]
pub(crate) struct Merging {
    contexts: ContextTable,
    /// The records by file number.
    files: Vec<Option<FileRecord>>,
    has_tracers: bool,
}

impl Merging {
    /// Adds rows. `numbers` maps the file numbers of the rows to indices of `paths`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TracerConflict`](crate::ErrorKind::TracerConflict) as from [`CoverageData::merge`].
    /// Nothing has changed then.
    pub(crate) fn add(
        &mut self,
        mut rows: Rows,
        numbers: &[usize],
        paths: &[FilePath],
    ) -> Result<()> {
        let ids = self.add_names(&mut rows, numbers, paths)?;
        for (lines, arcs) in rows.take_parts() {
            self.add_runs(lines, arcs, numbers, &ids);
        }
        Ok(())
    }

    /// Adds files and contexts without their rows. Returns the ids of the contexts, for
    /// [`add_runs`](Self::add_runs).
    ///
    /// # Errors
    ///
    /// The errors of [`add`](Self::add).
    pub(crate) fn add_names(
        &mut self,
        rows: &mut Rows,
        numbers: &[usize],
        paths: &[FilePath],
    ) -> Result<Vec<ContextId>> {
        self.add_files(rows, numbers, paths)?;
        Ok(self.contexts.absorb(std::mem::take(&mut rows.contexts)))
    }

    /// Adds runs. `numbers` and `ids` map the file numbers and the context ids of the runs to those of the
    /// union.
    pub(crate) fn add_runs(
        &mut self,
        mut lines: Runs<u8>,
        mut arcs: Runs<LineArc>,
        numbers: &[usize],
        ids: &[ContextId],
    ) {
        lines.translate(numbers, ids);
        arcs.translate(numbers, ids);
        lines.sort();
        arcs.sort();
        self.each_record(&lines, |record, runs| record.lines.absorb_runs(runs.by_context()));
        self.each_record(&arcs, |record, runs| record.arcs.absorb_runs(runs.by_context()));
    }

    /// Calls `absorb` with the record and the runs of each file. Uses all cores if there are many runs.
    fn each_record<T: Copy + Sync>(
        &mut self,
        runs: &Runs<T>,
        absorb: impl Fn(&mut FileRecord, FileRuns<'_, T>) + Sync,
    ) {
        if runs.count() >= MANY_RUNS {
            use rayon::prelude::*;
            let mut taken: Vec<_> = runs
                .by_file()
                .filter_map(|(file, runs)| Some((file, self.files.get_mut(file)?.take()?, runs)))
                .collect();
            taken.par_iter_mut().for_each(|(_, record, runs)| absorb(record, *runs));
            for (file, record, _) in taken {
                if let Some(place) = self.files.get_mut(file) {
                    *place = Some(record);
                }
            }
            return;
        }
        for (file, runs) in runs.by_file() {
            if let Some(Some(record)) = self.files.get_mut(file) {
                absorb(record, runs);
            }
        }
    }

    /// Adds a record for each file that has none, and sets its tracer.
    fn add_files(&mut self, rows: &Rows, numbers: &[usize], paths: &[FilePath]) -> Result<()> {
        if self.files.len() < paths.len() {
            self.files.resize_with(paths.len(), || None);
        }
        let tracers = match self.has_tracers || !rows.tracers.is_empty() {
            true => Some(self.checked_tracers(rows, numbers, paths)?),
            false => None,
        };
        self.add_records(rows, numbers);
        self.has_tracers |= tracers.is_some();
        for (file, tracer) in tracers.into_iter().flatten() {
            if let Some(Some(record)) = self.files.get_mut(file)
                && !tracer.is_empty()
            {
                record.tracer = tracer.into();
            }
        }
        Ok(())
    }

    /// Returns the plugin that traced each file of the rows, after checking that it agrees with the plugins
    /// that are known.
    fn checked_tracers<'r>(
        &self,
        rows: &'r Rows,
        numbers: &[usize],
        paths: &[FilePath],
    ) -> Result<BTreeMap<usize, &'r str>> {
        let plugins = rows.plugins(numbers, paths)?;
        for (&file, &plugin) in &plugins {
            if let (Some(Some(mine)), Some(path)) = (self.files.get(file), paths.get(file))
                && let Some(mine) = mine.plugin()
                && mine != plugin
            {
                return Err(tracer_conflict(path, mine, plugin));
            }
        }
        Ok(plugins)
    }

    /// Adds a record for each file that has none, and adds the authors.
    fn add_records(&mut self, rows: &Rows, numbers: &[usize]) {
        for (index, &file) in numbers.iter().enumerate() {
            let authors = rows.authors_of(index);
            match self.files.get_mut(file) {
                Some(Some(record)) => record.authors.join(authors),
                Some(record @ None) => {
                    let authors = authors.clone();
                    *record = Some(FileRecord { authors, ..FileRecord::default() });
                }
                None => {}
            }
        }
    }

    /// Returns the approximate size of the rows in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.files.iter().flatten().map(FileRecord::size).sum()
    }

    /// Moves the rows out, and keeps files and contexts.
    pub(crate) fn take_rows(&mut self, paths: &[FilePath]) -> CoverageData {
        let names = |record: &Option<FileRecord>| record.as_ref().map(FileRecord::without_rows);
        let files = self.files.iter().map(names).collect();
        let names = Self { contexts: self.contexts.clone(), files, has_tracers: self.has_tracers };
        std::mem::replace(self, names).into_data(None, paths)
    }

    /// Returns the union as a data set.
    pub(crate) fn into_data(
        self,
        measurement: Option<Measurement>,
        paths: &[FilePath],
    ) -> CoverageData {
        let named = |(record, path): (Option<FileRecord>, &FilePath)| Some((path.clone(), record?));
        let files = self.files.into_iter().zip(paths).filter_map(named).collect();
        CoverageData::from_records(measurement, self.contexts, files)
    }
}
