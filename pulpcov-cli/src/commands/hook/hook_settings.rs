//! The settings of a Python's hook, as `pulpcov hook status` shows them.

use serde::Serialize;

use super::installed::Settings;
use super::user_name::user_name;

/// The settings of a hook.
#[derive(Debug, Serialize)]
pub(super) struct HookSettings {
    packages: Vec<String>,
    folders: Vec<String>,
    branch: bool,
    /// The interval between saves, in seconds.
    interval: Option<f64>,
    signal: Option<String>,
    config: Option<String>,
    context: Option<String>,
    /// The users whose processes are measured. An empty list stands for all users.
    users: Vec<u32>,
}

impl From<&Settings> for HookSettings {
    fn from(settings: &Settings) -> Self {
        let one = |name: &str| settings.get(name).map(str::to_owned);
        let all = |name: &str| settings.all(name).map(str::to_owned).collect();
        Self {
            packages: all("package"),
            folders: all("folder"),
            branch: settings.get("branch").is_some(),
            interval: settings.get("interval").and_then(|seconds| seconds.parse().ok()),
            signal: one("signal"),
            config: one("config"),
            context: one("context"),
            users: settings.all("user").filter_map(|user| user.parse().ok()).collect(),
        }
    }
}

impl HookSettings {
    /// Returns a line for each setting.
    pub(super) fn in_words(&self) -> Vec<String> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let mut lines = vec![
            format!("measures: {}", self.sources()),
            format!("branches: {}", self.branches()),
            format!("saves: {}", self.saves()),
            format!("configuration file: {}", or_none(&self.config)),
            format!("context: {}", or_none(&self.context)),
        ];
        if !self.users.is_empty() {
            let names: Vec<String> = self.users.iter().map(|user| user_name(*user)).collect();
            lines.push(format!("users: {}", names.join(", ")));
        }
        lines
    }

    fn sources(&self) -> String {
        let kinds = [("package", &self.packages), ("folder", &self.folders)];
        let listed = kinds.into_iter().filter(|(_, names)| !names.is_empty());
        let listed: Vec<String> = listed
            .map(|(kind, names)| {
                let ending = if names.len() == 1 { "" } else { "s" };
                format!("{kind}{ending} {}", names.join(", "))
            })
            .collect();
        if listed.is_empty() {
            return "all but the standard library and installed packages".to_owned();
        }
        listed.join("; ")
    }

    fn branches(&self) -> &str {
        match (self.branch, &self.config) {
            (true, _) => "yes",
            (false, Some(_)) => "as the configuration file says",
            (false, None) => "no",
        }
    }

    fn saves(&self) -> String {
        let every = self.interval.map_or_else(String::new, |seconds| format!("every {seconds} s"));
        match &self.signal {
            Some(signal) => format!("{every}, and on {signal}"),
            None => every,
        }
    }
}
