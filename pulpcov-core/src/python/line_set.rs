//! A set of the line numbers of one file.

use std::ops::RangeInclusive;

/// A set of line numbers, from 1 to the last line of a file, with one bit for each line.
///
/// Numbers outside the file are never members, because recorded data may contain any number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LineSet {
    words: Vec<u64>,
    last: i32,
}

impl LineSet {
    /// Creates an empty set for a file of `last` lines.
    pub(crate) fn new(last: i32) -> Self {
        Self { words: vec![0; last.max(0) as usize / 64 + 1], last }
    }

    /// Creates a set of those `lines` that exist in a file of `last` lines.
    pub(crate) fn of(last: i32, lines: impl IntoIterator<Item = i32>) -> Self {
        let mut set = Self::new(last);
        set.extend(lines);
        set
    }

    pub(crate) fn insert(&mut self, line: i32) {
        if (1..=self.last).contains(&line)
            && let Some(word) = self.words.get_mut(line as usize / 64)
        {
            *word |= 1 << (line % 64);
        }
    }

    pub(crate) fn insert_range(&mut self, lines: RangeInclusive<i32>) {
        let (first, last) = (*lines.start().max(&1), *lines.end().min(&self.last));
        self.extend(first..=last);
    }

    pub(crate) fn contains(&self, line: i32) -> bool {
        (1..=self.last).contains(&line)
            && self.words.get(line as usize / 64).is_some_and(|word| word >> (line % 64) & 1 == 1)
    }

    pub(crate) fn intersects(&self, lines: RangeInclusive<i32>) -> bool {
        let (first, last) = (*lines.start().max(&1), *lines.end().min(&self.last));
        (first..=last).any(|line| self.contains(line))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Removes the members of `other`.
    pub(crate) fn remove_all(&mut self, other: &Self) {
        for (word, gone) in self.words.iter_mut().zip(&other.words) {
            *word &= !gone;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        self.words.iter().zip(0..).flat_map(|(&word, index)| Bits { word, base: index * 64 })
    }

    pub(crate) fn to_vec(&self) -> Vec<i32> {
        let count = self.words.iter().map(|word| word.count_ones() as usize).sum();
        let mut lines = Vec::with_capacity(count);
        lines.extend(self.iter());
        lines
    }
}

impl Extend<i32> for LineSet {
    fn extend<I: IntoIterator<Item = i32>>(&mut self, lines: I) {
        for line in lines {
            self.insert(line);
        }
    }
}

struct Bits {
    word: u64,
    base: i32,
}

impl Iterator for Bits {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        if self.word == 0 {
            return None;
        }
        let bit = self.word.trailing_zeros() as i32;
        self.word &= self.word - 1;
        Some(self.base + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignores_lines_outside_the_file() {
        let set = LineSet::of(130, [-5, 0, 1, 63, 64, 65, 128, 130, 131, i32::MAX, i32::MIN]);
        assert_eq!(set.to_vec(), [1, 63, 64, 65, 128, 130]);
        assert!(set.contains(64) && !set.contains(131) && !set.contains(-1));
        assert!(set.intersects(129..=i32::MAX) && !set.intersects(2..=62));
    }

    #[test]
    fn removes_lines_of_another_set() {
        let mut set = LineSet::new(100);
        set.insert_range(60..=70);
        set.remove_all(&LineSet::of(100, [60, 64, 99]));
        assert_eq!(set.to_vec(), [61, 62, 63, 65, 66, 67, 68, 69, 70]);
    }
}
