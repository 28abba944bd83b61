//! The files that patterns choose.

use std::path::Path;

use pulpcov_core::paths::{GlobMatcher, WorkingFolder, prep_patterns};

use crate::exit::Failure;

/// Which files are wanted: those that match a pattern to include, if there are such patterns, and none to omit.
pub(super) struct Choice {
    include: Option<GlobMatcher>,
    omit: Option<GlobMatcher>,
}

impl Choice {
    /// Reads patterns, which start from `folder`.
    pub(super) fn new(
        folder: &WorkingFolder,
        include: &[String],
        omit: &[String],
    ) -> Result<Self, Failure> {
        let matcher = |patterns: &[String]| match patterns.is_empty() {
            true => Ok(None),
            false => GlobMatcher::new(prep_patterns(folder, patterns)).map(Some),
        };
        Ok(Self { include: matcher(include)?, omit: matcher(omit)? })
    }

    /// Returns whether a file is wanted. Its path is absolute.
    pub(super) fn has(&self, path: &Path) -> bool {
        let bytes = path.as_os_str().as_encoded_bytes();
        self.include.as_ref().is_none_or(|include| include.is_match(bytes))
            && self.omit.as_ref().is_none_or(|omit| !omit.is_match(bytes))
    }
}
