//! The part of a file that is asked about.

use std::ops::RangeInclusive;

use crate::python::{Facts, Region};
use crate::summarize::FileSummary;
use crate::{Error, ErrorKind, Result};

/// How many names an error suggests.
const NAMES_SUGGESTED: usize = 3;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilePart {
    /// All statements.
    All,
    /// The statements that contain these lines.
    Lines(RangeInclusive<i32>),
    /// The body of a function or class, with the functions and classes inside it, by its qualified name.
    Named(String),
}

impl FilePart {
    pub(super) fn name(&self, file: &str) -> String {
        match self {
            Self::All => file.to_owned(),
            Self::Lines(lines) if lines.start() == lines.end() => {
                format!("{file}:{}", lines.start())
            }
            Self::Lines(lines) => format!("{file}:{}-{}", lines.start(), lines.end()),
            Self::Named(name) => format!("{file}::{name}"),
        }
    }

    /// Returns the statements of the part.
    pub(super) fn statements(&self, file: &FileSummary, facts: &Facts) -> Result<Vec<i32>> {
        let is_statement = |line: &i32| facts.statements().binary_search(line).is_ok();
        match self {
            Self::All => Ok(facts.statements().to_vec()),
            Self::Lines(lines) => {
                if *lines.start() < 1 || lines.is_empty() {
                    let why = format!("there are no lines {} to {}", lines.start(), lines.end());
                    return Err(missing(file, &why));
                }
                // A caller may name far more lines than there are.
                let last = facts.last_line().max(0);
                if *lines.start() > last {
                    return Err(missing(file, &format!("it has no line {}", lines.start())));
                }
                let lines = *lines.start()..=(*lines.end()).min(last);
                Ok(facts.translate_lines(lines).into_iter().filter(is_statement).collect())
            }
            Self::Named(name) => {
                let inside = |region: &&Region| is_inside(region.name(), name);
                let mut regions = facts.regions().iter().filter(inside).peekable();
                if regions.peek().is_none() {
                    return Err(missing(file, &no_such_name(name, facts)));
                }
                let lines = facts.translate_lines(regions.flat_map(Region::lines));
                Ok(lines.into_iter().filter(is_statement).collect())
            }
        }
    }
}

fn is_inside(region: &str, name: &str) -> bool {
    region.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Says that there is no such function or class, and names some that end alike.
fn no_such_name(name: &str, facts: &Facts) -> String {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_lowercase();
    let wanted = last(name);
    let alike = facts.regions().iter().filter(|region| last(region.name()).contains(&wanted));
    let names: Vec<&str> = alike.map(Region::name).take(NAMES_SUGGESTED).collect();
    match names.is_empty() {
        true => format!("it has no function or class {name}"),
        false => format!("it has no function or class {name}, but {}", names.join(", ")),
    }
}

fn missing(file: &FileSummary, why: &str) -> Error {
    Error::new(ErrorKind::NoData, why).with_path(file.path())
}
