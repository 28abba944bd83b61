//! `pulpcov merge`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ConfigArgs;

/// Merge reports of other tools: tracefiles of lcov, XML in the format of Cobertura, and JSON
///
/// JSON is that of coverage.py, slipcover and llvm-cov, and Codecov's own. Lines and functions are united, and counts are added.
/// Branches are only added to the same branches. [paths] maps the names of files. Reports that cannot be read are left out and named.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct MergeArgs {
    /// The reports
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The file to write; `-` is standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: String,

    /// The format to write
    #[arg(long, value_name = "FORMAT", default_value = "lcov")]
    pub(crate) format: MergeFormat,

    /// Keep only files whose paths match one of these patterns
    #[arg(long, value_name = "PAT1,PAT2,...")]
    pub(crate) include: Option<String>,

    /// Leave out files whose paths match one of these patterns
    #[arg(long, value_name = "PAT1,PAT2,...")]
    pub(crate) omit: Option<String>,

    /// Remove this many folders from the front of each name
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) strip: usize,

    /// Do not fail because of reports that cannot be read
    #[arg(short, long)]
    pub(crate) ignore_errors: bool,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// What `merge` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MergeFormat {
    /// A tracefile of lcov
    Lcov,
    /// XML in the format of Cobertura
    Cobertura,
    /// coverage.py's JSON report, which says of a line only whether it ran
    Json,
    /// Codecov's own JSON
    Codecov,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the reports are merged
  1  an error or wrong usage, or no report could be read
  3  some reports were left out; a warning names each";
