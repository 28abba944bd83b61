//! Data sets on the way to become one.

use std::collections::{BTreeMap, HashMap};

use super::contexts::{ContextId, ContextTable};
use super::coverage_data::{FileRecord, tracer_conflict};
use super::rows::{FileRuns, Rows, Runs};
use super::{CoverageData, FilePath, LineArc, Measurement};
use crate::error::Result;

/// So many that it pays to share the work of merging them.
#[cfg(feature = "parallel")]
const MANY_RUNS: usize = 20_000;

/// Paths and their numbers, in the order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct PathTable {
    paths: Vec<FilePath>,
    numbers: HashMap<FilePath, usize>,
}

impl PathTable {
    /// The number of `path`, which is added if it is new.
    pub(crate) fn number(&mut self, path: FilePath) -> usize {
        *self.numbers.entry(path).or_insert_with_key(|path| {
            self.paths.push(path.clone());
            self.paths.len() - 1
        })
    }

    /// By number.
    pub(crate) fn all(&self) -> &[FilePath] {
        &self.paths
    }
}

/// A union of data sets, whose files are numbers: places in a list of paths.
///
/// Paths of a hundred bytes are told apart once, and not in each data set.
#[derive(Debug, Default)]
pub(crate) struct Merging {
    contexts: ContextTable,
    /// By number.
    files: Vec<Option<FileRecord>>,
    has_tracers: bool,
}

impl Merging {
    /// Add rows of files that have these numbers among `paths`, one for each number in the rows.
    ///
    /// # Errors
    ///
    /// Before anything has changed: [`ErrorKind::TracerConflict`](crate::ErrorKind::TracerConflict) as from
    /// [`CoverageData::merge`].
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

    /// Take in files and contexts alone; what ids the contexts have, for [their runs](Self::add_runs).
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub(crate) fn add_names(
        &mut self,
        rows: &mut Rows,
        numbers: &[usize],
        paths: &[FilePath],
    ) -> Result<Vec<ContextId>> {
        self.add_files(rows, numbers, paths)?;
        Ok(self.contexts.absorb(std::mem::take(&mut rows.contexts)))
    }

    /// Add runs of files that have these numbers, in contexts that have these ids.
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

    /// Do something with the record of each file and its runs; with many runs on all cores.
    fn each_record<T: Copy + Sync>(
        &mut self,
        runs: &Runs<T>,
        absorb: impl Fn(&mut FileRecord, FileRuns<'_, T>) + Sync,
    ) {
        #[cfg(feature = "parallel")]
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

    /// See to it that there is a record of each file, with its tracer.
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

    /// The plugins that files of the rows belong to, which do not contradict those that are known.
    fn checked_tracers<'r>(
        &self,
        rows: &'r Rows,
        numbers: &[usize],
        paths: &[FilePath],
    ) -> Result<BTreeMap<usize, &'r str>> {
        let owners = rows.owners(numbers, paths)?;
        for (&file, &owner) in &owners {
            if let (Some(Some(mine)), Some(path)) = (self.files.get(file), paths.get(file))
                && let Some(mine) = mine.owner()
                && mine != owner
            {
                return Err(tracer_conflict(path, mine, owner));
            }
        }
        Ok(owners)
    }

    /// See to it that there is a record of each file, with its authors.
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

    /// How many bytes of memory the rows take, about.
    #[cfg(all(feature = "json", feature = "paths"))]
    pub(crate) fn size(&self) -> usize {
        self.files.iter().flatten().map(FileRecord::size).sum()
    }

    /// Take the rows out, and leave files and contexts.
    #[cfg(all(feature = "json", feature = "paths"))]
    pub(crate) fn take_rows(&mut self, paths: &[FilePath]) -> CoverageData {
        let names = |record: &Option<FileRecord>| record.as_ref().map(FileRecord::without_rows);
        let files = self.files.iter().map(names).collect();
        let names = Self { contexts: self.contexts.clone(), files, has_tracers: self.has_tracers };
        std::mem::replace(self, names).into_data(None, paths)
    }

    /// The union as a data set.
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
