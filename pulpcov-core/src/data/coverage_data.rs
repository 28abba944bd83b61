//! The data set, as in coverage.py's `CoverageData`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::authors::{self, Authors};
use super::conflict::mixed_data;
use super::contexts::{ContextId, ContextTable};
use super::file_record::FileRecord;
use super::measurement::HAS_ARCS;
use super::rows::{Rows, Runs};
use super::stored_text::StoredText;
use super::{ArcSet, FileData, FilePath, LineArc, Measurement, Numbits};
use crate::error::{Error, ErrorKind, Result};

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
    pub(super) measurement: Option<Measurement>,
    pub(super) meta: BTreeMap<String, String>,
    pub(super) contexts: ContextTable,
    pub(super) files: BTreeMap<FilePath, FileRecord>,
}

impl CoverageData {
    /// Creates an empty data set, which can still become either measurement.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether lines or arcs were measured, or `None` if nothing was measured yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Measurement};
    ///
    /// let mut data = CoverageData::new();
    /// assert_eq!(data.measurement(), None);
    /// data.add_arcs("app.py", "", [(-1, 1), (1, -1)])?;
    /// assert_eq!(data.measurement(), Some(Measurement::Arcs));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn measurement(&self) -> Option<Measurement> {
        self.measurement
    }

    /// Returns whether the data holds arcs, which means that branch coverage was measured.
    pub fn has_arcs(&self) -> bool {
        self.measurement == Some(Measurement::Arcs)
    }

    /// Returns whether the data holds any rows of lines or arcs. It may name files and contexts that have no
    /// rows.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.touch_file("never_imported.py")?;
    /// assert!(!data.has_rows());
    /// data.add_lines("app.py", "", &Numbits::from_iter([1]))?;
    /// assert!(data.has_rows());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn has_rows(&self) -> bool {
        self.files.values().any(FileRecord::has_rows)
    }

    /// Returns the number of rows. A row is a pair of file and context with its lines, or a single arc.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2, 3]))?;
    /// data.add_lines("app.py", "test_sub", &Numbits::from_iter([1, 4]))?;
    /// assert_eq!(data.row_count(), 2);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn row_count(&self) -> u64 {
        let rows = |record: &FileRecord| {
            record.lines.iter().count()
                + record.arcs.iter().map(|(_, arcs)| arcs.len()).sum::<usize>()
        };
        self.files.values().map(|record| rows(record) as u64).sum()
    }

    /// Iterates over the measured files, sorted by the bytes of their paths.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("web.py", "", &Numbits::from_iter([1]))?;
    /// data.add_lines("app.py", "", &Numbits::from_iter([1]))?;
    /// let paths: Vec<_> = data.files().map(|file| file.path().as_str()).collect();
    /// assert_eq!(paths, ["app.py", "web.py"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn files(&self) -> impl ExactSizeIterator<Item = FileData<'_>> {
        self.files.iter().map(|(path, record)| FileData { path, record, contexts: &self.contexts })
    }

    /// Returns the file with exactly this path.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// let file = data.file("app.py").unwrap();
    /// assert_eq!(file.lines_by_context(), [("test_add", &Numbits::from_iter([1, 2]))]);
    /// assert!(data.file("./app.py").is_none());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn file(&self, path: impl AsRef<str>) -> Option<FileData<'_>> {
        let (path, record) = self.files.get_key_value(path.as_ref())?;
        Some(FileData { path, record, contexts: &self.contexts })
    }

    /// Returns the context names, sorted. A context may have no rows.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "test_sub", &Numbits::from_iter([1]))?;
    /// data.add_lines("app.py", "test_add", &Numbits::from_iter([1]))?;
    /// assert_eq!(data.contexts(), ["test_add", "test_sub"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn contexts(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.contexts.names().collect();
        names.sort_unstable();
        names
    }

    /// Returns the plugin that traced the file: empty for ordinary Python, `None` for an unknown file.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::CoverageData;
    ///
    /// let mut data = CoverageData::new();
    /// data.touch_file("app.py")?;
    /// data.set_file_tracer("page.html", "django_coverage_plugin")?;
    /// assert_eq!(data.file_tracer("page.html"), Some("django_coverage_plugin"));
    /// assert_eq!(data.file_tracer("app.py"), Some(""));
    /// assert_eq!(data.file_tracer("other.py"), None);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn file_tracer(&self, path: impl AsRef<str>) -> Option<&str> {
        self.files.get(path.as_ref()).map(|record| &*record.tracer)
    }

    /// Returns the metadata of the measurement by key: `version`, `sys_argv`, `when` and `hash`, or `runs`
    /// for coverage.py 4.x.
    pub fn meta(&self) -> &BTreeMap<String, String> {
        &self.meta
    }

    // Additions.

    /// Adds lines of a file in a context. The context of data without contexts is `""`.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::MixedData`](crate::ErrorKind::MixedData) if the data holds arcs.
    /// - [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if a data file cannot hold the
    ///   path or the context: the path is not UTF-8, or one of them contains a NUL.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "", &Numbits::from_iter([1, 2]))?;
    /// data.add_lines("app.py", "", &Numbits::from_iter([2, 5]))?;
    /// assert_eq!(data.lines("app.py"), Some(Numbits::from_iter([1, 2, 5])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
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
    /// - [`ErrorKind::MixedData`](crate::ErrorKind::MixedData) if the data holds lines.
    /// - [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) as from
    ///   [`add_lines`](Self::add_lines).
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{ArcSet, CoverageData};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_arcs("app.py", "", [(-1, 1), (1, 3), (3, -1)])?;
    /// assert_eq!(data.arcs("app.py"), Some(ArcSet::from_iter([(-1, 1), (1, 3), (3, -1)])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
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
    /// [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) as from
    /// [`add_lines`](Self::add_lines).
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.touch_file("never_imported.py")?;
    /// assert_eq!(data.lines("never_imported.py"), Some(Numbits::new()));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn touch_file(&mut self, path: impl TryInto<FilePath, Error: Into<Error>>) -> Result<()> {
        self.files.entry(path.try_into().map_err(Into::into)?).or_default();
        Ok(())
    }

    /// Adds a context without rows, unless the data has the context already.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if the name contains a NUL.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::CoverageData;
    ///
    /// let mut data = CoverageData::new();
    /// data.touch_context("test_nothing")?;
    /// assert_eq!(data.contexts(), ["test_nothing"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn touch_context(&mut self, name: &str) -> Result<()> {
        self.contexts.intern(stored("context", name)?);
        Ok(())
    }

    /// Sets the plugin that traced a file. An empty name changes nothing.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::TracerConflict`](crate::ErrorKind::TracerConflict) if the file has another plugin.
    /// - [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) as from
    ///   [`add_lines`](Self::add_lines).
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, ErrorKind};
    ///
    /// let mut data = CoverageData::new();
    /// data.set_file_tracer("page.html", "django_coverage_plugin")?;
    /// let err = data.set_file_tracer("page.html", "jinja_coverage").unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::TracerConflict);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
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
    /// [`ErrorKind::MixedData`](crate::ErrorKind::MixedData) if the data holds the other measurement.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, ErrorKind, Measurement, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.set_measurement(Measurement::Arcs)?;
    /// let err = data.add_lines("app.py", "", &Numbits::from_iter([1])).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::MixedData);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn set_measurement(&mut self, measurement: Measurement) -> Result<()> {
        match self.measurement {
            Some(other) if other != measurement => Err(mixed_data(measurement)),
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
    /// [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if the key or the value contains a
    /// NUL, or if the data set itself writes the key: `has_arcs` is the [measurement](Self::measurement), and keys
    /// that start with `pulpcov_authors:` are the [authors](Self::set_authors).
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::CoverageData;
    ///
    /// let mut data = CoverageData::new();
    /// data.set_meta("when", "2026-05-04 12:00:00")?;
    /// assert_eq!(data.meta()["when"], "2026-05-04 12:00:00");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<()> {
        let (key, value) = (stored("key", key)?, stored("value", value)?);
        if key.as_str() == HAS_ARCS || key.as_str().starts_with(authors::META_KEY) {
            let message =
                format!("the key {:?} cannot be set: the data set itself writes it", key.as_str());
            return Err(Error::new(ErrorKind::NotRepresentable, message));
        }
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

/// Checks that a data file can hold `text`. The error uses `what` to name the kind of text.
fn stored<'t>(what: &str, text: &'t str) -> Result<StoredText<'t>> {
    StoredText::new(text).map_err(|why| why.refusing(what, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_the_data_set_writes_cannot_be_set() {
        let mut data = CoverageData::new();
        for key in ["has_arcs", "pulpcov_authors:a.py", "pulpcov_authors:"] {
            let err = data.set_meta(key, "1").unwrap_err();
            assert_eq!(err.kind(), ErrorKind::NotRepresentable, "{key}");
        }
        assert!(data.meta().is_empty());
    }

    #[test]
    fn no_arcs_are_no_row() {
        let mut data = CoverageData::new();
        data.add_arcs("a.py", "test_one", []).unwrap();
        assert!(data.has_arcs() && data.file("a.py").is_some());
        assert!(!data.has_rows());
        assert_eq!(data.file("a.py").unwrap().arcs_by_context(), []);
    }
}
