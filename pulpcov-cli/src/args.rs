//! The arguments, as clap parses them. Options have coverage.py's names where coverage.py has the option.

mod abbreviations;
mod comment;
mod gate;
mod hook;
mod merge;
mod numbers;
mod subunit;
mod tests_for;
mod time;
mod watch;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use pulpcov_core::python::PythonVersion;
use pulpcov_core::results::Floor;

pub(crate) use abbreviations::expand;
pub(crate) use comment::CommentArgs;
pub(crate) use gate::{BaselineArgs, GateArgs, GateFormat};
pub(crate) use hook::{
    DATA_ROOT, DEFAULT_PYTHON, HookCommand, HookReportArgs, InstallArgs, StatusArgs, UninstallArgs,
};
pub(crate) use merge::{MergeArgs, MergeFormat};
pub(crate) use subunit::{FilterArgs, LsArgs, PackArgs, SubunitCommand};
pub(crate) use tests_for::{TestsForArgs, TestsForFormat};
pub(crate) use watch::{ServeToken, WatchArgs};

use numbers::{float, integer};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0  everything was done
  1  an error or wrong usage; what the command would have changed is as it was
  2  a report was made, and its total is less than --fail-under
  3  combined, but inputs were left out: named in warnings, and kept; or
     reported without sources that are withheld, or missing while only data of
     other users names them; or --purge-data could not remove everything
  4  patch, gate: the data were measured on another version of a file
  5  who, tests-for: no test is selected

Settings are read from .coveragerc, .coveragerc.toml, setup.cfg, tox.ini or
pyproject.toml, as coverage.py does. COVERAGE_FILE and COVERAGE_RCFILE are
honoured. Settings of pulpcov itself are in [tool.pulpcov] of pyproject.toml,
in pulpcov.toml, or in [pulpcov:gate], [pulpcov:patch] and so on of the others.";

const PATCH_EXIT_CODES: &str = "\
Exit codes:
  0  the changes are covered as well as was asked for
  1  an error or wrong usage
  2  too little of the changes is covered, or a changed file was not measured
     though it should have been
  3  something was left out of the report; a warning names it
  4  the data were measured on another version of a changed file";

const REPORT_EXIT_CODES: &str = "\
Exit codes:
  0  the report is complete
  1  an error or wrong usage, or there is nothing to report
  2  the total is less than --fail-under asks for
  3  something was left out of the report; a warning names it";

/// For reports without --fail-under.
const PLAIN_EXIT_CODES: &str = "\
Exit codes:
  0  the report is complete
  1  an error or wrong usage, or there is nothing to report
  3  something was left out of the report; a warning names it";

const WHO_EXIT_CODES: &str = "\
Exit codes:
  0  the question is answered
  1  an error or wrong usage, or the data does not say which test ran what
  3  something was left out; a warning names it
  5  --format=pytest has no test to print";

/// Combine, report and inspect coverage.py data files, without Python.
#[derive(Debug, Parser)]
#[command(
    name = "pulpcov",
    version,
    styles = STYLES,
    after_help = EXIT_CODES,
    max_term_width = 100,
    // As in Python's optparse, the last occurrence of an option counts.
    args_override_self = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Annotate(AnnotateArgs),
    Badge(BadgeArgs),
    Combine(CombineArgs),
    Comment(CommentArgs),
    Convert(ConvertArgs),
    #[command(subcommand)]
    Debug(DebugCommand),
    Erase(EraseArgs),
    Gate(GateArgs),
    #[command(subcommand)]
    Hook(HookCommand),
    Html(HtmlArgs),
    Json(JsonArgs),
    Lcov(LcovArgs),
    Merge(MergeArgs),
    Patch(PatchArgs),
    Report(ReportArgs),
    #[command(subcommand)]
    Subunit(SubunitCommand),
    TestsFor(TestsForArgs),
    Watch(WatchArgs),
    Who(WhoArgs),
    Xml(XmlArgs),
}

/// Options that every command has.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConfigArgs {
    /// The configuration file, instead of looking for one; an empty name reads none
    #[arg(long, value_name = "RCFILE")]
    pub(crate) rcfile: Option<String>,
}

/// Combine parallel data files into one
///
/// Reads the data files of every coverage.py since 4.0, applies the [paths] aliases, and writes one data file
/// that coverage.py 7 reads. In a data root that several users write to, the folders uid-N are searched.
/// Inputs are deleted once their data is safely on disk. An input that cannot be read is named and kept, and
/// the rest is combined.
///
/// Data files in zip, tar, gzip and zstd, and in such archives in each other, are read in place if the
/// archive or its folder is named as PATH. In an archive, these are the files named like the data file, with
/// or without a suffix, in any folder. Of a named folder, these are the archives whose names end in .zip,
/// .tar, .tgz, .tzst, .gz, .zst or .subunit, unless the folder has data files. Archives are kept.
///
/// In subunit streams, which stestr and testrepository write and keep, all attached data files are read,
/// whatever their names are. Data that came by routes, as from other machines, can have aliases of their own:
/// [tool.pulpcov.routes] in pyproject.toml has "0/*" = [".", "/checkout/there"].
#[derive(Args, Debug)]
pub(crate) struct CombineArgs {
    /// Folders with data files or archives, or either by name; - is standard input [default: the data file's
    /// folder]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Add to the data file instead of replacing it
    #[arg(short, long)]
    pub(crate) append: bool,

    /// Write to this data file, and combine the files that are named like it [default: .coverage]
    #[arg(long, value_name = "FILE", value_parser = maybe_empty())]
    pub(crate) data_file: Option<PathBuf>,

    /// Give data that has no contexts the id of the test that it is attached to in a subunit stream
    #[arg(long, value_name = "HOW", conflicts_with = "drop_contexts")]
    pub(crate) contexts: Option<Contexts>,

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
    #[arg(long, value_name = "TOPICS", value_delimiter = ',', overrides_with = "debug")]
    pub(crate) debug: Vec<String>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contexts {
    /// The id of the test is the context.
    TestId,
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

    /// The file to write, which must not exist yet; `-` is standard output
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

/// Show what is in data files, the settings in force, and facts about source
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
    #[arg(long, value_name = "VERSION", default_value = "3.11", value_parser = python_version)]
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
    #[arg(long, value_name = "FILE", value_parser = maybe_empty())]
    pub(crate) data_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// What all commands have in common that read the data file.
#[derive(Args, Clone, Debug)]
pub(crate) struct DataArgs {
    /// The data file; files that are named like it are combined into it first [default: .coverage]
    #[arg(long, value_name = "FILE", value_parser = maybe_empty())]
    pub(crate) data_file: Option<PathBuf>,

    /// Keep the data files that are combined first, instead of deleting them
    #[arg(long)]
    pub(crate) keep_combined: bool,

    /// Combine line data and branch data together first, reduced to lines
    #[arg(long, value_name = "HOW")]
    pub(crate) mixed: Option<Mixed>,

    /// Parse every source, instead of keeping what is known about them in .pulpcov_cache
    #[arg(long)]
    pub(crate) no_cache: bool,

    /// Say more: `combine` names each input, `pathmap` explains each alias, `python` names the version,
    /// `sources` all sources that do not match the data
    #[arg(long, value_name = "TOPICS", value_delimiter = ',', overrides_with = "debug")]
    pub(crate) debug: Vec<String>,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// What all reports have in common.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReportingArgs {
    /// Report on these files, and on the measured files of these folders [default: all]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Continue if a source is missing or is not Python
    #[arg(short, long)]
    pub(crate) ignore_errors: bool,

    /// Report only on files whose paths match one of these patterns
    #[arg(long, value_name = "PAT1,PAT2,...")]
    pub(crate) include: Option<String>,

    /// Leave out files whose paths match one of these patterns
    #[arg(long, value_name = "PAT1,PAT2,...")]
    pub(crate) omit: Option<String>,

    /// The Python that ran the code: which lines are statements differs a little. auto: detected from the data
    #[arg(long, value_name = "VERSION", default_value = "auto", value_parser = python_choice)]
    pub(crate) python_version: String,

    /// What becomes of plugins in the configuration that are not known: `run` them in --python, `ignore` them
    #[arg(long, value_name = "HOW")]
    pub(crate) plugins: Option<Plugins>,

    /// The Python that --plugins=run runs: it has coverage.py and the plugins [default: python3]
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<PathBuf>,

    /// Report the lines that ran of files that a plugin traced, such as templates, instead of leaving the
    /// files out
    #[arg(long, value_name = "HOW")]
    pub(crate) plugin_lines: Option<PluginLines>,

    /// Find the sources by the ends of their paths in this folder, .zip or .tar(.gz), not where they were
    /// measured: files have the names that they have there, and what was measured of one under several paths
    /// is added up
    #[arg(long, value_name = "PATH")]
    pub(crate) source_root: Option<PathBuf>,

    /// Find the sources in this revision of the git repository in the current folder
    #[arg(long, value_name = "REV", conflicts_with = "source_root")]
    pub(crate) source_rev: Option<String>,

    /// Show this source, or all sources in this folder, even if the users whose data files name it may not
    /// read it; may be given several times
    #[arg(long, value_name = "PATH")]
    pub(crate) show_source: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Plugins {
    /// Those that are not known are left out.
    Ignore,
    /// All are run by a Python.
    Run,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PluginLines {
    /// The lines that ran, as if there were no others.
    Measured,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// A row for every folder, with the totals of all files below it.
    Dir,
    /// A row for every file.
    File,
}

/// Exit with 2 if too little is covered.
#[derive(Args, Debug)]
pub(crate) struct FailUnderArgs {
    /// Exit with 2 if the total is less than this percentage
    #[arg(long, value_name = "MIN", allow_hyphen_values = true, value_parser = float)]
    pub(crate) fail_under: Option<f64>,
}

/// Print a table of what ran and what did not
///
/// Of every file: its statements, those that did not run, its branches if they were measured, and the
/// percentage.
#[derive(Args, Debug)]
#[command(after_help = REPORT_EXIT_CODES)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,

    #[command(flatten)]
    pub(crate) fail_under: FailUnderArgs,

    /// Count only what ran in contexts that one of these regular expressions matches
    #[arg(long, value_name = "REGEX1,REGEX2,...")]
    pub(crate) contexts: Option<String>,

    /// A row for every file, or for every folder with the totals of all files below it
    #[arg(long, value_name = "WHAT", default_value = "file")]
    pub(crate) by: By,

    /// `text`, `markdown`, or `total`, which prints nothing but the percentage; `github`: what is not covered as workflow
    /// commands of GitHub Actions, which become annotations; `gitlab`: the same as a code quality report [default: text]
    #[arg(long)]
    pub(crate) format: Option<String>,

    /// With --format=markdown, leave out the rows with the least missing, so that the table has no more bytes than this.
    /// A step summary of GitHub has at most 1048576
    #[arg(long, value_name = "N")]
    pub(crate) max_bytes: Option<usize>,

    /// Digits of percentages after the decimal point
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = integer)]
    pub(crate) precision: Option<i64>,

    /// Sort by name, stmts, miss, branch, brpart or cover; with a `-` before it, the largest first
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,

    /// List the lines and branches that did not run
    #[arg(short = 'm', long)]
    pub(crate) show_missing: bool,

    /// Do not list files that ran completely
    #[arg(long, overrides_with = "no_skip_covered")]
    pub(crate) skip_covered: bool,

    /// List files that ran completely, even if the configuration says not to
    #[arg(long)]
    pub(crate) no_skip_covered: bool,

    /// Do not list files without statements
    #[arg(long)]
    pub(crate) skip_empty: bool,
}

/// Say whether the changes of a branch are covered
///
/// Compares the changes of a branch with what ran. The changes begin where the branch left the default branch, or another
/// that --base names. They end with the files as they are now, also files that git does not track. A changed line belongs
/// to the statement that contains it. A branch counts if the statement that it starts from or leads to was changed.
#[derive(Args, Debug)]
#[command(after_help = PATCH_EXIT_CODES)]
pub(crate) struct PatchArgs {
    #[command(flatten)]
    pub(crate) changes: ChangesArgs,

    /// Exit with 2 if less than this percentage of the changed statements and branches is covered. The setting
    /// `fail_under` of [tool.pulpcov.patch] does the same; coverage.py's is for whole reports, and does not count here
    #[arg(long, value_name = "MIN", value_parser = str::parse::<Floor>)]
    pub(crate) fail_under: Option<Floor>,

    /// Exit with 2 if more changed statements and branches than this are not covered. The setting `max_missing` of
    /// [tool.pulpcov.patch] does the same
    #[arg(long, value_name = "N")]
    pub(crate) max_missing: Option<usize>,

    /// Report instead what ran before the changes and does not run any more, in all files; --baseline has what ran before
    #[arg(long, requires = "baseline")]
    pub(crate) only_new_misses: bool,

    /// The data file that was measured before the changes
    #[arg(long, value_name = "DATA", requires = "only_new_misses")]
    pub(crate) baseline: Option<PathBuf>,

    /// The revision that the baseline was measured on [default: the commit that the changes are from]
    #[arg(long, value_name = "REV", requires = "baseline", conflicts_with_all = ["base", "diff"])]
    pub(crate) baseline_rev: Option<String>,

    /// How to write the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: PatchFormat,

    /// With --format=markdown, leave out the files with the least missing, so that the report has no more bytes than this.
    /// A step summary of GitHub has at most 1048576
    #[arg(long, value_name = "N")]
    pub(crate) max_bytes: Option<usize>,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<String>,

    /// Digits of percentages after the decimal point
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = integer)]
    pub(crate) precision: Option<i64>,

    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,
}

/// Which changes a command is about.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ChangesArgs {
    /// Compare with the commit where the branch left this branch, tag or commit [default: the first that exists of
    /// origin/HEAD, origin/main, origin/master, main and master]. The setting `base` of [tool.pulpcov.patch] does the same
    #[arg(long, value_name = "REF")]
    pub(crate) base: Option<String>,

    /// Read this unified diff instead of asking git; `-` is standard input. Names start from the top folder of the
    /// repository, or from the current folder if it is in none
    #[arg(long, value_name = "FILE", conflicts_with = "base")]
    pub(crate) diff: Option<PathBuf>,

    /// Do not count changed files that were not measured, though other files of their folders were
    #[arg(long)]
    pub(crate) allow_unmeasured: bool,
}

impl ChangesArgs {
    /// Returns whether the user says which changes.
    pub(crate) fn are_asked_for(&self) -> bool {
        self.base.is_some() || self.diff.is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PatchFormat {
    /// For a terminal: each file, with the lines that are not covered
    Text,
    /// For a comment: a table of the files
    Markdown,
    /// For programs
    Json,
    /// Workflow commands of GitHub Actions, which become annotations
    Github,
    /// A code quality report of GitLab
    Gitlab,
}

/// Say which tests ran the lines of a file
///
/// The data must have been recorded with contexts. A line stands for the statement that contains it.
#[derive(Args, Debug)]
#[command(after_help = WHO_EXIT_CODES, mut_arg("files", |arg| arg
    .value_name("WHERE")
    .help("A file, and a part of it: FILE, FILE:LINE, FILE:LINE-LINE, or FILE::NAME of a function or class")))]
pub(crate) struct WhoArgs {
    /// List only lines that exactly one test ran
    #[arg(long, conflicts_with_all = ["of", "unused_tests"])]
    pub(crate) alone: bool,

    /// Say instead what this test ran, and what it alone ran; a class, a file, or a test without its parameters stands
    /// for all of its tests
    #[arg(long, value_name = "TEST", conflicts_with = "unused_tests")]
    pub(crate) of: Option<String>,

    /// List instead the tests whose every line other tests run too, in files that are not tests
    #[arg(long)]
    pub(crate) unused_tests: bool,

    /// How to write the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: WhoFormat,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<String>,

    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhoFormat {
    /// For a terminal: each test with the lines that it ran
    Text,
    /// For programs
    Json,
    /// The node ids of the tests, one a line, for `pytest @FILE`
    Pytest,
}

/// Write a report as XML, in the format of Cobertura
#[derive(Args, Debug)]
#[command(after_help = REPORT_EXIT_CODES)]
pub(crate) struct XmlArgs {
    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,

    #[command(flatten)]
    pub(crate) fail_under: FailUnderArgs,

    /// Write to this file; `-` is standard output [default: coverage.xml, cobertura-{}.xml with --gitlab, or
    /// sonar.xml with --sonar]
    #[arg(short = 'o', value_name = "FILE")]
    pub(crate) output: Option<String>,

    /// Write for GitLab's merge requests: with names that start from the top folder of the repository, and in parts of less
    /// than 10 MiB. `{}` in -o is the number of the part
    #[arg(long, conflicts_with_all = ["root", "sonar"])]
    pub(crate) gitlab: bool,

    /// With --gitlab, the most bytes of a part [default: 10485759]. A file that alone has more is a part of its own
    #[arg(long, value_name = "N", requires = "gitlab", conflicts_with = "sonar")]
    pub(crate) max_bytes: Option<usize>,

    /// Write SonarQube's generic coverage instead, for sonar.coverageReportPaths, with names that start from the top folder
    /// of the repository
    #[arg(long, conflicts_with = "root")]
    pub(crate) sonar: bool,

    /// The folder that file names start from, instead of those of the setting `source`
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Print nothing but warnings and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Leave out files without statements
    #[arg(long)]
    pub(crate) skip_empty: bool,
}

/// Write a report to read in a browser
///
/// A folder of pages that need no server and ask no other host for anything: lists of files, functions and
/// classes, folders with a map, the worst functions first, every source with what ran of it, and with
/// --show-contexts who ran what. Pages that did not change are not written again.
#[derive(Args, Debug)]
#[command(after_help = REPORT_EXIT_CODES)]
pub(crate) struct HtmlArgs {
    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,

    #[command(flatten)]
    pub(crate) fail_under: FailUnderArgs,

    /// Count only what ran in contexts that one of these regular expressions matches
    #[arg(long, value_name = "REGEX1,REGEX2,...")]
    pub(crate) contexts: Option<String>,

    /// Write into this folder [default: htmlcov]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,

    /// Show the changes of the branch, as `pulpcov patch` finds them: a page of them, and marks at changed lines. --base and
    /// --diff do so, too
    #[arg(long)]
    pub(crate) patch: bool,

    #[command(flatten)]
    pub(crate) changes: ChangesArgs,

    /// Compare with this data file of another version: what rose and fell, and which lines were lost and won
    #[arg(long, value_name = "DATA")]
    pub(crate) baseline: Option<PathBuf>,

    /// The revision whose sources the baseline was measured on [default: the sources of now]
    #[arg(long, value_name = "REV", requires = "baseline")]
    pub(crate) baseline_rev: Option<String>,

    /// Add this run to a file of runs, one line each, and draw how the total, folders and files rose and fell
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,

    /// Write badge.svg into the folder of the report, too
    #[arg(long)]
    pub(crate) badge: bool,

    /// Write summary.md into the folder of the report, too: the total and a table of all files, as Markdown
    #[arg(long)]
    pub(crate) summary: bool,

    /// A style sheet that comes after the report's own
    #[arg(long, value_name = "FILE")]
    pub(crate) extra_css: Option<String>,

    /// Digits of percentages after the decimal point
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = integer)]
    pub(crate) precision: Option<i64>,

    /// Print nothing but warnings and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Say which contexts ran each line
    #[arg(long)]
    pub(crate) show_contexts: bool,

    /// Write one page that holds everything into this file, instead of a folder; `-` is standard output
    #[arg(long, value_name = "FILE", conflicts_with = "directory")]
    pub(crate) single_file: Option<String>,

    /// Link each source page to the source on a website: an address with {path}, {line} and {commit}, or
    /// github:OWNER/NAME, gitlab:GROUP/NAME or bitbucket:OWNER/NAME
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) source_url: Option<String>,

    /// Leave out files, functions and classes that ran completely
    #[arg(long, overrides_with = "no_skip_covered")]
    pub(crate) skip_covered: bool,

    /// Keep files, functions and classes that ran completely, even if the configuration says not to
    #[arg(long)]
    pub(crate) no_skip_covered: bool,

    /// Leave out files, functions and classes without statements
    #[arg(long)]
    pub(crate) skip_empty: bool,

    /// The title of the report [default: Coverage report]
    #[arg(long, value_name = "TITLE")]
    pub(crate) title: Option<String>,
}

/// Write a report as JSON
#[derive(Args, Debug)]
#[command(after_help = REPORT_EXIT_CODES)]
pub(crate) struct JsonArgs {
    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,

    #[command(flatten)]
    pub(crate) fail_under: FailUnderArgs,

    /// Count only what ran in contexts that one of these regular expressions matches
    #[arg(long, value_name = "REGEX1,REGEX2,...")]
    pub(crate) contexts: Option<String>,

    /// Write to this file; `-` is standard output [default: coverage.json, or codecov.json with --codecov]
    #[arg(short = 'o', value_name = "FILE")]
    pub(crate) output: Option<String>,

    /// Write Codecov's own format instead, with names that start from the top folder of the repository
    #[arg(long, conflicts_with_all = ["show_contexts", "contexts_once", "pretty_print"])]
    pub(crate) codecov: bool,

    /// Indent
    #[arg(long)]
    pub(crate) pretty_print: bool,

    /// Print nothing but warnings and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Say which contexts ran each line
    #[arg(long)]
    pub(crate) show_contexts: bool,

    /// Say which contexts ran each line, and write the name of each context once
    ///
    /// The report gets a list `contexts` of all names; a file's `contexts` have their places in it, from 0.
    /// coverage.py has no such form.
    #[arg(long)]
    pub(crate) contexts_once: bool,
}

/// Write a report as LCOV records
#[derive(Args, Debug)]
#[command(after_help = REPORT_EXIT_CODES)]
pub(crate) struct LcovArgs {
    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,

    #[command(flatten)]
    pub(crate) fail_under: FailUnderArgs,

    /// Write to this file; `-` is standard output [default: coverage.lcov]
    #[arg(short = 'o', value_name = "FILE")]
    pub(crate) output: Option<String>,

    /// Number branches instead of describing them: genhtml counts only branches that are numbers
    #[arg(long)]
    pub(crate) numeric_branches: bool,

    /// Print nothing but warnings and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Write copies of the sources with a margin that says what ran
///
/// `>` ran, `!` did not, `-` is excluded. The copies are named like the sources, with `,cover` after it.
#[derive(Args, Debug)]
#[command(after_help = PLAIN_EXIT_CODES)]
pub(crate) struct AnnotateArgs {
    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,

    /// Write the copies into this folder, instead of beside the sources
    #[arg(short, long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// Write a badge with the total percentage
///
/// The percentage is that of `pulpcov report`. The colour is green from 75 percent, yellow from 60, orange from 40, and red
/// below; there are three greens, the brightest from 95 percent.
#[derive(Args, Debug)]
#[command(after_help = PLAIN_EXIT_CODES)]
pub(crate) struct BadgeArgs {
    #[command(flatten)]
    pub(crate) reporting: ReportingArgs,

    /// How to write the badge [default: svg if the output ends in ".svg", or else json]
    #[arg(long, value_name = "FORMAT", hide_default_value = true)]
    pub(crate) format: Option<BadgeFormat>,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<String>,

    /// The text on the left [default: coverage]
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,

    /// Digits of the percentage after the decimal point
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = integer)]
    pub(crate) precision: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BadgeFormat {
    /// The JSON of the endpoint badge of shields.io
    Json,
    /// A picture
    Svg,
}

/// Checks a version of Python, and returns it as it was written.
fn python_version(text: &str) -> Result<String, String> {
    text.parse::<PythonVersion>().map(|_| text.to_owned()).map_err(|err| err.reason())
}

/// Checks a version of Python or `auto`, and returns it as it was written.
fn python_choice(text: &str) -> Result<String, String> {
    if text == "auto" { Ok(text.to_owned()) } else { python_version(text) }
}

/// Parses a path that may be empty. An empty path counts as no path.
fn maybe_empty() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}
