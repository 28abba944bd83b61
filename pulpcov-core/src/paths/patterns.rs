//! Chooses files and modules: `include`, `omit`, `source`.

use std::borrow::Cow;

use globset::{Candidate, GlobSet, GlobSetBuilder};
use regex::Regex;

use super::chars::to_text;
use super::error::PatternError;
use super::glob::{GlobPattern, join_regex};
use super::pypath::SEP;
use super::pyregex::{self, Flags};
use super::working_folder::WorkingFolder;
use crate::error::Result;

/// The most patterns that are given to globset, which tries patterns like `*x*.py` one by one. With
/// 500 of them, a path takes 76 µs in globset and 0.2 µs in the one regular expression. With few
/// patterns, both are equally fast.
const GLOBSET_MOST: usize = 16;

/// Prepares `patterns` for [`GlobMatcher`]: coverage.py's `files.prep_patterns`.
///
/// Each pattern stays as it is. A pattern that does not start with `*` or `?` is followed by its
/// absolute form, because a relative path and an absolute path can name the same file.
///
/// # Examples
///
/// ```
/// use pulpcov_core::paths::{WorkingFolder, prep_patterns};
///
/// let cwd = WorkingFolder::new("/nonexistent/shop");
/// let prepared = prep_patterns(&cwd, ["*/tests/*", "setup.py"]);
/// assert_eq!(prepared, [&b"*/tests/*"[..], b"setup.py", b"/nonexistent/shop/setup.py"]);
/// ```
pub fn prep_patterns<P: AsRef<[u8]>>(
    cwd: &WorkingFolder,
    patterns: impl IntoIterator<Item = P>,
) -> Vec<Vec<u8>> {
    let mut prepared = Vec::new();
    for pattern in patterns {
        let pattern = pattern.as_ref();
        prepared.push(pattern.to_vec());
        if !pattern.starts_with(b"*") && !pattern.starts_with(b"?") {
            prepared.push(cwd.abs_file(pattern));
        }
    }
    prepared
}

/// Chooses files by patterns: coverage.py's `files.GlobMatcher` on a POSIX host.
///
/// A pattern without a slash matches a file name in any folder. Any other pattern must match the
/// whole path. Either kind of slash matches either kind, and case counts. Without patterns, only
/// the empty path matches.
///
/// # Examples
///
/// ```
/// use pulpcov_core::paths::GlobMatcher;
///
/// let tests = GlobMatcher::new(["*/tests/*", "test_*.py"])?;
/// assert!(tests.is_match(b"/srv/shop/tests/cart.py"));
/// assert!(tests.is_match(br"C:\shop\test_cart.py"));
/// assert!(!tests.is_match(b"/srv/shop/cart.py"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GlobMatcher {
    patterns: Vec<Vec<u8>>,
    regex: Regex,
    /// The same patterns for globset, if they are few and globset gives each the same meaning.
    globs: Option<GlobSet>,
}

impl GlobMatcher {
    /// Creates a matcher for files that match any of `patterns`.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Pattern`](crate::ErrorKind::Pattern) for `***`, `**` next to other
    /// characters, `**/**`, brackets that form no set, and patterns that are too large. The message
    /// is coverage.py's, where coverage.py has one.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::paths::GlobMatcher;
    ///
    /// assert!(GlobMatcher::new(["*/tests/*"])?.is_match(b"/srv/tests/cart.py"));
    /// let err = GlobMatcher::new(["**test.py"]).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::Pattern);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn new<P: AsRef<[u8]>>(patterns: impl IntoIterator<Item = P>) -> Result<Self> {
        let patterns: Vec<Vec<u8>> = patterns.into_iter().map(|p| p.as_ref().to_vec()).collect();
        let globs: Vec<GlobPattern> =
            patterns.iter().map(|p| GlobPattern::new(&to_text(p))).collect::<Result<_, _>>()?;
        let regex = pyregex::compile(&join_regex(&globs), Flags::default())?;
        let globs = if patterns.iter().all(|p| std::str::from_utf8(p).is_ok()) {
            glob_set(&globs)?
        } else {
            None
        };
        Ok(Self { patterns, regex, globs })
    }

    /// Returns the patterns as they were given.
    pub fn patterns(&self) -> &[Vec<u8>] {
        &self.patterns
    }

    /// Returns whether `path` matches one of the patterns.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::GlobMatcher;
    ///
    /// let matcher = GlobMatcher::new(["src/*.py", "conftest.py"])?;
    /// assert!(matcher.is_match(b"src/cart.py"));
    /// assert!(!matcher.is_match(b"src/shop/cart.py"));
    /// assert!(matcher.is_match(b"/srv/tests/conftest.py"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn is_match(&self, path: &[u8]) -> bool {
        match &self.globs {
            Some(globs) if suits_globset(path) => {
                globs.is_match_candidate(&Candidate::from_bytes(&forward_slashes(path)))
            }
            _ => self.is_match_by_regex(path),
        }
    }

    pub(super) fn is_match_by_regex(&self, path: &[u8]) -> bool {
        self.regex.is_match(&to_text(path))
    }

    #[cfg(test)]
    pub(super) fn uses_globset(&self) -> bool {
        self.globs.is_some()
    }
}

fn glob_set(globs: &[GlobPattern]) -> Result<Option<GlobSet>, PatternError> {
    let mut set = GlobSetBuilder::new();
    if globs.is_empty() || globs.len() > GLOBSET_MOST {
        return Ok(None);
    }
    for glob in globs {
        let Some(glob) = glob.to_globset() else { return Ok(None) };
        set.add(glob);
    }
    set.build().map(Some).map_err(PatternError::GlobSet)
}

/// Returns whether globset and coverage.py agree on `path`. coverage.py's "any folders" stops at a
/// newline, and globset does not take `..` for a name.
fn suits_globset(path: &[u8]) -> bool {
    !path.contains(&b'\n') && !path.ends_with(b"..")
}

fn forward_slashes(path: &[u8]) -> Cow<'_, [u8]> {
    if !path.contains(&b'\\') {
        return Cow::Borrowed(path);
    }
    Cow::Owned(path.iter().map(|&b| if b == b'\\' { b'/' } else { b }).collect())
}

/// Chooses files by the folders they are in: coverage.py's `files.TreeMatcher`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::paths::{TreeMatcher, WorkingFolder};
///
/// let trees = TreeMatcher::new(WorkingFolder::new("/nonexistent"), ["src", "tools/build.py"]);
/// assert!(trees.is_match(b"/nonexistent/src/shop/cart.py"));
/// assert!(trees.is_match(b"tools/build.py"));
/// assert!(!trees.is_match(b"/nonexistent/src2/cart.py"));
/// ```
#[derive(Debug, Clone)]
pub struct TreeMatcher {
    cwd: WorkingFolder,
    paths: Vec<Vec<u8>>,
}

impl TreeMatcher {
    /// Creates a matcher for `paths`: a file, or a folder with everything below it.
    ///
    /// Relative paths start at `cwd`. Symlinks are resolved.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::{TreeMatcher, WorkingFolder};
    ///
    /// let trees = TreeMatcher::new(WorkingFolder::new("/nonexistent"), ["src", "/nonexistent/./lib/"]);
    /// assert_eq!(trees.paths(), [&b"/nonexistent/src"[..], b"/nonexistent/lib"]);
    /// ```
    pub fn new<P: AsRef<[u8]>>(cwd: WorkingFolder, paths: impl IntoIterator<Item = P>) -> Self {
        let paths = paths.into_iter().map(|path| cwd.abs_file(path.as_ref())).collect();
        Self { cwd, paths }
    }

    /// Returns the files and folders as absolute paths.
    pub fn paths(&self) -> &[Vec<u8>] {
        &self.paths
    }

    /// Returns whether `path` is one of the files, or is in one of the folders.
    ///
    /// As in coverage.py, the root folder `/` matches only itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::{TreeMatcher, WorkingFolder};
    ///
    /// let trees = TreeMatcher::new(WorkingFolder::new("/nonexistent"), ["src"]);
    /// assert!(trees.is_match(b"/nonexistent/src/shop/cart.py"));
    /// assert!(!trees.is_match(b"/nonexistent/src2/cart.py"));
    /// ```
    pub fn is_match(&self, path: &[u8]) -> bool {
        let path = self.cwd.abs_file(path);
        self.paths.iter().any(|tree| is_at_or_below(&path, tree, SEP))
    }
}

/// Chooses modules by the packages they are in: coverage.py's `files.ModuleMatcher`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::paths::ModuleMatcher;
///
/// let modules = ModuleMatcher::new(["shop", "tools.build"]);
/// assert!(modules.is_match("shop.cart"));
/// assert!(!modules.is_match("tools"));
/// assert!(!modules.is_match("shopping"));
/// ```
#[derive(Debug, Clone)]
pub struct ModuleMatcher {
    modules: Vec<String>,
}

impl ModuleMatcher {
    /// Creates a matcher for `modules`, and for the modules inside those that are packages.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::ModuleMatcher;
    ///
    /// let modules = ModuleMatcher::new(["shop", "tools.build"]);
    /// assert_eq!(modules.modules(), ["shop", "tools.build"]);
    /// ```
    pub fn new<M: Into<String>>(modules: impl IntoIterator<Item = M>) -> Self {
        Self { modules: modules.into_iter().map(Into::into).collect() }
    }

    /// Returns the modules as they were given.
    pub fn modules(&self) -> &[String] {
        &self.modules
    }

    /// Returns whether `module` is one of the modules, or is in one of the packages.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::paths::ModuleMatcher;
    ///
    /// let modules = ModuleMatcher::new(["shop.cart"]);
    /// assert!(modules.is_match("shop.cart.total"));
    /// assert!(!modules.is_match("shop"));
    /// assert!(!modules.is_match("shop.carts"));
    /// ```
    pub fn is_match(&self, module: &str) -> bool {
        let module = module.as_bytes();
        !module.is_empty()
            && self.modules.iter().any(|package| is_at_or_below(module, package.as_bytes(), b'.'))
    }
}

fn is_at_or_below(name: &[u8], root: &[u8], separator: u8) -> bool {
    match name.strip_prefix(root) {
        Some([]) => true,
        Some([next, ..]) => *next == separator,
        None => false,
    }
}
