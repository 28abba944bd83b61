//! Source text to search in, in a few files that are loaded one by one.

use serde::Serialize;

use super::pages::Page;

/// About a megabyte.
const LINES: i64 = 25_000;

/// The files and their texts.
#[derive(Serialize)]
pub(super) struct Texts<'a>(pub(super) Vec<(&'a str, &'a str)>);

/// How many files of text there are: a power of two, so that the number seldom changes.
pub(super) fn count(pages: &[Page<'_>]) -> usize {
    let lines: i64 = pages.iter().map(|page| i64::from(page.facts.last_line())).sum();
    usize::try_from(lines / LINES + 1).unwrap_or(1).next_power_of_two()
}

/// Which of `count` files has the text of a page, whatever other pages there are.
pub(super) fn place(page: &str, count: usize) -> usize {
    let hash = blake3::hash(page.as_bytes());
    let number = hash.as_bytes().iter().take(4).fold(0, |sum, &byte| sum * 256 + usize::from(byte));
    number % count.max(1)
}
