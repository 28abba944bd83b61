//! Plugins of coverage.py that the configuration names, and their effect on the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use pulpcov_core::config::{Config, Value as Setting};
use pulpcov_core::plugins::{self, Environment};
use pulpcov_core::python::PythonVersion;
use pulpcov_core::summarize::TracedFile;
use pulpcov_core::{CoverageData, FilePath};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::Plugins;
use crate::exit::Failure;
use crate::plan::ReportPlan;
use crate::{settings, ui};

const CONFIGURATION: &str = include_str!("../../python/configuration.py");

/// The statements of files that plugins traced, by the paths of the data.
pub(super) type Traced = BTreeMap<FilePath, TracedFile>;

/// Applies the plugins whose effect is known without running Python.
///
/// Unknown plugins stop the report, or are left out with a warning if `--plugins=ignore` is given.
pub(super) fn apply(
    plan: &ReportPlan,
    config: &mut Config,
    data: &CoverageData,
    python: PythonVersion,
) -> Result<(), Failure> {
    let environment = Environment::of_this_machine(python, |name| std::env::var(name).ok());
    let mut unknown = match plugins::apply(config, &environment) {
        Ok(unknown) => unknown,
        Err(err) if plan.plugins == Some(Plugins::Ignore) => {
            ui::warning(&format!("{}, and it is left out", err.reason()));
            return Ok(());
        }
        Err(err) => return Err(Failure::Refused(format!("{}. {WAYS_ON}", err.reason()))),
    };
    // A plugin that traced files is a file tracer. A warning of its own names these files.
    let tracers = tracers(data);
    let is_tracer = |plugin: &str| {
        tracers
            .iter()
            .any(|tracer| tracer.strip_prefix(plugin).is_some_and(|rest| rest.starts_with('.')))
    };
    unknown.retain(|plugin| !is_tracer(plugin));
    if unknown.is_empty() {
        return Ok(());
    }
    let names = unknown.join(", ");
    if plan.plugins == Some(Plugins::Ignore) {
        ui::warning(&format!(
            "the settings are those of the file: of plugin {names} it is not known what it does to them"
        ));
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "the configuration names plugin {names}, which may change any setting, and what is counted. {WAYS_ON}"
    )))
}

const WAYS_ON: &str = "Two ways on: --plugins=run --python PYTHON runs it in a Python that has coverage.py and the plugin; \
    --plugins=ignore takes the settings as they are in the file";

/// Asks a Python for the configuration that coverage.py and the plugins produce there.
pub(super) fn run(
    plan: &ReportPlan,
    config: &mut Config,
    data: &CoverageData,
) -> Result<Traced, Failure> {
    let python = &*plan.plugin_python;
    let traced: Vec<&str> = data
        .files()
        .map(|file| file.path().as_str())
        .filter(|path| data.file_tracer(path).is_some_and(|tracer| !tracer.is_empty()))
        .collect();
    let data_file = settings::data_file(plan.data.file.clone(), config);
    let asked = json!({
        "rcfile": plan.data.config.rcfile,
        "data_file": data_file.to_string_lossy(),
        "options": Config::option_names().collect::<Vec<_>>(),
        "traced": traced,
    });
    let answer = ask(python, &asked)?;
    let unreadable =
        |why: String| refusal_about(python, &format!("the configuration cannot be read: {why}"));
    let answer: Answer =
        serde_json::from_slice(&answer).map_err(|err| unreadable(err.to_string()))?;
    for (name, value) in answer.options.iter().filter(|(_, value)| !value.is_null()) {
        config.set_option(name, setting(value)).map_err(|err| unreadable(err.reason()))?;
    }
    let by_path = |(path, of_file): (String, Lines)| {
        let path = FilePath::try_from(path.as_str())?;
        Ok((path, TracedFile { statements: of_file.statements, excluded: of_file.excluded }))
    };
    Ok(answer.traced.into_iter().map(by_path).collect::<Result<_, pulpcov_core::Error>>()?)
}

/// Converts a JSON value to a value of coverage.py's configuration.
fn setting(value: &Value) -> Setting {
    match value {
        Value::Bool(boolean) => Setting::Boolean(*boolean),
        Value::Number(number) if number.is_f64() => {
            Setting::Float(number.as_f64().unwrap_or(f64::NAN))
        }
        Value::Number(number) => Setting::Integer(number.to_string()),
        Value::Array(items) => Setting::Array(items.iter().map(setting).collect()),
        Value::String(text) => Setting::Text(text.clone()),
        value => Setting::Text(value.to_string()),
    }
}

#[derive(Deserialize)]
struct Answer {
    options: BTreeMap<String, Value>,
    traced: BTreeMap<String, Lines>,
}

#[derive(Deserialize)]
struct Lines {
    statements: Vec<i32>,
    excluded: Vec<i32>,
}

/// Runs the script in the current folder. As in coverage.py, plugins may be imported from there.
fn ask(python: &Path, asked: &Value) -> Result<Vec<u8>, Failure> {
    let output = Command::new(python)
        .args(["-c", CONFIGURATION, &asked.to_string()])
        .env("PULPCOV_HOOK", "off")
        .output()
        .map_err(|err| {
            refusal_about(
                python,
                &format!("{err}; --python names a Python with coverage.py and the plugins"),
            )
        })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.trim_end().lines().last().unwrap_or("it says nothing");
    Err(refusal_about(
        python,
        &format!("{last}; --python names a Python with coverage.py and the plugins"),
    ))
}

fn refusal_about(python: &Path, why: &str) -> Failure {
    Failure::Refused(format!("{}: {why}", ui::name(python)))
}

/// Returns whether rules of plugins mention the version of Python.
pub(super) fn ask_for_python(config: &Config) -> bool {
    let rules = config.plugin_options.get("coverage_conditional_plugin");
    let rules = rules.and_then(|options| options.get("rules")).map(ToString::to_string);
    rules.is_some_and(|rules| rules.contains("version"))
}

/// Returns whether a source has a line such as `# pragma: >=3.12 cover`.
pub(super) fn has_version_pragma(source: &[u8]) -> bool {
    const PRAGMA: &[u8] = b"# pragma: ";
    let is_comparison = |byte: &u8| b"<>=!".contains(byte);
    source
        .windows(PRAGMA.len() + 1)
        .any(|text| text.starts_with(PRAGMA) && text.last().is_some_and(is_comparison))
}

fn tracers(data: &CoverageData) -> BTreeSet<String> {
    data.files()
        .filter_map(|file| data.file_tracer(file.path()).map(str::to_owned))
        .filter(|tracer| !tracer.is_empty())
        .collect()
}
