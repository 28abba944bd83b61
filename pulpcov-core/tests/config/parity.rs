//! Compares the results for config files and patterns with those of coverage.py.
//! `../fixtures/config/record.py` recorded coverage.py's results.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pulpcov_core::config::{Config, Info, Loaded, Loader, format_info};
use pulpcov_core::pyre::Pattern;
use pulpcov_core::text::printable;
use pulpcov_core::{Error, ErrorKind, Position};
use serde_json::Value as Json;

/// Returns the header of a recording, which has what all cases share, and the cases.
fn recording(text: &str) -> (Json, impl Iterator<Item = Json>) {
    let mut lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    (lines.next().unwrap(), lines)
}

fn texts(object: &Json) -> BTreeMap<&str, &str> {
    let entries = object.as_object().unwrap().iter();
    entries.map(|(name, text)| (name.as_str(), text.as_str().unwrap())).collect()
}

/// Loads the config of a case from `folder`.
fn load(case: &Json, header: &Json, folder: &Path) -> Result<Loaded, Error> {
    let env = texts(case.get("env").unwrap_or(&header["env"]));
    let lookup = |name: &str| {
        let home = (name == "HOME").then(|| header["home"].as_str().unwrap());
        env.get(name).copied().or(home).map(str::to_owned)
    };
    let files = match case.get("files") {
        Some(files) => texts(files),
        None => BTreeMap::from([(case["name"].as_str().unwrap(), case["text"].as_str().unwrap())]),
    };
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    let loader = Loader::new(folder, lookup);
    match case.get("rcfile").and_then(Json::as_str) {
        Some(name) => loader.rcfile(name).load(),
        None => loader.load(),
    }
}

/// Loads the config of a case from a new folder, and passes the result and the folder's path to
/// `check`.
fn with_loaded_config<T>(
    case: &Json,
    header: &Json,
    check: impl FnOnce(Result<Loaded, Error>, &str) -> T,
) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    check(load(case, header, &path), path.to_str().unwrap())
}

/// Returns the settings in the form of the recording. `$CWD` stands for the folder.
fn settings(config: &Config, cwd: &str) -> BTreeMap<&'static str, Json> {
    let json = |info| match info {
        Info::Text(text) => Json::from(text.replace(cwd, "$CWD")),
        Info::List(texts) => texts.iter().map(|text| text.replace(cwd, "$CWD")).collect(),
        other => panic!("{other:?}"),
    };
    config.debug_info().into_iter().map(|(name, info)| (name, json(info))).collect()
}

#[test]
fn configs() {
    let (header, cases) = recording(include_str!("../fixtures/config/configs.jsonl"));
    let mut wrong = Vec::new();
    for case in cases {
        let problem = with_loaded_config(&case, &header, |loaded, cwd| compare(&case, loaded, cwd));
        wrong.extend(problem.map(|problem| format!("{problem}\n  in {case}")));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Returns the first difference from the recording, if any.
fn compare(case: &Json, loaded: Result<Loaded, Error>, cwd: &str) -> Option<String> {
    match (loaded, case["settings"].as_object()) {
        (Ok(loaded), Some(changed)) => {
            let actual = settings(&loaded.config, cwd);
            let mut expected = settings(&Config::default(), cwd);
            for (name, value) in changed {
                *expected.get_mut(name.as_str()).unwrap() = value.clone();
            }
            let by_folder = case.get("files").is_some();
            let differs = expected.iter().find(|(name, value)| {
                (by_folder || !name.starts_with("config_file")) && actual[*name] != **value
            });
            let mut warnings = loaded.warnings;
            warnings.sort();
            match differs {
                Some((name, value)) => Some(format!("{name}: {value} became {}", actual[name])),
                None => (Json::from(warnings.clone()) != case["warnings"])
                    .then(|| format!("warnings {warnings:?}")),
            }
        }
        (Ok(_), None) => Some("accepted".to_owned()),
        (Err(error), Some(_)) => Some(format!("refused: {error}")),
        (Err(error), None) => compare_errors(case, &error),
    }
}

fn compare_errors(case: &Json, error: &Error) -> Option<String> {
    let problem = |what: &str| Some(format!("{what}: {error}"));
    if error.kind() != ErrorKind::Config {
        return problem("kind");
    }
    // If Python fails with a traceback, any error is correct.
    let message = case["error"].as_str()?;
    let line = match error.position() {
        Some(Position::Line { line, .. }) => Some(*line as u64),
        _ => None,
    };
    let prefix = message.split(": ").next()?;
    let Some(expected_line) = case.get("parser_line") else {
        // The message is coverage.py's own. The loader replaces characters that cannot be printed
        // by `?`.
        return (error.reason() != printable(message)).then(|| problem("message")).flatten();
    };
    if !error.reason().starts_with(&format!("{prefix}: ")) {
        return problem("prefix");
    }
    let is_ini = !prefix.ends_with(".toml");
    (is_ini && expected_line.as_u64() != line).then(|| problem("line")).flatten()
}

#[test]
fn debug_config() {
    let (header, cases) = recording(include_str!("../fixtures/config/debug.jsonl"));
    for case in cases {
        with_loaded_config(&case, &header, |loaded, cwd| {
            let output = format_info("config", &loaded.unwrap().config.debug_info());
            assert_eq!(output.replace(cwd, "$CWD"), case["output"].as_str().unwrap());
        });
    }
}

#[test]
fn patterns() {
    let (header, cases) = recording(include_str!("../fixtures/config/patterns.jsonl"));
    let subject = header["subject"].as_str().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let found = match_all(case["pattern"].as_str().unwrap(), subject);
        let right = match (&found, case["error"].as_str()) {
            (Err(error), Some(message)) => error.reason() == printable(message),
            (Ok(found), None) => serde_json::to_value(found).unwrap() == case["matches"],
            _ => false,
        };
        if !right {
            wrong.push(format!("{found:?} in {case}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn match_all(pattern: &str, subject: &str) -> Result<Vec<[usize; 2]>, Error> {
    let pattern = Pattern::multi_line(pattern)?;
    let found: Result<Vec<_>, _> = pattern.find_iter(subject).collect();
    Ok(found?
        .into_iter()
        .filter(|span| !span.is_empty())
        .map(|span| [span.start, span.end])
        .collect())
}
