//! Queries of the rows of a data set.

use std::collections::BTreeMap;

#[cfg(feature = "report")]
use super::FilePath;
use super::by_context::ByContext;
use super::contexts::ContextId;
use super::{ArcSet, ContextSelection, CoverageData, Numbits};

impl CoverageData {
    /// Returns the lines of a file that ran in any context, or `None` for an unknown file.
    ///
    /// For arcs, these are the positive ends, as in coverage.py's `CoverageData.lines`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_arcs("app.py", "", [(-1, 1), (1, 3), (3, -1)])?;
    /// assert_eq!(data.lines("app.py"), Some(Numbits::from_iter([1, 3])));
    /// assert_eq!(data.lines("other.py"), None);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn lines(&self, path: impl AsRef<str>) -> Option<Numbits> {
        self.lines_where(path.as_ref(), |_| true)
    }

    /// Returns the lines of a file that ran in the selected contexts.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// data.add_lines("app.py", "test_sub", &Numbits::from_iter([1, 4]))?;
    /// let sub = data.select_contexts(|name| name == "test_sub");
    /// assert_eq!(data.lines_in("app.py", &sub), Some(Numbits::from_iter([1, 4])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn lines_in(&self, path: impl AsRef<str>, selection: &ContextSelection) -> Option<Numbits> {
        self.lines_where(path.as_ref(), |id| selection.contains(id))
    }

    /// Returns the arcs of a file that ran in any context, or `None` for an unknown file.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{ArcSet, CoverageData};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_arcs("app.py", "test_add", [(1, 2)])?;
    /// data.add_arcs("app.py", "test_sub", [(1, 4)])?;
    /// assert_eq!(data.arcs("app.py"), Some(ArcSet::from_iter([(1, 2), (1, 4)])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn arcs(&self, path: impl AsRef<str>) -> Option<ArcSet> {
        self.arcs_where(path.as_ref(), |_| true)
    }

    /// Returns the arcs of a file that ran in the selected contexts.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{ArcSet, CoverageData};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_arcs("app.py", "test_add", [(1, 2)])?;
    /// data.add_arcs("app.py", "test_sub", [(1, 4)])?;
    /// let add = data.select_contexts(|name| name == "test_add");
    /// assert_eq!(data.arcs_in("app.py", &add), Some(ArcSet::from_iter([(1, 2)])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn arcs_in(&self, path: impl AsRef<str>, selection: &ContextSelection) -> Option<ArcSet> {
        self.arcs_where(path.as_ref(), |id| selection.contains(id))
    }

    /// Returns, for each line that ran, the contexts that ran it, sorted by name.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// data.add_lines("app.py", "test_sub", &Numbits::from_iter([1, 4]))?;
    /// let by_line = data.contexts_by_line("app.py");
    /// assert_eq!(by_line[&1], ["test_add", "test_sub"]);
    /// assert_eq!(by_line[&4], ["test_sub"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn contexts_by_line(&self, path: impl AsRef<str>) -> BTreeMap<i32, Vec<&str>> {
        self.contexts_by_line_where(path.as_ref(), |_| true)
    }

    /// Returns, for each line that ran in the selected contexts, those of the contexts that ran it, sorted by
    /// name.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "setup", &Numbits::from_iter([1, 2]))?;
    /// data.add_lines("app.py", "test_sub", &Numbits::from_iter([1, 4]))?;
    /// let tests = data.select_contexts(|name| name.starts_with("test_"));
    /// let by_line = data.contexts_by_line_in("app.py", &tests);
    /// assert_eq!(by_line[&1], ["test_sub"]);
    /// assert!(!by_line.contains_key(&2));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let mut data = CoverageData::new();
    /// data.add_lines("app.py", "setup", &Numbits::from_iter([1, 2]))?;
    /// data.add_lines("app.py", "test_sub", &Numbits::from_iter([1, 4]))?;
    /// let tests = data.select_contexts(|name| name.starts_with("test_"));
    /// assert_eq!(data.lines_in("app.py", &tests), Some(Numbits::from_iter([1, 4])));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
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
}

fn union_where(sets: &ByContext<Numbits>, wanted: impl Fn(ContextId) -> bool) -> Numbits {
    let mut all = Numbits::new();
    sets.iter().filter(|(id, _)| wanted(*id)).for_each(|(_, set)| all.union_with(set));
    all
}
