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
    /// Python 3.15: imports can be lazy, comprehensions can unpack.
    Py315,
}

impl PythonVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 5] = [Self::Py311, Self::Py312, Self::Py313, Self::Py314, Self::Py315];

    /// The newest version.
    pub const NEWEST: Self = Self::Py315;

    /// The version as Python writes it, `3.11`.
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

    /// A Python that is newer than all of [`ALL`](Self::ALL) is taken for the [newest](Self::NEWEST) of them: most versions
    /// agree on most code.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for anything else.
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
