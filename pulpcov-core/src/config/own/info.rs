//! The settings as `pulpcov debug config` prints them.

use std::path::Path;

use super::{GateSettings, OwnSettings, PatchSettings};
use crate::config::Info;
use crate::gates::{PathPattern, Rule};
use crate::subunit::RoutePattern;

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
        // Named one by one, so that the compiler says which is missing.
        let Self { patch, gate, always, map, routes, file } = self;
        let PatchSettings { base, fail_under, max_missing } = patch;
        let GateSettings { floor, new_files, rules, ratchet } = gate;
        let rule = |rule: &Rule| format!("{}: {}", rule.name(), rule.limits());
        let mapped = |(pattern, tests): &(PathPattern, Vec<String>)| {
            format!("{}: {}", pattern.as_str(), tests.join(", "))
        };
        let routed = |(pattern, paths): &(RoutePattern, Vec<String>)| {
            format!("{}: {}", pattern.as_str(), paths.join(", "))
        };
        vec![
            ("file", value(file.as_deref().map(Path::display))),
            ("always", list(always.iter().map(|pattern| pattern.as_str().to_owned()))),
            ("map", list(map.iter().map(mapped))),
            ("routes", list(routes.iter().map(routed))),
            ("patch.base", value(base.as_ref())),
            ("patch.fail_under", value(fail_under.as_ref())),
            ("patch.max_missing", value(*max_missing)),
            ("gate.floor", value(floor.as_ref())),
            ("gate.new_files", value(new_files.as_ref())),
            ("gate.rules", list(rules.iter().map(rule))),
            ("gate.ratchet", value(ratchet.as_deref().map(Path::display))),
        ]
    }
}

fn value(value: Option<impl std::fmt::Display>) -> Info {
    Info::Text(value.map_or_else(|| "None".to_owned(), |value| value.to_string()))
}

fn list(items: impl Iterator<Item = String>) -> Info {
    Info::List(items.collect())
}
