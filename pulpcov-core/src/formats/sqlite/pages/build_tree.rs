//! B-trees built from the leaves up, page by page, from rows that come in order.

use std::io::{self, Write};

use super::encode::{CELL_BUFFER, NumberCell, varint, varint_len};

/// The size of the pages that are written, the same as SQLite's default.
pub(super) const PAGE: usize = 4096;
/// The number of the lock-byte page. SQLite's locks are on its bytes, so it is never used.
pub(super) const LOCK_PAGE: u32 = (0x4000_0000 / PAGE + 1) as u32;
/// The minimum number of bytes of a long record that stay in its cell.
const LEAST_LOCAL: usize = (PAGE - 12) * 32 / 255 - 23;
/// The maximum length of a record that is stored in a table as a whole.
const MOST_OF_ROW: usize = PAGE - 35;
/// The maximum length of a record that is stored in an index as a whole.
const MOST_OF_ENTRY: usize = (PAGE - 12) * 64 / 255 - 23;

/// The number of rows that are measured together. A page holds a few hundred rows.
const ROWS_AS_ONE: usize = 16;

/// A writer of pages, one after another.
pub(super) struct PageWriter<W> {
    out: W,
    next: u32,
}

impl<W: Write> PageWriter<W> {
    /// Makes a writer whose first page has the number `first`. `out` must be at the position of that page.
    pub(super) fn new(out: W, first: u32) -> Self {
        Self { out, next: first }
    }

    /// Returns the number of the next page.
    pub(super) fn next(&self) -> u32 {
        if self.next == LOCK_PAGE { self.next + 1 } else { self.next }
    }

    pub(super) fn write(&mut self, page: &[u8]) -> io::Result<u32> {
        if self.next == LOCK_PAGE {
            self.out.write_all(&[0; PAGE])?;
            self.next += 1;
        }
        self.out.write_all(page)?;
        self.next += 1;
        Ok(self.next - 1)
    }

    /// Skips pages that are measured and not written.
    fn skip(&mut self, pages: usize) {
        for _ in 0..pages {
            self.next = self.next() + 1;
        }
    }

    pub(super) fn into_inner(self) -> W {
        self.out
    }

    /// Writes the part of a record that does not fit into its cell to overflow pages.
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
    /// Returns the length of the page's header. The header of an interior page includes its last child.
    fn header(self) -> usize {
        match self {
            Self::TableLeaf | Self::IndexLeaf => 8,
            Self::TableInterior | Self::IndexInterior => 12,
        }
    }
}

/// A page that is being filled.
struct Page {
    kind: Kind,
    /// The offset of the page's header.
    start: usize,
    /// The cells, one after another, and room for the extra bytes that are copied with a [`NumberCell`].
    cells: Box<[u8; PAGE + CELL_BUFFER]>,
    /// The end of each cell.
    ends: Vec<u16>,
    bytes: Box<[u8; PAGE]>,
}

impl Page {
    fn new(kind: Kind, start: usize) -> Self {
        Self {
            kind,
            start,
            cells: Box::new([0; PAGE + CELL_BUFFER]),
            ends: Vec::with_capacity(PAGE / 8),
            bytes: Box::new([0; PAGE]),
        }
    }

    /// Returns how many bytes the cells take.
    fn used(&self) -> usize {
        self.ends.last().map_or(0, |&end| usize::from(end))
    }

    /// Returns whether there is room for another cell of `len` bytes and its pointer.
    fn fits(&self, len: usize) -> bool {
        self.start + self.kind.header() + 2 * (self.ends.len() + 1) + self.used() + len <= PAGE
    }

    fn add(&mut self, cell: &[u8]) {
        let used = self.used();
        self.cells[used..used + cell.len()].copy_from_slice(cell);
        self.ends.push((used + cell.len()) as u16);
    }

    #[inline]
    fn add_numbers(&mut self, cell: &NumberCell) {
        let used = self.used();
        if let Some(room) = self.cells[used..].first_chunk_mut() {
            cell.write_to(room);
        }
        self.ends.push((used + cell.len()) as u16);
    }

    /// Removes the last cell and returns it.
    fn pop(&mut self) -> Vec<u8> {
        let end = self.ends.pop().map_or(0, usize::from);
        self.cells[self.used()..end].to_vec()
    }

    /// Returns the page as it is written. `last_child` is the last child of an interior page; leaves ignore
    /// it.
    fn finish(&mut self, last_child: u32) -> &[u8; PAGE] {
        let (used, count) = (self.used(), self.ends.len());
        let content = PAGE - used;
        let head = self.start + self.kind.header();
        let (front, cells) = self.bytes.split_at_mut(content);
        cells.copy_from_slice(&self.cells[..used]);
        let (head, rest) = front.split_at_mut(head);
        let (pointers, unused) = rest.split_at_mut(2 * count);
        unused.fill(0);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        for (pointer, start) in pointers.as_chunks_mut().0.iter_mut().zip(starts) {
            *pointer = (content as u16 + start).to_be_bytes();
        }
        let head = &mut head[self.start..];
        // The kind of page, the first free block (none), the number of cells, where the cells begin, and the
        // number of fragmented bytes (none).
        head[0] = self.kind as u8;
        head[1..3].fill(0);
        head[3..5].copy_from_slice(&(count as u16).to_be_bytes());
        head[5..7].copy_from_slice(&(content as u16).to_be_bytes());
        head[7] = 0;
        if let Some(child) = head.get_mut(8..12) {
            child.copy_from_slice(&last_child.to_be_bytes());
        }
        self.ends.clear();
        &self.bytes
    }
}

/// The pages of one level of a tree, and the keys between them.
#[derive(Default)]
struct Level {
    /// The pages. In a complete level, there is one more page than keys.
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

    /// Returns each page with the key after it. The last page of a complete level has none and is left out.
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
    /// The rowid of the last row, in a table.
    last_row: u64,
    /// The divider, in an index: the entry between the current leaf and the next one, if there is a next one.
    divider: Option<Vec<u8>>,
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
            divider: None,
        }
    }

    /// Adds a row to a table. Rowids must ascend.
    pub(super) fn row(&mut self, rowid: u64, record: &[u8]) -> io::Result<()> {
        self.cell.clear();
        varint(&mut self.cell, record.len() as u64);
        varint(&mut self.cell, rowid);
        self.put_record(record, MOST_OF_ROW)?;
        self.make_room(rowid, self.cell.len())?;
        self.leaf.add(&self.cell);
        Ok(())
    }

    /// Adds a row of a few numbers to a table.
    pub(super) fn number_row(&mut self, rowid: u64, cell: &NumberCell) -> io::Result<()> {
        self.make_room(rowid, cell.len())?;
        self.leaf.add_numbers(cell);
        Ok(())
    }

    /// Ends the leaf if a row's cell of `cell` bytes does not fit on it.
    fn make_room(&mut self, rowid: u64, cell: usize) -> io::Result<()> {
        if !self.leaf.fits(cell) {
            let mut key = Vec::with_capacity(9);
            varint(&mut key, self.last_row);
            self.end_leaf(&key)?;
        }
        self.last_row = rowid;
        Ok(())
    }

    /// Adds an entry to an index. Entries must ascend.
    pub(super) fn entry(&mut self, record: &[u8]) -> io::Result<()> {
        self.cell.clear();
        varint(&mut self.cell, record.len() as u64);
        self.put_record(record, MOST_OF_ENTRY)?;
        let cell = std::mem::take(&mut self.cell);
        if self.belongs_on_leaf(cell.len(), || cell.clone())? {
            self.leaf.add(&cell);
        }
        self.cell = cell;
        Ok(())
    }

    /// Adds an entry of a few numbers to an index.
    pub(super) fn number_entry(&mut self, cell: &NumberCell) -> io::Result<()> {
        if self.belongs_on_leaf(cell.len(), || cell.to_vec())? {
            self.leaf.add_numbers(cell);
        }
        Ok(())
    }

    /// Returns whether the entry belongs on the leaf. If the leaf is full, the entry becomes the divider
    /// between this leaf and the next one.
    #[inline]
    fn belongs_on_leaf(&mut self, len: usize, cell: impl FnOnce() -> Vec<u8>) -> io::Result<bool> {
        if let Some(divider) = self.divider.take() {
            self.end_leaf(&divider)?;
        } else if !self.leaf.fits(len) {
            self.divider = Some(cell());
            return Ok(false);
        }
        Ok(true)
    }

    /// Appends to the cell the part of a record that stays there, and writes the rest to overflow pages.
    fn put_record(&mut self, record: &[u8], most: usize) -> io::Result<()> {
        let (local, rest) = record.split_at(local_part(record.len(), most));
        self.cell.extend_from_slice(local);
        if rest.is_empty() {
            return Ok(());
        }
        self.cell.extend_from_slice(&self.out.next().to_be_bytes());
        self.out.overflow(rest)
    }

    fn end_leaf(&mut self, key: &[u8]) -> io::Result<()> {
        let number = self.out.write(&self.leaf.finish(0)[..])?;
        self.leaves.push(number, key);
        Ok(())
    }

    /// Writes the rest of the tree. Returns the number of its root page.
    pub(super) fn finish(mut self) -> io::Result<u32> {
        if let Some(divider) = self.divider.take() {
            // A divider needs a leaf after it. The last entry of the full leaf becomes the divider instead,
            // and the entry that was the divider becomes the last leaf.
            let before = self.leaf.pop();
            self.end_leaf(&before)?;
            self.leaf.add(&divider);
        }
        let last = self.out.write(&self.leaf.finish(0)[..])?;
        let mut leaves = self.leaves;
        leaves.children.push(last);
        let kind = match self.leaf.kind {
            Kind::TableLeaf | Kind::TableInterior => Kind::TableInterior,
            Kind::IndexLeaf | Kind::IndexInterior => Kind::IndexInterior,
        };
        root_of(leaves, kind, self.out)
    }
}

/// A table that is measured: how many pages it will take, without writing them.
pub(super) struct TableSizer {
    out: PageWriter<io::Sink>,
    leaves: Level,
    /// The number of bytes that the cells of the leaf and their pointers take.
    used: usize,
    last_row: u64,
}

impl TableSizer {
    /// Measures a table whose first page has the number `first`.
    pub(super) fn table(first: u32) -> Self {
        let out = PageWriter::new(io::sink(), first);
        Self { out, leaves: Level::default(), used: 0, last_row: 0 }
    }

    /// Adds a row whose record has the length `record`.
    #[inline]
    pub(super) fn row(&mut self, rowid: u64, record: usize) {
        let cell = if record <= MOST_OF_ROW {
            varint_len(record as u64) + varint_len(rowid) + record
        } else {
            let local = local_part(record, MOST_OF_ROW);
            self.out.skip((record - local).div_ceil(PAGE - 4));
            varint_len(record as u64) + varint_len(rowid) + local + 4
        };
        if !self.fits(cell + 2) {
            self.end_leaf();
        }
        self.used += cell + 2;
        self.last_row = rowid;
    }

    /// Adds rows of a few numbers. `records` holds the lengths of their records.
    ///
    /// A page usually has room for many more rows, so it is faster to check several rows at once.
    pub(super) fn number_rows(&mut self, first: u64, records: &[u8]) {
        let mut rowid = first;
        for records in records.chunks(ROWS_AS_ONE) {
            let next = rowid + records.len() as u64;
            let rowid_len = varint_len(rowid);
            let lengths: usize = records.iter().copied().map(usize::from).sum();
            let cells = lengths + records.len() * (1 + rowid_len + 2);
            if varint_len(next) == rowid_len && self.fits(cells) {
                self.used += cells;
                self.last_row = next - 1;
            } else {
                (rowid..).zip(records).for_each(|(rowid, &len)| self.row(rowid, len.into()));
            }
            rowid = next;
        }
    }

    /// Returns whether the leaf has room for `bytes` more bytes of cells and pointers.
    #[inline]
    fn fits(&self, bytes: usize) -> bool {
        Kind::TableLeaf.header() + self.used + bytes <= PAGE
    }

    fn end_leaf(&mut self) {
        let mut key = Vec::with_capacity(9);
        varint(&mut key, self.last_row);
        self.leaves.push(0, &key);
        self.out.skip(1);
        self.used = 0;
    }

    /// Returns the number of the first page after the table.
    pub(super) fn finish(mut self) -> io::Result<u32> {
        self.out.skip(1);
        self.leaves.children.push(0);
        root_of(self.leaves, Kind::TableInterior, &mut self.out)?;
        Ok(self.out.next())
    }
}

/// Writes the levels above the leaves. Returns the number of the root page.
fn root_of<W: Write>(leaves: Level, kind: Kind, out: &mut PageWriter<W>) -> io::Result<u32> {
    let mut level = leaves;
    while level.children.len() > 1 {
        level = level_above(&level, kind, out)?;
    }
    Ok(level.children.first().copied().unwrap_or_default())
}

/// Returns how many bytes of a record of length `record` stay in its cell, where `most` is the maximum for a
/// whole record.
fn local_part(record: usize, most: usize) -> usize {
    if record <= most {
        return record;
    }
    let fitting = LEAST_LOCAL + (record - LEAST_LOCAL) % (PAGE - 4);
    if fitting <= most { fitting } else { LEAST_LOCAL }
}

/// Writes the interior pages above a level. Returns their level.
fn level_above<W: Write>(level: &Level, kind: Kind, out: &mut PageWriter<W>) -> io::Result<Level> {
    let mut above = Level::default();
    let mut page = Page::new(kind, 0);
    let mut cell = Vec::new();
    let count = level.key_ends.len();
    for (number, (child, key)) in level.pairs().enumerate() {
        cell.clear();
        cell.extend_from_slice(&child.to_be_bytes());
        cell.extend_from_slice(key);
        if page.fits(cell.len()) {
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

/// Returns the first page of a database: room for the database header, and a table of one page. Returns
/// `None` if the rows do not fit.
pub(super) fn first_page(records: &[Vec<u8>]) -> Option<Box<[u8; PAGE]>> {
    let mut page = Page::new(Kind::TableLeaf, 100);
    for (rowid, record) in (1..).zip(records) {
        let mut cell = Vec::new();
        varint(&mut cell, record.len() as u64);
        varint(&mut cell, rowid);
        cell.extend_from_slice(record);
        if record.len() > MOST_OF_ROW || !page.fits(cell.len()) {
            return None;
        }
        page.add(&cell);
    }
    page.finish(0);
    Some(page.bytes)
}
