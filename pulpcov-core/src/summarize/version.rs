//! Which Python's compiler decides what is a statement.

use std::str::FromStr;

use crate::python::PythonVersion;
use crate::{CoverageData, Error, Result};

/// The Python version whose facts a summary uses.
///
/// # Examples
///
/// ```
/// use pulpcov_core::python::PythonVersion;
/// use pulpcov_core::summarize::PythonChoice;
///
/// assert_eq!("3.13".parse::<PythonChoice>()?, PythonChoice::Fixed(PythonVersion::Py313));
/// assert_eq!("auto".parse::<PythonChoice>()?, PythonChoice::Auto);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PythonChoice {
    /// Whichever version the data suits.
    #[default]
    Auto,
    /// This version.
    Fixed(PythonVersion),
}

impl PythonChoice {
    /// The version to use for `data`. 3.11, 3.12 and 3.13 agree on statements, and most code has
    /// the same ones in 3.14.
    pub(super) fn decide(self, _data: &CoverageData) -> PythonVersion {
        match self {
            Self::Auto => PythonVersion::Py311,
            Self::Fixed(version) => version,
        }
    }
}

impl FromStr for PythonChoice {
    type Err = Error;

    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for anything but `auto` or a
    /// [`PythonVersion`].
    fn from_str(text: &str) -> Result<Self> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Fixed) }
    }
}
