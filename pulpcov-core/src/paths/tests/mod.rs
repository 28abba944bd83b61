//! Tests of the module: by topic, and against recorded results of coverage.py.

mod aliases;
mod glob;
mod patterns;
mod pypath;
mod recorded;

use std::path::Path;

use tempfile::TempDir;

use super::error::PatternError;
use super::glob::{GlobPattern, join_regex};
use super::pyregex::{self, Flags};
use super::{PathAliases, WorkingFolder};

/// A folder that exists on no machine.
const NOWHERE: &str = "/nonexistent/cwd";

/// Compiles `patterns` as coverage.py's `files.globs_to_regex` does.
fn globs_to_regex<P: AsRef<str>>(
    patterns: &[P],
    flags: Flags,
) -> Result<regex::Regex, PatternError> {
    let patterns: Vec<_> =
        patterns.iter().map(|p| GlobPattern::new(p.as_ref())).collect::<Result<_, _>>()?;
    pyregex::compile(&join_regex(&patterns), flags)
}

/// Returns aliases for which every mapped path exists.
fn aliases(relative: bool, rules: &[(&str, &str)]) -> PathAliases {
    let mut aliases =
        PathAliases::new(WorkingFolder::new(NOWHERE)).relative(relative).exists(|_| true);
    for (pattern, result) in rules {
        aliases.add(pattern, result).unwrap();
    }
    aliases
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Creates a folder with the empty files `names`.
fn folder_of(names: &[&str]) -> (TempDir, WorkingFolder) {
    let folder = TempDir::new().unwrap();
    names.iter().for_each(|name| touch(&folder.path().join(name)));
    let cwd = WorkingFolder::new(folder.path());
    (folder, cwd)
}

fn touch(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "").unwrap();
}
