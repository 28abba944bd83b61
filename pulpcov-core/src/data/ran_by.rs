//! Which contexts ran each file, without the lines that they ran.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::contexts::ContextId;
use super::numbits::smallest;
use super::path::PathList;
use super::rows::Rows;
use super::{FilePath, LineArc};
use crate::error::Result;

/// Which contexts ran each file, and which of them imported it.
///
/// With thousands of tests, this takes a small part of the time and the memory of the rows.
///
/// # Examples
///
/// ```
/// use pulpcov_core::combine::{StoreFormat, store};
/// use pulpcov_core::formats::DataFile;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join(".coverage");
/// let mut data = CoverageData::new();
/// data.add_lines("app.py", "", &Numbits::from_iter([1, 3]))?;
/// data.add_lines("app.py", "test_add", &Numbits::from_iter([2]))?;
/// data.add_lines("web.py", "test_get", &Numbits::from_iter([1, 2]))?;
/// store(&data, &path, StoreFormat::Sqlite)?;
///
/// let (decoded, ran_by) = DataFile::open(&path)?.read_with_contexts(|path| path == "app.py")?;
/// assert_eq!(decoded.data.lines("app.py"), Some(Numbits::from_iter([1, 2, 3])));
/// // The lines of the other file are not kept.
/// assert_eq!(decoded.data.lines("web.py"), Some(Numbits::new()));
/// assert_eq!(ran_by.contexts_of(["app.py"]), ["", "test_add"]);
/// assert_eq!(ran_by.contexts_of(["app.py", "web.py"]).len(), 3);
/// // These ran the first line that ran at all, as an import does.
/// assert_eq!(ran_by.importers_of(["app.py"]), [""]);
/// assert_eq!(ran_by.importers_of(["web.py"]), ["test_get"]);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RanBy {
    contexts: Vec<Arc<str>>,
    files: BTreeMap<FilePath, FileContexts>,
}

/// The contexts that ran a file. A context may be named more than once.
#[derive(Clone, Debug, Default)]
struct FileContexts {
    all: Vec<ContextId>,
    /// The smallest number of a line that ran, and the contexts that ran it.
    first_line: Option<i32>,
    at_first_line: Vec<ContextId>,
}

impl RanBy {
    /// Collects the contexts of rows whose file numbers are the indexes of `paths`.
    pub(crate) fn of_rows(rows: &Rows, paths: &PathList) -> Self {
        let count = paths.iter().len();
        let lines = rows.lines.par_iter().map(|runs| of_runs(count, runs.each(smallest)));
        let arcs = rows.arcs.par_iter().map(|runs| of_runs(count, runs.each(first_of_arcs)));
        let parts: Vec<Vec<FileContexts>> = lines.chain(arcs).collect();
        let mut ran_by = Self { contexts: rows.contexts.shared_names(), files: BTreeMap::new() };
        for part in parts {
            for (path, file) in paths.iter().zip(part) {
                ran_by.join(path.into(), file);
            }
        }
        ran_by
    }

    fn join(&mut self, path: FilePath, file: FileContexts) {
        self.files.entry(path).or_default().join(file);
    }

    /// Renames the files as [`CoverageData::map_paths`](crate::CoverageData::map_paths) does.
    ///
    /// # Errors
    ///
    /// Returns the first error of `new_path`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::data::RanBy;
    ///
    /// let ran_by = RanBy::default().map_paths(|path| format!("src/{path}").try_into())?;
    /// assert!(ran_by.contexts_of(["src/app.py"]).is_empty());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn map_paths(
        mut self,
        mut new_path: impl FnMut(&FilePath) -> Result<FilePath>,
    ) -> Result<Self> {
        for (path, file) in std::mem::take(&mut self.files) {
            self.join(new_path(&path)?, file);
        }
        Ok(self)
    }

    /// Returns all contexts, in no order.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::data::RanBy;
    ///
    /// assert_eq!(RanBy::default().contexts().count(), 0);
    /// ```
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.contexts.iter().map(|name| &**name)
    }

    /// Returns the contexts that ran any of these files, each once, in no order. Files that were not measured have none.
    ///
    /// The type's documentation has an example.
    pub fn contexts_of(&self, paths: impl IntoIterator<Item: AsRef<str>>) -> Vec<&str> {
        self.named(paths, |file| &file.all)
    }

    /// Returns the contexts that imported any of these files, each once, in no order: those that ran the first line of a file
    /// that any context ran. That line is at the top of the file.
    ///
    /// The type's documentation has an example.
    pub fn importers_of(&self, paths: impl IntoIterator<Item: AsRef<str>>) -> Vec<&str> {
        self.named(paths, |file| &file.at_first_line)
    }

    fn named(
        &self,
        paths: impl IntoIterator<Item: AsRef<str>>,
        ids: impl Fn(&FileContexts) -> &[ContextId],
    ) -> Vec<&str> {
        let mut wanted = vec![false; self.contexts.len()];
        for file in paths.into_iter().filter_map(|path| self.files.get(path.as_ref())) {
            for id in ids(file) {
                if let Some(place) = wanted.get_mut(id.index()) {
                    *place = true;
                }
            }
        }
        self.contexts().zip(wanted).filter(|(_, wanted)| *wanted).map(|(name, _)| name).collect()
    }
}

impl FileContexts {
    fn join(&mut self, other: Self) {
        self.all.extend(other.all);
        if let Some(line) = other.first_line {
            self.add_at(line, other.at_first_line);
        }
    }

    /// Adds contexts that ran nothing before this line.
    fn add_at(&mut self, line: i32, contexts: impl IntoIterator<Item = ContextId>) {
        let first = *self.first_line.get_or_insert(line);
        if line < first {
            self.first_line = Some(line);
            self.at_first_line.clear();
        }
        if line <= first {
            self.at_first_line.extend(contexts);
        }
    }
}

/// Collects the contexts of `count` files from runs: the file, the context, and the first line.
fn of_runs(
    count: usize,
    runs: impl Iterator<Item = (usize, ContextId, Option<i32>)>,
) -> Vec<FileContexts> {
    let mut files = vec![FileContexts::default(); count];
    for (file, context, first_line) in runs {
        // A row without lines says nothing.
        if let (Some(file), Some(line)) = (files.get_mut(file), first_line) {
            file.all.push(context);
            file.add_at(line, [context]);
        }
    }
    files
}

fn first_of_arcs(arcs: &[LineArc]) -> Option<i32> {
    arcs.iter().flat_map(|&(from, to)| [from, to]).filter(|&line| line > 0).min()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::combine::{StoreFormat, store};
    use crate::formats::DataFile;
    use crate::{CoverageData, FileData, Numbits};

    const FILES: usize = 5;

    /// Data with many contexts, in which rows of one file begin at different lines.
    fn data(has_arcs: bool) -> CoverageData {
        let mut data = CoverageData::new();
        for context in 0..600 {
            for file in 0..FILES {
                let first = 1 + (context * 7 + file * 13) % 40;
                let lines = (first as i32..).step_by(3).take(context % 3);
                let (path, name) = (format!("{file}.py"), format!("test_{context}"));
                match has_arcs {
                    true => data.add_arcs(path.as_str(), &name, lines.map(|line| (line, -1))),
                    false => data.add_lines(path.as_str(), &name, &lines.collect::<Numbits>()),
                }
                .unwrap();
            }
        }
        data
    }

    /// Returns the first line that each context ran.
    fn first_lines(file: &FileData<'_>) -> Vec<(String, i32)> {
        let lines = file.lines_by_context().into_iter();
        let lines = lines.filter_map(|(name, lines)| Some((name, lines.min()?)));
        let arcs = file.arcs_by_context().into_iter();
        let arcs = arcs.filter_map(|(name, arcs)| Some((name, arcs.lines().min()?)));
        lines.chain(arcs).map(|(name, line)| (name.to_owned(), line)).collect()
    }

    #[test]
    fn contexts_are_those_of_all_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".coverage");
        for has_arcs in [false, true] {
            let data = data(has_arcs);
            store(&data, &path, StoreFormat::Sqlite).unwrap();
            let whole = DataFile::open(&path).unwrap().read().unwrap().data;
            let file = DataFile::open_in_place(&path).unwrap();
            let (decoded, ran_by) = file.read_with_contexts(|path| path == "0.py").unwrap();
            assert_eq!(decoded.data.lines("0.py"), whole.lines("0.py"));
            assert!(decoded.data.files().skip(1).all(|file| !file.has_rows()));
            let names = |found: Vec<&str>| found.into_iter().map(str::to_owned).collect();
            for file in whole.files() {
                let path = file.path().as_str();
                let first = first_lines(&file);
                let top = first.iter().map(|(_, line)| *line).min().unwrap();
                let importers = first.iter().filter(|(_, line)| *line == top);
                let importers: BTreeSet<String> = importers.map(|(name, _)| name.clone()).collect();
                let found: BTreeSet<String> = names(ran_by.importers_of([path]));
                assert_eq!(found, importers, "{path}");
                let ran: BTreeSet<String> = first.into_iter().map(|(name, _)| name).collect();
                let found: BTreeSet<String> = names(ran_by.contexts_of([path]));
                assert_eq!(found, ran, "{path}");
            }
            let all: BTreeSet<String> = names(ran_by.contexts_of(["0.py", "1.py", "gone.py"]));
            assert_eq!(all.len(), 400);
            let renamed = ran_by.map_paths(|_| "one.py".try_into()).unwrap();
            assert_eq!(renamed.contexts_of(["one.py"]).len(), 400);
            std::fs::remove_file(&path).unwrap();
        }
    }
}
