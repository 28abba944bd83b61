//! The versions of Python that this crate models.

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind};

/// A version of CPython, whose compiler decides which lines are statements.
///
/// coverage.py asks the compiler of the Python that it runs on. This crate models the compilers of
/// these versions.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::PythonVersion;
///
/// let version: PythonVersion = "3.12".parse()?;
/// assert!(version > PythonVersion::Py311);
/// assert_eq!(version.to_string(), "3.12");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PythonVersion {
    /// Python 3.11.
    Py311,
    /// Python 3.12: comprehensions are inlined, and f-strings are part of the grammar.
    Py312,
    /// Python 3.13.
    Py313,
    /// Python 3.14: annotations are deferred, and t-strings exist.
    Py314,
    /// Python 3.15: imports can be lazy, and comprehensions can unpack.
    Py315,
}

impl PythonVersion {
    /// All versions, oldest first.
    pub const ALL: [Self; 5] = [Self::Py311, Self::Py312, Self::Py313, Self::Py314, Self::Py315];

    /// The newest version.
    pub const NEWEST: Self = Self::Py315;

    /// Returns the version as Python writes it, such as `3.11`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Py311 => "3.11",
            Self::Py312 => "3.12",
            Self::Py313 => "3.13",
            Self::Py314 => "3.14",
            Self::Py315 => "3.15",
        }
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PythonVersion {
    type Err = Error;

    /// Parses a version. One that is newer than [`ALL`](Self::ALL) becomes the
    /// [newest](Self::NEWEST), because most versions agree on most code.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Config`] for any other text.
    fn from_str(text: &str) -> Result<Self, Error> {
        let minor = text.strip_prefix("3.").and_then(|minor| minor.parse::<u32>().ok());
        if minor.is_some_and(|minor| minor > 15) {
            return Ok(Self::NEWEST);
        }
        Self::ALL.into_iter().find(|version| version.as_str() == text).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("unknown Python version {text:?}, expected 3.11 to {}", Self::NEWEST),
            )
        })
    }
}
