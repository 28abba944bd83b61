//! The B-tree of a table (fileformat.html, sections 1.6 and 1.7).

use super::page_file::{PageFile, Window, number16, number32};
use super::record::varint;
use super::{NeedsSqlite, PlainResult};

const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
/// The maximum depth of a tree, the same as SQLite's (`BTCURSOR_MAX_DEPTH`).
const MAX_DEPTH: usize = 20;
/// The maximum length of a record. The SQL path refuses longer ones.
const MAX_PAYLOAD: usize = 1 << 20;
/// The minimum number of bytes that a cell and its pointer take on a page.
const LEAST_CELL: usize = 6;
/// The length of the database header, which is at the start of the first page.
const FILE_HEADER: usize = 100;

/// The leaf pages of a table, in the order of its rows.
pub(super) struct Table<'a> {
    file: &'a PageFile,
    pub(super) leaves: Vec<u32>,
    /// The number of rows on the first leaf.
    rows_of_first: usize,
}

impl<'a> Table<'a> {
    /// Finds the leaves of the tree whose root is the page `root`.
    pub(super) fn new(file: &'a PageFile, root: u32) -> PlainResult<Self> {
        file.claim(root)?;
        let mut window = Window::default();
        let mut level = vec![root];
        for _ in 0..MAX_DEPTH {
            let first = level.first().ok_or(NeedsSqlite)?;
            let node = Node::new(file, *first, &mut window)?;
            if node.kind == LEAF {
                return Ok(Self {
                    file,
                    rows_of_first: node.cells.min(file.page_size() / LEAST_CELL),
                    leaves: level,
                });
            }
            let mut below = Vec::new();
            for number in level {
                Node::new(file, number, &mut window)?.children(&mut below)?;
            }
            below.iter().try_for_each(|child| file.claim(*child))?;
            level = below;
        }
        Err(NeedsSqlite)
    }

    /// Returns about how many rows are on `pages` leaves.
    pub(super) fn rows_about(&self, pages: usize) -> usize {
        pages * (self.rows_of_first + self.rows_of_first / 8)
    }

    /// Returns about how many bytes the rows on `pages` leaves take, including their overflow pages. The
    /// estimate counts the whole file as part of this table, so it is too high if there are other large
    /// tables.
    pub(super) fn bytes_about(&self, pages: usize) -> usize {
        let file = self.file.count() as usize * self.file.page_size();
        file / self.leaves.len().max(1) * pages
    }

    /// Calls `visit(rowid, record)` for each row.
    pub(super) fn each(&self, visit: impl FnMut(i64, &[u8]) -> PlainResult<()>) -> PlainResult<()> {
        self.each_of(&self.leaves, visit)
    }

    /// Calls `visit(rowid, record)` for each row on some of the leaves.
    pub(super) fn each_of(
        &self,
        leaves: &[u32],
        mut visit: impl FnMut(i64, &[u8]) -> PlainResult<()>,
    ) -> PlainResult<()> {
        // A leaf without rows is valid only as the root of an empty table.
        let may_be_empty = self.leaves.len() == 1;
        let mut window = Window::default();
        let mut joined = Joined::default();
        for &number in leaves {
            let node = Node::new(self.file, number, &mut window)?;
            if node.kind != LEAF || (node.cells == 0 && !may_be_empty) {
                return Err(NeedsSqlite);
            }
            let mut room = node.room()?;
            for start in node.cell_starts()? {
                let cell = Cell::parse(node.cell(start)?, self.file.page_size())?;
                room = room.checked_sub(cell.size.max(4)).ok_or(NeedsSqlite)?;
                match cell.overflow {
                    None => visit(cell.rowid, cell.local)?,
                    Some(first) => {
                        joined.join(self.file, &cell, first)?;
                        visit(cell.rowid, &joined.record)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The record of a cell that continues on overflow pages.
#[derive(Default)]
struct Joined {
    record: Vec<u8>,
    window: Window,
}

impl Joined {
    fn join(&mut self, file: &PageFile, cell: &Cell<'_>, first: u32) -> PlainResult<()> {
        self.record.clear();
        self.record.extend_from_slice(cell.local);
        let mut next = first;
        while self.record.len() < cell.payload {
            file.claim(next)?;
            let page = file.page(next, &mut self.window)?;
            next = number32(page, 0)?;
            let content = page.get(4..).ok_or(NeedsSqlite)?;
            let wanted = content.len().min(cell.payload - self.record.len());
            self.record.extend_from_slice(content.get(..wanted).ok_or(NeedsSqlite)?);
        }
        if next == 0 { Ok(()) } else { Err(NeedsSqlite) }
    }
}

/// A page of the tree.
struct Node<'a> {
    page: &'a [u8],
    /// The offset of the page's own header.
    start: usize,
    kind: u8,
    cells: usize,
}

impl<'a> Node<'a> {
    fn new(file: &'a PageFile, number: u32, window: &'a mut Window) -> PlainResult<Self> {
        let page = file.page(number, window)?;
        let start = if number == 1 { FILE_HEADER } else { 0 };
        let kind = *page.get(start).ok_or(NeedsSqlite)?;
        let cells = usize::from(number16(page, start + 3)?);
        match kind {
            INTERIOR if cells > 0 => Ok(Self { page, start, kind, cells }),
            LEAF => Ok(Self { page, start, kind, cells }),
            _ => Err(NeedsSqlite),
        }
    }

    /// Returns the offset of the pointers to the cells.
    fn pointers(&self) -> usize {
        self.start + if self.kind == LEAF { 8 } else { 12 }
    }

    /// Returns the number of bytes on the page that cells can take.
    fn room(&self) -> PlainResult<usize> {
        self.page.len().checked_sub(self.pointers() + 2 * self.cells).ok_or(NeedsSqlite)
    }

    fn cell_starts(&self) -> PlainResult<impl Iterator<Item = usize> + use<'a>> {
        let from = self.pointers();
        let pointers = self.page.get(from..from + 2 * self.cells).ok_or(NeedsSqlite)?;
        let (pairs, _) = pointers.as_chunks();
        Ok(pairs.iter().map(|pair| usize::from(u16::from_be_bytes(*pair))))
    }

    /// Returns the page from offset `start`, where a cell begins, to its end. A cell must be after the
    /// pointers.
    fn cell(&self, start: usize) -> PlainResult<&'a [u8]> {
        let cells_begin = self.pointers() + 2 * self.cells;
        let cell = self.page.get(start..).filter(|_| start >= cells_begin);
        cell.filter(|cell| cell.len() >= 4).ok_or(NeedsSqlite)
    }

    fn children(&self, to: &mut Vec<u32>) -> PlainResult<()> {
        if self.kind != INTERIOR {
            return Err(NeedsSqlite);
        }
        let mut room = self.room()?;
        for start in self.cell_starts()? {
            let cell = self.cell(start)?;
            let mut key = cell.get(4..).ok_or(NeedsSqlite)?;
            to.push(number32(cell, 0)?);
            varint(&mut key)?;
            room = room.checked_sub(cell.len() - key.len()).ok_or(NeedsSqlite)?;
        }
        to.push(number32(self.page, self.start + 8)?);
        Ok(())
    }
}

/// A row as it is stored on its page.
struct Cell<'a> {
    rowid: i64,
    /// The length of the whole record.
    payload: usize,
    /// The part of the record that is on this page.
    local: &'a [u8],
    /// The first overflow page.
    overflow: Option<u32>,
    /// The number of bytes that the cell takes on this page.
    size: usize,
}

impl<'a> Cell<'a> {
    fn parse(bytes: &'a [u8], page_size: usize) -> PlainResult<Self> {
        let mut rest = bytes;
        let payload = usize::try_from(varint(&mut rest)?).map_err(|_| NeedsSqlite)?;
        if payload > MAX_PAYLOAD {
            return Err(NeedsSqlite);
        }
        let rowid = varint(&mut rest)? as i64;
        let head = bytes.len() - rest.len();
        if payload <= page_size - 35 {
            let local = rest.get(..payload).ok_or(NeedsSqlite)?;
            return Ok(Self { rowid, payload, local, overflow: None, size: head + payload });
        }
        let here = local_part(payload, page_size);
        let local = rest.get(..here).ok_or(NeedsSqlite)?;
        let overflow = Some(number32(rest, here)?);
        Ok(Self { rowid, payload, local, overflow, size: head + here + 4 })
    }
}

/// Returns how many bytes of a record stay on the leaf if the record is too long for it.
fn local_part(payload: usize, page_size: usize) -> usize {
    let least = (page_size - 12) * 32 / 255 - 23;
    let fitting = least + (payload - least) % (page_size - 4);
    if fitting <= page_size - 35 { fitting } else { least }
}
