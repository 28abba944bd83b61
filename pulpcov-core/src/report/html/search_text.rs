//! Source text for the search, split into a few files that the script loads one by one.

use serde::Serialize;

use super::pages::Page;

/// The number of lines in a text file, which make about one megabyte.
const LINES: i64 = 25_000;

/// The text of several sources, as pairs of a page name and a text.
#[derive(Serialize)]
pub(super) struct Texts<'a>(pub(super) Vec<(&'a str, &'a str)>);

/// Returns the number of text files. It is a power of two, so that it seldom changes.
pub(super) fn count(pages: &[Page<'_>]) -> usize {
    let lines: i64 = pages.iter().map(|page| i64::from(page.facts.last_line())).sum();
    usize::try_from(lines / LINES + 1).unwrap_or(1).next_power_of_two()
}

/// Returns which of `count` text files holds the source of a page. This does not depend on the
/// other pages.
pub(super) fn place(page: &str, count: usize) -> usize {
    let hash = blake3::hash(page.as_bytes());
    let number = hash.as_bytes().iter().take(4).fold(0, |sum, &byte| sum * 256 + usize::from(byte));
    number % count.max(1)
}
