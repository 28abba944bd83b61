//! The options of the config file, and the setting that each is for.

use super::document::Raw;
use super::error::Cause;
use super::info::{Info, Show};
use super::settings::Config;
use super::value::Value;
use super::values::Setting;
use crate::text::py_repr;
use crate::{Error, ErrorKind, Result};

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

/// An option, and how it sets its field.
pub(super) struct OptionSpec {
    pub(super) name: &'static str,
    pub(super) set: fn(&mut Config, &Setting<'_>) -> std::result::Result<(), Cause>,
    /// How its field is shown. `None` if the option is ignored.
    pub(super) shown: Option<Shown>,
}

/// How `coverage debug config` shows a setting.
pub(super) struct Shown {
    /// The attribute of coverage.py's `CoverageConfig`.
    pub(super) attribute: &'static str,
    /// Whether a list or a boolean of a TOML file is shown as such, not as the value that was made
    /// of it.
    pub(super) as_given: bool,
    pub(super) value: fn(&Config) -> Info,
}

/// Lists the options of a section. `options!(run: include list as run_include, ...)` says that
/// option `include` sets `config.run.include` through [`Setting::list`], and that coverage.py's
/// attribute is `run_include`. Most attributes have the names of their options. The option after
/// the `;` is read and then ignored.
macro_rules! options {
    ($section:ident: $($name:ident $read:ident $(as $attribute:ident)?),* $(,)? $(; $ignored:ident)?) => {
        &[
            $(OptionSpec {
                name: stringify!($name),
                set: |config, setting| {
                    config.$section.$name = setting.$read()?.into();
                    Ok(())
                },
                shown: Some(Shown {
                    attribute: attribute!($name $($attribute)?),
                    as_given: matches!(stringify!($read).as_bytes(), b"text" | b"integer"),
                    value: |config| config.$section.$name.show(),
                }),
            },)*
            $(OptionSpec {
                name: stringify!($ignored),
                set: |_, setting| setting.text().map(drop),
                shown: None,
            },)?
        ]
    };
}

/// Returns the attribute for an option: the second name, or else the first.
macro_rules! attribute {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $attribute:ident) => {
        stringify!($attribute)
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
    include list as run_include,
    omit list as run_omit,
    sigterm boolean,
    source list,
    source_pkgs list,
    source_dirs list,
    timid boolean;
    _crash
);

const REPORT: &[OptionSpec] = options!(report:
    exclude_lines patterns as exclude_list,
    exclude_also patterns,
    fail_under float,
    format text,
    ignore_errors boolean,
    include_namespace_packages boolean,
    partial_branches_always patterns as partial_always_list,
    partial_branches patterns as partial_list,
    partial_also patterns,
    precision integer,
    contexts list as report_contexts,
    include list as report_include,
    omit list as report_omit,
    show_missing boolean,
    skip_covered boolean,
    skip_empty boolean,
    sort text,
);

const HTML: &[OptionSpec] = options!(html:
    extra_css text,
    directory file as html_dir,
    skip_covered boolean as html_skip_covered,
    skip_empty boolean as html_skip_empty,
    title text as html_title,
    show_contexts boolean,
);

const XML: &[OptionSpec] = options!(xml:
    output file as xml_output,
    package_depth integer as xml_package_depth,
);

const JSON: &[OptionSpec] = options!(json:
    output file as json_output,
    pretty_print boolean as json_pretty_print,
    show_contexts boolean as json_show_contexts,
);

const LCOV: &[OptionSpec] = options!(lcov:
    output file as lcov_output,
    line_checksums boolean as lcov_line_checksums,
);
