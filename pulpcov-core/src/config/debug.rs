//! Lists the settings as `coverage debug config` does.

use std::path::Path;

use super::ordered::OrderedMap;
use super::settings::Config;
use super::value::Value;
use crate::pytext::float_repr;
use crate::text::py_repr;

/// A value in the output of [`format_info`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Info {
    /// A single value, as Python's `str` writes it.
    Text(String),
    /// A list of values, printed one a line.
    List(Vec<String>),
}

impl Config {
    /// Returns every setting with its name, in coverage.py's order.
    ///
    /// The names are the attributes of coverage.py's `CoverageConfig`, sorted. The values are
    /// written as Python writes them. With [`format_info`], the result becomes the output of
    /// `coverage debug config`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::{Config, Info};
    ///
    /// let info = Config::default().debug_info();
    /// assert_eq!(info[0], ("branch", Info::Text("False".into())));
    /// ```
    pub fn debug_info(&self) -> Vec<(&'static str, Info)> {
        let Self {
            run,
            report,
            html,
            xml,
            json,
            lcov,
            paths,
            plugin_options,
            files,
            original_values: _,
        } = self;
        let text_option = |option, value: Option<&String>| self.as_given(option, optional(value));
        let number = |option, value: i64| self.as_given(option, text(value.to_string()));
        vec![
            ("branch", boolean(run.branch)),
            ("command_line", text_option("command_line", run.command_line.as_ref())),
            ("concurrency", list(&run.concurrency)),
            ("config_file", optional(files.used.as_deref().map(Path::to_string_lossy))),
            (
                "config_files_attempted",
                list(files.attempted.iter().map(|path| path.to_string_lossy())),
            ),
            ("config_files_read", list(files.read.iter().map(|path| path.to_string_lossy()))),
            ("context", text_option("context", run.context.as_ref())),
            ("core", text_option("core", run.core.as_ref())),
            ("cover_pylib", boolean(run.cover_pylib)),
            ("data_file", text(&run.data_file)),
            ("debug", list(&run.debug)),
            ("debug_file", optional(run.debug_file.as_ref())),
            ("disable_warnings", list(&run.disable_warnings)),
            ("dynamic_context", text_option("dynamic_context", run.dynamic_context.as_ref())),
            ("exclude_also", list(&report.exclude_also)),
            ("exclude_list", list(&report.exclude_lines)),
            ("extra_css", text_option("extra_css", html.extra_css.as_ref())),
            ("fail_under", text(float_repr(report.fail_under))),
            ("format", text_option("format", report.format.as_ref())),
            ("html_dir", text(&html.directory)),
            ("html_skip_covered", optional(html.skip_covered.map(python_bool))),
            ("html_skip_empty", optional(html.skip_empty.map(python_bool))),
            ("html_title", text_option("title", Some(&html.title))),
            ("ignore_errors", boolean(report.ignore_errors)),
            ("include_namespace_packages", boolean(report.include_namespace_packages)),
            ("json_output", text(&json.output)),
            ("json_pretty_print", boolean(json.pretty_print)),
            ("json_show_contexts", boolean(json.show_contexts)),
            ("lcov_line_checksums", boolean(lcov.line_checksums)),
            ("lcov_output", text(&lcov.output)),
            ("parallel", boolean(run.parallel)),
            ("partial_also", list(&report.partial_also)),
            ("partial_always_list", list(&report.partial_branches_always)),
            ("partial_list", list(&report.partial_branches)),
            ("patch", list(&run.patch)),
            ("paths", text(dict(paths, |values| python_list(values)))),
            (
                "plugin_options",
                text(dict(plugin_options, |options| dict(options, ToString::to_string))),
            ),
            ("plugins", list(&run.plugins)),
            ("precision", number("precision", report.precision)),
            ("relative_files", boolean(run.relative_files)),
            ("report_contexts", optional_list(report.contexts.as_deref())),
            ("report_include", optional_list(report.include.as_deref())),
            ("report_omit", optional_list(report.omit.as_deref())),
            ("run_include", list(&run.include)),
            ("run_omit", list(&run.omit)),
            ("show_contexts", boolean(html.show_contexts)),
            ("show_missing", boolean(report.show_missing)),
            ("sigterm", boolean(run.sigterm)),
            ("skip_covered", boolean(report.skip_covered)),
            ("skip_empty", boolean(report.skip_empty)),
            ("sort", text_option("sort", report.sort.as_ref())),
            ("source", optional_list(run.source.as_deref())),
            ("source_dirs", list(&run.source_dirs)),
            ("source_pkgs", list(&run.source_pkgs)),
            ("timid", boolean(run.timid)),
            ("xml_output", text(&xml.output)),
            ("xml_package_depth", number("package_depth", xml.package_depth)),
        ]
    }
}

impl Config {
    /// Returns the value that the file gave, if the field still holds that value; otherwise
    /// `shown`.
    fn as_given(&self, option: &str, shown: Info) -> Info {
        let Some(value) = self.original_values.get(option) else { return shown };
        let is_still = |text: &str| match value {
            Value::Boolean(boolean) => {
                text == value.in_text() || text == u8::from(*boolean).to_string()
            }
            value => text == value.in_text(),
        };
        match (&shown, value) {
            (Info::Text(text), Value::Array(items)) if is_still(text) => {
                Info::List(items.iter().map(Value::in_text).collect())
            }
            (Info::Text(text), value) if is_still(text) => Info::Text(value.in_text()),
            _ => shown,
        }
    }
}

/// Formats facts under a headline, as the parts of `coverage debug` print them.
///
/// The form is that of coverage.py's `write_formatted_info`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::config::{Info, format_info};
///
/// let info = [("one", Info::Text("1".into())), ("none", Info::List(vec![]))];
/// assert_eq!(
///     format_info("numbers", &info),
///     "-- numbers ---------------------------------------------------\n\
///      \u{20}                           one: 1\n\
///      \u{20}                          none: -none-\n",
/// );
/// ```
pub fn format_info(header: &str, info: &[(&str, Info)]) -> String {
    let mut out = format!("--{:-<60}\n", format!(" {header} "));
    for (label, value) in info {
        let lines = match value {
            Info::List(lines) if lines.is_empty() => &["-none-".to_owned()],
            Info::List(lines) => lines.as_slice(),
            Info::Text(text) => std::slice::from_ref(text),
        };
        let mut prefix = format!("{label:>30}: ");
        for line in lines {
            out.push_str(&format!(" {prefix}{line}\n"));
            prefix = " ".repeat(32);
        }
    }
    out
}

fn text(value: impl Into<String>) -> Info {
    Info::Text(value.into())
}

fn boolean(value: bool) -> Info {
    text(python_bool(value))
}

fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn optional(value: Option<impl ToString>) -> Info {
    value.map_or_else(|| text("None"), |value| text(value.to_string()))
}

fn list(values: impl IntoIterator<Item = impl ToString>) -> Info {
    Info::List(values.into_iter().map(|value| value.to_string()).collect())
}

fn optional_list(values: Option<&[String]>) -> Info {
    values.map_or_else(|| text("None"), list)
}

fn python_list(values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| py_repr(value)).collect();
    format!("[{}]", values.join(", "))
}

fn dict<V>(map: &OrderedMap<V>, show: impl Fn(&V) -> String) -> String {
    let entries: Vec<_> =
        map.iter().map(|(key, value)| format!("{}: {}", py_repr(key), show(value))).collect();
    format!("{{{}}}", entries.join(", "))
}
