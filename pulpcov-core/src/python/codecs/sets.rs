//! Reads the sets of two-byte characters in `multibyte.txt`.

use std::iter;

/// One or two characters. `\0` means no character.
pub(super) type Cell = [char; 2];

const NONE: Cell = ['\0', '\0'];

/// A set of characters that two bytes encode.
pub(super) struct Set {
    leads: ByteRange,
    trails: ByteRange,
    cells: Vec<Cell>,
}

/// The values from `first` to `last`, both included.
#[derive(Clone, Copy, Default)]
struct ByteRange {
    first: usize,
    last: usize,
}

impl ByteRange {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let number = |digits| usize::from_str_radix(digits, 16).ok();
        Some(Self { first: number(first)?, last: number(last)? })
    }

    fn index(self, byte: usize) -> Option<usize> {
        (self.first..=self.last).contains(&byte).then(|| byte - self.first)
    }

    fn len(self) -> usize {
        self.last + 1 - self.first
    }
}

impl Set {
    /// Returns the set with this name. If the file has no such set, returns a set without cells.
    pub(super) fn load(name: &str) -> Self {
        Self::find(name).unwrap_or(Self {
            leads: ByteRange::default(),
            trails: ByteRange::default(),
            cells: Vec::new(),
        })
    }

    fn find(name: &str) -> Option<Self> {
        let sets = include_str!("multibyte.txt").split("\n@").skip(1);
        let (head, cells) = sets
            .filter_map(|set| set.split_once('\n'))
            .find(|(head, _)| head.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
        let mut head = head.split(' ').skip(1);
        let base = head.next().filter(|base| *base != "-").map(Self::load);
        let (leads, trails) = (ByteRange::parse(head.next()?)?, ByteRange::parse(head.next()?)?);
        let mut set = Self { leads, trails, cells: Vec::new() };
        set.read(cells, base.as_ref());
        Some(set)
    }

    /// Reads cells in the form that the comment in `multibyte.txt` describes.
    fn read(&mut self, text: &str, base: Option<&Self>) {
        self.cells.reserve(self.leads.len() * self.trails.len());
        let mut chars = text.chars().filter(|c| *c != '\n');
        while let Some(c) = chars.next() {
            match c {
                '?' => {
                    let count = number(&mut chars);
                    self.cells.extend(iter::repeat_n(NONE, count));
                }
                '^' => {
                    let from = self.cells.len();
                    let cells = from..from + number(&mut chars);
                    for at in cells {
                        self.cells.push(base.map_or(NONE, |base| self.inherited(base, at)));
                    }
                }
                '+' => {
                    let last = self.cells.last().map_or(0, |cell| u32::from(cell[0]));
                    let codes = (last + 1..).take(number(&mut chars));
                    self.cells
                        .extend(codes.map(|code| [char::from_u32(code).unwrap_or('\0'), '\0']));
                }
                '&' => {
                    self.cells.push([chars.next().unwrap_or('\0'), chars.next().unwrap_or('\0')])
                }
                c => self.cells.push([c, '\0']),
            }
        }
    }

    /// Returns the cell of `base` for the bytes of the cell `at` in this set. If the bytes of this
    /// set are from 0x80 on and those of `base` are not, the difference of 0x80 is ignored.
    fn inherited(&self, base: &Self, at: usize) -> Cell {
        let high_bit = if self.leads.first >= 0x80 && base.leads.first < 0x80 { 0x80 } else { 0 };
        let lead = (self.leads.first + at / self.trails.len()).wrapping_sub(high_bit);
        let trail = (self.trails.first + at % self.trails.len()).wrapping_sub(high_bit);
        base.cell(lead, trail).unwrap_or(NONE)
    }

    fn cell(&self, lead: usize, trail: usize) -> Option<Cell> {
        let (row, column) = (self.leads.index(lead)?, self.trails.index(trail)?);
        self.cells.get(row * self.trails.len() + column).copied()
    }

    /// Returns the cell of two bytes.
    pub(super) fn get(&self, lead: u8, trail: u8) -> Option<Cell> {
        self.cell(lead.into(), trail.into()).filter(|cell| *cell != NONE)
    }

    /// Returns the cell with this number, counted from the set's first cell.
    pub(super) fn numbered(&self, number: usize) -> Option<Cell> {
        self.cells.get(number).copied()
    }
}

fn number(chars: &mut impl Iterator<Item = char>) -> usize {
    let digits = chars.take_while(|c| *c != ' ');
    digits.filter_map(|c| c.to_digit(10)).fold(0, |number, digit| number * 10 + digit as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_complete() {
        for set in include_str!("multibyte.txt").split("\n@").skip(1) {
            let name = set.split(' ').next().unwrap();
            let set = Set::find(name).unwrap();
            assert_eq!(set.cells.len(), set.leads.len() * set.trails.len(), "{name}");
        }
    }
}
