//! `pulpcov watch`

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{ConfigArgs, seconds};

/// Report on a folder of data files again and again, while the processes that write them run
///
/// Nothing in the folder is changed, and no process is kept waiting. Only data files that changed are read again. Ctrl-C ends it.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("outputs").required(true).multiple(true))]
pub(crate) struct WatchArgs {
    /// The folder with the data files: .coverage, and those that are named like it
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,

    /// Write the report as XML, in the format of Cobertura, to this file
    #[arg(long, value_name = "FILE", group = "outputs")]
    pub(crate) xml: Option<PathBuf>,

    /// How often to look for changes
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = seconds)]
    pub(crate) interval: f64,

    /// Print nothing but warnings and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}
