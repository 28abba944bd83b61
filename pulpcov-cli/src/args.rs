//! The arguments, as clap parses them. Names are coverage.py's wherever it has the option.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0  all was done
  1  an error; what the command would have changed is as it was
  2  wrong usage
  3  combined, but inputs were left out: named in warnings, and kept

Settings are read from .coveragerc, .coveragerc.toml, setup.cfg, tox.ini or pyproject.toml,
as coverage.py does. COVERAGE_FILE and COVERAGE_RCFILE are honoured.";

/// Combine and inspect coverage.py data files, without Python.
#[derive(Debug, Parser)]
#[command(name = "pulpcov", version, styles = STYLES, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Combine(CombineArgs),
    Convert(ConvertArgs),
    #[command(subcommand)]
    Debug(DebugCommand),
    Erase(EraseArgs),
}

/// Options that every command has.
#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    /// The configuration file, instead of looking for one; an empty name reads none
    #[arg(long, value_name = "RCFILE")]
    pub(crate) rcfile: Option<String>,
}

/// Combine parallel data files into one
///
/// Reads the data files of every coverage.py since 4.0, applies the [paths] aliases, and
/// writes one data file that coverage.py 7 reads. Inputs are deleted once their data is
/// safely on disk. An input that cannot be read is named and kept, and the rest is combined.
#[derive(Args, Debug)]
pub(crate) struct CombineArgs {
    /// Folders with data files, or data files by name; by default the data file's folder
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Add to the data file instead of replacing it
    #[arg(short, long)]
    pub(crate) append: bool,

    /// Write to this data file, and combine the files that are named like it [default: .coverage]
    #[arg(long, value_name = "FILE")]
    pub(crate) data_file: Option<PathBuf>,

    /// Merge all contexts into one, which makes the data much smaller
    #[arg(long)]
    pub(crate) drop_contexts: bool,

    /// Exit with 0 even if inputs were left out
    #[arg(short, long)]
    pub(crate) ignore_errors: bool,

    /// Keep the inputs instead of deleting them
    #[arg(long)]
    pub(crate) keep: bool,

    /// Combine line data and branch data together, reduced to lines
    #[arg(long, value_name = "HOW")]
    pub(crate) mixed: Option<Mixed>,

    /// Print nothing but warnings and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Say more: `combine` names each input, `pathmap` explains each alias
    #[arg(long, value_name = "TOPICS", value_delimiter = ',')]
    pub(crate) debug: Vec<String>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mixed {
    /// The combined file holds lines.
    Lines,
}

/// Write a data file in another format
///
/// The 4.x JSON format has no contexts: data with contexts needs --drop-contexts.
#[derive(Args, Debug)]
pub(crate) struct ConvertArgs {
    /// The format to write
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: Format,

    /// The data file to read, of any format
    #[arg(value_name = "FROM")]
    pub(crate) from: PathBuf,

    /// The file to write, which must not exist yet
    #[arg(value_name = "INTO")]
    pub(crate) into: PathBuf,

    /// Merge all contexts into one
    #[arg(long)]
    pub(crate) drop_contexts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// JSON of coverage.py 4.x
    Json,
    /// SQLite, schema 7: coverage.py 5.0 and later
    Sqlite,
}

/// Show what is in data files, which settings are in force, what source is made of
#[derive(Debug, Subcommand)]
pub(crate) enum DebugCommand {
    /// Print what is known about Python source files, one JSON object a line
    Analyze(AnalyzeArgs),
    /// Show the settings in force and where they are from
    Config(ConfigArgs),
    /// Summarize data files and the parallel files beside them
    Data(DebugDataArgs),
}

#[derive(Args, Debug)]
pub(crate) struct AnalyzeArgs {
    /// Source files, and folders whose .py files are taken
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,

    /// The Python whose compiler decides what is a statement
    #[arg(long, value_name = "VERSION", default_value = "3.11", value_parser = ["3.11", "3.12", "3.13", "3.14"])]
    pub(crate) python_version: String,

    /// The folder that paths are printed relative to [default: the folder that was named]
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct DebugDataArgs {
    /// The data files [default: .coverage]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// Erase the data file, and with `parallel = true` the parallel files beside it
#[derive(Args, Debug)]
pub(crate) struct EraseArgs {
    /// The data file [default: .coverage]
    #[arg(long, value_name = "FILE")]
    pub(crate) data_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}
