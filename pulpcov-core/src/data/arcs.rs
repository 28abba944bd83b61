//! Sets of line-to-line jumps.

/// A jump from one line to another: `(from, to)`.
///
/// A `from` of `-n` means entry into the code object that starts at line `n`. A `to` of `-n` means exit from
/// it (coverage.py's `CoverageData.arcs`).
pub type LineArc = (i32, i32);

/// A set of arcs, sorted by `from` and then `to`. It is one allocation of 8 bytes per arc.
///
/// # Examples
///
/// ```
/// use pulpcov_core::ArcSet;
///
/// let mut arcs: ArcSet = [(2, -1), (-1, 1), (1, 2), (1, 2)].into_iter().collect();
/// assert_eq!(arcs.as_slice(), [(-1, 1), (1, 2), (2, -1)]);
/// arcs.union_with(&[(1, 4)].into_iter().collect());
/// assert_eq!(arcs.len(), 4);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ArcSet(Box<[LineArc]>);

impl ArcSet {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the arcs in ascending order.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ArcSet;
    ///
    /// let arcs = ArcSet::from(vec![(2, -1), (-1, 2)]);
    /// assert_eq!(arcs.as_slice(), [(-1, 2), (2, -1)]);
    /// ```
    pub fn as_slice(&self) -> &[LineArc] {
        &self.0
    }

    /// Iterates over the arcs in ascending order.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ArcSet;
    ///
    /// let arcs = ArcSet::from(vec![(-1, 1), (1, 2), (1, -1)]);
    /// let exits = arcs.iter().filter(|&(_, to)| to < 0);
    /// assert_eq!(exits.collect::<Vec<_>>(), [(1, -1)]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = LineArc> + '_ {
        self.0.iter().copied()
    }

    /// Returns the number of arcs in the set.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether `arc` is in the set.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ArcSet;
    ///
    /// let arcs = ArcSet::from(vec![(1, 2)]);
    /// assert!(arcs.contains((1, 2)));
    /// assert!(!arcs.contains((2, 1)));
    /// ```
    pub fn contains(&self, arc: LineArc) -> bool {
        self.0.binary_search(&arc).is_ok()
    }

    /// Adds every arc of `other`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ArcSet;
    ///
    /// let mut arcs = ArcSet::from(vec![(1, 3)]);
    /// arcs.union_with(&ArcSet::from(vec![(1, 2), (1, 3)]));
    /// assert_eq!(arcs.as_slice(), [(1, 2), (1, 3)]);
    /// ```
    pub fn union_with(&mut self, other: &Self) {
        self.union_with_ascending(&other.0);
    }

    /// Adds arcs in ascending order, in one pass over both sets. If all arcs are known already, which is
    /// common, nothing is allocated or copied.
    pub(crate) fn union_with_ascending(&mut self, arcs: &[LineArc]) {
        if self.0.is_empty() {
            self.0 = arcs.into();
            return;
        }
        let mut union = Vec::new();
        let (mut copied, mut rest) = (0, &*self.0);
        for (index, &arc) in arcs.iter().enumerate() {
            let below = rest.iter().position(|&own| key(own) >= key(arc)).unwrap_or(rest.len());
            rest = rest.get(below..).unwrap_or_default();
            if let Some((_, behind)) = rest.split_first().filter(|(own, _)| **own == arc) {
                rest = behind;
                continue;
            }
            if union.is_empty() {
                union.reserve_exact(self.0.len() + arcs.len() - index);
            }
            let at = self.0.len() - rest.len();
            union.extend_from_slice(self.0.get(copied..at).unwrap_or_default());
            union.push(arc);
            copied = at;
        }
        if !union.is_empty() {
            union.extend_from_slice(self.0.get(copied..).unwrap_or_default());
            self.0 = union.into();
        }
    }

    /// Iterates over the lines at both ends of the arcs, except entries, exits and line 0.
    ///
    /// coverage.py's `CoverageData.lines` returns the same lines for branch data. A line may appear more than
    /// once.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ArcSet;
    ///
    /// let arcs = ArcSet::from(vec![(-1, 1), (1, 2), (2, -1)]);
    /// assert_eq!(arcs.lines().collect::<Vec<_>>(), [1, 1, 2, 2]);
    /// ```
    pub fn lines(&self) -> impl Iterator<Item = i32> + '_ {
        self.iter().flat_map(|(from, to)| [from, to]).filter(|&line| line > 0)
    }
}

/// Returns a key with the order of the arcs, so that one comparison is enough.
#[inline]
fn key((from, to): LineArc) -> i64 {
    i64::from(from) << 32 | i64::from((to ^ i32::MIN).cast_unsigned())
}

impl From<Vec<LineArc>> for ArcSet {
    /// Accepts arcs in any order. Sorted arcs without duplicates are used as they are.
    fn from(mut arcs: Vec<LineArc>) -> Self {
        if !arcs.is_sorted_by(|a, b| a < b) {
            arcs.sort_unstable();
            arcs.dedup();
        }
        Self(arcs.into())
    }
}

impl FromIterator<LineArc> for ArcSet {
    fn from_iter<I: IntoIterator<Item = LineArc>>(arcs: I) -> Self {
        arcs.into_iter().collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_set(
            a in prop::collection::vec((-9i32..40, -9i32..40), 0..50),
            b in prop::collection::vec((-9i32..40, -9i32..40), 0..50),
        ) {
            let (set_a, set_b) = (BTreeSet::from_iter(a.clone()), BTreeSet::from_iter(b.clone()));
            let arcs_a = ArcSet::from(a);
            prop_assert_eq!(arcs_a.iter().collect::<Vec<_>>(), Vec::from_iter(set_a.clone()));
            prop_assert!(b.iter().all(|arc| arcs_a.contains(*arc) == set_a.contains(arc)));

            let mut union = arcs_a.clone();
            union.union_with(&ArcSet::from(b));
            prop_assert_eq!(union.iter().collect::<BTreeSet<_>>(), &set_a | &set_b);
            prop_assert!(union.as_slice().is_sorted_by(|x, y| x < y));
        }
    }

    #[test]
    fn lines_are_the_positive_ends() {
        let arcs: ArcSet = [(-1, 3), (3, 5), (5, -1), (0, 7)].into_iter().collect();
        assert_eq!(arcs.lines().collect::<BTreeSet<_>>(), BTreeSet::from([3, 5, 7]));
    }
}
