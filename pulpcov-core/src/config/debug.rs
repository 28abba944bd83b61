//! Lists the settings as `coverage debug config` does.

use ordermap::OrderMap;

use std::path::PathBuf;

use super::info::{Info, Show};
use super::options::SECTIONS;
use super::settings::Config;
use super::value::Value;
use crate::text::py_repr;

impl Config {
    /// Returns every setting with its name, in coverage.py's order.
    ///
    /// The names are the attributes of coverage.py's `CoverageConfig`, sorted. The values are
    /// written as Python writes them. With [`format_info`](super::format_info), the result becomes
    /// the output of `coverage debug config`.
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
        let Self { paths, plugin_options, files, .. } = self;
        let shown_path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let shown_paths = |paths: &[PathBuf]| paths.iter().map(shown_path).collect::<Vec<_>>();
        let mut info = vec![
            ("config_file", files.used.as_ref().map(shown_path).show()),
            ("config_files_attempted", shown_paths(&files.attempted).show()),
            ("config_files_read", shown_paths(&files.read).show()),
            ("paths", Info::text(dict(paths, |values| python_list(values)))),
            (
                "plugin_options",
                Info::text(dict(plugin_options, |options| dict(options, ToString::to_string))),
            ),
        ];
        for option in SECTIONS.iter().flat_map(|(_, options)| *options) {
            if let Some(shown) = &option.shown {
                let value = (shown.value)(self);
                let value = if shown.as_given { self.as_given(option.name, value) } else { value };
                info.push((shown.attribute, value));
            }
        }
        info.sort_unstable_by_key(|(attribute, _)| *attribute);
        info
    }

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

fn python_list(values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| py_repr(value)).collect();
    format!("[{}]", values.join(", "))
}

fn dict<V>(map: &OrderMap<String, V>, show: impl Fn(&V) -> String) -> String {
    let entries: Vec<_> =
        map.iter().map(|(key, value)| format!("{}: {}", py_repr(key), show(value))).collect();
    format!("{{{}}}", entries.join(", "))
}
