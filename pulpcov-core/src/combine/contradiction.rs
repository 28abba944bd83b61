//! Inputs that contradict each other, and the errors that name them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::input_summary::InputSummary;
#[cfg(feature = "archives")]
use super::members::for_each_in;
#[cfg(feature = "archives")]
use crate::containers::Search;
use crate::data::{CoverageData, FileData, FilePath, Measurement};
use crate::error::{Error, ErrorKind, Lines};
use crate::folder::Entry;
use crate::formats::DataFile;
#[cfg(feature = "archives")]
use crate::formats::{read_bytes, stranger};
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
        summary: &'i InputSummary<'_>,
    ) -> Self {
        let existing = existing.map(|data| (data_file, data.measurement()));
        let read = summary.read.iter().map(|(path, measurement)| (path.as_path(), *measurement));
        let all: Vec<_> = existing.into_iter().chain(read).collect();
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

/// Reads the inputs again, in order, to find two that name different plugins for a file. If archives were inputs, `base` is the name of
/// data files in them. A stream cannot be read again.
#[cfg_attr(not(feature = "archives"), expect(unused_variables, reason = "there are no archives"))]
pub(super) fn name_conflicting_inputs(
    inputs: &[Entry],
    base: Option<&String>,
    aliases: &mut PathAliases,
) -> Option<Error> {
    let mut tracers = Tracers { aliases, known: HashMap::new(), conflict: None };
    for input in inputs {
        match DataFile::open_entry(input).and_then(DataFile::read) {
            Ok(decoded) => tracers.add(input.path(), &decoded.data),
            #[cfg(feature = "archives")]
            Err(err)
                if let Some(base) = base
                    && stranger(&err).is_some() =>
            {
                for_each_in(input, &Search::new(base), |path, bytes| {
                    if let Ok(decoded) = read_bytes(&bytes) {
                        tracers.add(path, &decoded.data);
                    }
                });
            }
            Err(_) => {}
        }
        if tracers.conflict.is_some() {
            break;
        }
    }
    tracers.conflict
}

/// The plugins that inputs name, each with the first input that does.
struct Tracers<'a> {
    aliases: &'a mut PathAliases,
    known: HashMap<FilePath, (String, PathBuf)>,
    conflict: Option<Error>,
}

impl Tracers<'_> {
    fn add(&mut self, input: &Path, data: &CoverageData) {
        let has_plugin_or_rows = |file: &FileData<'_>| file.has_rows() || !file.tracer().is_empty();
        for file in data.files().filter(has_plugin_or_rows) {
            let Ok(path) = self.aliases.map_file(file.path()) else { continue };
            let (tracer, first) = self
                .known
                .entry(path.clone())
                .or_insert_with(|| (file.tracer().to_owned(), input.to_owned()));
            if tracer != file.tracer() {
                let named = |tracer: &str, input: &Path| {
                    format!("  {} in {}", py_repr(tracer), input.display())
                };
                let lines = vec![
                    format!("Conflicting file tracer names for {path}:"),
                    named(tracer, first),
                    named(file.tracer(), input),
                ];
                self.conflict = Some(Error::new(ErrorKind::TracerConflict, Lines(lines)));
                return;
            }
        }
    }
}
