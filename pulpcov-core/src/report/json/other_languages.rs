//! Files that only other tools measured. coverage.py has no such part.

use std::collections::BTreeMap;

use serde::Serialize;

use super::counts::Counts;
use crate::Result;
use crate::results::{Numbers, Precision};
use crate::summarize::{OtherFile, Summary};

/// The files of each language, and their totals.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct OtherLanguages<'a>(BTreeMap<&'static str, Language<'a>>);

#[derive(Serialize)]
struct Language<'a> {
    files: BTreeMap<&'a str, File<'a>>,
    totals: Counts,
}

#[derive(Serialize)]
struct File<'a> {
    executed_lines: &'a [i32],
    summary: Counts,
    missing_lines: &'a [i32],
    /// How many branches lines have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    branches: BTreeMap<i32, Branches>,
}

/// How many branches a line has, and how many were taken. Other tools do not say where branches lead.
#[derive(Serialize)]
struct Branches {
    num_branches: usize,
    covered_branches: usize,
}

impl<'a> OtherLanguages<'a> {
    pub(super) fn new(summary: &'a Summary<'_>, precision: Precision) -> Result<Self> {
        let language = |(name, files, totals): (&'static str, &'a [OtherFile], Numbers)| {
            let files = files.iter().map(|other| file(other, precision));
            let files = files.collect::<Result<_>>()?;
            Ok((name, Language { files, totals: counts(totals, precision) }))
        };
        Ok(Self(summary.other_languages().map(language).collect::<Result<_>>()?))
    }
}

fn file(other: &OtherFile, precision: Precision) -> Result<(&str, File<'_>)> {
    let analysis = other.summary().analysis()?;
    let branches = analysis.counted_branches().iter();
    let branches = branches.map(|(line, (all, taken))| {
        (*line, Branches { num_branches: *all, covered_branches: *taken })
    });
    let file = File {
        executed_lines: analysis.executed(),
        summary: counts(analysis.numbers(), precision),
        missing_lines: analysis.missing(),
        branches: branches.collect(),
    };
    Ok((other.summary().name(), file))
}

fn counts(numbers: Numbers, precision: Precision) -> Counts {
    Counts::new(numbers, precision, numbers.branches > 0)
}
