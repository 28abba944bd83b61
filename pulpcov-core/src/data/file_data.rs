//! A view of a measured file.

use super::by_context::{ByContext, Union};
use super::contexts::ContextTable;
use super::file_record::FileRecord;
use super::{ArcSet, Authors, FilePath, Numbits};

/// A file of a [`CoverageData`](super::CoverageData), with the names of its contexts.
#[derive(Clone, Copy, Debug)]
pub struct FileData<'a> {
    pub(super) path: &'a FilePath,
    pub(super) record: &'a FileRecord,
    pub(super) contexts: &'a ContextTable,
}

impl<'a> FileData<'a> {
    /// Returns whether the file has rows. Without rows, only its name is known.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::CoverageData;
    ///
    /// let mut data = CoverageData::new();
    /// data.touch_file("never_imported.py")?;
    /// assert!(!data.file("never_imported.py").unwrap().has_rows());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "test_sub", &Numbits::from_iter([1, 4]))?;
    /// data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// let (add, sub) = (Numbits::from_iter([1, 2]), Numbits::from_iter([1, 4]));
    /// let file = data.file("app.py").unwrap();
    /// assert_eq!(file.lines_by_context(), [("test_add", &add), ("test_sub", &sub)]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn lines_by_context(&self) -> Vec<(&'a str, &'a Numbits)> {
        self.named(&self.record.lines)
    }

    /// Returns the arcs of each context, sorted by the context's name. Empty if lines were measured.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{ArcSet, CoverageData};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_arcs("app.py", "test_add", [(1, 2), (2, -1)])?;
    /// let file = data.file("app.py").unwrap();
    /// assert_eq!(file.arcs_by_context(), [("test_add", &ArcSet::from_iter([(1, 2), (2, -1)]))]);
    /// assert!(file.lines_by_context().is_empty());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn arcs_by_context(&self) -> Vec<(&'a str, &'a ArcSet)> {
        self.named(&self.record.arcs)
    }

    /// Returns what [`lines_by_context`](Self::lines_by_context) does, in no order. A file with many contexts takes a fraction of
    /// the time.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "test_sub", &Numbits::from_iter([1, 4]))?;
    /// data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// let contexts = data.file("app.py").unwrap().unordered_lines();
    /// assert_eq!(contexts.filter(|(_, lines)| lines.contains(4)).count(), 1);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn unordered_lines(&self) -> impl Iterator<Item = (&'a str, &'a Numbits)> + use<'a> {
        self.unordered(&self.record.lines)
    }

    /// Returns what [`arcs_by_context`](Self::arcs_by_context) does, in no order.
    pub fn unordered_arcs(&self) -> impl Iterator<Item = (&'a str, &'a ArcSet)> + use<'a> {
        self.unordered(&self.record.arcs)
    }

    fn named<T: Union>(&self, sets: &'a ByContext<T>) -> Vec<(&'a str, &'a T)> {
        let mut named: Vec<_> = self.unordered(sets).collect();
        named.sort_unstable_by_key(|entry| entry.0);
        named
    }

    fn unordered<T: Union>(
        &self,
        sets: &'a ByContext<T>,
    ) -> impl Iterator<Item = (&'a str, &'a T)> + use<'a, T> {
        let contexts = self.contexts;
        sets.iter().map(move |(id, set)| (contexts.name(id), set))
    }
}
