//! Flat file names, which put files of many folders into one folder.

use sha3::{Digest, Sha3_256};

/// Returns a file name without folders for a path: coverage.py's `flat_rootname`.
///
/// Files with the same name in different folders get different flat names.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::flat_name;
///
/// assert_eq!(flat_name("a/b/c.py"), "z_86bbcbe134d28fd2_c_py");
/// assert_eq!(flat_name("c.py"), "c_py");
/// ```
pub fn flat_name(path: &str) -> String {
    let (folder, name) = split(path);
    let name = name.replace('.', "_");
    if folder.is_empty() {
        return name;
    }
    let hash = Sha3_256::digest(folder.as_bytes());
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("z_{digits}_{name}")
}

/// Splits a path into its folder and its file name, as `ntpath.split` does: both slashes separate,
/// and a drive counts as a folder.
fn split(path: &str) -> (&str, &str) {
    let is_slash = |c| c == '/' || c == '\\';
    let drive = match path.char_indices().nth(1) {
        Some((at, ':')) => at + 1,
        _ => 0,
    };
    let name = path.rfind(is_slash).map_or(drive, |slash| (slash + 1).max(drive));
    let (folder, name) = path.split_at(name);
    let trimmed = folder.trim_end_matches(is_slash);
    let only_slashes = trimmed.len() <= drive;
    (if only_slashes { folder } else { trimmed }, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_windows_does() {
        let cases = [
            ("a/b.py", ("a", "b.py")),
            (r"a\b/c.py", (r"a\b", "c.py")),
            ("/b.py", ("/", "b.py")),
            ("c:b.py", ("c:", "b.py")),
            (r"c:\b.py", (r"c:\", "b.py")),
            ("b.py", ("", "b.py")),
        ];
        for (path, parts) in cases {
            assert_eq!(split(path), parts);
        }
    }
}
