//! The list of free pages (fileformat.html, section 1.5).

use std::fs::File;
use std::io;
use std::ops::Range;

use super::build_tree::{LOCK_PAGE, PAGE, PageWriter};
use super::file_position::FilePosition;
use super::sync_while_writing::SyncRequests;

/// The maximum number of free pages that one page of the list names. SQLite leaves the last six places
/// unused.
const LEAVES: usize = PAGE / 4 - 8;

/// The first page of the list of free pages, and the number of free pages.
#[derive(Clone, Copy, Default)]
pub(in super::super) struct FreeList {
    pub(super) first: u32,
    pub(super) len: u32,
}

/// Writes the list of free pages to the pages from `start` on. The list holds the pages of `free`, and the
/// pages that the list itself takes, because these are free, too. Returns the list, and the number of the
/// page after it.
pub(in super::super) fn write_free_list(
    free: Range<u32>,
    file: &File,
    start: u32,
) -> io::Result<(FreeList, u32)> {
    let free: Vec<u32> = free.filter(|page| *page != LOCK_PAGE).collect();
    let mut out =
        PageWriter::new(FilePosition::of_page(file, start, SyncRequests::default()), start);
    let mut list = FreeList { first: 0, len: free.len() as u32 };
    for leaves in free.chunks(LEAVES) {
        let mut trunk = [0; PAGE];
        let numbers = [list.first, leaves.len() as u32].into_iter().chain(leaves.iter().copied());
        for (at, number) in trunk.chunks_exact_mut(4).zip(numbers) {
            at.copy_from_slice(&number.to_be_bytes());
        }
        list.first = out.write(&trunk)?;
        list.len += 1;
    }
    Ok((list, out.next()))
}
