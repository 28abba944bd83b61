//! The names that files have in a repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::paths::{from_os, normpath, to_os};
use crate::summarize::{FileSummary, Summary};
use crate::{Error, ErrorKind, Result};

/// The files of a report by their names in a repository, which is how services of CI know them.
///
/// The names start from the top folder of the repository, and have `/` between folders. No two files have the same name.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::RepositoryFiles;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("/repo/src/a.py", "", &Numbits::from_iter([1]))?;
/// data.add_lines("/usr/lib/python3/json.py", "", &Numbits::from_iter([1]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let files = RepositoryFiles::new(&summary, "/repo")?;
/// let names: Vec<&str> = files.iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["src/a.py"]);
/// assert_eq!(files.outside().len(), 1);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct RepositoryFiles<'a> {
    summary: &'a Summary<'a>,
    files: Vec<(String, &'a FileSummary)>,
    outside: Vec<&'a FileSummary>,
}

impl<'a> RepositoryFiles<'a> {
    /// Finds the names of the files of a report below `top`, the top folder of the repository.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRepresentable`] if two files have the same name. A service would show what was measured of one of
    /// them. The error names both.
    pub fn new(summary: &'a Summary<'a>, top: impl AsRef<Path>) -> Result<Self> {
        let (mut files, mut outside) = (Vec::new(), Vec::new());
        let mut seen = BTreeMap::<String, &FileSummary>::new();
        for file in summary.all_files() {
            let Some(name) = name_below(top.as_ref(), summary, file) else {
                outside.push(file);
                continue;
            };
            if let Some(other) = seen.insert(read_name(&name), file) {
                return Err(same_name(&name, other, file));
            }
            files.push((name, file));
        }
        Ok(Self { summary, files, outside })
    }

    /// Returns the files with their names, in the order of the report.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &'a FileSummary)> {
        self.files.iter().map(|(name, file)| (name.as_str(), *file))
    }

    /// Returns the files that are not in the repository. They are in no report that has names of the repository.
    pub fn outside(&self) -> &[&'a FileSummary] {
        &self.outside
    }

    /// Returns the report.
    pub(super) fn summary(&self) -> &'a Summary<'a> {
        self.summary
    }
}

/// Returns a name as services may read it: XML has no control characters, and Codecov takes a backslash for a slash.
fn read_name(name: &str) -> String {
    let read = |c: char| match c {
        '\\' => '/',
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => '?',
        c => c,
    };
    name.chars().map(read).collect()
}

/// Returns the name of a file below a folder, or `None` if the file is not in the folder.
fn name_below(top: &Path, summary: &Summary<'_>, file: &FileSummary) -> Option<String> {
    let path = match summary.folder() {
        Some(folder) => folder.local_path(&from_os(file.path())),
        None => file.path().to_owned(),
    };
    let path = to_os(&normpath(&from_os(&path)));
    let inside: PathBuf = path.strip_prefix(top).ok()?.to_owned();
    let is_inside = inside.is_relative() && !inside.starts_with("..") && inside != Path::new("");
    let parts = inside.iter().map(|part| part.to_string_lossy());
    is_inside.then(|| parts.collect::<Vec<_>>().join("/"))
}

fn same_name(name: &str, one: &FileSummary, other: &FileSummary) -> Error {
    let paths = [one, other].map(|file| file.recorded_path().as_str().to_owned());
    let message = format!(
        "{} and {} were both measured as this file of the repository, so one of them would be lost",
        crate::text::printable(&paths[0]),
        crate::text::printable(&paths[1])
    );
    Error::new(ErrorKind::NotRepresentable, message).with_path(name)
}
