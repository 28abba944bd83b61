//! The path of a measured source file.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::stored_text::{NotText, StoredText};
use crate::error::{Error, Result};
use crate::text::printable;

/// The path of a source file, as given in a data file.
///
/// The path is UTF-8 without NUL, because coverage.py cannot store or read any other text. It may come from
/// another machine and another operating system (`C:\app\views.py`), so it may not name a file on this
/// machine. [`Display`](fmt::Display) replaces characters that are not printable. Clones share the text.
///
/// # Examples
///
/// ```
/// use pulpcov_core::{ErrorKind, FilePath};
///
/// let path = FilePath::try_from(r"C:\app\views.py")?;
/// assert_eq!(path.as_str(), r"C:\app\views.py");
///
/// let err = FilePath::try_from(&b"caf\xe9.py"[..]).unwrap_err();
/// assert_eq!(err.kind(), ErrorKind::NotRepresentable);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Arc<str>);

impl FilePath {
    /// Returns the path as text.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::FilePath;
    ///
    /// let path = FilePath::try_from("app/\u{1b}views.py")?;
    /// assert_eq!(path.as_str(), "app/\u{1b}views.py");
    /// // Display is for terminals.
    /// assert_ne!(path.to_string(), path.as_str());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(crate) fn as_stored(&self) -> StoredText<'_> {
        StoredText::from_checked(&self.0)
    }
}

impl From<StoredText<'_>> for FilePath {
    fn from(path: StoredText<'_>) -> Self {
        Self(path.as_str().into())
    }
}

/// Returns [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if the path contains a NUL.
impl TryFrom<&str> for FilePath {
    type Error = Error;

    fn try_from(path: &str) -> Result<Self> {
        Self::try_from(path.as_bytes())
    }
}

/// Returns [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if the path contains a NUL.
impl TryFrom<String> for FilePath {
    type Error = Error;

    fn try_from(path: String) -> Result<Self> {
        Self::try_from(path.as_bytes())
    }
}

/// Returns [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if the path is not UTF-8 or
/// contains a NUL.
impl TryFrom<&[u8]> for FilePath {
    type Error = Error;

    fn try_from(path: &[u8]) -> Result<Self> {
        let refusing = |why: NotText| why.refusing("path", path);
        StoredText::of_bytes(path).map(Self::from).map_err(refusing)
    }
}

impl AsRef<str> for FilePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Lets a map with `FilePath` keys be searched by `&str`: both types have the same order and the same hash.
impl Borrow<str> for FilePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A list of paths in one string. Most paths are only looked up, so they need no allocation of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathList {
    text: String,
    ends: Vec<usize>,
}

impl PathList {
    pub(crate) fn push(&mut self, path: StoredText<'_>) {
        self.text.push_str(path.as_str());
        self.ends.push(self.text.len());
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = StoredText<'_>> {
        (0..self.ends.len()).map(|at| {
            let start = at.checked_sub(1).and_then(|before| self.ends.get(before));
            let end = self.ends.get(at).copied().unwrap_or_default();
            let path = self.text.get(start.copied().unwrap_or_default()..end);
            StoredText::from_checked(path.unwrap_or_default())
        })
    }
}
