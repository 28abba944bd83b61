//! The data set, as in coverage.py's `CoverageData`.

use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::Arc;

use super::by_context::{ByContext, Union};
use super::contexts::{ContextId, ContextTable};
use super::rows::{Rows, Runs};
use super::stored_text::StoredText;
use super::{ArcSet, Authors, ContextSelection, FilePath, LineArc, Numbits};
use crate::error::{Error, ErrorKind, Result};
use crate::text::{printable, py_repr};

/// The number of files from which merging them in parallel pays.
const MANY_FILES: usize = 64;

/// The kind of rows in a data set, which never holds both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measurement {
    /// Line numbers: statement coverage.
    Lines,
    /// Line-to-line jumps: branch coverage.
    Arcs,
}

/// Lines or arcs that ran, by source file and context.
///
/// A data set holds what coverage.py's class of this name holds: measured files, contexts, lines or arcs, the
/// file tracer plugin of a file, and metadata. It does no I/O; [`formats`](crate::formats) reads and writes
/// data files.
///
/// For each file, a context takes 24 bytes plus the bitmap of its lines, or plus 8 bytes per arc.
///
/// # Examples
///
/// ```
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut web = CoverageData::new();
/// web.add_lines("app/views.py", "test_login", &Numbits::from_iter([1, 2, 5]))?;
///
/// let mut worker = CoverageData::new();
/// worker.add_lines("app/views.py", "test_task", &Numbits::from_iter([1, 9]))?;
///
/// web.merge(worker)?;
/// assert_eq!(web.lines("app/views.py"), Some(Numbits::from_iter([1, 2, 5, 9])));
/// assert_eq!(web.contexts_by_line("app/views.py")[&1], ["test_login", "test_task"]);
///
/// let tasks = web.select_contexts(|name| name.contains("task"));
/// assert_eq!(web.lines_in("app/views.py", &tasks), Some(Numbits::from_iter([1, 9])));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CoverageData {
    measurement: Option<Measurement>,
    meta: BTreeMap<String, String>,
    contexts: ContextTable,
    files: BTreeMap<FilePath, FileRecord>,
}

/// The overhead of a set in memory, in bytes: its entry, and what the allocator adds.
pub(super) const SET_OVERHEAD: usize = 24 + 16;

/// The rows of a measured file. Only one of `lines` and `arcs` is ever filled.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileRecord {
    pub(crate) tracer: Box<str>,
    /// Whether the file had rows that were moved elsewhere.
    pub(super) was_measured: bool,
    pub(crate) authors: Authors,
    pub(crate) lines: ByContext<Numbits>,
    pub(crate) arcs: ByContext<ArcSet>,
}

impl FileRecord {
    fn absorb(&mut self, other: Self, ids: &[ContextId]) {
        self.authors.join(&other.authors);
        self.was_measured |= other.was_measured;
        if self.tracer.is_empty() {
            self.tracer.clone_from(&other.tracer);
        }
        self.absorb_rows(other, ids);
    }

    /// Adds the rows of `other`, but not its tracer or authors.
    pub(crate) fn absorb_rows(&mut self, other: Self, ids: &[ContextId]) {
        self.lines.absorb(other.lines, ids);
        self.arcs.absorb(other.arcs, ids);
    }

    /// Merges another file that was renamed to the same path.
    pub(crate) fn merge_renamed(
        &mut self,
        other: Self,
        path: &FilePath,
        ids: &[ContextId],
    ) -> Result<()> {
        self.set_tracer(&other.tracer, path)?;
        self.absorb(other, ids);
        Ok(())
    }

    fn set_tracer(&mut self, tracer: &str, path: &FilePath) -> Result<()> {
        if self.tracer.is_empty() {
            self.tracer = tracer.into();
        } else if !tracer.is_empty() && *self.tracer != *tracer {
            return Err(tracer_conflict(path, &self.tracer, tracer));
        }
        Ok(())
    }

    /// Returns the record without its rows.
    pub(super) fn without_rows(&self) -> Self {
        Self {
            tracer: self.tracer.clone(),
            was_measured: self.was_measured || self.has_rows(),
            authors: self.authors.clone(),
            ..Self::default()
        }
    }

    /// Returns the plugin that traced the file, which is empty for Python itself. Returns `None` if the file
    /// has neither a plugin nor rows: coverage.py lets any plugin own a file that it never saw run
    /// (coverage.py 7.17.5, `CoverageData.update`).
    pub(super) fn plugin(&self) -> Option<&str> {
        let is_known = !self.tracer.is_empty() || self.was_measured || self.has_rows();
        is_known.then_some(&*self.tracer)
    }

    fn has_rows(&self) -> bool {
        !self.lines.is_empty() || !self.arcs.is_empty()
    }

    pub(crate) fn arcs_to_lines(&mut self) {
        for (id, arcs) in std::mem::take(&mut self.arcs).iter() {
            self.lines.add(id, arcs.lines().collect());
        }
    }

    /// Returns the approximate size of the rows in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        let lines = self.lines.iter().map(|(_, lines)| SET_OVERHEAD + lines.as_bytes().len());
        let arcs = self.arcs.iter().map(|(_, arcs)| SET_OVERHEAD + size_of_val(arcs.as_slice()));
        lines.chain(arcs).sum()
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

/// A file of a [`CoverageData`], with the names of its contexts.
#[derive(Clone, Copy, Debug)]
pub struct FileData<'a> {
    path: &'a FilePath,
    record: &'a FileRecord,
    contexts: &'a ContextTable,
}

impl<'a> FileData<'a> {
    /// Returns whether the file has rows. Without rows, only its name is known.
    pub fn has_rows(&self) -> bool {
        self.record.has_rows()
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &'a FilePath {
        self.path
    }

    /// Returns the plugin that traced the file, which is empty for ordinary Python.
    pub fn tracer(&self) -> &'a str {
        &self.record.tracer
    }

    /// Returns the authors of the data files that name the file.
    pub fn authors(&self) -> &'a Authors {
        &self.record.authors
    }

    /// Returns the lines of each context, sorted by the context's name. Empty if arcs were measured.
    pub fn lines_by_context(&self) -> Vec<(&'a str, &'a Numbits)> {
        self.named(&self.record.lines)
    }

    /// Returns the arcs of each context, sorted by the context's name. Empty if lines were measured.
    pub fn arcs_by_context(&self) -> Vec<(&'a str, &'a ArcSet)> {
        self.named(&self.record.arcs)
    }

    fn named<T: Union>(&self, sets: &'a ByContext<T>) -> Vec<(&'a str, &'a T)> {
        let mut named: Vec<_> =
            sets.iter().map(|(id, set)| (self.contexts.name(id), set)).collect();
        named.sort_unstable_by_key(|entry| entry.0);
        named
    }
}

impl CoverageData {
    /// Creates an empty data set, which can still become either measurement.
    pub fn new() -> Self {
        Self::default()
    }

    // Queries of the content.

    /// Returns whether lines or arcs were measured, or `None` if nothing was measured yet.
    pub fn measurement(&self) -> Option<Measurement> {
        self.measurement
    }

    /// Returns whether the data holds arcs, which means that branch coverage was measured.
    pub fn has_arcs(&self) -> bool {
        self.measurement == Some(Measurement::Arcs)
    }

    /// Returns whether the data holds any rows of lines or arcs. It may name files and contexts that have no
    /// rows.
    pub fn has_rows(&self) -> bool {
        self.files.values().any(FileRecord::has_rows)
    }

    /// Returns the number of rows. A row is a pair of file and context with its lines, or a single arc.
    pub fn row_count(&self) -> u64 {
        let rows = |record: &FileRecord| {
            record.lines.iter().count()
                + record.arcs.iter().map(|(_, arcs)| arcs.len()).sum::<usize>()
        };
        self.files.values().map(|record| rows(record) as u64).sum()
    }

    /// Iterates over the measured files, sorted by the bytes of their paths.
    pub fn files(&self) -> impl ExactSizeIterator<Item = FileData<'_>> {
        self.files.iter().map(|(path, record)| FileData { path, record, contexts: &self.contexts })
    }

    /// Returns the file with exactly this path.
    pub fn file(&self, path: impl AsRef<str>) -> Option<FileData<'_>> {
        let (path, record) = self.files.get_key_value(path.as_ref())?;
        Some(FileData { path, record, contexts: &self.contexts })
    }

    /// Returns the context names, sorted. A context may have no rows.
    pub fn contexts(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.contexts.names().collect();
        names.sort_unstable();
        names
    }

    /// Returns the plugin that traced the file: empty for ordinary Python, `None` for an unknown file.
    pub fn file_tracer(&self, path: impl AsRef<str>) -> Option<&str> {
        self.files.get(path.as_ref()).map(|record| &*record.tracer)
    }

    /// Returns the metadata of the measurement by key: `version`, `sys_argv`, `when` and `hash`, or `runs`
    /// for coverage.py 4.x.
    pub fn meta(&self) -> &BTreeMap<String, String> {
        &self.meta
    }

    // Queries of the rows.

    /// Returns the lines of a file that ran in any context, or `None` for an unknown file.
    ///
    /// For arcs, these are the positive ends, as in coverage.py's `CoverageData.lines`.
    pub fn lines(&self, path: impl AsRef<str>) -> Option<Numbits> {
        self.lines_where(path.as_ref(), |_| true)
    }

    /// Returns the lines of a file that ran in the selected contexts.
    pub fn lines_in(&self, path: impl AsRef<str>, selection: &ContextSelection) -> Option<Numbits> {
        self.lines_where(path.as_ref(), |id| selection.contains(id))
    }

    /// Returns the arcs of a file that ran in any context, or `None` for an unknown file.
    pub fn arcs(&self, path: impl AsRef<str>) -> Option<ArcSet> {
        self.arcs_where(path.as_ref(), |_| true)
    }

    /// Returns the arcs of a file that ran in the selected contexts.
    pub fn arcs_in(&self, path: impl AsRef<str>, selection: &ContextSelection) -> Option<ArcSet> {
        self.arcs_where(path.as_ref(), |id| selection.contains(id))
    }

    /// Returns, for each line that ran, the contexts that ran it, sorted by name.
    pub fn contexts_by_line(&self, path: impl AsRef<str>) -> BTreeMap<i32, Vec<&str>> {
        self.contexts_by_line_where(path.as_ref(), |_| true)
    }

    /// Returns, for each line that ran in the selected contexts, those of the contexts that ran it, sorted by
    /// name.
    pub fn contexts_by_line_in(
        &self,
        path: impl AsRef<str>,
        selection: &ContextSelection,
    ) -> BTreeMap<i32, Vec<&str>> {
        self.contexts_by_line_where(path.as_ref(), |id| selection.contains(id))
    }

    /// Returns the result of [`contexts_by_line_in`](Self::contexts_by_line_in) in the order in which
    /// coverage.py finds the lines: by context, oldest first, and then by line or arc.
    #[cfg(feature = "report")]
    pub(crate) fn contexts_by_line_recorded(
        &self,
        path: &FilePath,
        selection: Option<&ContextSelection>,
    ) -> Vec<(i32, Vec<&str>)> {
        let Some(record) = self.files.get(path) else { return Vec::new() };
        let wanted = |id| selection.is_none_or(|selection| selection.contains(id));
        let mut places = std::collections::HashMap::<i32, usize>::new();
        let mut lines = Vec::<(i32, Vec<ContextId>)>::new();
        let mut add = |line: i32, id: ContextId| {
            let place = *places.entry(line).or_insert(lines.len());
            match lines.get_mut(place) {
                // The rows are visited context by context, so a context that is known already is the last
                // one.
                Some((_, ids)) if ids.last() != Some(&id) => ids.push(id),
                Some(_) => {}
                None => lines.push((line, vec![id])),
            }
        };
        for (id, numbits) in record.lines.iter().filter(|(id, _)| wanted(*id)) {
            numbits.iter().for_each(|line| add(line, id));
        }
        for (id, arcs) in record.arcs.iter().filter(|(id, _)| wanted(*id)) {
            arcs.lines().for_each(|line| add(line, id));
        }
        let named = |(line, ids): (i32, Vec<ContextId>)| {
            let mut names: Vec<&str> = ids.into_iter().map(|id| self.contexts.name(id)).collect();
            names.sort_unstable();
            (line, names)
        };
        lines.into_iter().map(named).collect()
    }

    /// Returns the contexts that ran a file, with the lines that each context ran.
    #[cfg(feature = "report")]
    pub(crate) fn lines_by_context(
        &self,
        path: &FilePath,
        selection: Option<&ContextSelection>,
    ) -> Vec<(&str, std::borrow::Cow<'_, Numbits>)> {
        use std::borrow::Cow;
        let Some(record) = self.files.get(path) else { return Vec::new() };
        let wanted = |id| selection.is_none_or(|selection| selection.contains(id));
        let lines = record.lines.iter().map(|(id, lines)| (id, Cow::Borrowed(lines)));
        let arcs = record.arcs.iter().map(|(id, arcs)| (id, Cow::Owned(arcs.lines().collect())));
        let rows = lines.chain(arcs).filter(|(id, _)| wanted(*id));
        rows.map(|(id, lines)| (self.contexts.name(id), lines)).collect()
    }

    /// Selects the contexts whose names satisfy `wanted`, for the queries whose names end in `_in`.
    pub fn select_contexts(&self, wanted: impl FnMut(&str) -> bool) -> ContextSelection {
        ContextSelection(self.contexts.names().map(wanted).collect())
    }

    fn lines_where(&self, path: &str, wanted: impl Fn(ContextId) -> bool) -> Option<Numbits> {
        if self.has_arcs() {
            return self.arcs_where(path, wanted).map(|arcs| arcs.lines().collect());
        }
        Some(union_where(&self.files.get(path)?.lines, wanted))
    }

    fn arcs_where(&self, path: &str, wanted: impl Fn(ContextId) -> bool) -> Option<ArcSet> {
        let all = self.files.get(path)?.arcs.iter().filter(|(id, _)| wanted(*id));
        Some(all.flat_map(|(_, arcs)| arcs.iter()).collect())
    }

    fn contexts_by_line_where(
        &self,
        path: &str,
        wanted: impl Fn(ContextId) -> bool,
    ) -> BTreeMap<i32, Vec<&str>> {
        let mut by_line = BTreeMap::<i32, Vec<&str>>::new();
        let Some(record) = self.files.get(path) else { return by_line };
        let lines = record.lines.iter().map(|(id, lines)| (id, lines.clone()));
        let arcs = record.arcs.iter().map(|(id, arcs)| (id, arcs.lines().collect::<Numbits>()));
        for (id, lines) in lines.chain(arcs).filter(|(id, _)| wanted(*id)) {
            for line in lines.iter() {
                by_line.entry(line).or_default().push(self.contexts.name(id));
            }
        }
        by_line.values_mut().for_each(|names| names.sort_unstable());
        by_line
    }

    // Additions.

    /// Adds lines of a file in a context. The context of data without contexts is `""`.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::MixedData`] if the data holds arcs.
    /// - [`ErrorKind::NotRepresentable`] if a data file cannot hold the path or the context: the path is not
    ///   UTF-8, or one of them contains a NUL.
    pub fn add_lines(
        &mut self,
        path: impl TryInto<FilePath, Error: Into<Error>>,
        context: &str,
        lines: &Numbits,
    ) -> Result<()> {
        let (path, context) = (path.try_into().map_err(Into::into)?, stored("context", context)?);
        self.set_measurement(Measurement::Lines)?;
        let id = self.contexts.intern(context);
        self.files.entry(path).or_default().lines.add(id, lines.clone());
        Ok(())
    }

    /// Adds arcs of a file in a context. The context of data without contexts is `""`.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::MixedData`] if the data holds lines.
    /// - [`ErrorKind::NotRepresentable`] as from [`add_lines`](Self::add_lines).
    pub fn add_arcs(
        &mut self,
        path: impl TryInto<FilePath, Error: Into<Error>>,
        context: &str,
        arcs: impl IntoIterator<Item = LineArc>,
    ) -> Result<()> {
        let (path, context) = (path.try_into().map_err(Into::into)?, stored("context", context)?);
        self.set_measurement(Measurement::Arcs)?;
        let id = self.contexts.intern(context);
        let file = self.files.entry(path).or_default();
        let arcs: ArcSet = arcs.into_iter().collect();
        // A data file has one row per arc, so an empty set has no row.
        if !arcs.is_empty() {
            file.arcs.add(id, arcs);
        }
        Ok(())
    }

    /// Adds a file without rows, unless the data has the file already.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRepresentable`] as from [`add_lines`](Self::add_lines).
    pub fn touch_file(&mut self, path: impl TryInto<FilePath, Error: Into<Error>>) -> Result<()> {
        self.files.entry(path.try_into().map_err(Into::into)?).or_default();
        Ok(())
    }

    /// Adds a context without rows, unless the data has the context already.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRepresentable`] if the name contains a NUL.
    pub fn touch_context(&mut self, name: &str) -> Result<()> {
        self.contexts.intern(stored("context", name)?);
        Ok(())
    }

    /// Sets the plugin that traced a file. An empty name changes nothing.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::TracerConflict`] if the file has another plugin.
    /// - [`ErrorKind::NotRepresentable`] as from [`add_lines`](Self::add_lines).
    pub fn set_file_tracer(
        &mut self,
        path: impl TryInto<FilePath, Error: Into<Error>>,
        tracer: &str,
    ) -> Result<()> {
        let (path, tracer) = (path.try_into().map_err(Into::into)?, stored("plugin", tracer)?);
        self.files.entry(path.clone()).or_default().set_tracer(tracer.as_str(), &path)
    }

    /// Sets the authors of all files that the data has so far, as if one data file of these authors named all
    /// of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{Author, Authors, CoverageData, Numbits};
    ///
    /// let mut uploaded = CoverageData::new();
    /// uploaded.add_lines("/srv/app.py", "", &Numbits::from_iter([1]))?;
    /// uploaded.set_authors(Author::Anybody.into());
    /// assert_eq!(*uploaded.file("/srv/app.py").unwrap().authors(), Authors::from(Author::Anybody));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn set_authors(&mut self, authors: Authors) {
        self.files.values_mut().for_each(|record| record.authors = authors.clone());
    }

    /// Sets the authors of all files after reading them from a data file of these authors.
    pub(crate) fn set_trusted_authors(&mut self, authors: &Authors) {
        for record in self.files.values_mut() {
            record.authors = std::mem::take(&mut record.authors).trusted_from(authors);
        }
    }

    /// Sets the authors of one file.
    pub(crate) fn set_authors_of(&mut self, path: &FilePath, authors: Authors) {
        if let Some(record) = self.files.get_mut(path) {
            record.authors = authors;
        }
    }

    /// Sets the measurement. Setting the same one again has no effect.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MixedData`] if the data holds the other measurement.
    pub fn set_measurement(&mut self, measurement: Measurement) -> Result<()> {
        match self.measurement {
            Some(other) if other != measurement => Err(mixed(measurement)),
            _ => {
                self.measurement = Some(measurement);
                Ok(())
            }
        }
    }

    /// Sets a metadata value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRepresentable`] if the key or the value contains a NUL.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (stored("key", key)?, stored("value", value)?);
        self.meta.insert(key.as_str().to_owned(), value.as_str().to_owned());
        Ok(())
    }

    /// Removes all metadata.
    pub fn clear_meta(&mut self) {
        self.meta.clear();
    }

    /// Replaces all metadata. The new metadata was already checked, by a reader or when it was added to
    /// another data set.
    pub(crate) fn replace_meta(&mut self, meta: BTreeMap<String, String>) {
        self.meta = meta;
    }

    // Changes of the whole data set.

    /// Adds all of `other`: the union of files, contexts, lines and arcs.
    ///
    /// The order and the grouping of merges do not matter, and merging the same data twice changes nothing.
    /// Metadata is kept only where both data sets agree.
    ///
    /// # Errors
    ///
    /// Nothing has changed on error.
    ///
    /// - [`ErrorKind::MixedData`] if one data set holds lines and the other arcs.
    /// - [`ErrorKind::TracerConflict`] if both have a file with different plugins, or with a plugin in one
    ///   and rows without a plugin in the other (coverage.py's `CoverageData.update`).
    pub fn merge(&mut self, other: Self) -> Result<()> {
        if let Some(measurement) = other.measurement
            && self.measurement.is_some_and(|own| own != measurement)
        {
            return Err(mixed(measurement));
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
    /// The errors of `new_path`, and [`ErrorKind::TracerConflict`] if files with different plugins become
    /// one.
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

    /// Replaces arcs by the lines at their ends. Data without arcs does not change.
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

    /// Returns the id of a context of another data set, and adds the context if it is new.
    pub(crate) fn context_id(&mut self, name: &Arc<str>) -> ContextId {
        self.contexts.intern_shared(name)
    }

    // Methods for the readers and writers.

    pub(crate) fn context_table(&self) -> &ContextTable {
        &self.contexts
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = (&FilePath, &FileRecord)> {
        self.files.iter()
    }

    pub(crate) fn record_of(&self, path: &FilePath) -> Option<&FileRecord> {
        self.files.get(path)
    }

    /// Returns the rows. The number of a file is its index in the sorted paths.
    pub(crate) fn into_rows(self) -> Rows {
        let (mut all_lines, mut all_arcs) = (Runs::default(), Runs::default());
        let mut rows = Rows { measurement: self.measurement, ..Rows::default() };
        for (file, record) in self.files.into_values().enumerate() {
            if record.authors != Authors::Caller {
                rows.listed_authors.insert(file, record.authors);
            }
            for (context, lines) in record.lines.iter() {
                all_lines.push(file, context, lines.as_bytes());
            }
            for (context, arcs) in record.arcs.iter() {
                all_arcs.push(file, context, arcs.as_slice());
            }
            if !record.tracer.is_empty() {
                rows.tracers.insert(file, record.tracer);
            }
        }
        (rows.lines, rows.arcs) = (vec![all_lines], vec![all_arcs]);
        Rows { contexts: self.contexts, meta: self.meta, ..rows }
    }

    /// Creates a data set from rows that a reader has checked.
    pub(crate) fn from_records(
        measurement: Option<Measurement>,
        contexts: ContextTable,
        files: BTreeMap<FilePath, FileRecord>,
    ) -> Self {
        Self { measurement, meta: BTreeMap::new(), contexts, files }
    }
}

/// Two data sets are equal if their files, tracers, authors, contexts, rows and metadata are, whatever the
/// order in which these were added.
impl PartialEq for CoverageData {
    fn eq(&self, other: &Self) -> bool {
        let same_file = |(a, b): (FileData<'_>, FileData<'_>)| {
            a.path() == b.path()
                && a.tracer() == b.tracer()
                && a.authors() == b.authors()
                && a.lines_by_context() == b.lines_by_context()
                && a.arcs_by_context() == b.arcs_by_context()
        };
        self.measurement == other.measurement
            && self.meta == other.meta
            && self.contexts() == other.contexts()
            && self.files.len() == other.files.len()
            && self.files().zip(other.files()).all(same_file)
    }
}

impl Eq for CoverageData {}

fn union_where(sets: &ByContext<Numbits>, wanted: impl Fn(ContextId) -> bool) -> Numbits {
    let mut all = Numbits::new();
    sets.iter().filter(|(id, _)| wanted(*id)).for_each(|(_, set)| all.union_with(set));
    all
}

/// Checks that a data file can hold `text`. The error uses `what` to name the kind of text.
fn stored<'t>(what: &str, text: &'t str) -> Result<StoredText<'t>> {
    StoredText::new(text).map_err(|why| why.refusing(what, text.as_bytes()))
}

fn mixed(added: Measurement) -> Error {
    // The messages are coverage.py's (sqldata.py, _choose_lines_or_arcs).
    let message = match added {
        Measurement::Lines => "Can't add line measurements to existing branch data",
        Measurement::Arcs => "Can't add branch measurements to existing line data",
    };
    Error::new(ErrorKind::MixedData, message)
}

pub(super) fn tracer_conflict(path: &FilePath, own: &str, other: &str) -> Error {
    let message = format!(
        "Conflicting file tracer name for {}: {} vs {}",
        py_repr(&printable(path.as_str())),
        py_repr(own),
        py_repr(other)
    );
    Error::new(ErrorKind::TracerConflict, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_arcs_are_no_row() {
        let mut data = CoverageData::new();
        data.add_arcs("a.py", "test_one", []).unwrap();
        assert!(data.has_arcs() && data.file("a.py").is_some());
        assert!(!data.has_rows());
        assert_eq!(data.file("a.py").unwrap().arcs_by_context(), []);
    }
}
