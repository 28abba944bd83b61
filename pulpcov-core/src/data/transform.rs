//! Changes of a whole data set: merging, renaming and reducing.

use std::collections::btree_map::{BTreeMap, Entry};

use super::conflict::{mixed_data, tracer_conflict};
use super::contexts::{ContextId, ContextTable};
use super::file_record::FileRecord;
use super::stored_text::StoredText;
use super::{CoverageData, FilePath, Measurement};
use crate::error::Result;

/// The number of files from which merging them in parallel pays.
const MANY_FILES: usize = 64;

impl CoverageData {
    /// Adds all of `other`: the union of files, contexts, lines and arcs.
    ///
    /// The order and the grouping of merges do not matter, and merging the same data twice changes nothing.
    /// Metadata is kept only where both data sets agree.
    ///
    /// # Errors
    ///
    /// Nothing has changed on error.
    ///
    /// - [`ErrorKind::MixedData`](crate::ErrorKind::MixedData) if one data set holds lines and the other
    ///   arcs.
    /// - [`ErrorKind::TracerConflict`](crate::ErrorKind::TracerConflict) if both have a file with different
    ///   plugins, or with a plugin in one and rows without a plugin in the other (coverage.py's
    ///   `CoverageData.update`).
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let (mut web, mut worker) = (CoverageData::new(), CoverageData::new());
    /// web.add_lines("app.py", "", &Numbits::from_iter([1, 2]))?;
    /// worker.add_lines("app.py", "", &Numbits::from_iter([1, 9]))?;
    /// web.merge(worker)?;
    /// assert_eq!(web.lines("app.py"), Some(Numbits::from_iter([1, 2, 9])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn merge(&mut self, other: Self) -> Result<()> {
        if let Some(measurement) = other.measurement
            && self.measurement.is_some_and(|own| own != measurement)
        {
            return Err(mixed_data(measurement));
        }
        self.check_tracers(&other)?;
        self.measurement = self.measurement.or(other.measurement);
        self.meta.retain(|key, value| other.meta.get(key) == Some(value));
        let ids = self.contexts.absorb(other.contexts);
        self.absorb_files(other.files, &ids);
        Ok(())
    }

    fn absorb_files(&mut self, files: BTreeMap<FilePath, FileRecord>, ids: &[ContextId]) {
        if self.is_far_larger_than(&files) {
            for (path, record) in files {
                match self.files.get_mut(&path) {
                    Some(mine) => mine.absorb(record, ids),
                    None => self.add_record(path, record, ids),
                }
            }
            return;
        }
        let (mut both, mut new) = (Vec::new(), Vec::new());
        let mut own = self.files.iter_mut().peekable();
        for (path, record) in files {
            while own.next_if(|(known, _)| **known < path).is_some() {}
            match own.next_if(|(known, _)| **known == path) {
                Some((_, mine)) => both.push((mine, record)),
                None => new.push((path, record)),
            }
        }
        absorb_each(both, ids);
        new.into_iter().for_each(|(path, record)| self.add_record(path, record, ids));
    }

    fn add_record(&mut self, path: FilePath, record: FileRecord, ids: &[ContextId]) {
        let mut mine = record.without_rows();
        mine.absorb_rows(record, ids);
        self.files.insert(path, mine);
    }

    /// Returns whether `files` are so few that looking up each one is less work than a pass over both sorted
    /// maps.
    ///
    /// Without this check, merging many small data sets takes time quadratic in their number.
    fn is_far_larger_than(&self, files: &BTreeMap<FilePath, FileRecord>) -> bool {
        files.len().saturating_mul(16) < self.files.len()
    }

    fn check_tracers(&self, other: &Self) -> Result<()> {
        let check =
            |path, mine: &FileRecord, theirs: &FileRecord| match (mine.plugin(), theirs.plugin()) {
                (Some(mine), Some(theirs)) if mine != theirs => {
                    Err(tracer_conflict(path, mine, theirs))
                }
                _ => Ok(()),
            };
        let any =
            |files: &BTreeMap<_, FileRecord>| files.values().any(|file| !file.tracer.is_empty());
        if !any(&self.files) && !any(&other.files) {
            return Ok(());
        }
        if self.is_far_larger_than(&other.files) {
            let shared = |(path, theirs)| Some((path, self.files.get(path)?, theirs));
            return other
                .files
                .iter()
                .filter_map(shared)
                .try_for_each(|(path, mine, theirs)| check(path, mine, theirs));
        }
        let mut own = self.files.iter().peekable();
        for (path, theirs) in &other.files {
            while own.next_if(|(known, _)| *known < path).is_some() {}
            if let Some((known, mine)) = own.peek()
                && *known == path
            {
                check(path, mine, theirs)?;
            }
        }
        Ok(())
    }

    /// Returns the data with every file renamed. Files that get the same new path become one.
    ///
    /// # Errors
    ///
    /// The errors of `new_path`, and [`ErrorKind::TracerConflict`](crate::ErrorKind::TracerConflict) if files
    /// with different plugins become one.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("/build/1/app.py", "", &Numbits::from_iter([1, 2]))?;
    /// data.add_lines("/build/2/app.py", "", &Numbits::from_iter([1, 9]))?;
    /// let data = data.map_paths(|path| path.as_str().rsplit('/').next().unwrap().try_into())?;
    /// assert_eq!(data.lines("app.py"), Some(Numbits::from_iter([1, 2, 9])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn map_paths(
        mut self,
        mut new_path: impl FnMut(&FilePath) -> Result<FilePath>,
    ) -> Result<Self> {
        let same_ids = ContextId::identity(self.contexts.len());
        for (path, record) in std::mem::take(&mut self.files) {
            match self.files.entry(new_path(&path)?) {
                Entry::Vacant(entry) => drop(entry.insert(record)),
                Entry::Occupied(mut entry) => {
                    let path = entry.key().clone();
                    entry.get_mut().merge_renamed(record, &path, &same_ids)?;
                }
            }
        }
        Ok(self)
    }

    /// Moves all rows into the unnamed context, and removes all other contexts.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// data.add_lines("app.py", "test_sub", &Numbits::from_iter([1, 4]))?;
    /// data.drop_contexts();
    /// assert_eq!(data.contexts(), [""]);
    /// assert_eq!(data.lines("app.py"), Some(Numbits::from_iter([1, 2, 4])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn drop_contexts(&mut self) {
        let mut contexts = ContextTable::default();
        if self.contexts.len() > 0 {
            let id = contexts.intern(StoredText::EMPTY);
            for record in self.files.values_mut() {
                record.lines.flatten(id);
                record.arcs.flatten(id);
            }
        }
        self.contexts = contexts;
    }

    /// Removes the rows of files whose paths satisfy `unwanted`. The data still names these files.
    #[cfg(feature = "combine")]
    pub(crate) fn drop_rows_of(&mut self, unwanted: impl Fn(&str) -> bool) {
        for (_, record) in self.files.iter_mut().filter(|(path, _)| unwanted(path.as_str())) {
            *record = record.without_rows();
        }
    }

    /// Replaces arcs by the lines at their ends. Data without arcs does not change.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Measurement, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_arcs("app.py", "", [(-1, 1), (1, 3), (3, -1)])?;
    /// data.arcs_to_lines();
    /// assert_eq!(data.measurement(), Some(Measurement::Lines));
    /// assert_eq!(data.lines("app.py"), Some(Numbits::from_iter([1, 3])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn arcs_to_lines(&mut self) {
        self.files.values_mut().for_each(FileRecord::arcs_to_lines);
        self.measurement = self.measurement.map(|_| Measurement::Lines);
    }

    /// Renumbers the contexts in the order of their names. They are written in this order, more than once.
    #[cfg(feature = "combine")]
    pub(crate) fn sort_contexts(&mut self) {
        use rayon::prelude::*;

        let ids = self.contexts.sort();
        let renumber = |record: &mut FileRecord| {
            record.lines.renumber(&ids);
            record.arcs.renumber(&ids);
        };
        self.files.par_iter_mut().for_each(|(_, record)| renumber(record));
    }
}

/// Merges each record into its counterpart. Uses all cores if there are many records.
fn absorb_each(records: Vec<(&mut FileRecord, FileRecord)>, ids: &[ContextId]) {
    #[cfg(feature = "combine")]
    if records.len() >= MANY_FILES {
        use rayon::prelude::*;
        records.into_par_iter().for_each(|(mine, other)| mine.absorb(other, ids));
        return;
    }
    records.into_iter().for_each(|(mine, other)| mine.absorb(other, ids));
}
