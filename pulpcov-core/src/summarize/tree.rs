//! Sources in another place than the data says: in another checkout, an archive, or a revision.

#[cfg(unix)]
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use super::permission::{self, Inode, Opened, Opener};
use super::sources::Sources;
#[cfg(unix)]
use super::sources::{LARGEST_SOURCE, read_bounded};
#[cfg(unix)]
use crate::Authors;
use crate::paths::{from_os, to_os};
use crate::{CoverageData, Error, FilePath, Result};

/// Reads a file of the tree.
type Read = dyn Fn(&Path) -> Result<Vec<u8>> + Sync + Send;

/// A tree of sources that finds a measured file by the end of its path.
///
/// `/build/7/src/app/views.py` can be `src/app/views.py` in a checkout, or
/// `app-1.0/src/app/views.py` in an archive. Of all files with the same name, the tree chooses the
/// one whose path has the most components at its end in common with the measured path. If two files
/// have the same number in common, it chooses neither, unless the measured path is equal to the
/// path of one of them.
///
/// [`rename_files`](Self::rename_files) changes the paths in the data to paths in the tree. A
/// report on such data needs [`root`](Self::root) as its folder, and relative files.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::summarize::{SourceTree, Sources};
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let files = [("app-1.0/src/app/views.py", "x = 1\n"), ("app-1.0/tests/views.py", "")];
/// let tree = SourceTree::in_memory(files.map(|(path, text)| (path.into(), text.into())));
/// assert_eq!(tree.read(Path::new("/build/7/src/app/views.py"))?, Some(b"x = 1\n".to_vec()));
/// assert_eq!(tree.read(Path::new("/build/7/src/app/models.py"))?, None);
///
/// // What two hosts measured is one file here.
/// let mut data = CoverageData::new();
/// data.add_lines("/build/7/src/app/views.py", "", &Numbits::from_iter([1]))?;
/// data.add_lines(r"C:\ci\src\app\views.py", "", &Numbits::from_iter([2]))?;
/// let data = tree.rename_files(data)?;
/// assert_eq!(data.lines("app-1.0/src/app/views.py"), Some(Numbits::from_iter([1, 2])));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub struct SourceTree {
    /// The paths of the files with each name.
    by_name: HashMap<Vec<u8>, Vec<PathBuf>>,
    read: Box<Read>,
    root: PathBuf,
}

impl SourceTree {
    /// Creates a tree of the files at `paths`, whose content `read` returns.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::summarize::{SourceTree, Sources};
    ///
    /// let tree = SourceTree::new(["src/cart.py".into()], |path| {
    ///     Ok(format!("# {}\n", path.display()).into_bytes())
    /// });
    /// let source = tree.read(Path::new("/build/7/src/cart.py"))?;
    /// assert_eq!(source, Some(b"# src/cart.py\n".to_vec()));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new(
        paths: impl IntoIterator<Item = PathBuf>,
        read: impl Fn(&Path) -> Result<Vec<u8>> + Sync + Send + 'static,
    ) -> Self {
        let mut by_name = HashMap::<Vec<u8>, Vec<PathBuf>>::new();
        for path in paths {
            let name = parts_from_end(&path).next().unwrap_or_default().to_vec();
            by_name.entry(name).or_default().push(path);
        }
        Self { by_name, read: Box::new(read), root: PathBuf::from("/") }
    }

    /// Sets the location of the tree, an absolute path. The default is `/`.
    #[must_use]
    pub fn at(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = root.into();
        self
    }

    /// Returns the location of the tree, which its paths are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Creates a tree of files with their content.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::summarize::{SourceTree, Sources};
    ///
    /// let tree = SourceTree::in_memory([("src/cart.py".into(), b"x = 1\n".to_vec())]);
    /// assert_eq!(tree.read(Path::new("src/cart.py"))?, Some(b"x = 1\n".to_vec()));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn in_memory(files: impl IntoIterator<Item = (PathBuf, Vec<u8>)>) -> Self {
        let files: HashMap<PathBuf, Vec<u8>> = files.into_iter().collect();
        let paths: Vec<PathBuf> = files.keys().cloned().collect();
        Self::new(paths, move |path| Ok(files.get(path).cloned().unwrap_or_default()))
    }

    /// Creates a tree of all files below a folder, except for those in hidden folders.
    ///
    /// Links that lead out of the folder are not followed if everyone can write to the folder, or
    /// if its owner is neither root nor the user who runs this process.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if a folder cannot be listed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::summarize::{SourceTree, Sources};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("cart.py"), "x = 1\n")?;
    /// let tree = SourceTree::folder(folder.path())?;
    /// assert_eq!(tree.read(Path::new("/build/7/cart.py"))?, Some(b"x = 1\n".to_vec()));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn folder(root: impl AsRef<Path>) -> Result<Self> {
        let root = root.as_ref().canonicalize().map_err(|err| Error::io(root.as_ref(), err))?;
        let mut paths = Vec::new();
        walk(&root, Path::new(""), &mut paths)?;
        let guard = LinkGuard::around(&root).map_err(|err| Error::io(&root, err))?;
        let at = root.clone();
        let read = move |path: &Path| {
            let local = root.join(path);
            guard.read(&local).map_err(|err| Error::io(local, err))
        };
        Ok(Self::new(paths, read).at(at))
    }

    /// Returns the file of the tree that a measured path refers to.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::summarize::SourceTree;
    ///
    /// let files = ["app/views.py", "shop/views.py"].map(|path| (path.into(), Vec::new()));
    /// let tree = SourceTree::in_memory(files);
    /// assert_eq!(tree.find(Path::new("/build/shop/views.py")), Some(Path::new("shop/views.py")));
    /// // Both files have one component in common with this path.
    /// assert_eq!(tree.find(Path::new("/build/views.py")), None);
    /// ```
    pub fn find(&self, path: &Path) -> Option<&Path> {
        match self.best(path)[..] {
            [own] => Some(own),
            _ => None,
        }
    }

    /// Returns the files of the tree that a measured path may refer to, if there are several, so that [`find`](Self::find)
    /// chooses none. Files with only their names in common do not count, unless the measured path is no more than a name.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::summarize::SourceTree;
    ///
    /// let files = ["one/app/views.py", "two/app/views.py"].map(|path| (path.into(), Vec::new()));
    /// let tree = SourceTree::in_memory(files);
    /// let both = [Path::new("one/app/views.py"), Path::new("two/app/views.py")];
    /// assert_eq!(tree.several(Path::new("/build/app/views.py")), both);
    /// assert!(tree.several(Path::new("/build/two/app/views.py")).is_empty());
    /// assert!(tree.several(Path::new("/usr/lib/views.py")).is_empty());
    /// ```
    pub fn several(&self, path: &Path) -> Vec<&Path> {
        let mut best = self.best(path);
        let is_likely = best.first().is_some_and(|own| {
            let common = in_common(own, path);
            common > 1 || common == parts_from_end(path).count()
        });
        if best.len() < 2 || !is_likely {
            return Vec::new();
        }
        best.sort();
        best
    }

    /// Returns the files whose paths have the most components at their ends in common with the measured path.
    fn best(&self, path: &Path) -> Vec<&Path> {
        let name = parts_from_end(path).next();
        let Some(files) = name.and_then(|name| self.by_name.get(name)) else { return Vec::new() };
        if let Some(own) = files.iter().find(|own| own.as_path() == path) {
            return vec![own.as_path()];
        }
        let most = files.iter().map(|own| in_common(own, path)).max();
        let files = files.iter().map(PathBuf::as_path);
        files.filter(|own| Some(in_common(own, path)) == most).collect()
    }

    /// Returns whether the tree contains files in a folder, whose path is relative to the root.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::summarize::SourceTree;
    ///
    /// let tree = SourceTree::in_memory([("src/shop/cart.py".into(), Vec::new())]);
    /// assert!(tree.has_folder(Path::new("src/shop")));
    /// assert!(!tree.has_folder(Path::new("shop")));
    /// ```
    pub fn has_folder(&self, folder: &Path) -> bool {
        self.by_name.values().flatten().any(|own| own.starts_with(folder))
    }

    /// Changes the paths of measured files to the paths of their files in the tree. Paths that are
    /// not in the tree are kept. Files that get the same path are merged.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TracerConflict`](crate::ErrorKind::TracerConflict) if files are merged that
    /// different plugins traced.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::summarize::SourceTree;
    /// use pulpcov_core::{CoverageData, Numbits};
    ///
    /// let tree = SourceTree::in_memory([("src/cart.py".into(), Vec::new())]);
    /// let mut data = CoverageData::new();
    /// data.add_lines("/build/7/src/cart.py", "", &Numbits::from_iter([1]))?;
    /// let data = tree.rename_files(data)?;
    /// assert_eq!(data.files().next().unwrap().path().as_str(), "src/cart.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn rename_files(&self, data: CoverageData) -> Result<CoverageData> {
        data.map_paths(|path| Ok(self.renamed(path)))
    }

    /// Returns the path in the tree of a measured path, or the measured path itself if the tree does not have it.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::FilePath;
    /// use pulpcov_core::summarize::SourceTree;
    ///
    /// let tree = SourceTree::in_memory([("src/cart.py".into(), Vec::new())]);
    /// let renamed = |path| Ok::<_, pulpcov_core::Error>(tree.renamed(&FilePath::try_from(path)?));
    /// assert_eq!(renamed("/build/7/src/cart.py")?.as_str(), "src/cart.py");
    /// assert_eq!(renamed("/build/7/src/shop.py")?.as_str(), "/build/7/src/shop.py");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn renamed(&self, path: &FilePath) -> FilePath {
        let own = self.find(&to_os(path.as_bytes()));
        // A data file cannot contain every path.
        let own = own.and_then(|own| FilePath::try_from(&*from_os(own)).ok());
        own.unwrap_or_else(|| path.clone())
    }
}

impl Sources for SourceTree {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        self.find(path).map(|own| (self.read)(own)).transpose()
    }
}

impl std::fmt::Debug for SourceTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceTree").field("names", &self.by_name.len()).finish_non_exhaustive()
    }
}

/// Prevents links from leading out of a folder that other users can write to.
struct LinkGuard {
    #[cfg(unix)]
    folder: Option<(Opener, Inode)>,
}

impl LinkGuard {
    #[cfg(unix)]
    fn around(folder: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = folder.metadata()?;
        let is_trusted = [0, nix::unistd::geteuid().as_raw()].contains(&metadata.uid())
            && metadata.mode() & 0o002 == 0;
        if is_trusted {
            return Ok(Self { folder: None });
        }
        Ok(Self { folder: Some((Opener::default(), permission::inode(folder)?)) })
    }

    #[cfg(unix)]
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let Some((opener, folder)) = &self.folder else { return std::fs::read(path) };
        // No user asks for the file, so only a file that is really inside the shown folder is
        // opened.
        let nobody = Authors::Others(BTreeSet::new());
        match opener.open(&std::path::absolute(path)?, &nobody, &[*folder])? {
            Opened::File(file) => read_bounded(file, LARGEST_SOURCE),
            Opened::Missing => Err(io::ErrorKind::NotFound.into()),
            Opened::Withheld => Err(io::Error::other(
                "this is a link that may lead out of the folder of the sources",
            )),
        }
    }

    #[cfg(not(unix))]
    fn around(_: &Path) -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }
}

/// Returns how many components two paths have in common at their ends.
fn in_common(own: &Path, path: &Path) -> usize {
    let pairs = parts_from_end(own).zip(parts_from_end(path));
    pairs.take_while(|(a, b)| a == b).count()
}

/// Returns the components of a path from its end. The path may come from another operating system.
fn parts_from_end(path: &Path) -> impl Iterator<Item = &[u8]> {
    let path = path.as_os_str().as_encoded_bytes();
    path.rsplit(|&b| b == b'/' || b == b'\\').filter(|part| !part.is_empty() && *part != b".")
}

fn walk(folder: &Path, below: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let unlisted = |err| Error::io(folder, err);
    for entry in std::fs::read_dir(folder).map_err(unlisted)? {
        let entry = entry.map_err(unlisted)?;
        let name = entry.file_name();
        let path = below.join(&name);
        // Links to folders are not followed, because they may lead back up.
        if entry.file_type().map_err(unlisted)?.is_dir() {
            if !name.as_encoded_bytes().starts_with(b".") {
                walk(&entry.path(), &path, paths)?;
            }
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(files: &[&str], path: &str) -> Option<String> {
        let files = files.iter().map(|path| (PathBuf::from(path), Vec::new()));
        let tree = SourceTree::in_memory(files);
        tree.find(Path::new(path)).map(|found| found.display().to_string())
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out_of_a_folder_of_others() {
        use std::fs::{self, Permissions};
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (tree, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(elsewhere.path().join("secret.py"), "secret").unwrap();
        fs::write(tree.path().join("own.py"), "own").unwrap();
        symlink("own.py", tree.path().join("inside.py")).unwrap();
        symlink(elsewhere.path().join("secret.py"), tree.path().join("outside.py")).unwrap();
        fs::hard_link(elsewhere.path().join("secret.py"), tree.path().join("hard.py")).unwrap();
        for (mode, is_shared) in [(0o755, false), (0o777, true)] {
            fs::set_permissions(tree.path(), Permissions::from_mode(mode)).unwrap();
            let sources = SourceTree::folder(tree.path()).unwrap();
            let text = |name: &str| sources.read(Path::new(name)).map(Option::unwrap).ok();
            assert_eq!(text("own.py"), Some(b"own".to_vec()));
            assert_eq!(text("inside.py"), Some(b"own".to_vec()));
            for name in ["outside.py", "hard.py"] {
                assert_eq!(text(name).is_some(), !is_shared, "{name}");
            }
        }
    }

    #[test]
    fn the_longest_common_end_wins() {
        let files = ["a/__init__.py", "b/__init__.py", "x/b/__init__.py", "b/c.py"];
        assert_eq!(find(&files, "/ci/x/b/__init__.py").as_deref(), Some("x/b/__init__.py"));
        assert_eq!(find(&files, "/ci/a/__init__.py").as_deref(), Some("a/__init__.py"));
        assert_eq!(find(&files, r"C:\ci\b\c.py").as_deref(), Some("b/c.py"));
        assert_eq!(find(&files, "/ci/d/__init__.py"), None);
        assert_eq!(find(&files, "/ci/d.py"), None);
    }
}
