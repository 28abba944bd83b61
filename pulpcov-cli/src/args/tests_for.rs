//! The arguments of `pulpcov tests-for`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pulpcov_core::gates::PathPattern;

use super::DataArgs;

const HELP: &str = "\
What selects which tests:
  the body of a function             those that ran it
  ... that ran at import or in       as a change outside of functions
      setup, or keeps its results
  anything outside of functions,     those that ran the file, and those of all
  a file that is new or gone         files that import it
  ... if no file with tests is       all
      known to import it
  a file with tests, a conftest.py   all of the file, or all beneath it
  a file that is not Python          those that [tool.pulpcov.map] names;
                                     without an entry, all
  comments, docstrings, formatting   none
Tests that the data does not have are selected if they import the file.

Settings, in pyproject.toml:
  [tool.pulpcov]
  always = [\"tests/test_smoke.py\"]     # files with tests
  [tool.pulpcov.map]                   # `**` stands for folders
  \"**/*.md\" = []
  \"templates/**\" = [\"tests/test_pages.py\"]

Run them with pytest 8.2 or later:
  pulpcov tests-for -o tests.txt && pytest @tests.txt

Exit codes:
  0  there are tests to run
  1  an error or wrong usage, or the data does not say which test ran what
  2  --shadow: a test failed that was not selected
  5  no test is selected; pytest would run all tests if it were given none";

/// Say which tests a change can affect
///
/// Compares the files as they are now with the commit where the branch left the default branch. The data says which tests
/// ran which functions then, and the sources say which files import which.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct TestsForArgs {
    /// Compare with the commit where the branch left this branch, tag or commit [default: the first that exists of
    /// origin/HEAD, origin/main, origin/master, main and master]. The setting `base` of [tool.pulpcov.patch] does the same
    #[arg(long, value_name = "REF")]
    pub(crate) base: Option<String>,

    /// The revision that the data was measured on [default: the commit that the changes are from]
    #[arg(long, value_name = "REV")]
    pub(crate) data_rev: Option<String>,

    /// The tests that need a file that is not Python, as `PATTERN=TEST,TEST`; may be given several times
    #[arg(long, value_name = "MAPPING")]
    pub(crate) map: Vec<String>,

    /// Select the tests of these files whatever changed; may be given several times
    #[arg(long, value_name = "PATTERN", value_parser = str::parse::<PathPattern>)]
    pub(crate) always: Vec<PathPattern>,

    /// Keep the parameters of tests, such as the `[1]` of `test_add[1]`
    #[arg(long)]
    pub(crate) exact: bool,

    /// Print the rule and the change that selected each test
    #[arg(long, conflicts_with = "format")]
    pub(crate) explain: bool,

    /// After a run of all tests: say which failures of this JUnit report would not have been selected
    #[arg(long, value_name = "FILE")]
    pub(crate) shadow: Option<PathBuf>,

    /// How to print the tests
    #[arg(long, value_name = "FORMAT", default_value = "pytest")]
    pub(crate) format: TestsForFormat,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<String>,

    /// Find measured files by the ends of their paths in this folder, if they were measured in another place
    #[arg(long, value_name = "PATH")]
    pub(crate) source_root: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestsForFormat {
    /// Node ids, files and folders, one a line
    Pytest,
    /// Modules, classes and methods, one a line
    Unittest,
    /// For programs, with the reason for each
    Json,
}
