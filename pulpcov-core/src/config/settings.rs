//! Every setting with its type, its default, and the config file's option that sets it.
//!
//! The fields have the names of the options. The defaults are those of coverage.py
//! (`coverage/config.py`).

use std::path::PathBuf;

use super::document::Raw;
use super::error::Cause;
use super::ordered::OrderedMap;
use super::value::Value;
use super::values::Setting;
use crate::pyre::{DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS};
use crate::text::py_repr;
use crate::{Error, ErrorKind, Result};

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
    pub paths: OrderedMap<Vec<String>>,
    /// The sections of the [plugins](RunSettings::plugins): plugin, then option.
    pub plugin_options: OrderedMap<OrderedMap<Value>>,
    /// The files that the settings came from.
    pub files: ConfigFiles,
    /// TOML lists and booleans, by option. If the option is text or a number, the output of
    /// `coverage debug config` has the list or boolean, not the converted value.
    pub(super) original_values: OrderedMap<Value>,
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

impl Config {
    /// Returns the names of all settings that [`set_option`](Self::set_option) accepts, such as
    /// `report:fail_under`. They are the names of coverage.py's `get_option`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::Config;
    ///
    /// assert!(Config::option_names().any(|name| name == "report:fail_under"));
    /// ```
    pub fn option_names() -> impl Iterator<Item = String> {
        let names = |(section, options): &(&str, &'static [OptionSpec])| {
            let section = (*section).to_owned();
            options.iter().map(move |option| format!("{section}:{}", option.name))
        };
        SECTIONS.iter().flat_map(names).filter(|name| name != "run:_crash")
    }

    /// Sets one setting, as a coverage.py plugin does with `set_option`. Variables in text are not
    /// replaced.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Config`](crate::ErrorKind::Config) if the name is unknown or the value
    /// has the wrong type.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::{Config, Value};
    ///
    /// let mut config = Config::default();
    /// config.set_option("report:fail_under", Value::Float(80.0))?;
    /// assert_eq!(config.report.fail_under, 80.0);
    /// assert!(config.set_option("report:nonsense", Value::Boolean(true)).is_err());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn set_option(&mut self, name: &str, value: Value) -> Result<()> {
        let unknown =
            || Error::new(ErrorKind::Config, format!("No such option: {}", py_repr(name)));
        let (section, option) = name.split_once(':').ok_or_else(unknown)?;
        let (_, options) =
            SECTIONS.iter().find(|(known, _)| *known == section).ok_or_else(unknown)?;
        let spec = options.iter().find(|known| known.name == option).ok_or_else(unknown)?;
        let raw = Raw::Toml(literal(value));
        let setting = Setting { section, option, raw, env: &|_| None };
        (spec.set)(self, &setting).map_err(|cause| Error::new(ErrorKind::Config, cause.to_string()))
    }
}

/// Escapes `$` in a value, so that replacing variables returns the original text.
fn literal(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.replace('$', "$$")),
        Value::Array(items) => Value::Array(items.into_iter().map(literal).collect()),
        value => value,
    }
}

/// The sections with a fixed set of options, each with its options.
pub(super) const SECTIONS: [(&str, &[OptionSpec]); 6] = [
    ("run", RUN),
    ("report", REPORT),
    ("html", HTML),
    ("xml", XML),
    ("json", JSON),
    ("lcov", LCOV),
];

/// An option and how it sets its field.
pub(super) struct OptionSpec {
    pub(super) name: &'static str,
    pub(super) set: fn(&mut Config, &Setting<'_>) -> std::result::Result<(), Cause>,
}

/// Lists the options of a section. `options!(run: branch boolean, ...)` says that option `branch`
/// sets `config.run.branch` through [`Setting::boolean`]. The option after the `;` is read and then
/// ignored.
macro_rules! options {
    ($section:ident: $($name:ident $read:ident),* $(,)? $(; $ignored:ident)?) => {
        &[
            $(OptionSpec {
                name: stringify!($name),
                set: |config, setting| {
                    config.$section.$name = setting.$read()?.into();
                    Ok(())
                },
            },)*
            $(OptionSpec { name: stringify!($ignored), set: |_, setting| setting.text().map(drop) },)?
        ]
    };
}

// The options are in the order in which coverage.py reads them: of two bad values, the first is
// reported.

const RUN: &[OptionSpec] = options!(run:
    branch boolean,
    command_line text,
    concurrency list,
    context text,
    core text,
    cover_pylib boolean,
    data_file file,
    debug list,
    debug_file file,
    disable_warnings list,
    dynamic_context text,
    parallel boolean,
    patch list,
    plugins list,
    relative_files boolean,
    include list,
    omit list,
    sigterm boolean,
    source list,
    source_pkgs list,
    source_dirs list,
    timid boolean;
    _crash
);

const REPORT: &[OptionSpec] = options!(report:
    exclude_lines patterns,
    exclude_also patterns,
    fail_under float,
    format text,
    ignore_errors boolean,
    include_namespace_packages boolean,
    partial_branches_always patterns,
    partial_branches patterns,
    partial_also patterns,
    precision integer,
    contexts list,
    include list,
    omit list,
    show_missing boolean,
    skip_covered boolean,
    skip_empty boolean,
    sort text,
);

const HTML: &[OptionSpec] = options!(html:
    extra_css text,
    directory file,
    skip_covered boolean,
    skip_empty boolean,
    title text,
    show_contexts boolean,
);

const XML: &[OptionSpec] = options!(xml: output file, package_depth integer);

const JSON: &[OptionSpec] =
    options!(json: output file, pretty_print boolean, show_contexts boolean);

const LCOV: &[OptionSpec] = options!(lcov: output file, line_checksums boolean);
