//! The three names of a measured file: its path, its name in the data, and its name in reports.

use std::path::PathBuf;

use crate::FilePath;
use crate::paths::{CanonicalNames, WorkingFolder, to_os};

/// A file that may be reported on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The path in the data, or the path that the caller asked for.
    pub(super) requested: FilePath,
    /// The path of the source on this machine, which need not be UTF-8.
    pub(super) path: PathBuf,
    /// The name in the data.
    pub(super) recorded: FilePath,
    /// The name in reports.
    pub(super) name: String,
}

/// How the three names of a file follow from the name in the data, or from the name that the caller
/// asked for.
#[derive(Debug)]
pub(super) enum Naming {
    /// The data, the source and the report all use the name in the data. This does not access the
    /// disk.
    AsRecorded,
    /// As in coverage.py: paths of sources are absolute, and names in reports are relative.
    Absolute(CanonicalNames),
    /// As in coverage.py with `relative_files`: no path is made absolute.
    Relative(WorkingFolder),
}

impl Naming {
    pub(super) fn new(folder: Option<WorkingFolder>, relative_files: bool) -> Self {
        match folder {
            None => Self::AsRecorded,
            Some(folder) if relative_files => Self::Relative(folder),
            Some(folder) => Self::Absolute(CanonicalNames::new(folder)),
        }
    }

    pub(super) fn name(&mut self, requested: &FilePath) -> Candidate {
        let source = source_of(requested.as_bytes());
        let (path, recorded, name) = match self {
            Self::AsRecorded => (source.to_vec(), requested.as_bytes().to_vec(), source),
            Self::Absolute(names) => {
                let path = names.get(source);
                let name = names.cwd().relative_filename(source);
                (path.clone(), path, name)
            }
            Self::Relative(folder) => {
                let name = folder.relative_filename(source);
                (source.to_vec(), name.to_vec(), name)
            }
        };
        Candidate {
            requested: requested.clone(),
            path: to_os(&path),
            recorded: recordable(&recorded, requested),
            name: String::from_utf8_lossy(name).into_owned(),
        }
    }

    /// Returns the name in the data of a source or a compiled file: coverage.py's `_file_mapper`.
    pub(super) fn data_path(&mut self, candidate: &Candidate) -> FilePath {
        let requested = &candidate.requested;
        if source_of(requested.as_bytes()).len() == requested.as_bytes().len() {
            return candidate.recorded.clone();
        }
        match self {
            Self::AsRecorded => requested.clone(),
            Self::Absolute(names) => recordable(&names.get(requested.as_bytes()), requested),
            Self::Relative(folder) => {
                recordable(folder.relative_filename(requested.as_bytes()), requested)
            }
        }
    }
}

/// Returns `name` as a path of a data file, or `requested` if no data file can hold that name.
fn recordable(name: &[u8], requested: &FilePath) -> FilePath {
    FilePath::try_from(name).unwrap_or_else(|_| requested.clone())
}

/// Returns the path of the source that a compiled file belongs to: coverage.py's `source_for_file`.
fn source_of(path: &[u8]) -> &[u8] {
    match path {
        [source @ .., b'c' | b'o'] if source.ends_with(b".py") => source,
        path => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(relative: bool, requested: &str) -> [String; 3] {
        let folder = Some(WorkingFolder::new("/nonexistent/shop"));
        let candidate = Naming::new(folder, relative).name(&requested.try_into().unwrap());
        [candidate.path.display().to_string(), candidate.recorded.to_string(), candidate.name]
    }

    #[test]
    fn a_report_prints_paths_as_seen_from_the_folder() {
        let path = "/nonexistent/shop/src/cart.py";
        assert_eq!(names(false, path), [path, path, "src/cart.py"]);
        assert_eq!(names(false, "src/cart.pyc"), [path, path, "src/cart.py"]);
        assert_eq!(names(false, "/other/cart.py"), ["/other/cart.py"; 3]);
        assert_eq!(names(true, "src/cart.py"), ["src/cart.py"; 3]);
        assert_eq!(names(true, path), [path, "src/cart.py", "src/cart.py"]);
    }

    #[test]
    fn without_a_folder_names_are_those_of_the_data() {
        let candidate = Naming::new(None, false).name(&r"C:\src\cart.py".try_into().unwrap());
        assert_eq!(candidate.path, PathBuf::from(candidate.recorded.as_str()));
        assert_eq!(candidate.name, r"C:\src\cart.py");
    }
}
