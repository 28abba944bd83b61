//! The path of a measured source file.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

use crate::text::printable;

/// The path of a source file, as its data file has it.
///
/// It may come from another machine and another operating system (`C:\app\views.py`)
/// and need not be UTF-8, so it is bytes, and never touched as a local path unasked.
/// Displaying it replaces what is not printable. A clone shares the bytes.
///
/// # Examples
///
/// ```
/// use pulpcov_core::FilePath;
///
/// let path = FilePath::from(r"C:\app\views.py");
/// assert_eq!(path.as_bytes(), br"C:\app\views.py");
/// assert_eq!(FilePath::from(b"caf\xe9.py".to_vec()).to_string(), "caf\u{fffd}.py");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Arc<[u8]>);

impl FilePath {
    /// The path's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as text; bytes that are not UTF-8 are replaced.
    pub fn to_str_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

/// Paths, one behind the other: most are looked up, and never needed by themselves.
#[cfg(any(feature = "json", feature = "sqlite"))]
#[derive(Clone, Debug, Default)]
pub(crate) struct PathList {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

#[cfg(any(feature = "json", feature = "sqlite"))]
impl PathList {
    pub(crate) fn push(&mut self, path: &[u8]) {
        self.bytes.extend_from_slice(path);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.ends.len()).map(|at| {
            let start = at.checked_sub(1).and_then(|before| self.ends.get(before));
            let end = self.ends.get(at).copied().unwrap_or_default();
            self.bytes.get(start.copied().unwrap_or_default()..end).unwrap_or_default()
        })
    }
}

impl From<&str> for FilePath {
    fn from(path: &str) -> Self {
        Self(path.as_bytes().into())
    }
}

impl From<String> for FilePath {
    fn from(path: String) -> Self {
        path.into_bytes().into()
    }
}

impl From<&[u8]> for FilePath {
    fn from(path: &[u8]) -> Self {
        Self(path.into())
    }
}

impl From<Vec<u8>> for FilePath {
    fn from(path: Vec<u8>) -> Self {
        Self(path.into())
    }
}

impl AsRef<[u8]> for FilePath {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps keyed by `FilePath` can be asked by bytes: both order and hash alike.
impl Borrow<[u8]> for FilePath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.to_str_lossy()))
    }
}

impl fmt::Debug for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_str_lossy())
    }
}
