use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind};

/// A version of CPython whose compiler decides which lines are statements.
///
/// coverage.py asks the interpreter that it runs on; pulpcov models these.
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
    /// Python 3.12: comprehensions are inlined, f-strings are part of the grammar.
    Py312,
    /// Python 3.13.
    Py313,
    /// Python 3.14: annotations are deferred, t-strings exist.
    Py314,
}

impl PythonVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 4] = [Self::Py311, Self::Py312, Self::Py313, Self::Py314];

    /// The version as Python writes it, `3.11`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Py311 => "3.11",
            Self::Py312 => "3.12",
            Self::Py313 => "3.13",
            Self::Py314 => "3.14",
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

    /// # Errors
    ///
    /// [`ErrorKind::Config`] for anything but one of the versions in [`ALL`](Self::ALL).
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|version| version.as_str() == text).ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!("unknown Python version {text:?}, expected 3.11 to 3.14"),
            )
        })
    }
}
