//! The arguments of `pulpcov gate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ReportingArgs, WithArgs};

const HELP: &str = "\
Settings, in pyproject.toml:
  [tool.pulpcov.gate]
  floor = 80                             # percent of each file
  new_files = 95                         # percent of each file that is new
  ratchet = \".pulpcov-ratchet\"           # the file of the ratchet
  [[tool.pulpcov.gate.rules]]
  paths = \"src/app/**\"                   # or a list; `**` stands for folders
  each = { lines = 90, branches = 80 }   # each file
  [[tool.pulpcov.gate.rules]]
  paths = \"src/legacy\"                   # a folder
  together = { max_missing = 120 }       # all files together
Limits are `both`, `lines` and `branches` in percent, and `max_missing`,
`max_missing_lines` and `max_missing_branches`. The most specific rule judges
a file. pulpcov.toml has the same tables without `tool.pulpcov.`. In
.coveragerc, setup.cfg and tox.ini, the sections are [pulpcov:gate] and
[pulpcov:gate:NAME] for each rule, with `each = lines=90, branches=80`.

To let git merge the ratchet by itself:
  git config merge.pulpcov.driver 'pulpcov gate --merge-driver %O %A %B'
  echo '.pulpcov-ratchet merge=pulpcov' >> .gitattributes

Exit codes:
  0  everything is covered as well as was asked for
  1  an error or wrong usage, or a rule that matches no file
  2  too little of a file is covered, or a file of the ratchet was not
     measured
  3  something was left out; a warning names it
  4  the sources changed after they were measured, or the baseline is of
     other sources";

/// Say whether enough of each file is covered
///
/// Compares each measured file with a floor, with rules for folders, and with a ratchet: the file .pulpcov-ratchet has the
/// number of missing lines and branches of each file below the floor, which may fall but not rise. Commit that file.
/// With --baseline, the data of another version takes the place of the ratchet.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct GateArgs {
    /// Make the ratchet, or lower its numbers to those of now; no number rises
    #[arg(long, conflicts_with = "baseline")]
    pub(crate) update: bool,

    /// With --update, accept this file below the floor; may be given several times
    #[arg(long, value_name = "FILE", requires = "update")]
    pub(crate) add: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) baseline: BaselineArgs,

    /// Judge these data files of the same code together, and name the lines that only some of them reach. Lines that one
    /// reaches are covered, but --update counts them as missing
    #[arg(long, value_name = "DATA", num_args = 2.., conflicts_with = "data_file")]
    pub(crate) runs: Vec<PathBuf>,

    /// Files are new if they came after the branch left this branch, tag or commit [default: the setting `base` of
    /// [tool.pulpcov.patch], or the default branch]
    #[arg(long, value_name = "REF")]
    pub(crate) base: Option<String>,

    /// Merge the ratchets of two branches into the second file, as a merge driver of git
    #[arg(long, num_args = 3, value_names = ["BASE", "OURS", "THEIRS"])]
    pub(crate) merge_driver: Vec<PathBuf>,

    /// How to write the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: GateFormat,

    /// With --format=markdown, leave out rows, failures last, so that the report has no more bytes than this. A step summary
    /// of GitHub has at most 1048576
    #[arg(long, value_name = "N")]
    pub(crate) max_bytes: Option<usize>,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<String>,

    #[command(flatten)]
    pub(crate) with: WithArgs,

    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,
}

/// The data of another version.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct BaselineArgs {
    /// Compare with this data file of another version, instead of the ratchet
    #[arg(long, value_name = "DATA")]
    pub(crate) baseline: Option<PathBuf>,

    /// The revision whose sources the baseline was measured on [default: the sources of now]
    #[arg(long, value_name = "REV", requires = "baseline")]
    pub(crate) baseline_rev: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GateFormat {
    /// For a terminal: what fails, and what makes it pass
    Text,
    /// For a comment: tables
    Markdown,
    /// For programs
    Json,
    /// Workflow commands of GitHub Actions, which become annotations
    Github,
}
