//! The files of a report, and what happened to each.

use std::path::{Path, PathBuf};

use super::naming::Candidate;
use super::summary::FileSummary;
use super::version::Evidence;
use super::warning::Warning;
use crate::{Authors, Error, ErrorKind, FilePath};

/// A file to summarize, with the plugin that traced it.
pub(super) struct Task {
    pub(super) candidate: Candidate,
    /// The plugin that traced the file, which is empty for Python itself.
    pub(super) tracer: String,
    pub(super) authors: Authors,
}

impl Task {
    pub(super) fn withheld(&self) -> Outcome {
        // Do not reveal what the path resolves to.
        let path = self.candidate.requested.clone();
        Outcome::Withheld { path, authors: self.authors.clone() }
    }
}

/// What happened to a file.
pub(super) enum Outcome {
    Done {
        file: Box<FileSummary>,
        mismatch: Option<Warning>,
        evidence: Evidence,
    },
    /// The file is not Python, and its name does not suggest that it is.
    NotNamedPython,
    /// The file may not be shown.
    Withheld {
        path: FilePath,
        authors: Authors,
    },
    Failed {
        /// coverage.py's message if errors are ignored.
        message: String,
        error: Error,
        evidence: Evidence,
    },
}

impl Outcome {
    pub(super) fn evidence(&self) -> Evidence {
        match self {
            Self::Done { evidence, .. } | Self::Failed { evidence, .. } => *evidence,
            Self::NotNamedPython | Self::Withheld { .. } => Evidence::default(),
        }
    }
}

/// Returns the paths of all sources that do not exist.
pub(super) fn missing_sources(outcomes: &[Outcome]) -> Vec<PathBuf> {
    let missing = |outcome: &Outcome| match outcome {
        Outcome::Failed { error, .. } if error.kind() == ErrorKind::NoSource => {
            error.path().map(Path::to_owned)
        }
        _ => None,
    };
    outcomes.iter().filter_map(missing).collect()
}
