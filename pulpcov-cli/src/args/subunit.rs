//! The arguments of `pulpcov subunit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ConfigArgs, maybe_empty};

/// Attach data files to subunit streams, the results of test runners, and take them out
///
/// A data file travels with the results of tests, from any machine: as an attachment, in packets of 1 MiB.
#[derive(Debug, Subcommand)]
pub(crate) enum SubunitCommand {
    Filter(FilterArgs),
    Ls(LsArgs),
    Pack(PackArgs),
}

/// Take the data files out of a stream, and pass on the rest
///
/// All other bytes go to standard output as soon as they come. So it can stand before `stestr load` or `testr load`, which
/// lose attachments outside of tests. Data files are told by their content. Only streams of version 2 are filtered.
#[derive(Args, Debug)]
#[command(after_help = FILTER_EXIT_CODES)]
pub(crate) struct FilterArgs {
    /// The stream; `-` is standard input
    #[arg(value_name = "STREAM", default_value = "-")]
    pub(crate) stream: PathBuf,

    /// Write the data files into this folder, named like the data file, with the route as the host
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,

    /// What the names of the data files begin with [default: .coverage]
    #[arg(long, value_name = "FILE", value_parser = maybe_empty())]
    pub(crate) data_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// List the files in streams
///
/// One line a file: what it is, its size in bytes, its name, its test and its route. Streams of both versions are read, such as
/// those that stestr and testrepository keep.
#[derive(Args, Debug)]
pub(crate) struct LsArgs {
    /// The streams; `-` is standard input
    #[arg(value_name = "STREAM", default_value = "-")]
    pub(crate) streams: Vec<PathBuf>,
}

/// Write data files as packets of a stream
///
/// The packets go to standard output, and can be appended to any stream of version 2.
#[derive(Args, Debug)]
#[command(after_help = PACK_EXIT_CODES)]
pub(crate) struct PackArgs {
    /// Data files, and folders with data files [default: the data file, and the files that are named like it]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// The test that the data files are attached to
    #[arg(long, value_name = "ID")]
    pub(crate) test_id: Option<String>,

    /// The route of the packets, such as the name of the machine
    #[arg(long, value_name = "ROUTE")]
    pub(crate) route: Option<String>,

    /// Take the files that are named like this one [default: .coverage]
    #[arg(long, value_name = "FILE", value_parser = maybe_empty())]
    pub(crate) data_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

const FILTER_EXIT_CODES: &str = "\
Exit codes:
  0  the whole stream is passed on
  1  an error or wrong usage
  3  data files are not complete in the stream; a warning names each";

const PACK_EXIT_CODES: &str = "\
Exit codes:
  0  all data files are packed
  1  an error or wrong usage, or there is no data file
  3  some files were left out; a warning names each";
