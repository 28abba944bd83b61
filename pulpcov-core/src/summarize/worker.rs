//! Reads and parses files, and compares them with the data.

use std::collections::HashMap;
use std::path::Path;

use super::facts_cache::FactsCache;
use super::file_rows::FileRows;
use super::naming::Candidate;
use super::outcome::{Outcome, Task};
use super::sources::{Sources, read_source, shown};
use super::summary::{Detail, FileSummary};
use super::traced::Traced;
use super::version::Evidence;
use super::warning::Warning;
use crate::data::ContextSelection;
use crate::paths::from_os;
use crate::python::{AnalyzeOptions, Facts, PythonSource, PythonVersion};
use crate::text::py_repr;
use crate::{Authors, CoverageData, Error, ErrorKind, FilePath, Position, Result};

/// What all threads share.
pub(super) struct Worker<'w> {
    pub(super) data: &'w CoverageData,
    pub(super) sources: &'w dyn Sources,
    pub(super) traced: &'w Traced,
    pub(super) detail: Detail,
    pub(super) cache: Option<&'w FactsCache>,
    pub(super) facts: AnalyzeOptions,
    pub(super) selection: Option<&'w ContextSelection>,
    /// The lines that ran by other tools' accounts, by the paths of the files in the data.
    pub(super) also_ran: &'w HashMap<FilePath, Vec<i32>>,
}

impl Worker<'_> {
    /// Analyzes files as `version`, on all cores. Calls `on_file` after each file.
    pub(super) fn run_all(
        &self,
        tasks: &[&Task],
        version: PythonVersion,
        on_file: impl Fn() + Sync,
    ) -> Vec<Outcome> {
        use rayon::prelude::*;
        let options = self.facts.clone().version(version);
        let work = |task: &&Task| {
            let outcome = self.summarize(task, &options);
            on_file();
            outcome
        };
        tasks.par_iter().map(work).collect()
    }

    fn summarize(&self, task: &Task, options: &AnalyzeOptions) -> Outcome {
        let candidate = &task.candidate;
        let rows = FileRows::of(self.data, &candidate.recorded, self.selection);
        let facts = if task.tracer.is_empty() {
            match self.facts(task, options, &rows) {
                Ok(facts) => facts,
                Err(outcome) => return outcome,
            }
        } else if self.is_withheld(task) {
            return task.withheld();
        } else if let Some(traced) = self.traced.files.get(&candidate.requested) {
            Facts::of_statements(traced.statements.iter().copied(), traced.excluded.iter().copied())
        } else {
            Facts::of_measured_lines(rows.lines())
        };
        let mut lines = rows.lines();
        let evidence = Evidence::of_file(&facts, &lines);
        if self.selection.is_none() {
            lines.extend(self.also_ran.get(&candidate.recorded).into_iter().flatten());
        }
        let mismatch = match task.tracer.is_empty() {
            true => mismatch(candidate, &lines, &facts),
            false => None,
        };
        let analysis = rows.analyze(lines, &facts);
        let file = FileSummary {
            name: candidate.name.clone(),
            path: candidate.path.clone(),
            requested: candidate.requested.clone(),
            recorded: candidate.recorded.clone(),
            authors: task.authors.clone(),
            is_python: task.tracer.is_empty(),
            numbers: analysis.numbers(),
            facts: (self.detail >= Detail::Everything).then(|| Box::new(facts)),
            analysis: (self.detail >= Detail::Lines).then(|| Box::new(analysis)),
        };
        Outcome::Done { file: Box::new(file), mismatch, evidence }
    }

    /// Returns whether the source of a traced file may not be shown. The facts about the file do
    /// not come from its source, so the source would not be read otherwise.
    fn is_withheld(&self, task: &Task) -> bool {
        let read = || read_source(self.sources, &task.candidate.path, &task.authors);
        task.authors != Authors::Caller
            && read().is_err_and(|err| err.kind() == ErrorKind::Withheld)
    }

    fn facts(
        &self,
        task: &Task,
        options: &AnalyzeOptions,
        rows: &FileRows,
    ) -> Result<Facts, Outcome> {
        let path = &task.candidate.path;
        let shown = shown(path);
        let failed = |error: Error| {
            if error.kind() == ErrorKind::Withheld {
                return task.withheld();
            }
            let message = format!("Couldn't parse '{shown}': {}", error.reason());
            Outcome::Failed { message, error, evidence: Evidence::default() }
        };
        let bytes = read_source(self.sources, path, &task.authors).map_err(failed)?;
        let kept = self.cache.map(|cache| (cache, FactsCache::key(options, &bytes)));
        if let Some(facts) = kept.as_ref().and_then(|(cache, key)| cache.get(key)) {
            return Ok(facts);
        }
        let source = PythonSource::decode(bytes).map_err(|err| {
            let message = format!("Couldn't parse '{shown}': {}", err.reason());
            let error = Error::new(err.kind(), message.clone()).with_path(path);
            Outcome::Failed { message, error, evidence: Evidence::default() }
        })?;
        let facts = source.analyze(options).map_err(|err| match err.kind() {
            ErrorKind::NotPython if !is_named_python(path) => Outcome::NotNamedPython,
            ErrorKind::NotPython => {
                let message = format!("Couldn't parse Python file '{shown}'");
                let evidence = match rows.lines().is_empty() {
                    true => Evidence::default(),
                    false => Evidence::of_refused(&source, options),
                };
                Outcome::Failed { message, error: not_parsed(path, &err), evidence }
            }
            _ => failed(err),
        })?;
        if let Some((cache, key)) = kept {
            cache.put(key, &facts);
        }
        Ok(facts)
    }
}

/// Returns a warning if the data has lines that the source does not have.
fn mismatch(candidate: &Candidate, ran: &[i32], facts: &Facts) -> Option<Warning> {
    // There is no code after the last newline, but an empty module has code on line 1.
    let lines = (facts.last_line() - 1).max(1);
    let recorded = ran.iter().copied().max().filter(|last| *last > lines)?;
    Some(Warning::Mismatch { path: candidate.path.clone(), recorded, lines })
}

/// Returns coverage.py's error for a file that does not parse.
fn not_parsed(path: &Path, err: &Error) -> Error {
    let line = match err.position() {
        Some(Position::Line { line, .. }) => line.to_string(),
        _ => "None".to_owned(),
    };
    let reason = py_repr(&err.reason());
    let path_shown = shown(path);
    let message =
        format!("Couldn't parse '{path_shown}' as Python source: {reason} at line {line}");
    Error::new(ErrorKind::NotPython, message).with_path(path)
}

/// Returns whether the name of a file suggests Python: coverage.py's `should_be_python`.
fn is_named_python(path: &Path) -> bool {
    let path = from_os(path);
    let extension = crate::paths::extension(&path);
    extension.is_empty() || extension.starts_with(b".py")
}
