//! The search for data files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::DataFileName;
use super::archives::is_archive_name;
use super::users::{self, UserFolder};
use crate::error::{Error, ErrorKind, Result};
use crate::folder::{Entry, Folder, Kind};
use crate::formats::holds_data;

/// The files that [`find`] found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Found {
    /// The files, each once, sorted by absolute path.
    pub files: Vec<Entry>,
    /// The files in the folders that are [named like archives](super::is_archive_name), sorted by absolute path. A folder with data
    /// files of its own has none, because coverage.py combines these and nothing else.
    pub archives: Vec<Entry>,
    /// The paths of such files in folders with data files of their own.
    pub passed_over: Vec<PathBuf>,
    /// An error for each user's folder that could not be searched.
    pub left_out: Vec<Error>,
}

/// Finds the files to combine in `places`.
///
/// In a folder, these are the files named `base`, a dot and any suffix, and the same files in the [users'
/// folders](super::user_folders) in it. A place that is not a folder is an input itself, whatever its name.
///
/// SQLite's companions of a data file (`-journal`, `-wal`, `-shm`) are skipped unless they hold data; only
/// these files are opened. Files that are not regular are listed too, so that opening them reports the
/// reason.
///
/// Except for users' folders and archives, the rules are those of coverage.py's `data.combinable_files`.
///
/// # Errors
///
/// - [`ErrorKind::NoData`] for a place that does not exist.
/// - [`ErrorKind::Io`] for a place that cannot be listed. A user's folder that cannot be listed is [left
///   out](Found::left_out) instead.
///
/// # Examples
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().to_owned();
/// std::fs::create_dir(folder.join("uid-33"))?;
/// std::fs::write(folder.join("uid-33/.coverage.web-1.pid7.Xabcdefghx"), "")?;
/// std::fs::write(folder.join(".coverage.unit"), "")?;
/// let found = pulpcov_core::discover::find(&[folder], ".coverage".as_ref())?;
/// assert_eq!((found.files.len(), found.left_out.len()), (2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find(places: &[PathBuf], base: &OsStr) -> Result<Found> {
    let mut finding = Finding::new(base);
    for place in places {
        finding.add_place(place)?;
    }
    Ok(finding.finish())
}

/// Counts the data files of processes in the folders among `places`, by base name.
///
/// This is for a message to a user who combines under another base name. A base name ends before the first
/// dot after its first character, where the host name begins.
///
/// # Examples
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().to_owned();
/// std::fs::write(folder.join("data.web-1.4711.031337"), "")?;
/// let names = pulpcov_core::discover::base_names(&[folder]);
/// assert_eq!(names.get("data"), Some(&1));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn base_names(places: &[PathBuf]) -> BTreeMap<String, usize> {
    let mut bases = BTreeMap::new();
    let entries = places.iter().filter_map(|place| place.read_dir().ok()).flatten().flatten();
    for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
        if let Some(base) = base_of(&name) {
            *bases.entry(base.to_owned()).or_default() += 1;
        }
    }
    bases
}

/// Returns the base name in the name of a process's data file.
pub(crate) fn base_of(name: &str) -> Option<&str> {
    let dot = name.bytes().skip(1).position(|byte| byte == b'.').map(|at| at + 1);
    let base = dot.and_then(|dot| name.get(..dot)).unwrap_or_default();
    DataFileName::parse(base, name)?.pid.map(|_| base)
}

/// The files that have been found so far.
struct Finding {
    /// The base name and a dot.
    prefix: Vec<u8>,
    /// The files by absolute path. Each entry keeps the path under which it was first found.
    files: BTreeMap<OsString, Entry>,
    archives: BTreeMap<OsString, Entry>,
    passed_over: BTreeMap<OsString, PathBuf>,
    left_out: Vec<Error>,
    folders: BTreeMap<PathBuf, Arc<Folder>>,
    /// The working folder, looked up once instead of for each file.
    working_folder: Option<PathBuf>,
}

impl Finding {
    fn new(base: &OsStr) -> Self {
        Self {
            prefix: [base.as_encoded_bytes(), b"."].concat(),
            files: BTreeMap::new(),
            archives: BTreeMap::new(),
            passed_over: BTreeMap::new(),
            left_out: Vec::new(),
            folders: BTreeMap::new(),
            working_folder: std::path::absolute(".").ok(),
        }
    }

    fn add_place(&mut self, place: &Path) -> Result<()> {
        let missing = || {
            Error::new(ErrorKind::NoData, "Couldn't combine from non-existent path")
                .with_path(place)
        };
        let metadata = place.symlink_metadata().map_err(|_| missing())?;
        let is_link = metadata.is_symlink();
        if is_link && place.file_name().and_then(users::parse).is_some() {
            // The place probably comes from a shell pattern such as `ROOT/uid-*`. The user does not mean a
            // link that another user put there.
            let message = "this is a symbolic link, which is not followed";
            self.left_out.push(Error::new(ErrorKind::NotADataFile, message).with_path(place));
            return Ok(());
        }
        if metadata.is_dir() || is_link && place.is_dir() {
            return self.add_folder(place).map_err(|err| Error::io(place, err));
        }
        // Everything else is an entry, even a link that leads nowhere.
        let entry = Entry::at_path_with(place, |folder| self.named(folder));
        self.add(entry.map_err(|err| Error::io(place, err))?);
        Ok(())
    }

    /// Returns the folder of a file that was named. It is opened once, because many files may be in it.
    fn named(&mut self, path: &Path) -> io::Result<Arc<Folder>> {
        if let Some(folder) = self.folders.get(path) {
            return Ok(Arc::clone(folder));
        }
        let folder = Folder::open(path)?;
        self.folders.insert(path.into(), Arc::clone(&folder));
        Ok(folder)
    }

    fn add_folder(&mut self, path: &Path) -> io::Result<()> {
        let folder = Folder::open(path)?;
        let names = folder.names()?;
        let mut has_files = self.add_files(&folder, &names);
        for user in users::among(&folder, &names) {
            has_files |= self.add_user(user);
        }
        self.add_archives(&folder, &names, has_files);
        Ok(())
    }

    fn add_archives(&mut self, folder: &Arc<Folder>, names: &[OsString], has_files: bool) {
        for name in names {
            let is_archive = name.to_str().is_some_and(is_archive_name);
            if !is_archive || self.is_wanted(name) {
                continue;
            }
            let entry = folder.entry(name).resolve_link();
            if !entry.status().is_ok_and(|status| status.kind == Kind::File) {
                continue;
            }
            let absolute = self.absolute(&entry);
            if has_files {
                self.passed_over.insert(absolute, entry.path().to_owned());
            } else {
                self.archives.entry(absolute).or_insert(entry);
            }
        }
    }

    /// Adds the files in a user's folder. Returns whether there are any.
    fn add_user(&mut self, user: UserFolder) -> bool {
        if !matches!(user.kind, Kind::Folder | Kind::Link) {
            return false;
        }
        let names = user.folder.and_then(|folder| match folder.names() {
            Ok(names) => Ok((folder, names)),
            Err(err) => Err(unreadable(folder.path(), err)),
        });
        match names {
            Ok((folder, names)) => return self.add_files(&folder, &names),
            // The folder was removed after it was listed, so it was empty.
            Err(err) if err.io_kind() == Some(io::ErrorKind::NotFound) => {}
            Err(err) => self.left_out.push(err),
        }
        false
    }

    /// Adds the data files among the names. Returns whether there are any.
    fn add_files(&mut self, folder: &Arc<Folder>, names: &[OsString]) -> bool {
        let wanted = names.iter().filter(|name| self.is_wanted(name));
        let wanted: Vec<Entry> = wanted.map(|name| folder.entry(name)).collect();
        let has_files = !wanted.is_empty();
        wanted.into_iter().for_each(|entry| self.add(entry));
        has_files
    }

    fn is_wanted(&self, name: &OsStr) -> bool {
        name.as_encoded_bytes().starts_with(&self.prefix)
    }

    fn add(&mut self, entry: Entry) {
        let entry = entry.resolve_link();
        self.files.entry(self.absolute(&entry)).or_insert(entry);
    }

    fn absolute(&self, entry: &Entry) -> OsString {
        let absolute = match &self.working_folder {
            Some(folder) => std::path::absolute(folder.join(entry.path())),
            None => std::path::absolute(entry.path()),
        };
        absolute.map_or_else(|_| entry.path().into(), PathBuf::into_os_string)
    }

    fn finish(mut self) -> Found {
        // An archive that was named is one of the files.
        self.archives.retain(|absolute, _| !self.files.contains_key(absolute));
        self.passed_over.retain(|absolute, _| !self.files.contains_key(absolute));
        let mut files: Vec<Entry> = self.files.into_values().collect();
        let all: BTreeSet<OsString> = files.iter().map(|file| file.path().into()).collect();
        files.retain(|file| !is_companion(file, &all));
        let archives = self.archives.into_values().collect();
        let passed_over = self.passed_over.into_values().collect();
        Found { files, archives, passed_over, left_out: self.left_out }
    }
}

fn unreadable(folder: &Path, err: io::Error) -> Error {
    match err.kind() {
        io::ErrorKind::PermissionDenied => {
            let message = format!("{err}: run this as root, or as the user whose folder it is");
            Error::new(ErrorKind::Io, message).with_path(folder)
        }
        _ => Error::io(folder, err),
    }
}

/// Returns whether SQLite keeps this file beside one of the files. coverage.py treats every `-journal` file
/// as a companion. Here a file that holds data is a data file, whatever its name.
fn is_companion(entry: &Entry, all: &BTreeSet<OsString>) -> bool {
    let (Some(name), Some(path)) = (entry.name().to_str(), entry.path().to_str()) else {
        return false;
    };
    let beside_a_file = |suffix| {
        let is_known = path.strip_suffix(suffix).is_some_and(|main| all.contains(OsStr::new(main)));
        let is_there = |main| entry.folder().entry(main).status().is_ok();
        is_known || name.strip_suffix(suffix).is_some_and(is_there)
    };
    (name.ends_with("-journal") || beside_a_file("-wal") || beside_a_file("-shm"))
        && !holds_data(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the names of the files that were found, with those of users' folders.
    fn names(found: &Found, root: &Path) -> Vec<String> {
        let name = |entry: &Entry| entry.path().strip_prefix(root).unwrap().display().to_string();
        found.files.iter().map(name).collect()
    }

    #[test]
    fn companions_are_not_listed_and_strangers_are() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            ".coverage",
            ".coverage.b",
            ".coverage.b-wal",
            ".coverage.b-shm",
            ".coverage.c-journal",
            ".coverage.d-wal",
            ".coveragerc",
            "x",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join(".coverage.e")).unwrap();
        let named = folder.path().join("x");
        let again = folder.path().join(".coverage.b");
        let found = find(&[folder.path().into(), named, again], OsStr::new(".coverage")).unwrap();
        let found = names(&found, folder.path());
        assert_eq!(found, [".coverage.b", ".coverage.d-wal", ".coverage.e", "x"]);
        assert!(find(&[folder.path().join("y")], OsStr::new(".coverage")).is_err());
    }

    #[test]
    fn users_folders_are_looked_into_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            ".coverage.old",
            "uid-0/.coverage.a",
            "uid-0/.coverage.a-wal",
            "uid-0/.coverage",
            "uid-0/other",
            "uid-0/uid-0/.coverage.deeper",
            "uid-7-aB3dE9fX/.coverage.b",
            "uid-x/.coverage.c",
            "shards/.coverage.d",
        ] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::fs::write(root.path().join("uid-8"), "").unwrap();
        let found = find(&[root.path().into()], OsStr::new(".coverage")).unwrap();
        assert_eq!(
            names(&found, root.path()),
            [".coverage.old", "uid-0/.coverage.a", "uid-7-aB3dE9fX/.coverage.b"]
        );
        assert!(found.left_out.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_named_like_users_folders_are_left_out() {
        let (root, victim) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(victim.path().join(".coverage.private"), "").unwrap();
        let link = root.path().join("uid-0");
        std::os::unix::fs::symlink(victim.path(), &link).unwrap();
        for place in [root.path(), &link] {
            let found = find(&[place.into()], OsStr::new(".coverage")).unwrap();
            assert!(found.files.is_empty());
            assert_eq!(found.left_out[0].path(), Some(&*link));
        }
    }
}
