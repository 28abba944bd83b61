//! Coverage that other tools measured, most of it for languages other than Python.
//!
//! A [`Report`] is read from a tracefile of lcov, XML in the format of Cobertura, or JSON of several tools, merged with others, and
//! written again. It holds what the tools say and no more: a line stays a line and never becomes an arc, and a branch is only added to
//! a branch of the same name.
//!
//! - `counts`: what was counted in a file.
//! - `functions`, `branches`: the parts of it that need more than a number for a line.
//! - `lcov`, `cobertura`: read and write reports of these formats.
//! - `json`: reads JSON reports of any known format.
//! - `coverage_json`, `codecov`, `llvm_cov`: the formats that are JSON. The first two are written, too.
//! - `files`: reads many reports at once.
//! - `language`: the language of a file.
//!
//! # Examples
//!
//! ```
//! use pulpcov_core::foreign::{Report, lcov};
//!
//! let mut all = lcov::read(&b"SF:a.c\nDA:1,2\nDA:2,0\nend_of_record\n"[..])?;
//! all.merge(lcov::read(&b"SF:a.c\nDA:1,1\nDA:2,3\nend_of_record\n"[..])?);
//! let mut out = Vec::new();
//! lcov::write(&all, &mut out)?;
//! assert_eq!(out, b"TN:\nSF:a.c\nDA:1,3\nDA:2,3\nLF:2\nLH:2\nend_of_record\n");
//! # Ok::<(), pulpcov_core::Error>(())
//! ```

mod branches;
pub mod cobertura;
pub mod codecov;
mod counts;
pub mod coverage_json;
mod files;
mod functions;
pub mod json;
mod language;
pub mod lcov;
mod llvm_cov;

use std::collections::{BTreeMap, BTreeSet};

pub use branches::{Branch, BranchKind, BranchName, Branches};
use counts::merge_all;
pub use counts::{Condition, Counts, Decided};
pub use files::{Merged, merge_files, read, read_files};
pub use functions::Function;
pub use language::{has_language, language};

/// What other tools counted in files.
///
/// # Examples
///
/// See the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    files: BTreeMap<String, File>,
    differing: BTreeSet<String>,
}

/// What was counted in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// In boxes, because a node of the map has room for several, and most files have one.
    tests: BTreeMap<String, Box<Counts>>,
    version: Option<Box<str>>,
}

impl Report {
    /// Creates a report without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the files with their names, sorted by name.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::foreign::lcov;
    ///
    /// let report = lcov::read(&b"SF:b.c\nend_of_record\nSF:a.c\nend_of_record\n"[..])?;
    /// assert_eq!(report.files().map(|(name, _)| name).collect::<Vec<_>>(), ["a.c", "b.c"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, &File)> {
        self.files.iter().map(|(name, file)| (name.as_str(), file))
    }

    /// Returns the files of which two reports had different lines or versions, sorted by name. They may have been measured on
    /// different versions of their sources.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::foreign::lcov;
    ///
    /// let mut report = lcov::read(&b"SF:a.c\nDA:1,1\nend_of_record\n"[..])?;
    /// report.merge(lcov::read(&b"SF:a.c\nDA:2,1\nend_of_record\n"[..])?);
    /// assert_eq!(report.differing().collect::<Vec<_>>(), ["a.c"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn differing(&self) -> impl Iterator<Item = &str> {
        self.differing.iter().map(String::as_str)
    }

    /// Adds another report: lines are united, and counts are added. Counts that are too large stay at the largest number.
    ///
    /// # Examples
    ///
    /// See the [module](self).
    pub fn merge(&mut self, other: Self) {
        if self.files.is_empty() {
            self.differing.extend(other.differing);
            self.files = other.files;
            return;
        }
        self.differing.extend(other.differing);
        for (name, file) in other.files {
            match self.files.get_mut(&name) {
                Some(known) => {
                    if known.merge(file) {
                        self.differing.insert(name);
                    }
                }
                None => drop(self.files.insert(name, file)),
            }
        }
    }

    /// Renames files. Files that get the same name become one. Files for which `new_name` returns `None` are removed.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::foreign::lcov;
    ///
    /// let report = lcov::read(&b"SF:/build/a.c\nend_of_record\nSF:/usr/include/x.h\nend_of_record\n"[..])?;
    /// let report = report.rename(|name| name.strip_prefix("/build/").map(str::to_owned));
    /// assert_eq!(report.files().map(|(name, _)| name).collect::<Vec<_>>(), ["a.c"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn rename(self, mut new_name: impl FnMut(&str) -> Option<String>) -> Self {
        let mut renamed = Self::default();
        let mut differing = self.differing;
        for (name, file) in self.files {
            let Some(new) = new_name(&name) else { continue };
            if differing.remove(&name) {
                renamed.differing.insert(new.clone());
            }
            renamed.merge(Self { files: [(new, file)].into(), differing: BTreeSet::new() });
        }
        renamed
    }

    fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Adds what was counted in a file under a test name.
    fn add(&mut self, name: String, test: String, version: Option<Box<str>>, counts: Counts) {
        let file = self.files.entry(name).or_default();
        file.version = file.version.take().max(version);
        match file.tests.get_mut(&test) {
            Some(known) => known.merge(counts),
            None => drop(file.tests.insert(test, Box::new(counts))),
        }
    }
}

impl File {
    /// Returns what was counted under each test name, sorted by name. Most tracefiles have one, which is empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::foreign::lcov;
    ///
    /// let report = lcov::read(&b"TN:unit\nSF:a.c\nDA:1,1\nend_of_record\n"[..])?;
    /// let (_, file) = report.files().next().unwrap();
    /// assert_eq!(file.tests().map(|(name, counts)| (name, counts.lines().len())).next(), Some(("unit", 1)));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn tests(&self) -> impl Iterator<Item = (&str, &Counts)> {
        self.tests.iter().map(|(name, counts)| (name.as_str(), &**counts))
    }

    /// Returns the version of the source, if the tool says one.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::foreign::lcov;
    ///
    /// let report = lcov::read(&b"SF:a.c\nVER:1.2\nend_of_record\n"[..])?;
    /// assert_eq!(report.files().next().unwrap().1.version(), Some("1.2"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Returns what was counted under all test names.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::foreign::lcov;
    ///
    /// let text = b"TN:unit\nSF:a.c\nDA:1,1\nend_of_record\nTN:web\nSF:a.c\nDA:1,2\nend_of_record\n";
    /// let report = lcov::read(&text[..])?;
    /// assert_eq!(report.files().next().unwrap().1.total().lines(), [(1, 3)]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn total(&self) -> Counts {
        merge_all(self.tests.values().map(|counts| (**counts).clone()).collect())
    }

    /// Adds another file. Returns whether its lines or its version differ.
    fn merge(&mut self, other: Self) -> bool {
        let has_other_version =
            other.version.is_some() && self.version.is_some() && self.version != other.version;
        let differs = has_other_version || !self.has_lines_of(&other);
        self.version = self.version.take().max(other.version);
        for (test, counts) in other.tests {
            match self.tests.get_mut(&test) {
                Some(known) => known.merge(*counts),
                None => drop(self.tests.insert(test, counts)),
            }
        }
        differs
    }

    /// Returns whether another file has the same lines. A test need not have all of them.
    fn has_lines_of(&self, other: &Self) -> bool {
        let mut tests = self.tests.values().zip(other.tests.values());
        match tests.next() {
            Some((mine, other_test)) if self.tests.len() == 1 && other.tests.len() == 1 => {
                mine.has_lines_of(other_test)
            }
            _ => self.all_lines() == other.all_lines(),
        }
    }

    fn all_lines(&self) -> Vec<u32> {
        let lines = self.tests.values().flat_map(|counts| counts.lines());
        let mut lines: Vec<u32> = lines.map(|(line, _)| *line).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }
}

/// Returns a name as a tracefile can hold it: white space at its end is none of it there. Returns `None` if no tracefile can.
fn name_in_tracefile(name: &str) -> Option<&str> {
    (!name.contains('\n')).then(|| name.trim_ascii_end())
}
