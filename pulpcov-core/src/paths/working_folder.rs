//! The folder that relative paths start from, and paths resolved in it.

use std::collections::HashMap;
use std::path::Path;

use super::pypath::{SEP, from_os, isabs, join, normpath, sep, to_os};

/// The extensions of the archives that Python imports from.
const ARCHIVES: [&[u8]; 5] = [b".zip", b".whl", b".egg", b".pex", b".par"];

/// A length that no supported system accepts for a path. Asking about a longer path would only cost
/// time.
const LONGEST_PATH: usize = 1 << 15;

/// Folders with longer paths are not remembered, but resolved again each time.
const LONGEST_REMEMBERED: usize = 1 << 12;

/// The limit on the remembered folders, in bytes. A folder is remembered together with all its
/// parents, so a few deep folders could fill the memory.
const MOST_REMEMBERED: usize = 16 << 20;

/// The folder that relative paths start from.
///
/// coverage.py asks the process for its current folder. Here the caller passes the folder once,
/// usually from [`std::env::current_dir`]. Symlinks in it are resolved when the value is created,
/// as the operating system does for a current folder.
///
/// # Examples
///
/// ```
/// use pulpcov_core::paths::WorkingFolder;
///
/// let cwd = WorkingFolder::new("/nonexistent/shop");
/// assert_eq!(cwd.abs_file(b"src/../cart.py"), b"/nonexistent/shop/cart.py");
/// assert_eq!(cwd.relative_filename(b"/nonexistent/shop/cart.py"), b"cart.py");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingFolder {
    /// The path is absolute and has no symlinks. Only the root ends in a slash.
    path: Vec<u8>,
}

impl WorkingFolder {
    /// Creates the folder that relative paths start from.
    ///
    /// The folder need not exist. A relative `path` starts at the root.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::WorkingFolder;
    ///
    /// let folder = WorkingFolder::new("/nonexistent/./shop/../cart/");
    /// assert_eq!(folder.as_bytes(), b"/nonexistent/cart");
    /// ```
    pub fn new(path: impl AsRef<Path>) -> Self {
        let absolute = join(b"/", &from_os(path.as_ref()));
        Self { path: realpath(b"/", &absolute) }
    }

    /// Returns the folder's path: absolute, without symlinks.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::WorkingFolder;
    ///
    /// assert_eq!(WorkingFolder::new("/nonexistent/shop/").as_bytes(), b"/nonexistent/shop");
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        &self.path
    }

    /// Returns `path` as an absolute path without symlinks: coverage.py's `files.abs_file`.
    ///
    /// Parts that do not exist are kept. A symlink loop is left as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::WorkingFolder;
    ///
    /// let folder = WorkingFolder::new("/nonexistent/shop");
    /// assert_eq!(folder.abs_file(b"cart.py"), b"/nonexistent/shop/cart.py");
    /// assert_eq!(folder.abs_file(b"../cart.py"), b"/nonexistent/cart.py");
    /// assert_eq!(folder.abs_file(b"/nonexistent//cart.py"), b"/nonexistent/cart.py");
    /// ```
    pub fn abs_file(&self, path: &[u8]) -> Vec<u8> {
        realpath(&self.path, path)
    }

    /// Returns `path` without this folder in front: coverage.py's `files.relative_filename`.
    ///
    /// This compares text only. A path that is outside the folder, or spelled differently, is
    /// returned unchanged.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::WorkingFolder;
    ///
    /// let folder = WorkingFolder::new("/nonexistent/shop");
    /// assert_eq!(folder.relative_filename(b"/nonexistent/shop/src/cart.py"), b"src/cart.py");
    /// assert_eq!(folder.relative_filename(b"/nonexistent/shop2/cart.py"), b"/nonexistent/shop2/cart.py");
    /// ```
    pub fn relative_filename<'p>(&self, path: &'p [u8]) -> &'p [u8] {
        let inside = path.strip_prefix(self.path.as_slice());
        match inside {
            Some(rest) if self.path.ends_with(b"/") => rest,
            Some([SEP, rest @ ..]) => rest,
            _ => path,
        }
    }

    /// Returns the canonical name of `path`: coverage.py's `files.canonical_filename` without
    /// `sys.path`.
    ///
    /// coverage.py also looks for a relative path in each folder of `sys.path`. Without Python
    /// there is no `sys.path`, so the result is that of [`abs_file`](Self::abs_file).
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::WorkingFolder;
    ///
    /// let folder = WorkingFolder::new("/nonexistent/shop");
    /// assert_eq!(folder.canonical_filename(b"./src/cart.py"), b"/nonexistent/shop/src/cart.py");
    /// ```
    pub fn canonical_filename(&self, path: &[u8]) -> Vec<u8> {
        self.abs_file(path)
    }

    /// Splits the path of a file in an archive into the archive and the name inside the archive, if
    /// the archive exists: coverage.py's `files.zip_location`.
    ///
    /// An archive's name ends in `.zip`, `.whl`, `.egg`, `.pex` or `.par`, tried in this order. The
    /// archive is not opened.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::WorkingFolder;
    ///
    /// let place = tempfile::tempdir()?;
    /// std::fs::write(place.path().join("shop.whl"), "")?;
    /// let folder = WorkingFolder::new(place.path());
    /// assert_eq!(folder.zip_location(b"shop.whl/cart.py"), Some((&b"shop.whl"[..], &b"cart.py"[..])));
    /// assert_eq!(folder.zip_location(b"other.whl/cart.py"), None);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn zip_location<'p>(&self, path: &'p [u8]) -> Option<(&'p [u8], &'p [u8])> {
        ARCHIVES.iter().find_map(|ext| {
            let separator = [ext, &[sep(path)][..]].concat();
            let start = path.windows(separator.len()).position(|part| part == separator)?;
            let (archive, inner) = (&path[..start + ext.len()], &path[start + separator.len()..]);
            self.exists(archive).then_some((archive, inner))
        })
    }

    /// Returns whether `path` exists, or is inside an archive that exists: coverage.py's
    /// `files.source_exists`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::WorkingFolder;
    ///
    /// let place = tempfile::tempdir()?;
    /// std::fs::write(place.path().join("shop.whl"), "")?;
    /// let folder = WorkingFolder::new(place.path());
    /// // The archive is not opened.
    /// assert!(folder.source_exists(b"shop.whl/cart.py"));
    /// assert!(!folder.source_exists(b"cart.py"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn source_exists(&self, path: &[u8]) -> bool {
        self.exists(path) || self.zip_location(path).is_some()
    }

    /// Returns `path`, seen from this folder, for the operating system.
    #[cfg(feature = "report")]
    pub(crate) fn local_path(&self, path: &[u8]) -> std::path::PathBuf {
        to_os(&join(&self.path, path))
    }

    /// Returns whether `path`, seen from this folder, exists.
    #[cfg(feature = "report")]
    pub(crate) fn has(&self, path: &[u8]) -> bool {
        self.exists(path)
    }

    fn exists(&self, path: &[u8]) -> bool {
        // Python's `os.path.exists("")` is false. Joined, the empty path would be this folder.
        !path.is_empty() && to_os(&join(&self.path, path)).exists()
    }
}

/// Resolves paths to canonical names, and remembers the folders it has resolved.
///
/// Thousands of files share a few folders, and resolving each part of a path costs a system call.
#[derive(Debug)]
pub(crate) struct CanonicalNames {
    cwd: WorkingFolder,
    folders: HashMap<Vec<u8>, Vec<u8>>,
    /// The total length in bytes of the folders resolved so far, before and after resolving.
    bytes_resolved: usize,
}

impl CanonicalNames {
    pub(crate) fn new(cwd: WorkingFolder) -> Self {
        Self { cwd, folders: HashMap::new(), bytes_resolved: 0 }
    }

    pub(crate) fn cwd(&self) -> &WorkingFolder {
        &self.cwd
    }

    /// Returns the same as [`WorkingFolder::canonical_filename`].
    pub(crate) fn get(&mut self, path: &[u8]) -> Vec<u8> {
        let (folder, name) = split_last(path);
        // Python stops resolving at a symlink loop and then removes `..` textually, so paths with
        // `..` bypass the remembered folders.
        let steps_back = folder.windows(2).any(|two| two == b"..");
        if folder.is_empty() || folder.len() > LONGEST_REMEMBERED || steps_back {
            return self.cwd.canonical_filename(path);
        }
        match self.folders.get(folder) {
            Some(real) => realpath(real, name),
            None => realpath(&self.resolve(folder), name),
        }
    }

    /// Resolves a folder and all its parents, as far as they are not known.
    fn resolve(&mut self, folder: &[u8]) -> Vec<u8> {
        let mut real: Option<Vec<u8>> = None;
        let mut start = 0;
        for slash in (0..).zip(folder).filter(|(_, byte)| **byte == SEP).map(|(at, _)| at) {
            let (outer, name) = (&folder[..=slash], &folder[start..slash]);
            start = slash + 1;
            real = Some(match (self.folders.get(outer), real) {
                (Some(known), _) => known.clone(),
                (None, Some(real)) => self.remember(outer, realpath(&real, name)),
                (None, None) => self.remember(outer, self.cwd.canonical_filename(outer)),
            });
        }
        real.unwrap_or_else(|| self.cwd.canonical_filename(folder))
    }

    /// Returns the length in bytes of the folders that are remembered.
    #[cfg(test)]
    pub(super) fn bytes_kept(&self) -> usize {
        self.folders.iter().map(|(folder, real)| folder.len() + real.len()).sum()
    }

    fn remember(&mut self, folder: &[u8], real: Vec<u8>) -> Vec<u8> {
        self.bytes_resolved += folder.len() + real.len();
        if self.bytes_resolved <= MOST_REMEMBERED {
            self.folders.insert(folder.to_vec(), real.clone());
        }
        real
    }
}

/// Splits a path after its last slash.
fn split_last(path: &[u8]) -> (&[u8], &[u8]) {
    path.split_at(path.iter().rposition(|&b| b == SEP).map_or(0, |slash| slash + 1))
}

/// Returns `path` seen from `base`, as `os.path.realpath(strict=False)` of Python 3.11 does. `base`
/// is absolute and has no symlinks.
///
/// Python recurses into symlinks. This function keeps a list of pending texts instead, so a long
/// chain of symlinks cannot overflow the stack.
fn realpath(base: &[u8], path: &[u8]) -> Vec<u8> {
    let mut done = start_of(base, path).to_vec();
    let mut pending = vec![Pending { text: path.to_vec(), at: 0, link: None }];
    // The symlinks met so far. The value is `None` while the symlink's target is being resolved.
    let mut links: HashMap<Vec<u8>, Option<Vec<u8>>> = HashMap::new();
    while let Some(top) = pending.last_mut() {
        let Some(part) = top.next_part() else {
            if let Some(link) = top.link.take() {
                links.insert(link, Some(done.clone()));
            }
            pending.pop();
            continue;
        };
        let parent = done.len();
        if part == b".." {
            done.truncate(done.iter().rposition(|&b| b == SEP).map_or(1, |slash| slash.max(1)));
            continue;
        }
        push_part(&mut done, part);
        let Some(target) = link_target(&done) else { continue };
        match links.get(&done) {
            Some(Some(real)) => done.clone_from(real),
            Some(None) => return give_up(done, &pending),
            None => {
                links.insert(done.clone(), None);
                let link = Some(done.clone());
                done = start_of(&done[..parent], &target).to_vec();
                pending.push(Pending { text: target, at: 0, link });
            }
        }
    }
    done
}

/// Returns the folder in which the walk along `path` begins.
fn start_of<'p>(base: &'p [u8], path: &[u8]) -> &'p [u8] {
    if isabs(path) { b"/" } else { base }
}

fn push_part(path: &mut Vec<u8>, part: &[u8]) {
    if !path.ends_with(b"/") {
        path.push(SEP);
    }
    path.extend_from_slice(part);
}

/// Returns the target of the symlink at `path`, if there is one.
fn link_target(path: &[u8]) -> Option<Vec<u8>> {
    if path.len() > LONGEST_PATH {
        return None;
    }
    std::fs::read_link(to_os(path)).ok().map(|target| from_os(&target))
}

/// Returns the path when a symlink leads to itself: the resolved part, and the rest as it is.
fn give_up(link: Vec<u8>, pending: &[Pending]) -> Vec<u8> {
    let unresolved = pending.iter().rev().fold(link, |path, open| join(&path, open.rest()));
    normpath(&unresolved)
}

/// A path being walked, and the symlink that it is the target of.
struct Pending {
    text: Vec<u8>,
    at: usize,
    link: Option<Vec<u8>>,
}

impl Pending {
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    /// Returns the next part that is not empty and not `.`.
    fn next_part(&mut self) -> Option<&[u8]> {
        while self.at < self.text.len() {
            let start = self.at;
            let len = self.rest().iter().position(|&b| b == SEP);
            let end = len.map_or(self.text.len(), |len| start + len);
            self.at = self.text.len().min(end + 1);
            if !matches!(&self.text[start..end], b"" | b".") {
                return Some(&self.text[start..end]);
            }
        }
        None
    }
}
