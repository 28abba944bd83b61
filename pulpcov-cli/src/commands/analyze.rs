//! `pulpcov debug analyze`: prints facts about Python source, to compare with coverage.py's.

use std::io::Write;
use std::path::{Path, PathBuf};

use pulpcov_core::python::{AnalyzeOptions, FactsJson, PythonSource, PythonVersion};
use serde::Serialize;

use crate::args::AnalyzeArgs;
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

/// One line of output: the facts, or why there are none.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    python: &'a str,
    #[serde(flatten)]
    facts: Option<FactsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) fn run(args: &AnalyzeArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let version: PythonVersion = settings::python(&args.python_version)?;
    let options = AnalyzeOptions::new()?.version(version);
    let mut exit = Exit::Success;
    for path in &args.paths {
        let mut files = Vec::new();
        collect(path, &mut files)?;
        files.sort();
        for file in files {
            let bytes = match std::fs::read(&file) {
                // The file was found in a folder, such as a link that leads nowhere.
                Err(err) if file != *path => {
                    ui::warning(&format!("left out: {}: {err}", ui::name(&file)));
                    exit = Exit::LeftOut;
                    continue;
                }
                bytes => bytes.map_err(|err| Failure::reading(&file, &err))?,
            };
            let name = relative(&file, args.root.as_deref().unwrap_or_else(|| root_of(path)));
            // A source that is not Python is a result, too.
            let facts = PythonSource::decode(&bytes).and_then(|source| source.analyze(&options));
            let (facts, error) = match facts {
                Ok(facts) => (Some(FactsJson::new(&facts)), None),
                Err(err) => (None, Some(err.to_string())),
            };
            let line = Line { file: &name, python: version.as_str(), facts, error };
            serde_json::to_writer(&mut *out, &line)
                .map_err(std::io::Error::from)
                .and_then(|()| writeln!(out))
                .map_err(Failure::Output)?;
        }
    }
    Ok(exit)
}

/// Collects the `.py` files below a folder. A path that is not a folder is collected whatever its extension.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        files.push(path.into());
        return Ok(());
    }
    let unreadable = |err| Failure::reading(path, &err);
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // Links to folders are not followed: they may lead back up.
        if entry.file_type().map_err(unreadable)?.is_dir() {
            collect(&entry.path(), files)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "py") {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn root_of(path: &Path) -> &Path {
    if path.is_dir() { path } else { path.parent().unwrap_or(path) }
}

fn relative(file: &Path, root: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned()
}
