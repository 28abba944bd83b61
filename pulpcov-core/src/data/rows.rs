//! Rows that a reader passes to a data set: many files and contexts in a few allocations.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::authors::META_KEY;
use super::by_context::SET_OVERHEAD;
use super::conflict::tracer_conflict;
use super::contexts::{ContextId, ContextTable};
use super::path::PathList;
use super::stored_text::StoredText;
use super::{Authors, FilePath, LineArc, Measurement};
use crate::error::Result;

/// The content of a data file. It refers to files by number, which is their index in a list of paths.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) measurement: Option<Measurement>,
    pub(crate) contexts: ContextTable,
    /// Numbits, in one part for each core that read them.
    pub(crate) lines: Vec<Runs<u8>>,
    /// Arcs, in one part for each core that read them. The arcs of a run are in ascending order.
    pub(crate) arcs: Vec<Runs<LineArc>>,
    /// The plugins by file number.
    pub(crate) tracers: HashMap<usize, Box<str>>,
    /// The authors of the data file.
    pub(crate) authors: Authors,
    /// The authors that the data file lists, by file number.
    pub(crate) listed_authors: HashMap<usize, Authors>,
    pub(crate) meta: BTreeMap<String, String>,
    /// The number of rows that name an unknown file or context.
    pub(crate) orphans: u64,
}

impl Rows {
    /// Returns whether there are any rows of lines or arcs.
    pub(crate) fn has_rows(&self) -> bool {
        has_rows(&self.lines) || has_rows(&self.arcs)
    }

    /// Takes lines and arcs out, one part at a time.
    pub(crate) fn take_parts(&mut self) -> impl Iterator<Item = (Runs<u8>, Runs<LineArc>)> + use<> {
        let lines = std::mem::take(&mut self.lines).into_iter();
        let arcs = std::mem::take(&mut self.arcs).into_iter();
        lines.map(|lines| (lines, Runs::default())).chain(arcs.map(|arcs| (Runs::default(), arcs)))
    }

    /// Returns the authors of the file with this number.
    pub(super) fn authors_of(&self, file: usize) -> &Authors {
        self.listed_authors.get(&file).unwrap_or(&self.authors)
    }

    /// Moves the listed authors out of the metadata.
    pub(crate) fn take_listed_authors(&mut self, paths: &PathList) {
        let is_listed = |key: &String| key.starts_with(META_KEY);
        if !self.meta.keys().any(is_listed) {
            return;
        }
        for (file, path) in paths.iter().enumerate() {
            let key = format!("{META_KEY}{}", path.as_str());
            if let Some(text) = self.meta.get(&key) {
                let authors = Authors::parse(text).trusted_from(&self.authors);
                self.listed_authors.insert(file, authors);
            }
        }
        self.meta.retain(|key, _| !is_listed(key));
    }

    /// Moves all rows into the unnamed context, and removes all other contexts.
    pub(crate) fn drop_contexts(&mut self) {
        if self.contexts.len() > 0 {
            self.set_context(StoredText::EMPTY);
        }
    }

    /// Moves all rows into one context, and removes all others.
    fn set_context(&mut self, name: StoredText<'_>) {
        self.contexts = ContextTable::default();
        let only = self.contexts.intern(name);
        self.lines.iter_mut().for_each(|lines| lines.set_context(only));
        self.arcs.iter_mut().for_each(|arcs| arcs.set_context(only));
    }

    /// Gives the unnamed context a name, if there is no other.
    #[cfg(feature = "archives")]
    pub(crate) fn name_only_context(&mut self, name: StoredText<'_>) {
        if self.contexts.names().eq([""]) {
            self.set_context(name);
        }
    }

    /// Returns the plugin that traced each file, which is empty for Python itself. Files with neither a plugin
    /// nor rows are left out. `numbers` maps the file numbers of the rows to indices of `paths`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TracerConflict`](crate::ErrorKind::TracerConflict) if files with different plugins have
    /// the same number.
    pub(crate) fn plugins(
        &self,
        numbers: &[usize],
        paths: &[FilePath],
    ) -> Result<BTreeMap<usize, &str>> {
        let measured = self.files_with_rows();
        let mut plugins = BTreeMap::<usize, &str>::new();
        for (index, &file) in numbers.iter().enumerate() {
            let tracer = self.tracers.get(&index).map_or("", |tracer| tracer);
            if tracer.is_empty() && !measured.contains(&index) {
                continue;
            }
            let known = plugins.entry(file).or_default();
            if known.is_empty() {
                *known = tracer;
            } else if !tracer.is_empty()
                && *known != tracer
                && let Some(path) = paths.get(file)
            {
                return Err(tracer_conflict(path, known, tracer));
            }
        }
        Ok(plugins)
    }

    fn files_with_rows(&self) -> HashSet<usize> {
        let lines = self.lines.iter().flat_map(Runs::files);
        lines.chain(self.arcs.iter().flat_map(Runs::files)).collect()
    }

    /// Checks that no file has two plugins. `numbers` maps the file numbers of the rows to indices of
    /// `paths`.
    ///
    /// # Errors
    ///
    /// The errors of [`plugins`](Self::plugins).
    pub(crate) fn check_tracers(&self, numbers: &[usize], paths: &[FilePath]) -> Result<()> {
        if self.tracers.is_empty() { Ok(()) } else { self.plugins(numbers, paths).map(drop) }
    }

    /// Removes the rows of the files whose numbers are not `wanted`.
    pub(crate) fn keep_files(&mut self, wanted: impl Fn(usize) -> bool) {
        self.lines.iter_mut().for_each(|lines| lines.keep_files(&wanted));
        self.arcs.iter_mut().for_each(|arcs| arcs.keep_files(&wanted));
    }

    /// Returns the approximate size of the rows in a data set in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        let lines = self.lines.iter().map(Runs::size);
        lines.chain(self.arcs.iter().map(Runs::size)).sum()
    }
}

/// Returns whether there are any rows.
pub(crate) fn has_rows<T: Copy>(parts: &[Runs<T>]) -> bool {
    parts.iter().any(|runs| !runs.is_empty())
}

/// Runs of values. All values of a run belong to one file and one context.
#[derive(Debug)]
pub(crate) struct Runs<T> {
    values: Vec<T>,
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    start: usize,
    len: u32,
    file: u32,
    context: ContextId,
}

impl Run {
    fn of<'v, T>(&self, values: &'v [T]) -> &'v [T] {
        values.get(self.start..self.start + self.len as usize).unwrap_or_default()
    }
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self { values: Vec::new(), runs: Vec::new() }
    }
}

impl<T: Copy> Runs<T> {
    /// Creates an empty list of runs, with room for `runs` runs of `values` values in total if there is
    /// enough memory.
    pub(crate) fn with_room(runs: usize, values: usize) -> Self {
        let mut all = Self::default();
        let _ = (all.runs.try_reserve(runs), all.values.try_reserve(values));
        all
    }

    /// Iterates over the file numbers of the runs. A number may appear more than once.
    fn files(&self) -> impl Iterator<Item = usize> {
        self.runs.iter().map(|run| run.file as usize)
    }

    /// Iterates over the runs: the file, the context, and what `of` makes of the values.
    pub(super) fn each<U>(
        &self,
        of: impl Fn(&[T]) -> U,
    ) -> impl Iterator<Item = (usize, ContextId, U)> {
        self.runs.iter().map(move |run| (run.file as usize, run.context, of(run.of(&self.values))))
    }

    fn keep_files(&mut self, wanted: impl Fn(usize) -> bool) {
        self.runs.retain(|run| wanted(run.file as usize));
    }

    pub(super) fn count(&self) -> usize {
        self.runs.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(crate) fn push(&mut self, file: usize, context: ContextId, values: &[T]) {
        self.begin(file, context);
        self.values.extend_from_slice(values);
        self.end_as_is();
    }

    /// Adds a value to the last run if it has the same file and context, or to a new run otherwise.
    pub(crate) fn add(&mut self, file: usize, context: ContextId, value: T) {
        let goes_on = |last: &Run| (last.file as usize, last.context) == (file, context);
        if !self.runs.last().is_some_and(goes_on) {
            self.begin(file, context);
        }
        self.values.push(value);
        self.end_as_is();
    }

    /// Begins a run. [`push_value`](Self::push_value) adds its values, and [`end`](Self::end) ends it.
    pub(crate) fn begin(&mut self, file: usize, context: ContextId) {
        // The casts are safe, because data files are too small for larger numbers.
        let run = Run { start: self.values.len(), len: 0, file: file as u32, context };
        self.runs.push(run);
    }

    /// Adds a value to the run that was begun last.
    #[inline]
    pub(crate) fn push_value(&mut self, value: T) {
        self.values.push(value);
    }

    fn end_as_is(&mut self) {
        if let Some(last) = self.runs.last_mut() {
            last.len = (self.values.len() - last.start) as u32;
        }
    }

    /// Ends the last run, and sorts its values in ascending order without duplicates.
    pub(crate) fn end(&mut self)
    where
        T: Ord,
    {
        let Some(last) = self.runs.last() else { return };
        let run = self.values.get_mut(last.start..).unwrap_or_default();
        let ascend = |run: &[T]| run.is_sorted_by(|a, b| a < b);
        if !ascend(run) {
            run.sort_unstable();
            if !ascend(run) {
                let mut run = self.values.split_off(last.start);
                run.dedup();
                self.values.append(&mut run);
            }
        }
        self.end_as_is();
    }

    /// Calls `visit` with the file and the values of each run, and removes all runs.
    pub(crate) fn drain(&mut self, mut visit: impl FnMut(usize, &[T])) {
        self.runs.drain(..).for_each(|run| visit(run.file as usize, run.of(&self.values)));
        self.values.clear();
    }

    fn set_context(&mut self, context: ContextId) {
        self.runs.iter_mut().for_each(|run| run.context = context);
    }

    /// Replaces file numbers and context ids by the entries at these indices of `files` and `contexts`.
    /// Removes runs without such an entry.
    pub(super) fn translate(&mut self, files: &[usize], contexts: &[ContextId]) {
        self.runs.retain_mut(|run| {
            let known = files.get(run.file as usize).zip(contexts.get(run.context.index()));
            known.map(|(file, id)| (run.file, run.context) = (*file as u32, *id)).is_some()
        });
    }

    /// Sorts the runs by file and context. Runs with the same file and context keep their order.
    pub(crate) fn sort(&mut self) {
        let key = |run: &Run| (run.file, run.context);
        if self.runs.is_sorted_by_key(key) {
            return;
        }
        self.sort_by_file();
        for runs in self.runs.chunk_by_mut(|a, b| a.file == b.file) {
            if !runs.is_sorted_by_key(|run| run.context) {
                runs.sort_by_key(|run| run.context);
            }
        }
    }

    /// Sorts the runs by file. This is a counting sort, because there are few files compared to runs. It
    /// places the last run first, so that runs of the same file keep their order.
    fn sort_by_file(&mut self) {
        let files = self.runs.iter().map(|run| run.file as usize + 1).max().unwrap_or_default();
        if files > 2 * self.runs.len() {
            // With few runs, a counting sort would take longer.
            return self.runs.sort_by_key(|run| run.file);
        }
        let mut ends = vec![0; files];
        self.runs.iter().for_each(|run| ends[run.file as usize] += 1);
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        let mut sorted = self.runs.clone();
        for run in self.runs.iter().rev() {
            let end = &mut ends[run.file as usize];
            *end -= 1;
            sorted[*end] = *run;
        }
        self.runs = sorted;
    }

    /// Iterates over the files of sorted runs.
    pub(crate) fn by_file(&self) -> impl Iterator<Item = (usize, FileRuns<'_, T>)> {
        let same_file = |a: &Run, b: &Run| a.file == b.file;
        self.runs.chunk_by(same_file).filter_map(|runs| {
            Some((runs.first()?.file as usize, FileRuns { values: &self.values, runs }))
        })
    }

    fn size(&self) -> usize {
        self.runs.len() * SET_OVERHEAD + size_of_val(self.values.as_slice())
    }
}

/// The runs of one file.
#[derive(Clone, Copy)]
pub(crate) struct FileRuns<'a, T> {
    values: &'a [T],
    runs: &'a [Run],
}

impl<'a, T> FileRuns<'a, T> {
    /// Iterates over the contexts, with the values of each run.
    pub(crate) fn by_context(
        &self,
    ) -> impl Iterator<Item = (ContextId, impl Iterator<Item = &'a [T]> + use<'a, T>)> {
        let values = self.values;
        self.runs.chunk_by(|a, b| a.context == b.context).filter_map(move |runs| {
            let slices = runs.iter().map(move |run| run.of(values));
            Some((runs.first()?.context, slices))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn runs_are_sorted_as_by_a_stable_sort(
            runs in prop::collection::vec((prop_oneof![0..9u32, 0..500u32], 0..4usize), 0..60),
        ) {
            let mut contexts = ContextTable::default();
            let ids = ["", "a", "b", "c"].map(|name| contexts.intern(StoredText::new(name).unwrap()));
            let mut sorted = Runs::default();
            for (&(file, context), value) in runs.iter().zip(0u8..) {
                sorted.push(file as usize, ids[context], &[value]);
            }
            sorted.sort();

            let mut expected: Vec<(u32, usize, u8)> =
                runs.iter().zip(0..).map(|(&(file, context), value)| (file, context, value)).collect();
            expected.sort_by_key(|run| (run.0, run.1));
            let found: Vec<(u32, usize, u8)> = sorted
                .runs
                .iter()
                .map(|run| (run.file, run.context.index(), run.of(&sorted.values)[0]))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
