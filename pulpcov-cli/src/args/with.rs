//! What other tools measured, in a report.

use std::path::PathBuf;

use clap::Args;

/// Reports of other tools.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct WithArgs {
    /// Add what other tools measured, such as C extensions and JavaScript: tracefiles of lcov, XML in the format of Cobertura, JSON
    /// of llvm-cov and others. A file that the data has takes the lines that ran. The others are shown by language, each with a total of its own
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) with: Vec<PathBuf>,

    /// Remove this many folders from the front of each name in the reports of --with
    #[arg(long, value_name = "N", requires = "with")]
    pub(crate) strip: Option<usize>,
}

/// Whether the total is that of all languages.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct OneTotalArgs {
    /// Let the total be that of all languages, for --fail-under too [default: that of the data]
    #[arg(long, requires = "with")]
    pub(crate) one_total: bool,
}
