//! Folders that other users can write to, accessed by descriptor instead of by path.
//!
//! The owner of a folder can replace it by another folder or by a link at any moment. A process that then
//! opens `FOLDER/file` by path may read or delete another user's file. A [`Folder`] is opened once, and its
//! files are accessed through its descriptor. It stays the same folder even if its path leads elsewhere
//! later.
//!
//! Only a path that the caller passes is trusted, with all links in it. Names found in a folder are not
//! trusted. The last component of a path is never followed if it is a link.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::links::Destination;

mod os;
mod status;
mod wait_budget;

pub(crate) use status::caller;
pub use status::{Kind, Status};
pub(crate) use wait_budget::WaitBudget;

/// The total time to wait for writers of files in a folder. The limit is not per file, because any user can
/// lock a thousand files of their own.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// An open folder.
///
/// # Examples
///
/// ```
/// use pulpcov_core::folder::Folder;
///
/// let place = tempfile::tempdir()?;
/// std::fs::create_dir(place.path().join("inner"))?;
/// std::fs::write(place.path().join("inner/a"), "")?;
///
/// let folder = Folder::open(place.path())?;
/// assert_eq!(folder.names()?, ["inner"]);
/// assert_eq!(folder.open_subfolder("inner".as_ref())?.names()?, ["a"]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    handle: os::Handle,
    wait_budget: WaitBudget,
}

impl Folder {
    /// Opens the folder at a path that the caller trusts. Follows links in the path.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Arc<Self>> {
        let path = path.as_ref();
        let handle = os::Handle::open_folder(path)?;
        Ok(Arc::new(Self { path: path.into(), handle, wait_budget: WaitBudget::new(MAX_WAIT) }))
    }

    /// Opens a folder inside this one. Does not follow a link.
    ///
    /// Its owner may be any user, who could lock files forever. So readers do not wait for writers of its
    /// files.
    ///
    /// # Errors
    ///
    /// The error of the operating system, which is [`io::ErrorKind::NotADirectory`] for a link.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::ErrorKind;
    ///
    /// use pulpcov_core::folder::Folder;
    ///
    /// let place = tempfile::tempdir()?;
    /// std::fs::create_dir(place.path().join("inner"))?;
    /// std::fs::write(place.path().join("file"), "")?;
    /// let folder = Folder::open(place.path())?;
    /// assert!(folder.open_subfolder("inner".as_ref())?.is_subfolder());
    /// let err = folder.open_subfolder("file".as_ref()).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::NotADirectory);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn open_subfolder(self: &Arc<Self>, name: &OsStr) -> io::Result<Arc<Self>> {
        let handle = os::Handle::open_subfolder(self, name)?;
        Ok(Arc::new(Self {
            path: self.join(name),
            handle,
            wait_budget: WaitBudget::new(Duration::ZERO),
        }))
    }

    /// Returns the path by which the folder was opened. It is for messages only, because it may lead
    /// elsewhere by now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the folder was opened [inside](Self::open_subfolder) another one.
    pub fn is_subfolder(&self) -> bool {
        self.handle.is_subfolder()
    }

    /// Returns the folder's status: its owner and who may write to it.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn status(&self) -> io::Result<Status> {
        self.handle.status(&self.path)
    }

    /// Returns the names in the folder, in no particular order.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::folder::Folder;
    ///
    /// let place = tempfile::tempdir()?;
    /// std::fs::write(place.path().join(".coverage"), "")?;
    /// assert_eq!(Folder::open(place.path())?.names()?, [".coverage"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        self.handle.names(&self.path)
    }

    /// Returns the entry for a name in the folder. The file need not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::folder::Folder;
    ///
    /// let place = tempfile::tempdir()?;
    /// let entry = Folder::open(place.path())?.entry(".coverage");
    /// assert!(entry.status().is_err());
    /// std::fs::write(entry.path(), "rows")?;
    /// assert_eq!(entry.status()?.size, 4);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn entry(self: &Arc<Self>, name: impl Into<OsString>) -> Entry {
        let name = name.into();
        Entry { path: self.join(&name), folder: Arc::clone(self), name, target: None }
    }

    /// Removes an empty folder from this one.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::folder::Folder;
    ///
    /// let place = tempfile::tempdir()?;
    /// std::fs::create_dir(place.path().join("inner"))?;
    /// let folder = Folder::open(place.path())?;
    /// folder.remove_folder("inner".as_ref())?;
    /// assert!(folder.names()?.is_empty());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        self.handle.remove_folder(&self.path, name)
    }

    /// Makes earlier renames and removals durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match self.handle.sync(&self.path) {
            // Some file systems, mostly network file systems, cannot sync folders.
            Err(err) if err.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }

    /// Returns the remaining time to wait for writers.
    pub(crate) fn wait_budget(&self) -> &WaitBudget {
        &self.wait_budget
    }

    /// Returns whether other users cannot reach this folder. This is so if the folder or one above it belongs
    /// to the caller or root, and others may not search it. Its permissions to write then do not matter.
    pub(crate) fn is_closed_to_others(&self) -> bool {
        let Ok(path) = self.path.canonicalize() else { return false };
        let is_closed = |folder: &Path| {
            let status = folder.metadata().map(|metadata| Status::from(&metadata));
            status
                .is_ok_and(|status| !status.everybody_may_search() && status.is_of_caller_or_root())
        };
        path.ancestors().any(is_closed)
    }

    /// Returns an error if the file may belong to another user. A user who can write to a folder can put a
    /// hard link there, even to a file that they may not read.
    pub(crate) fn refuse_others_files(&self, file: &Status) -> Result<()> {
        let of_folder = self.status().map_err(|err| Error::io(&self.path, err))?;
        if self.is_subfolder() && file.owner != of_folder.owner {
            return Err(refused(
                "this belongs to another user than its folder; name it to have it read",
            ));
        }
        if file.links > 1 && (self.is_subfolder() || of_folder.everybody_may_write()) {
            return Err(refused(
                "this has several names (hard links), in a folder that others can write to; make a copy",
            ));
        }
        Ok(())
    }

    /// Returns the path of a name. In the current folder this is the name alone.
    fn join(&self, name: &OsStr) -> PathBuf {
        if self.path == Path::new(".") { name.into() } else { self.path.join(name) }
    }
}

/// A name in an open folder.
///
/// # Examples
///
/// ```
/// use pulpcov_core::folder::Entry;
///
/// let place = tempfile::tempdir()?;
/// let path = place.path().join(".coverage");
/// std::fs::write(&path, "rows")?;
/// let entry = Entry::at_path(&path)?;
/// assert_eq!(entry.status()?.size, 4);
/// entry.remove()?;
/// assert!(!path.exists());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Entry {
    folder: Arc<Folder>,
    name: OsString,
    path: PathBuf,
    /// The destination of the name, if it is a link that is [followed](Self::resolve_link).
    target: Option<Arc<Entry>>,
}

impl Entry {
    /// Returns the entry for the last component of a path. The caller must trust the other components.
    ///
    /// # Errors
    ///
    /// The operating system's error about the folder, and [`io::ErrorKind::IsADirectory`] if the path ends in
    /// `..` or is the root.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::folder::Entry;
    ///
    /// let place = tempfile::tempdir()?;
    /// let entry = Entry::at_path(place.path().join(".coverage"))?;
    /// assert_eq!(entry.name(), ".coverage");
    /// assert_eq!(entry.folder().path(), place.path());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn at_path(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::at_path_with(path.as_ref(), |folder| Folder::open(folder))
    }

    /// Returns the entry like [`at_path`](Self::at_path), but opens its folder with `open`.
    pub(crate) fn at_path_with(
        path: &Path,
        open: impl FnOnce(&Path) -> io::Result<Arc<Folder>>,
    ) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Ok(Self { folder: open(folder)?, name: name.into(), path: path.into(), target: None })
    }

    /// Follows a symbolic link that no other user can have made. Opening the entry then opens the link's
    /// destination, but [`remove`](Self::remove) removes the link.
    pub(crate) fn resolve_link(mut self) -> Self {
        let is_link = self.status().is_ok_and(|status| status.kind == Kind::Link);
        if is_link && let Ok(Destination::File(target)) = Destination::of(&self.path) {
            self.target = Self::at_path(target).ok().map(Arc::new);
        }
        self
    }

    /// Returns whether this is a link that is [followed](Self::resolve_link).
    pub(crate) fn is_resolved_link(&self) -> bool {
        self.target.is_some()
    }

    /// Returns the entry that is opened.
    fn file(&self) -> &Self {
        self.target.as_deref().unwrap_or(self)
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    /// Returns the folder of the file that is opened.
    pub(crate) fn folder_of_file(&self) -> &Arc<Folder> {
        &self.file().folder
    }

    /// Returns the name in the folder.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// Returns the path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the current status of the entry. Does not follow a link.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::folder::{Entry, Kind};
    ///
    /// let place = tempfile::tempdir()?;
    /// std::fs::write(place.path().join(".coverage"), "rows")?;
    /// let status = Entry::at_path(place.path().join(".coverage"))?.status()?;
    /// assert_eq!((status.kind, status.size), (Kind::File, 4));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn status(&self) -> io::Result<Status> {
        let Self { folder, path, name, .. } = self.file();
        folder.handle.status_of(path, name)
    }

    /// Opens a regular file for reading, unless it may belong to another user. Users who can write to the
    /// folder can put symbolic and hard links in it that lead to files they may not read.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Io`] if the operating system reports an error.
    /// - [`ErrorKind::NotADataFile`] with the reason, if this is not a regular file or may belong to another
    ///   user.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::folder::Folder;
    ///
    /// # let place = tempfile::tempdir()?;
    /// # let folder = Folder::open(place.path())?;
    /// std::fs::write(place.path().join(".coverage"), "rows")?;
    /// std::fs::create_dir(place.path().join("inner"))?;
    /// let mut text = String::new();
    /// folder.entry(".coverage").open()?.read_to_string(&mut text)?;
    /// assert_eq!(text, "rows");
    /// assert_eq!(folder.entry("inner").open().unwrap_err().kind(), ErrorKind::NotADataFile);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn open(&self) -> Result<File> {
        self.open_with_status().map(|(file, _)| file)
    }

    /// Opens the file like [`open`](Self::open), and returns its status too.
    pub(crate) fn open_with_status(&self) -> Result<(File, Status)> {
        let failed = |err| Error::io(&self.path, err);
        // Opening a device can have side effects, so check first.
        refuse_unless_regular(&self.status().map_err(failed)?)?;
        let file = self.open_anything().map_err(failed)?;
        let status = Status::from(&file.metadata().map_err(failed)?);
        refuse_unless_regular(&status)?;
        self.file().folder.refuse_others_files(&status)?;
        Ok((file, status))
    }

    /// Opens an entry of any kind for reading. Does not follow a link and does not block.
    pub(crate) fn open_anything(&self) -> io::Result<File> {
        let Self { folder, path, name, .. } = self.file();
        folder.handle.open(path, name, false)
    }

    /// Opens the entry like [`open_anything`](Self::open_anything), but for reading and writing.
    pub(crate) fn open_to_write(&self) -> io::Result<File> {
        let Self { folder, path, name, .. } = self.file();
        folder.handle.open(path, name, true)
    }

    /// Removes the entry, unless it is a folder.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::folder::Folder;
    ///
    /// let place = tempfile::tempdir()?;
    /// std::fs::write(place.path().join(".coverage"), "rows")?;
    /// let folder = Folder::open(place.path())?;
    /// folder.entry(".coverage").remove()?;
    /// assert!(folder.names()?.is_empty());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn remove(&self) -> io::Result<()> {
        self.folder.handle.remove(&self.path, &self.name)
    }

    /// Returns the entry whose name has a suffix added.
    pub(crate) fn beside(&self, suffix: &str) -> Self {
        let with_suffix = |text: &OsStr| {
            let mut text = text.to_owned();
            text.push(suffix);
            text
        };
        let Self { folder, path, name, .. } = self.file();
        Self {
            folder: Arc::clone(folder),
            name: with_suffix(name),
            path: with_suffix(path.as_os_str()).into(),
            target: None,
        }
    }
}

fn refuse_unless_regular(status: &Status) -> Result<()> {
    match status.kind {
        Kind::File => Ok(()),
        Kind::Link => Err(refused("this is a symbolic link, which is not followed")),
        Kind::Folder => Err(refused("this is a folder")),
        Kind::Other => Err(refused("this is a device, a socket or a FIFO")),
    }
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::NotADataFile, what)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Creates a folder `x` in a folder, opens it, moves it away, and calls `swap` to put something else in
    /// its place.
    fn swapped(swap: impl Fn(&Path)) -> (tempfile::TempDir, Arc<Folder>) {
        let place = tempfile::tempdir().unwrap();
        for folder in ["x", "victim"] {
            fs::create_dir(place.path().join(folder)).unwrap();
            fs::write(place.path().join(folder).join("file"), folder).unwrap();
        }
        let folder = Folder::open(place.path()).unwrap().open_subfolder("x".as_ref()).unwrap();
        fs::rename(place.path().join("x"), place.path().join("y")).unwrap();
        swap(place.path());
        (place, folder)
    }

    /// Opens more folders than are kept open.
    fn many() -> Vec<Arc<Folder>> {
        (0..100).map(|_| Folder::open("/").unwrap()).collect()
    }

    #[test]
    fn a_folder_that_is_replaced_is_used_no_more() {
        for are_many in [false, true] {
            let _others = if are_many { many() } else { Vec::new() };
            for swap in [
                |place: &Path| symlink("victim", place.join("x")).unwrap(),
                |place: &Path| fs::rename(place.join("victim"), place.join("x")).unwrap(),
            ] {
                let (place, folder) = swapped(swap);
                let entry = folder.entry("file");
                let read = |name: &str| fs::read_to_string(place.path().join(name)).unwrap();
                if let Ok(file) = entry.open() {
                    assert_eq!(io::read_to_string(file).unwrap(), "x");
                }
                let removed = entry.remove();
                assert!(removed.is_err() || !place.path().join("y/file").exists());
                assert_eq!(read("x/file"), "victim");
            }
        }
    }

    #[test]
    fn a_named_folder_is_the_one_that_was_opened() {
        for are_many in [false, true] {
            let _others = if are_many { many() } else { Vec::new() };
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join("named");
            fs::create_dir(&path).unwrap();
            fs::write(path.join("file"), "").unwrap();
            let entry = Entry::at_path(path.join("file")).unwrap();
            fs::rename(&path, place.path().join("moved")).unwrap();
            fs::create_dir(&path).unwrap();
            fs::write(path.join("file"), "another").unwrap();
            let removed = entry.remove();
            assert!(removed.is_err() || !place.path().join("moved/file").exists());
            assert!(path.join("file").exists());
        }
    }

    #[test]
    fn links_are_not_followed() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("folder")).unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        symlink("folder", place.path().join("to-folder")).unwrap();
        symlink("file", place.path().join("to-file")).unwrap();
        let folder = Folder::open(place.path()).unwrap();
        assert_eq!(
            folder.open_subfolder("to-folder".as_ref()).unwrap_err().kind(),
            io::ErrorKind::NotADirectory
        );
        let link = folder.entry("to-file");
        assert_eq!(link.status().unwrap().kind, Kind::Link);
        assert!(link.open().is_err());
        // Links that the caller named are followed.
        Folder::open(place.path().join("to-folder")).unwrap();
    }

    #[test]
    fn a_path_without_a_last_component_is_a_folder() {
        for path in ["/", "..", "a/.."] {
            assert_eq!(Entry::at_path(path).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        }
        assert_eq!(Entry::at_path("file").unwrap().path(), Path::new("file"));
    }
}
