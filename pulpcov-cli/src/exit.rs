//! Exit codes of the command, and the reasons why a command fails.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use pulpcov_core::text::printable;
use pulpcov_core::{ErrorKind, Position};

/// The command's exit codes.
///
/// The codes 0 to 2 mean what they mean for coverage.py.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// The command did everything: 0.
    Success,
    /// An error stopped the command, and what it would have changed is unchanged: 1.
    Error,
    /// The arguments are wrong, and the command did nothing: 1.
    Usage,
    /// The report was written, but its total is less than `--fail-under` or the setting `fail_under` asks
    /// for: 2. For `patch`, also if more is missing than `--max-missing` allows, or a changed file was not measured. For
    /// `gate`, if a file or the files of a rule are below a floor, or a file of the ratchet was not measured.
    FailUnder,
    /// The command finished, but something was left out or could not be removed: 3.
    ///
    /// A combine left out inputs that are damaged or are not data files; warnings name them, and they are
    /// kept. A report was written without sources that are withheld or missing. A purge could not remove
    /// everything; warnings name what stays. With `--ignore-errors`, `combine` and `hook report` end with 0
    /// all the same.
    LeftOut,
    /// The data were measured on another version of the source, so nothing can be said of single lines: 4.
    OtherVersion,
    /// No test is selected: 5, as pytest's own code for no tests. pytest runs all tests if it is given none, so this is no
    /// success.
    NothingSelected,
}

impl Exit {
    /// Returns the exit code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error | Self::Usage => 1,
            Self::FailUnder => 2,
            Self::LeftOut => 3,
            Self::OtherVersion => 4,
            Self::NothingSelected => 5,
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
    /// An error of [`pulpcov_core`].
    Core(pulpcov_core::Error),
    /// An input could not be read. The error names it.
    Input(io::Error),
    /// The output could not be written.
    Output(io::Error),
    /// The request was refused. The text says why, and what to do.
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

/// Writes coverage.py's message about the configuration.
///
/// The file and the place are appended if the message does not name them.
fn write_config_error(f: &mut fmt::Formatter<'_>, err: &pulpcov_core::Error) -> fmt::Result {
    let reason = err.reason();
    let file = err.path().map(|path| printable(&path.to_string_lossy()).into_owned());
    let place = match err.position() {
        Some(place @ Position::Option { .. }) => Some(place.to_string()),
        // The message of a syntax error names the line itself.
        _ => None,
    };
    // coverage.py's messages that name the file begin like this.
    let names_file = reason.starts_with("Couldn't read ");
    let missing: Vec<_> = file.filter(|_| !names_file).into_iter().chain(place).collect();
    f.write_str(&reason)?;
    if missing.is_empty() { Ok(()) } else { write!(f, " ({})", missing.join(", ")) }
}

impl Failure {
    /// Creates the failure for a file or a folder that cannot be read.
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
