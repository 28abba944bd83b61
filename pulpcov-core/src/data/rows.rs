//! Rows on their way into a data set: of many files and contexts, in a few allocations.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::authors::META_KEY;
use super::contexts::{ContextId, ContextTable};
#[cfg(all(feature = "json", feature = "paths"))]
use super::coverage_data::SET;
use super::coverage_data::tracer_conflict;
use super::path::PathList;
use super::stored_text::StoredText;
use super::{Authors, FilePath, LineArc, Measurement};
use crate::error::Result;

/// What a data file holds. Files are numbers here: their paths are in a list.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) measurement: Option<Measurement>,
    pub(crate) contexts: ContextTable,
    /// Numbits, as several cores have read them.
    pub(crate) lines: Vec<Runs<u8>>,
    /// The arcs of a run ascend.
    pub(crate) arcs: Vec<Runs<LineArc>>,
    /// By the number of the file.
    pub(crate) tracers: HashMap<usize, Box<str>>,
    /// Whose data file it is.
    pub(crate) authors: Authors,
    /// By the number of the file, whose data files name it, if the data file says so.
    pub(crate) listed_authors: HashMap<usize, Authors>,
    pub(crate) meta: BTreeMap<String, String>,
    /// How many rows name no known file or context.
    pub(crate) orphans: u64,
}

impl Rows {
    /// Is there any row of lines or arcs?
    #[cfg(all(feature = "json", feature = "paths"))]
    pub(crate) fn any(&self) -> bool {
        any(&self.lines) || any(&self.arcs)
    }

    /// Take lines and arcs out, part by part.
    pub(crate) fn take_parts(&mut self) -> impl Iterator<Item = (Runs<u8>, Runs<LineArc>)> + use<> {
        let lines = std::mem::take(&mut self.lines).into_iter();
        let arcs = std::mem::take(&mut self.arcs).into_iter();
        lines.map(|lines| (lines, Runs::default())).chain(arcs.map(|arcs| (Runs::default(), arcs)))
    }

    /// Whose data files name the file of that number.
    pub(super) fn authors_of(&self, file: usize) -> &Authors {
        self.listed_authors.get(&file).unwrap_or(&self.authors)
    }

    /// Take what a data file says of authors out of its metadata.
    pub(crate) fn take_listed_authors(&mut self, paths: &PathList) {
        let is_listed = |key: &String| key.starts_with(META_KEY);
        if !self.meta.keys().any(is_listed) {
            return;
        }
        for (file, path) in paths.iter().enumerate() {
            let key = format!("{META_KEY}{}", path.as_str());
            if let Some(text) = self.meta.get(&key) {
                let authors = Authors::parse(text).said_by(&self.authors);
                self.listed_authors.insert(file, authors);
            }
        }
        self.meta.retain(|key, _| !is_listed(key));
    }

    /// Put everything into the one unnamed context, and forget all others.
    pub(crate) fn drop_contexts(&mut self) {
        if self.contexts.len() > 0 {
            self.contexts = ContextTable::default();
            let only = self.contexts.intern(StoredText::EMPTY);
            self.lines.iter_mut().for_each(|lines| lines.put_into(only));
            self.arcs.iter_mut().for_each(|arcs| arcs.put_into(only));
        }
    }

    /// The plugin that each file belongs to, empty for Python itself; no files that have neither a plugin nor rows. Files have
    /// these numbers among `paths`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TracerConflict`](crate::ErrorKind::TracerConflict) if a number has two plugins.
    pub(crate) fn owners(
        &self,
        numbers: &[usize],
        paths: &[FilePath],
    ) -> Result<BTreeMap<usize, &str>> {
        let measured = self.files_with_rows();
        let mut owners = BTreeMap::<usize, &str>::new();
        for (index, &file) in numbers.iter().enumerate() {
            let tracer = self.tracers.get(&index).map_or("", |tracer| tracer);
            if tracer.is_empty() && !measured.contains(&index) {
                continue;
            }
            let known = owners.entry(file).or_default();
            if known.is_empty() {
                *known = tracer;
            } else if !tracer.is_empty()
                && *known != tracer
                && let Some(path) = paths.get(file)
            {
                return Err(tracer_conflict(path, known, tracer));
            }
        }
        Ok(owners)
    }

    fn files_with_rows(&self) -> HashSet<usize> {
        let lines = self.lines.iter().flat_map(Runs::files);
        lines.chain(self.arcs.iter().flat_map(Runs::files)).collect()
    }

    /// Has no file two tracers? Files have these numbers among `paths`.
    ///
    /// # Errors
    ///
    /// As [`owners`](Self::owners).
    #[cfg(all(feature = "json", feature = "paths"))]
    pub(crate) fn check_tracers(&self, numbers: &[usize], paths: &[FilePath]) -> Result<()> {
        if self.tracers.is_empty() { Ok(()) } else { self.owners(numbers, paths).map(drop) }
    }

    /// About how many bytes of memory the rows take in a data set.
    #[cfg(all(feature = "json", feature = "paths"))]
    pub(crate) fn size(&self) -> usize {
        let lines = self.lines.iter().map(Runs::size);
        lines.chain(self.arcs.iter().map(Runs::size)).sum()
    }
}

/// Is there any row?
pub(crate) fn any<T: Copy>(parts: &[Runs<T>]) -> bool {
    parts.iter().any(|runs| !runs.is_empty())
}

/// Runs of values of a file and a context each.
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
    /// With room for that many runs, of that many values together, if there is that much memory.
    pub(crate) fn with_room(runs: usize, values: usize) -> Self {
        let mut all = Self::default();
        let _ = (all.runs.try_reserve(runs), all.values.try_reserve(values));
        all
    }

    /// The files of the runs, some of them more than once.
    fn files(&self) -> impl Iterator<Item = usize> {
        self.runs.iter().map(|run| run.file as usize)
    }

    #[cfg(feature = "parallel")]
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

    /// Add a value to the last run if that is of the same file and context, or else begin one.
    pub(crate) fn add(&mut self, file: usize, context: ContextId, value: T) {
        let goes_on = |last: &Run| (last.file as usize, last.context) == (file, context);
        if !self.runs.last().is_some_and(goes_on) {
            self.begin(file, context);
        }
        self.values.push(value);
        self.end_as_is();
    }

    /// Begin a run, for values to be [pushed](Self::push_value).
    pub(crate) fn begin(&mut self, file: usize, context: ContextId) {
        // No number is larger than a data file may be.
        let run = Run { start: self.values.len(), len: 0, file: file as u32, context };
        self.runs.push(run);
    }

    /// Add a value to the run that was begun last.
    #[inline]
    pub(crate) fn push_value(&mut self, value: T) {
        self.values.push(value);
    }

    fn end_as_is(&mut self) {
        if let Some(last) = self.runs.last_mut() {
            last.len = (self.values.len() - last.start) as u32;
        }
    }

    /// End the last run: its values ascend then.
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

    /// Visit all runs, and forget them.
    pub(crate) fn drain(&mut self, mut visit: impl FnMut(usize, &[T])) {
        self.runs.drain(..).for_each(|run| visit(run.file as usize, run.of(&self.values)));
        self.values.clear();
    }

    fn put_into(&mut self, context: ContextId) {
        self.runs.iter_mut().for_each(|run| run.context = context);
    }

    /// Replace the numbers of files and the ids of contexts by those at their places in the lists.
    pub(super) fn translate(&mut self, files: &[usize], contexts: &[ContextId]) {
        self.runs.retain_mut(|run| {
            let known = files.get(run.file as usize).zip(contexts.get(run.context.index()));
            known.map(|(file, id)| (run.file, run.context) = (*file as u32, *id)).is_some()
        });
    }

    /// Sort the runs by file and context. Those of the same two stay in their order.
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

    /// A counting sort, for there are few files compared to runs. The last run is placed first, so that those of one
    /// file stay in their order.
    fn sort_by_file(&mut self) {
        let files = self.runs.iter().map(|run| run.file as usize + 1).max().unwrap_or_default();
        if files > 2 * self.runs.len() {
            // To count them would take longer.
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

    /// The files of sorted runs.
    pub(crate) fn by_file(&self) -> impl Iterator<Item = (usize, FileRuns<'_, T>)> {
        let same_file = |a: &Run, b: &Run| a.file == b.file;
        self.runs.chunk_by(same_file).filter_map(|runs| {
            Some((runs.first()?.file as usize, FileRuns { values: &self.values, runs }))
        })
    }

    #[cfg(all(feature = "json", feature = "paths"))]
    fn size(&self) -> usize {
        self.runs.len() * SET + size_of_val(self.values.as_slice())
    }
}

/// The runs of one file.
#[derive(Clone, Copy)]
pub(crate) struct FileRuns<'a, T> {
    values: &'a [T],
    runs: &'a [Run],
}

impl<'a, T> FileRuns<'a, T> {
    /// Each context with its runs.
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
