//! The names of archives.

/// The endings of the names of archives, of compressed files, and of subunit streams.
const ENDINGS: [&str; 7] = [".zip", ".tar", ".tgz", ".tzst", ".gz", ".zst", ".subunit"];

/// Returns whether a file with this name is one that data files can be in: its name ends in `.zip`, `.tar`, `.tgz`, `.tzst`, `.gz`,
/// `.zst` or `.subunit`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::discover::is_archive_name;
///
/// assert!(is_archive_name("coverage-3.ZIP") && is_archive_name("shards.tar.gz"));
/// assert!(!is_archive_name(".coverage.zip.1"));
/// ```
pub fn is_archive_name(name: &str) -> bool {
    let ends = |ending: &str| {
        let at = name.len().checked_sub(ending.len());
        at.and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    ENDINGS.into_iter().any(ends)
}
