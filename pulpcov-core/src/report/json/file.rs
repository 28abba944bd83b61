//! A file of the report.

use std::collections::BTreeMap;

use serde::Serialize;

use super::branches::Branches;
use super::contexts::{ContextNames, Contexts};
use super::counts::Counts;
use super::format::write_value;
use super::options::Options;
use super::regions::Regions;
use super::settings::RenderSettings;
use crate::Result;
use crate::report::parallel::Rendered;
use crate::summarize::{FileSummary, Summary};

/// The JSON of a file.
pub(super) struct RenderedFile(pub(super) Vec<u8>);

impl RenderedFile {
    pub(super) fn new(
        summary: &Summary<'_>,
        file: &FileSummary,
        options: &Options,
        names: &ContextNames<'_>,
    ) -> Result<Self> {
        let pretty = options.pretty_print;
        let mut text = Vec::new();
        write_value(&file.name(), pretty, 2, &mut text)?;
        text.extend_from_slice(b": ");
        let contexts = options.show_contexts.then(|| summary.contexts_by_line(file));
        let mut numbered = None;
        let mut settings =
            RenderSettings { precision: options.precision, contexts: contexts.as_deref() };
        if let (ContextNames::Indexed(names), Some(contexts)) = (names, &contexts) {
            numbered = Some(names.lines(contexts));
            settings.contexts = None;
        }
        write_value(&File { numbered, ..File::new(file, settings)? }, pretty, 2, &mut text)?;
        Ok(Self(text))
    }
}

impl Rendered for RenderedFile {
    fn size(&self) -> usize {
        self.0.len()
    }
}

#[derive(Serialize)]
struct File<'a> {
    executed_lines: &'a [i32],
    summary: Counts,
    missing_lines: &'a [i32],
    excluded_lines: &'a [i32],
    #[serde(skip_serializing_if = "Option::is_none")]
    contexts: Option<Contexts<'a>>,
    #[serde(rename = "contexts", skip_serializing_if = "Option::is_none")]
    numbered: Option<BTreeMap<i32, Vec<usize>>>,
    #[serde(flatten)]
    branches: Option<Branches<'a>>,
    #[serde(flatten)]
    regions: Option<Regions<'a>>,
}

impl<'a> File<'a> {
    fn new(file: &'a FileSummary, settings: RenderSettings<'a>) -> Result<Self> {
        let (facts, analysis) = (file.facts()?, file.analysis()?);
        Ok(Self {
            executed_lines: analysis.executed(),
            summary: settings.counts(analysis),
            missing_lines: analysis.missing(),
            excluded_lines: analysis.excluded(),
            contexts: settings.contexts.map(Contexts::of_file),
            numbered: None,
            branches: Branches::new(analysis),
            regions: file.is_python().then(|| Regions::new(facts, analysis, settings)),
        })
    }
}
