//! Totals of folders. The total of a folder includes all folders below it.

use std::collections::BTreeMap;

use crate::results::Numbers;
use crate::summarize::FileSummary;

/// The folder of names that contain no separator.
const HERE: &str = "./";

/// Returns the totals of all folders with measured files, sorted by name. The name of a folder ends
/// in a separator.
///
/// A folder that contains nothing but one other folder is left out, because both have the same
/// totals. Files whose names contain no folder are in `./`.
pub(super) fn folder_totals<'f>(
    files: impl IntoIterator<Item = &'f FileSummary>,
) -> Vec<(String, Numbers)> {
    let mut folders = BTreeMap::<&str, (Numbers, usize)>::new();
    for file in files {
        let name = file.name();
        let separator = separator(name);
        if !name.contains(separator) {
            let (numbers, own) = folders.entry(HERE).or_default();
            *numbers += file.numbers();
            *own += 1;
        }
        for (slash, _) in name.match_indices(separator).filter(|(slash, _)| *slash > 0) {
            let folder = name.get(..=slash).unwrap_or(name);
            let (numbers, own) = folders.entry(folder).or_default();
            *numbers += file.numbers();
            *own += usize::from(!name.get(slash + 1..).unwrap_or_default().contains(separator));
        }
    }
    let says_more = |folder: &str, numbers: &Numbers, own: usize| {
        // Without files of its own, a folder has the same totals as a child only if the child holds
        // all of its files.
        own > 0
            || !folders
                .range(folder..)
                .skip(1)
                .take_while(|(name, _)| name.starts_with(folder))
                .any(|(_, (child, _))| child.files == numbers.files)
    };
    folders
        .iter()
        .filter(|(folder, (numbers, own))| says_more(folder, numbers, *own))
        .map(|(folder, (numbers, _))| ((*folder).to_owned(), *numbers))
        .collect()
}

/// Returns the character that separates the folders of a name, which may be a Windows path.
fn separator(name: &str) -> char {
    if !name.contains('/') && name.contains('\\') { '\\' } else { '/' }
}
