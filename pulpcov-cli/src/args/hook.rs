//! The arguments of `pulpcov hook`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use nix::unistd::User;

use super::time::time;
use super::{ConfigArgs, Mixed};

/// Measure every process of a Python, whatever starts it and however it ends
///
/// Installs a module that starts coverage.py: in web workers, Celery's prefork pool, subprocesses.
/// It saves every few seconds, so that a process may be killed, or never end.
#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    Install(InstallArgs),
    Uninstall(UninstallArgs),
    Status(StatusArgs),
    Report(HookReportArgs),
}

/// The default data root: the folder that processes write their data files into.
pub(crate) const DATA_ROOT: &str = "/srv/pulp_coverage";

/// The environment variable that names another data root, for the command and for the processes.
pub(super) const DATA_ROOT_VARIABLE: &str = "PULP_COVERAGE_ROOT";

/// The Python to use if none is named.
pub(crate) const DEFAULT_PYTHON: &str = "python3";

/// The Pythons that a command is about.
#[derive(Args, Debug)]
pub(crate) struct PythonArgs {
    /// The Python, as a path or a name to look up; may be given several times [default: python3]
    #[arg(long = "python", value_name = "PATH")]
    pub(crate) pythons: Vec<PathBuf>,
}

impl PythonArgs {
    /// Returns the Pythons that were named, or else [`DEFAULT_PYTHON`].
    pub(crate) fn or_default(&self) -> Vec<PathBuf> {
        if self.pythons.is_empty() { vec![DEFAULT_PYTHON.into()] } else { self.pythons.clone() }
    }
}

/// Write the hook into a Python's site-packages
///
/// Processes that are started afterwards are measured: restart the services. Installing again changes the
/// settings.
#[derive(Args, Debug)]
pub(crate) struct InstallArgs {
    #[command(flatten)]
    pub(crate) python: PythonArgs,

    /// The folder that all processes write their data files into
    #[arg(
        long,
        value_name = "DIR",
        env = DATA_ROOT_VARIABLE,
        default_value = DATA_ROOT
    )]
    pub(crate) data_root: PathBuf,

    /// Measure these packages, and the files below these folders, which have a `/`; may be given several
    /// times [default: all but the standard library and installed packages]
    #[arg(long, value_name = "PKG1,DIR2,...", value_delimiter = ',')]
    pub(crate) source: Vec<String>,

    /// Measure branches too
    #[arg(long)]
    pub(crate) branch: bool,

    /// The context that all rows are recorded in
    #[arg(long, value_name = "LABEL")]
    pub(crate) context: Option<String>,

    /// How often a process saves, such as 200ms, 5s, 2m, 1h: what it recorded since is lost if it is killed
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    pub(crate) flush_interval: f64,

    /// The signal on which a process saves at once, unless it uses that itself; `none` is no signal
    #[arg(long, value_name = "SIGNAL", default_value = "USR1", value_parser = ["USR1", "USR2", "HUP", "none"])]
    pub(crate) flush_signal: String,

    /// A configuration file of coverage.py, for `omit`, `plugins` and the like
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// A WSGI script, run by a server that does not read site-packages' .pth files, to import the hook in;
    /// may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) wsgi: Vec<PathBuf>,

    /// Measure processes of this user only, by name or number; may be given several times
    #[arg(long, value_name = "USER", value_parser = user)]
    pub(crate) user_only: Vec<u32>,
}

/// Remove exactly what install wrote
///
/// Nothing is removed if a file was changed by someone else. Processes that are measured go on, and write
/// data files, until they end: restart the services before you purge.
#[derive(Args, Debug)]
pub(crate) struct UninstallArgs {
    #[command(flatten)]
    pub(crate) python: PythonArgs,

    /// Remove the data files too, and the folder if nothing else is in it; what cannot be removed is named.
    /// This works after the hook was uninstalled, too
    #[arg(long)]
    pub(crate) purge_data: bool,

    /// The folder to purge [default: the one that the hook writes into, or /srv/pulp_coverage if it is not
    /// installed]
    #[arg(long, value_name = "DIR", env = DATA_ROOT_VARIABLE)]
    pub(crate) data_root: Option<PathBuf>,
}

/// Say where the hook is installed, and which processes it measures
#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) python: PythonArgs,

    /// The folder with the data files [default: the one that the hook writes into]
    #[arg(long, value_name = "DIR", env = DATA_ROOT_VARIABLE)]
    pub(crate) data_root: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Combine what was measured, and report on it: a table, and html/ and coverage.xml in a folder
#[derive(Args, Debug)]
pub(crate) struct HookReportArgs {
    /// The folder to write to. The combined data is its .coverage, and is added to if it is there: a new
    /// folder starts with no data
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,

    /// Delete the data files that were combined
    #[arg(long)]
    pub(crate) erase: bool,

    /// The folder with the data files [default: the one that the hook writes into, or /srv/pulp_coverage]
    #[arg(long, value_name = "DIR", env = DATA_ROOT_VARIABLE)]
    pub(crate) data_root: Option<PathBuf>,

    /// Combine data with branches and data without, reduced to lines
    #[arg(long, value_name = "HOW")]
    pub(crate) mixed: Option<Mixed>,

    /// A Python with the hook: what it measures of `install --source` is shown, even if the users whose data
    /// files name it may not read it; may be given several times
    #[arg(long = "python", value_name = "PATH")]
    pub(crate) pythons: Vec<PathBuf>,

    /// Show this source, or all sources in this folder, even if the users whose data files name it may not
    /// read it; may be given several times
    #[arg(long, value_name = "PATH")]
    pub(crate) show_source: Vec<PathBuf>,

    /// Exit with 0 even if data files or sources were left out, and name each source
    #[arg(short, long)]
    pub(crate) ignore_errors: bool,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// Parses a user's number or name.
fn user(text: &str) -> Result<u32, String> {
    let named = || User::from_name(text).ok().flatten().map(|user| user.uid.as_raw());
    text.parse()
        .ok()
        .or_else(named)
        .ok_or_else(|| "there is no such user on this machine: write a name or a number".to_owned())
}
