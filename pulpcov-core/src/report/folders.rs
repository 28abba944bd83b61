//! Totals of folders: each with all that is below it.

use std::collections::BTreeMap;

use crate::results::Numbers;
use crate::summarize::FileSummary;

/// The name of the folder that names start from.
const HERE: &str = "./";

/// The totals of every folder with measured files, by its name, which ends in a slash.
///
/// A folder in which there is nothing but another folder is left out: it has the same totals. Files
/// outside of all folders are in `./`.
pub(super) fn folder_totals(files: &[FileSummary]) -> Vec<(String, Numbers)> {
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
        // Only children that hold all of its files can say the same.
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

/// What is between the folders of a name. It may be of Windows.
fn separator(name: &str) -> char {
    if !name.contains('/') && name.contains('\\') { '\\' } else { '/' }
}
