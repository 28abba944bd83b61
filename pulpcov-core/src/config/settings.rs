//! Every setting with its type and its default.
//!
//! The fields have the names of the options. The defaults are those of coverage.py
//! (`coverage/config.py`).

use ordermap::OrderMap;

use std::path::PathBuf;

use super::value::Value;
use crate::pyre::{DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS};

/// All settings, from the config file and the environment.
///
/// # Examples
///
/// ```
/// use pulpcov_core::config::Config;
///
/// let config = Config::default();
/// assert_eq!(config.run.data_file, ".coverage");
/// assert_eq!(config.report.fail_under, 0.0);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// `[run]`: what is measured and how. Reports and combining use some of these settings.
    pub run: RunSettings,
    /// `[report]`: settings that apply to all reports.
    pub report: ReportSettings,
    /// `[html]`.
    pub html: HtmlSettings,
    /// `[xml]`.
    pub xml: XmlSettings,
    /// `[json]`.
    pub json: JsonSettings,
    /// `[lcov]`.
    pub lcov: LcovSettings,
    /// `[paths]`: sets of folders that stand for the same folder. The name of a set has no meaning.
    ///
    /// The sets are in the order of the file, because the first match decides. `~` is expanded.
    pub paths: OrderMap<String, Vec<String>>,
    /// The sections of the [plugins](RunSettings::plugins): plugin, then option.
    pub plugin_options: OrderMap<String, OrderMap<String, Value>>,
    /// The files that the settings came from.
    pub files: ConfigFiles,
    /// TOML lists and booleans, by option. If the option is text or a number, the output of
    /// `coverage debug config` has the list or boolean, not the converted value.
    pub(super) original_values: OrderMap<String, Value>,
}

/// The config files that were looked for, as absolute paths, in the order in which they were tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigFiles {
    /// Files that the loader tried to read.
    pub attempted: Vec<PathBuf>,
    /// Files that could be read, whether or not they had settings for coverage.
    pub read: Vec<PathBuf>,
    /// The file that the settings came from.
    pub used: Option<PathBuf>,
}

/// `[run]`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunSettings {
    /// Measure branches as well as lines.
    pub branch: bool,
    /// The command that `coverage run` runs if no command is given.
    pub command_line: Option<String>,
    /// Concurrency libraries in use: `thread`, `gevent`, `greenlet`, `eventlet`, `multiprocessing`.
    pub concurrency: Vec<String>,
    /// The static context of a run.
    pub context: Option<String>,
    /// The tracer: `ctrace`, `pytrace` or `sysmon`.
    pub core: Option<String>,
    /// Also measure the standard library.
    pub cover_pylib: bool,
    /// The path of the data file.
    pub data_file: String,
    /// Topics of debug output.
    pub debug: Vec<String>,
    /// The file for debug output.
    pub debug_file: Option<String>,
    /// Warnings to suppress.
    pub disable_warnings: Vec<String>,
    /// How the context changes during a run: `test_function`.
    pub dynamic_context: Option<String>,
    /// Patterns of files to measure.
    pub include: Vec<String>,
    /// Patterns of files not to measure.
    pub omit: Vec<String>,
    /// Add the host, the process and a random part to the data file's name.
    pub parallel: bool,
    /// Parts of Python to patch. `subprocess` makes the run [parallel](Self::parallel).
    pub patch: Vec<String>,
    /// Plugins, by module name.
    pub plugins: Vec<String>,
    /// Record paths relative to the working folder.
    pub relative_files: bool,
    /// Write the data when the process gets SIGTERM.
    pub sigterm: bool,
    /// Packages or folders to measure. `None` measures everything that is imported.
    pub source: Option<Vec<String>>,
    /// Folders to measure.
    pub source_dirs: Vec<String>,
    /// Packages to measure.
    pub source_pkgs: Vec<String>,
    /// Use the slow, simple tracer.
    pub timid: bool,
}

/// `[report]`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReportSettings {
    /// Regular expressions of contexts. Reports count only what ran in a matching context.
    pub contexts: Option<Vec<String>>,
    /// Regular expressions that were added to [`exclude_lines`](Self::exclude_lines).
    pub exclude_also: Vec<String>,
    /// Regular expressions of lines to exclude. Those of `exclude_also` come last.
    pub exclude_lines: Vec<String>,
    /// The percentage below which a report fails.
    pub fail_under: f64,
    /// The text report's format: `text`, `markdown` or `total`.
    pub format: Option<String>,
    /// Continue if a source file cannot be found.
    pub ignore_errors: bool,
    /// Patterns of files to report on.
    pub include: Option<Vec<String>>,
    /// Look for unexecuted files even in folders without `__init__.py`.
    pub include_namespace_packages: bool,
    /// Patterns of files not to report on.
    pub omit: Option<Vec<String>>,
    /// Regular expressions that were added to [`partial_branches`](Self::partial_branches).
    pub partial_also: Vec<String>,
    /// Regular expressions of lines whose partial branches are accepted, `partial_also` included.
    pub partial_branches: Vec<String>,
    /// Regular expressions of lines whose branch Python makes constant, such as `while True:`.
    pub partial_branches_always: Vec<String>,
    /// Decimal places of percentages.
    pub precision: i64,
    /// List the lines that did not run.
    pub show_missing: bool,
    /// Leave out files that are covered completely.
    pub skip_covered: bool,
    /// Leave out files without statements.
    pub skip_empty: bool,
    /// The column to sort by.
    pub sort: Option<String>,
}

/// `[html]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HtmlSettings {
    /// The folder to write the report to.
    pub directory: String,
    /// A style sheet to add.
    pub extra_css: Option<String>,
    /// Show which contexts ran a line.
    pub show_contexts: bool,
    /// `None` stands for [`ReportSettings::skip_covered`].
    pub skip_covered: Option<bool>,
    /// `None` stands for [`ReportSettings::skip_empty`].
    pub skip_empty: Option<bool>,
    /// The report's title.
    pub title: String,
}

/// `[xml]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct XmlSettings {
    /// The file to write the report to.
    pub output: String,
    /// Folders deeper than this are not packages of their own.
    pub package_depth: i64,
}

/// `[json]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonSettings {
    /// The file to write the report to.
    pub output: String,
    /// Indent the report.
    pub pretty_print: bool,
    /// Show which contexts ran a line.
    pub show_contexts: bool,
}

/// `[lcov]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LcovSettings {
    /// Add a checksum to every line.
    pub line_checksums: bool,
    /// The file to write the report to.
    pub output: String,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            branch: false,
            command_line: None,
            concurrency: Vec::new(),
            context: None,
            core: None,
            cover_pylib: false,
            data_file: ".coverage".to_owned(),
            debug: Vec::new(),
            debug_file: None,
            disable_warnings: Vec::new(),
            dynamic_context: None,
            include: Vec::new(),
            omit: Vec::new(),
            parallel: false,
            patch: Vec::new(),
            plugins: Vec::new(),
            relative_files: false,
            sigterm: false,
            source: None,
            source_dirs: Vec::new(),
            source_pkgs: Vec::new(),
            timid: false,
        }
    }
}

impl Default for ReportSettings {
    fn default() -> Self {
        Self {
            contexts: None,
            exclude_also: Vec::new(),
            exclude_lines: owned(&DEFAULT_EXCLUDE),
            fail_under: 0.0,
            format: None,
            ignore_errors: false,
            include: None,
            include_namespace_packages: false,
            omit: None,
            partial_also: Vec::new(),
            partial_branches: owned(&DEFAULT_PARTIAL),
            partial_branches_always: owned(&DEFAULT_PARTIAL_ALWAYS),
            precision: 0,
            show_missing: false,
            skip_covered: false,
            skip_empty: false,
            sort: None,
        }
    }
}

fn owned(patterns: &[&str]) -> Vec<String> {
    patterns.iter().copied().map(str::to_owned).collect()
}

impl Default for HtmlSettings {
    fn default() -> Self {
        Self {
            directory: "htmlcov".to_owned(),
            extra_css: None,
            show_contexts: false,
            skip_covered: None,
            skip_empty: None,
            title: "Coverage report".to_owned(),
        }
    }
}

impl Default for XmlSettings {
    fn default() -> Self {
        Self { output: "coverage.xml".to_owned(), package_depth: 99 }
    }
}

impl Default for JsonSettings {
    fn default() -> Self {
        Self { output: "coverage.json".to_owned(), pretty_print: false, show_contexts: false }
    }
}

impl Default for LcovSettings {
    fn default() -> Self {
        Self { line_checksums: false, output: "coverage.lcov".to_owned() }
    }
}
