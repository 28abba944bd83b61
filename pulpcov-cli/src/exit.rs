//! How the command ends.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use pulpcov_core::text::printable;
use pulpcov_core::{ErrorKind, Position};

/// The command's exit codes.
///
/// 0 to 2 mean what they mean for coverage.py.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// All was done: 0.
    Success,
    /// Something stopped the command; what it would have changed is as it was: 1.
    Error,
    /// The arguments are wrong; nothing was done: 1.
    Usage,
    /// A report was made, and its total is less than `--fail-under` or the setting asks for: 2.
    FailUnder,
    /// Combined, but inputs were left out: they are damaged or no data files, were named in
    /// warnings, and are still there. Or a report was made without sources that are withheld. `--ignore-errors` makes this 0. Or purged, but something had
    /// to stay, and was named. The code is 3.
    LeftOut,
}

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error | Self::Usage => 1,
            Self::FailUnder => 2,
            Self::LeftOut => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The work could not be done.
    Core(pulpcov_core::Error),
    /// Something could not be read. The error names it.
    Input(io::Error),
    /// The output could not be written.
    Output(io::Error),
    /// What was asked for cannot be; the sentence says why, and what to do.
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(err) if err.kind() == ErrorKind::Config => write_config_error(f, err),
            Self::Core(err) if err.kind() == ErrorKind::MixedData => {
                write!(f, "{err}\nUse --mixed=lines to combine them as line data.")
            }
            Self::Core(err) => err.fmt(f),
            Self::Input(err) => err.fmt(f),
            Self::Output(err) => write!(f, "cannot write the output: {err}"),
            Self::Refused(why) => f.write_str(why),
        }
    }
}

/// coverage.py's sentence about the configuration, and the file and the place where that does not name them.
fn write_config_error(f: &mut fmt::Formatter<'_>, err: &pulpcov_core::Error) -> fmt::Result {
    let reason = err.reason();
    let file = err.path().map(|path| printable(&path.to_string_lossy()).into_owned());
    let place = match err.position() {
        Some(place @ Position::Option { .. }) => Some(place.to_string()),
        // Errors of syntax say the line themselves.
        _ => None,
    };
    // coverage.py's sentences that name the file begin so.
    let names_file = reason.starts_with("Couldn't read ");
    let missing: Vec<_> = file.filter(|_| !names_file).into_iter().chain(place).collect();
    f.write_str(&reason)?;
    if missing.is_empty() { Ok(()) } else { write!(f, " ({})", missing.join(", ")) }
}

impl Failure {
    /// A failure to read a file or a folder.
    pub(crate) fn reading(path: &Path, err: &io::Error) -> Self {
        Self::Input(io::Error::new(err.kind(), format!("{}: {err}", path.display())))
    }
}

impl From<pulpcov_core::Error> for Failure {
    fn from(err: pulpcov_core::Error) -> Self {
        match err.kind() {
            ErrorKind::Output => {
                let kind = err.io_kind().unwrap_or(io::ErrorKind::Other);
                Self::Output(io::Error::new(kind, err.to_string()))
            }
            _ => Self::Core(err),
        }
    }
}
