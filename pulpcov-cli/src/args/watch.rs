//! The arguments of `pulpcov watch`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use super::hook::DATA_ROOT_VARIABLE;
use super::time::time;
use super::{ConfigArgs, Mixed};

/// Report on a folder of data files again and again, while the processes that write them run
///
/// Nothing in the folder is changed, and no process is kept waiting. Only data files that changed are read
/// again. Ctrl-C ends it.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("outputs").required(true).multiple(true))]
pub(crate) struct WatchArgs {
    /// The folder with the data files: .coverage, and those that are named like it [default: the one that the
    /// hook writes into, or /srv/pulp_coverage]
    #[arg(value_name = "DIR", env = DATA_ROOT_VARIABLE)]
    pub(crate) folder: Option<PathBuf>,

    /// A Python with the hook: what it measures of `install --source` is shown, even if the users whose data
    /// files name it may not read it; may be given several times
    #[arg(long = "python", value_name = "PATH")]
    pub(crate) pythons: Vec<PathBuf>,

    /// Write the HTML report into this folder; open pages follow it
    #[arg(long, value_name = "OUT", group = "outputs")]
    pub(crate) html: Option<PathBuf>,

    /// Serve the HTML report, with the sources in it, at this address, which must be of this machine alone:
    /// 127.0.0.1:8765. The address to open is printed
    #[arg(long, value_name = "ADDRESS", requires = "html", value_parser = loopback)]
    pub(crate) serve: Option<SocketAddr>,

    /// Whether the address that is served has a secret part, which is printed: without one, every user of
    /// this machine can see the report [default: random for root, none for others]
    #[arg(long, value_name = "TOKEN", requires = "serve")]
    pub(crate) serve_token: Option<ServeToken>,

    /// Show this source, or all sources in this folder, even if the users whose data files name it may not
    /// read it; may be given several times
    #[arg(long, value_name = "PATH")]
    pub(crate) show_source: Vec<PathBuf>,

    /// Write the report as XML, in the format of Cobertura, to this file
    #[arg(long, value_name = "FILE", group = "outputs")]
    pub(crate) xml: Option<PathBuf>,

    /// The time between looks for changes, such as 200ms, 5s, 2m, 1h
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    pub(crate) interval: f64,

    /// Report on data with branches and data without together, reduced to lines
    #[arg(long, value_name = "HOW")]
    pub(crate) mixed: Option<Mixed>,

    /// Print nothing but warnings and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServeToken {
    /// A new one with every start.
    Random,
    /// None.
    None,
}

/// Parses a loopback address. Other machines must not reach the sources.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "write an address like 127.0.0.1:8765".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only a loopback address is served".to_owned())
    }
}
