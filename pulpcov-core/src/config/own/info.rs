//! The settings as `pulpcov debug config` prints them.

use std::path::Path;

use super::OwnSettings;
use crate::config::Info;
use crate::gates::PathPattern;

impl OwnSettings {
    /// Returns every setting with its value, as `pulpcov debug config` prints it after coverage.py's settings.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::{Info, Loader};
    ///
    /// let folder = tempfile::tempdir()?;
    /// std::fs::write(folder.path().join("pulpcov.toml"), "[gate]\nfloor = 80\n")?;
    /// let own = Loader::new(folder.path(), |_| None).load_own()?.settings;
    /// assert!(own.debug_info().contains(&("gate.floor", Info::Text("80%".into()))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn debug_info(&self) -> Vec<(&'static str, Info)> {
        let (patch, gate) = (&self.patch, &self.gate);
        let rule = |rule: &crate::gates::Rule| format!("{}: {}", rule.name(), rule.limits());
        let mapped = |(pattern, tests): &(PathPattern, Vec<String>)| {
            format!("{}: {}", pattern.as_str(), tests.join(", "))
        };
        vec![
            ("file", value(self.file.as_deref().map(Path::display))),
            ("always", list(self.always.iter().map(|pattern| pattern.as_str().to_owned()))),
            ("map", list(self.map.iter().map(mapped))),
            ("patch.base", value(patch.base.as_ref())),
            ("patch.fail_under", value(patch.fail_under.as_ref())),
            ("patch.max_missing", value(patch.max_missing)),
            ("gate.floor", value(gate.floor.as_ref())),
            ("gate.new_files", value(gate.new_files.as_ref())),
            ("gate.rules", list(gate.rules.iter().map(rule))),
            ("gate.ratchet", value(gate.ratchet.as_deref().map(Path::display))),
        ]
    }
}

fn value(value: Option<impl std::fmt::Display>) -> Info {
    Info::Text(value.map_or_else(|| "None".to_owned(), |value| value.to_string()))
}

fn list(items: impl Iterator<Item = String>) -> Info {
    Info::List(items.collect())
}
