//! Inputs that contradict each other, and the errors that name them.

use std::collections::HashMap;
use std::path::Path;

use super::input_summary::InputSummary;
use crate::data::{CoverageData, FileData, FilePath, Measurement};
use crate::error::{Error, ErrorKind, Lines};
use crate::folder::Entry;
use crate::formats::DataFile;
use crate::paths::PathAliases;
use crate::text::{plural, py_repr};

/// The inputs that hold lines, and those that hold arcs.
pub(super) struct InputsByMeasurement<'i> {
    lines: Vec<&'i Path>,
    arcs: Vec<&'i Path>,
}

impl<'i> InputsByMeasurement<'i> {
    pub(super) fn new(
        data_file: &'i Path,
        existing: Option<&CoverageData>,
        summary: &InputSummary<'i>,
    ) -> Self {
        let existing = existing.map(|data| (data_file, data.measurement()));
        let all: Vec<_> = existing.into_iter().chain(summary.read.iter().copied()).collect();
        let of = |wanted| {
            all.iter().filter(|entry| entry.1 == Some(wanted)).map(|entry| entry.0).collect()
        };
        Self { lines: of(Measurement::Lines), arcs: of(Measurement::Arcs) }
    }

    pub(super) fn are_mixed(&self) -> bool {
        !self.lines.is_empty() && !self.arcs.is_empty()
    }

    pub(super) fn refusal(&self) -> Error {
        let names = |paths: &[&Path]| {
            paths.iter().map(|path| format!("  {}", path.display())).collect::<Vec<_>>()
        };
        let mut lines = vec!["Can't combine branch coverage data with statement data".to_owned()];
        lines.push(format!("{} measured statements:", plural(self.lines.len(), "file")));
        lines.extend(names(&self.lines));
        lines.push(format!("{} measured branches:", plural(self.arcs.len(), "file")));
        lines.extend(names(&self.arcs));
        Error::new(ErrorKind::MixedData, Lines(lines))
    }
}

/// Reads the inputs again, in order, to find two that name different plugins for a file.
pub(super) fn name_conflicting_inputs(
    inputs: &[Entry],
    aliases: &mut PathAliases,
) -> Option<Error> {
    let mut known = HashMap::<FilePath, (String, &Path)>::new();
    for input in inputs {
        let opened = DataFile::open_entry(input).and_then(DataFile::read);
        let (Ok(decoded), input) = (opened, input.path()) else { continue };
        let has_plugin_or_rows = |file: &FileData<'_>| file.has_rows() || !file.tracer().is_empty();
        for file in decoded.data.files().filter(has_plugin_or_rows) {
            let Ok(path) = aliases.map_file(file.path()) else { continue };
            let (tracer, first) =
                known.entry(path.clone()).or_insert_with(|| (file.tracer().to_owned(), input));
            if tracer != file.tracer() {
                let named = |tracer: &str, input: &Path| {
                    format!("  {} in {}", py_repr(tracer), input.display())
                };
                let lines = vec![
                    format!("Conflicting file tracer names for {path}:"),
                    named(tracer, first),
                    named(file.tracer(), input),
                ];
                return Some(Error::new(ErrorKind::TracerConflict, Lines(lines)));
            }
        }
    }
    None
}
