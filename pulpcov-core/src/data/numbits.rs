//! Sets of line numbers as bitmaps.

use std::fmt;

/// A set of line numbers in coverage.py's format: line `n` is in the set if bit `n % 8` of byte `n / 8` is
/// set, counted from the lowest bit.
///
/// The encoding is that of `coverage/numbits.py`, which every SQLite data file uses since schema 3. Trailing
/// zero bytes have no meaning and are not kept, so equal sets have equal bytes. A set can contain line 0 but
/// no negative numbers.
///
/// # Examples
///
/// ```
/// use pulpcov_core::Numbits;
///
/// let mut lines: Numbits = [1, 2, 9].into_iter().collect();
/// assert_eq!(lines.as_bytes(), [0b0000_0110, 0b0000_0010]);
/// lines.union_with(&Numbits::from_bytes(&[0b0000_1000]));
/// assert_eq!(lines.iter().collect::<Vec<_>>(), [1, 2, 3, 9]);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Numbits(Box<[u8]>);

impl Numbits {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a set from a numbits blob.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// let lines = Numbits::from_bytes(&[0b0000_0010, 0b1000_0000, 0]);
    /// assert_eq!(lines, Numbits::from_iter([1, 15]));
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(without_trailing_zeros(bytes).into())
    }

    /// Returns the set as a numbits blob, without trailing zero bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// assert_eq!(Numbits::from_iter([0, 7]).as_bytes(), [0b1000_0001]);
    /// assert_eq!(Numbits::from_iter([8]).as_bytes(), [0, 1]);
    /// ```
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds `line`. The set then takes at least `line / 8 + 1` bytes. Numbers below 0 are no lines, and are not
    /// added.
    ///
    /// To build a set of many lines, collect them: each `insert` past the end copies the set.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// let mut lines = Numbits::new();
    /// lines.insert(7);
    /// lines.insert(-1);
    /// assert_eq!(lines, Numbits::from_iter([7]));
    /// ```
    pub fn insert(&mut self, line: i32) {
        let Some((byte, bit)) = place(line) else { return };
        if byte >= self.0.len() {
            let mut grown = Vec::from(std::mem::take(&mut self.0));
            grown.resize(byte + 1, 0);
            self.0 = grown.into();
        }
        if let Some(slot) = self.0.get_mut(byte) {
            *slot |= bit;
        }
    }

    /// Returns whether `line` is in the set.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// let lines = Numbits::from_iter([1, 2, 9]);
    /// assert!(lines.contains(9));
    /// assert!(!lines.contains(3));
    /// assert!(!lines.contains(-1));
    /// ```
    pub fn contains(&self, line: i32) -> bool {
        place(line).is_some_and(|(byte, bit)| self.0.get(byte).is_some_and(|b| b & bit != 0))
    }

    /// Returns the number of lines in the set.
    pub fn len(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the smallest line in the set.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// assert_eq!(Numbits::from_iter([12, 3]).min(), Some(3));
    /// assert_eq!(Numbits::new().min(), None);
    /// ```
    pub fn min(&self) -> Option<i32> {
        smallest(&self.0)
    }

    /// Returns the largest line in the set.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// assert_eq!(Numbits::from_iter([12, 3]).max(), Some(12));
    /// assert_eq!(Numbits::new().max(), None);
    /// ```
    pub fn max(&self) -> Option<i32> {
        let last = self.0.last()?;
        Some((self.0.len() as i32 - 1) * 8 + last.ilog2() as i32)
    }

    /// Adds every line of `other`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// let mut lines = Numbits::from_iter([1, 2]);
    /// lines.union_with(&Numbits::from_iter([2, 30]));
    /// assert_eq!(lines, Numbits::from_iter([1, 2, 30]));
    /// ```
    pub fn union_with(&mut self, other: &Self) {
        self.union_with_bytes(&other.0);
    }

    /// Adds every line of a numbits blob.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// let mut lines = Numbits::from_iter([1]);
    /// lines.union_with_bytes(&[0b0000_1100]);
    /// assert_eq!(lines, Numbits::from_iter([1, 2, 3]));
    /// ```
    pub fn union_with_bytes(&mut self, other: &[u8]) {
        let other = without_trailing_zeros(other);
        if other.len() <= self.0.len() {
            or_into(&mut self.0, other);
        } else {
            let mut longer = Box::<[u8]>::from(other);
            or_into(&mut longer, &self.0);
            self.0 = longer;
        }
    }

    /// Returns the lines that are in both sets.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// let a: Numbits = [1, 2, 30].into_iter().collect();
    /// let b: Numbits = [2, 3].into_iter().collect();
    /// assert_eq!(a.intersection(&b), [2].into_iter().collect());
    /// ```
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let both: Vec<u8> = self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect();
        Self::from_bytes(&both)
    }

    /// Returns whether any line is in both sets. This is cheaper than the intersection.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// let changed = Numbits::from_iter([10, 11]);
    /// assert!(changed.intersects(&Numbits::from_iter([1, 11])));
    /// assert!(!changed.intersects(&Numbits::from_iter([1, 12])));
    /// ```
    pub fn intersects(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Iterates over the lines in ascending order.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::Numbits;
    ///
    /// let lines = Numbits::from_iter([9, 1, 2]);
    /// assert_eq!(lines.iter().collect::<Vec<_>>(), [1, 2, 9]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        (0i32..)
            .step_by(8)
            .zip(&self.0)
            .flat_map(|(first, &byte)| Bits(byte).map(move |bit| first + bit))
    }
}

/// Returns the smallest line of a bitmap.
pub(crate) fn smallest(bytes: &[u8]) -> Option<i32> {
    let at = bytes.iter().position(|&byte| byte != 0)?;
    Some(at as i32 * 8 + bytes.get(at)?.trailing_zeros() as i32)
}

/// An iterator over the numbers of the bits that are set in a byte.
struct Bits(u8);

impl Iterator for Bits {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        let bit = self.0.trailing_zeros() as i32;
        self.0 &= self.0.wrapping_sub(1);
        (bit < 8).then_some(bit)
    }
}

/// Returns the byte and the bit of a line. `None` below 0.
fn place(line: i32) -> Option<(usize, u8)> {
    let line = usize::try_from(line).ok()?;
    Some((line / 8, 1 << (line % 8)))
}

fn or_into(longer: &mut [u8], shorter: &[u8]) {
    for (a, b) in longer.iter_mut().zip(shorter) {
        *a |= b;
    }
}

fn without_trailing_zeros(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    bytes.get(..len).unwrap_or_default()
}

impl FromIterator<i32> for Numbits {
    fn from_iter<I: IntoIterator<Item = i32>>(lines: I) -> Self {
        let mut bytes = Vec::new();
        for (byte, bit) in lines.into_iter().filter_map(place) {
            if byte >= bytes.len() {
                bytes.resize(byte + 1, 0);
            }
            bytes[byte] |= bit;
        }
        Self(bytes.into())
    }
}

impl Extend<i32> for Numbits {
    fn extend<I: IntoIterator<Item = i32>>(&mut self, lines: I) {
        self.union_with(&lines.into_iter().collect());
    }
}

impl fmt::Debug for Numbits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn lines() -> impl Strategy<Value = BTreeSet<i32>> {
        prop::collection::btree_set(0i32..5000, 0..60)
    }

    fn numbits(lines: &BTreeSet<i32>) -> Numbits {
        lines.iter().copied().collect()
    }

    #[test]
    fn the_encoding_is_coverage_pys() {
        // This is the example in coverage.py's documentation of numbits: line n is bit n % 8 of byte n / 8.
        let set: Numbits = [1, 8, 23].into_iter().collect();
        assert_eq!(set.as_bytes(), b"\x02\x01\x80");
        assert_eq!(Numbits::from_iter([0]).as_bytes(), b"\x01");
        assert_eq!(Numbits::new().as_bytes(), b"");
    }

    #[test]
    fn trailing_zero_bytes_mean_nothing() {
        assert_eq!(Numbits::from_bytes(b"\x02\0\0"), Numbits::from_iter([1]));
        assert!(Numbits::from_bytes(b"\0\0").is_empty());
        assert_eq!(Numbits::from_bytes(b"\0\0").max(), None);
    }

    proptest! {
        #[test]
        fn behaves_as_a_set(a in lines(), b in lines(), probe in 0i32..5100) {
            let (bits_a, bits_b) = (numbits(&a), numbits(&b));
            prop_assert_eq!(bits_a.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!(bits_a.len(), a.len());
            prop_assert_eq!(bits_a.max(), a.last().copied());
            prop_assert_eq!(bits_a.contains(probe), a.contains(&probe));

            let mut union = bits_a.clone();
            union.union_with(&bits_b);
            prop_assert_eq!(union, numbits(&(&a | &b)));
            prop_assert_eq!(bits_a.intersection(&bits_b), numbits(&(&a & &b)));
            prop_assert_eq!(bits_a.intersects(&bits_b), !a.is_disjoint(&b));

            let mut inserted = Numbits::new();
            a.iter().for_each(|&line| inserted.insert(line));
            prop_assert_eq!(inserted, bits_a);
        }

        #[test]
        fn any_bytes_are_a_set(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let set = Numbits::from_bytes(&bytes);
            prop_assert_eq!(set.iter().collect::<Numbits>(), set);
        }
    }
}
