//! B-trees built from the bottom, page after page, of rows that come in order.

use std::io::{self, Write};

use super::encode::varint;

/// The size of the pages that are written: SQLite's default.
pub(super) const PAGE: usize = 4096;
/// SQLite's locks are on bytes of this page, which is never used.
const LOCK_PAGE: u32 = (0x4000_0000 / PAGE + 1) as u32;
/// The least part of a long record that stays with its key.
const LEAST_LOCAL: usize = (PAGE - 12) * 32 / 255 - 23;

/// Where pages go, one behind the other.
pub(super) struct PageWriter<W> {
    out: W,
    next: u32,
}

impl<W: Write> PageWriter<W> {
    /// Begin with a page of that number, which is where `out` is.
    pub(super) fn new(out: W, first: u32) -> Self {
        Self { out, next: first }
    }

    /// The number that the next page will have.
    pub(super) fn next(&self) -> u32 {
        if self.next == LOCK_PAGE { self.next + 1 } else { self.next }
    }

    fn write(&mut self, page: &[u8]) -> io::Result<u32> {
        if self.next == LOCK_PAGE {
            self.out.write_all(&[0; PAGE])?;
            self.next += 1;
        }
        self.out.write_all(page)?;
        self.next += 1;
        Ok(self.next - 1)
    }

    pub(super) fn into_inner(self) -> W {
        self.out
    }

    /// Write what does not fit into a cell, on pages of its own.
    fn overflow(&mut self, mut rest: &[u8]) -> io::Result<()> {
        let mut page = [0; PAGE];
        while !rest.is_empty() {
            let (link, content) = page.split_at_mut(4);
            let (here, later) = rest.split_at(rest.len().min(content.len()));
            let (start, unused) = content.split_at_mut(here.len());
            start.copy_from_slice(here);
            unused.fill(0);
            let following = match self.next() + 1 {
                LOCK_PAGE => LOCK_PAGE + 1,
                number => number,
            };
            link.copy_from_slice(&if later.is_empty() { 0 } else { following }.to_be_bytes());
            self.write(&page)?;
            rest = later;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    TableLeaf = 13,
    TableInterior = 5,
    IndexLeaf = 10,
    IndexInterior = 2,
}

impl Kind {
    /// The page's header: on pages inside the tree with the child behind all others.
    fn header(self) -> usize {
        match self {
            Self::TableLeaf | Self::IndexLeaf => 8,
            Self::TableInterior | Self::IndexInterior => 12,
        }
    }
}

/// A page that is being filled: pointers from the front, cells from the end.
struct Page {
    bytes: Box<[u8; PAGE]>,
    kind: Kind,
    /// Where the page's header begins.
    start: usize,
    cells: usize,
    /// Where the last cell begins.
    content: usize,
}

impl Page {
    fn new(kind: Kind, start: usize) -> Self {
        Self { bytes: Box::new([0; PAGE]), kind, start, cells: 0, content: PAGE }
    }

    fn fits(&self, cell: &[u8]) -> bool {
        self.pointer(self.cells + 1) + cell.len() <= self.content
    }

    /// Where a cell's pointer is.
    fn pointer(&self, cell: usize) -> usize {
        self.start + self.kind.header() + 2 * cell
    }

    fn add(&mut self, cell: &[u8]) {
        self.content -= cell.len();
        self.bytes[self.content..self.content + cell.len()].copy_from_slice(cell);
        self.put16(self.pointer(self.cells), self.content);
        self.cells += 1;
    }

    /// Take the last cell out again.
    fn pop(&mut self) -> Vec<u8> {
        self.cells -= 1;
        let end = match self.cells {
            0 => PAGE,
            cells => {
                let at = self.pointer(cells - 1);
                usize::from(u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]))
            }
        };
        let cell = self.bytes[self.content..end].to_vec();
        self.content = end;
        cell
    }

    fn put16(&mut self, at: usize, number: usize) {
        self.bytes[at..at + 2].copy_from_slice(&(number as u16).to_be_bytes());
    }

    /// The page as it is written, with the child behind all others if it has children.
    fn finish(&mut self, last_child: u32) -> &mut [u8; PAGE] {
        let unused = self.pointer(self.cells)..self.content;
        self.bytes[unused].fill(0);
        self.bytes[self.start] = self.kind as u8;
        self.put16(self.start + 1, 0);
        self.put16(self.start + 3, self.cells);
        self.put16(self.start + 5, self.content);
        self.bytes[self.start + 7] = 0;
        if self.kind.header() > 8 {
            self.bytes[self.start + 8..self.start + 12].copy_from_slice(&last_child.to_be_bytes());
        }
        (self.cells, self.content) = (0, PAGE);
        &mut self.bytes
    }
}

/// The pages of one level of a tree, and the keys between them.
#[derive(Default)]
struct Level {
    /// One more than keys, once all are there.
    children: Vec<u32>,
    keys: Vec<u8>,
    key_ends: Vec<usize>,
}

impl Level {
    fn push(&mut self, child: u32, key: &[u8]) {
        self.children.push(child);
        self.keys.extend_from_slice(key);
        self.key_ends.push(self.keys.len());
    }

    /// Each child with the key behind it.
    fn pairs(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let starts = std::iter::once(0).chain(self.key_ends.iter().copied());
        let keys = starts.zip(&self.key_ends).map(|(start, &end)| &self.keys[start..end]);
        self.children.iter().copied().zip(keys)
    }
}

/// A table or an index that is being written.
pub(super) struct Tree<'a, W> {
    out: &'a mut PageWriter<W>,
    leaf: Page,
    leaves: Level,
    cell: Vec<u8>,
    /// Of a table: the rowid of the last row.
    last_row: u64,
    /// Of an index: the entry that parts the leaf from the next one, if there is to be one.
    parting: Option<Vec<u8>>,
}

impl<'a, W: Write> Tree<'a, W> {
    pub(super) fn table(out: &'a mut PageWriter<W>) -> Self {
        Self::new(out, Kind::TableLeaf)
    }

    pub(super) fn index(out: &'a mut PageWriter<W>) -> Self {
        Self::new(out, Kind::IndexLeaf)
    }

    fn new(out: &'a mut PageWriter<W>, kind: Kind) -> Self {
        Self {
            out,
            leaf: Page::new(kind, 0),
            leaves: Level::default(),
            cell: Vec::new(),
            last_row: 0,
            parting: None,
        }
    }

    /// Add a row to a table. Rowids ascend.
    pub(super) fn row(&mut self, rowid: u64, record: &[u8]) -> io::Result<()> {
        self.cell.clear();
        varint(&mut self.cell, record.len() as u64);
        varint(&mut self.cell, rowid);
        self.put_record(record, PAGE - 35)?;
        if !self.leaf.fits(&self.cell) {
            let mut key = Vec::with_capacity(9);
            varint(&mut key, self.last_row);
            self.end_leaf(&key)?;
        }
        self.leaf.add(&self.cell);
        self.last_row = rowid;
        Ok(())
    }

    /// Add an entry to an index. Entries ascend.
    pub(super) fn entry(&mut self, record: &[u8]) -> io::Result<()> {
        self.cell.clear();
        varint(&mut self.cell, record.len() as u64);
        self.put_record(record, (PAGE - 12) * 64 / 255 - 23)?;
        if let Some(parting) = self.parting.take() {
            self.end_leaf(&parting)?;
        } else if !self.leaf.fits(&self.cell) {
            self.parting = Some(self.cell.clone());
            return Ok(());
        }
        self.leaf.add(&self.cell);
        Ok(())
    }

    /// Add to the cell as much of a record as belongs there, and write the rest.
    fn put_record(&mut self, record: &[u8], most: usize) -> io::Result<()> {
        if record.len() <= most {
            self.cell.extend_from_slice(record);
            return Ok(());
        }
        let fitting = LEAST_LOCAL + (record.len() - LEAST_LOCAL) % (PAGE - 4);
        let (local, rest) = record.split_at(if fitting <= most { fitting } else { LEAST_LOCAL });
        self.cell.extend_from_slice(local);
        self.cell.extend_from_slice(&self.out.next().to_be_bytes());
        self.out.overflow(rest)
    }

    fn end_leaf(&mut self, key: &[u8]) -> io::Result<()> {
        let number = self.out.write(&self.leaf.finish(0)[..])?;
        self.leaves.push(number, key);
        Ok(())
    }

    /// Write the rest; the number of the tree's first page, its root.
    pub(super) fn finish(mut self) -> io::Result<u32> {
        if let Some(parting) = self.parting.take() {
            // There must be something behind an entry that parts two leaves.
            let before = self.leaf.pop();
            self.end_leaf(&before)?;
            self.leaf.add(&parting);
        }
        let last = self.out.write(&self.leaf.finish(0)[..])?;
        let mut level = self.leaves;
        level.children.push(last);
        let kind = match self.leaf.kind {
            Kind::TableLeaf | Kind::TableInterior => Kind::TableInterior,
            Kind::IndexLeaf | Kind::IndexInterior => Kind::IndexInterior,
        };
        while level.children.len() > 1 {
            level = level_above(&level, kind, self.out)?;
        }
        Ok(level.children.first().copied().unwrap_or(last))
    }
}

/// Write the pages that lead to those of a level.
fn level_above<W: Write>(level: &Level, kind: Kind, out: &mut PageWriter<W>) -> io::Result<Level> {
    let mut above = Level::default();
    let mut page = Page::new(kind, 0);
    let mut cell = Vec::new();
    let count = level.key_ends.len();
    for (number, (child, key)) in level.pairs().enumerate() {
        cell.clear();
        cell.extend_from_slice(&child.to_be_bytes());
        cell.extend_from_slice(key);
        if page.fits(&cell) {
            page.add(&cell);
        } else if number + 1 < count {
            let written = out.write(&page.finish(child)[..])?;
            above.push(written, key);
        } else {
            // The last child must not be alone on the last page.
            let before = page.pop();
            let (before_child, before_key) = before.split_at(4);
            let last_child =
                before_child.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
            let written = out.write(&page.finish(last_child)[..])?;
            above.push(written, before_key);
            page.add(&cell);
        }
    }
    let last = level.children.last().copied().unwrap_or_default();
    let written = out.write(&page.finish(last)[..])?;
    above.children.push(written);
    Ok(above)
}

/// The first page of a database: room for its header, and a table of one page. `None` if the rows do not fit.
pub(super) fn first_page(records: &[Vec<u8>]) -> Option<Box<[u8; PAGE]>> {
    let mut page = Page::new(Kind::TableLeaf, 100);
    for (rowid, record) in (1..).zip(records) {
        let mut cell = Vec::new();
        varint(&mut cell, record.len() as u64);
        varint(&mut cell, rowid);
        cell.extend_from_slice(record);
        if record.len() > PAGE - 35 || !page.fits(&cell) {
            return None;
        }
        page.add(&cell);
    }
    page.finish(0);
    Some(page.bytes)
}
