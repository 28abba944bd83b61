//! Merges the ratchets of two branches.

use super::{Debt, Ratchet};

impl Ratchet {
    /// Merges the changes of two branches. `base` is the ratchet where they parted.
    ///
    /// - A file that both branches have gets the lesser numbers, because what either branch covered is covered after the
    ///   merge.
    /// - A file that one branch removed is removed. A file that one branch added is added.
    /// - If a branch removed a file and added exactly one with the same numbers, that branch renamed the file. The new
    ///   name gets the lesser numbers of both branches.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::gates::Ratchet;
    ///
    /// let base = Ratchet::parse(b"9 4 a.py\n7 2 b.py\n5 0 c.py\n")?;
    /// let ours = Ratchet::parse(b"6 4 a.py\n7 2 b.py\n5 0 c.py\n")?;
    /// let theirs = Ratchet::parse(b"9 1 a.py\n7 2 renamed.py\n")?;
    /// assert_eq!(Ratchet::merge(&base, &ours, &theirs), Ratchet::parse(b"6 1 a.py\n7 2 renamed.py\n")?);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn merge(base: &Self, ours: &Self, theirs: &Self) -> Self {
        let mut merged: Self = ours
            .files()
            .filter_map(|(name, debt)| {
                Some((name, merge_one(debt, theirs.get(name), base.get(name))?))
            })
            .collect();
        for (name, debt) in theirs.files().filter(|(name, _)| ours.get(name).is_none()) {
            if base.get(name).is_none() {
                merged.insert(name, debt);
            }
        }
        for (one, other) in [(ours, theirs), (theirs, ours)] {
            for (old, new) in renamed(base, one) {
                // The other branch may have covered more of the file under its old name.
                let debts = (merged.get(new), other.get(old));
                if let (Some(debt), Some(elsewhere)) = debts {
                    merged.insert(new, debt.min(elsewhere));
                }
            }
        }
        merged
    }
}

/// Merges a file of one branch with what the other branch and the base have of it.
fn merge_one(one: Debt, other: Option<Debt>, base: Option<Debt>) -> Option<Debt> {
    match (other, base) {
        (Some(other), _) => Some(one.min(other)),
        (None, None) => Some(one),
        (None, Some(_)) => None,
    }
}

/// Returns the files that a branch renamed without changing their numbers, by their old and their new names. If several
/// new files could be the old one, none is.
fn renamed<'r>(base: &'r Ratchet, branch: &'r Ratchet) -> Vec<(&'r str, &'r str)> {
    let gone: Vec<_> = base.files().filter(|(name, _)| branch.get(name).is_none()).collect();
    let added: Vec<_> = branch.files().filter(|(name, _)| base.get(name).is_none()).collect();
    let only = |files: &[(&'r str, Debt)], wanted: Debt| {
        let mut alike = files.iter().filter(|(_, debt)| *debt == wanted);
        alike.next().filter(|_| alike.next().is_none()).map(|(name, _)| *name)
    };
    let pair = |(old, debt): &(&'r str, Debt)| {
        only(&gone, *debt).and_then(|_| Some((*old, only(&added, *debt)?)))
    };
    gone.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratchet(text: &str) -> Ratchet {
        Ratchet::parse(text.replace("; ", "\n").as_bytes()).unwrap()
    }

    #[test]
    fn each_side_counts() {
        let cases = [
            // base, ours, theirs, merged
            ("9 4 a", "6 4 a", "9 1 a", "6 1 a"),
            ("9 4 a", "9 4 a", "9 4 a", "9 4 a"),
            ("9 - a", "9 - a", "9 3 a", "9 3 a"),
            // Removed on one side, whether or not the other lowered it.
            ("9 4 a; 2 0 b", "2 0 b", "9 4 a; 1 0 b", "1 0 b"),
            ("9 4 a", "", "5 4 a", ""),
            ("9 4 a", "5 4 a", "", ""),
            // Added on one side, or on both.
            ("", "3 0 a", "4 0 b", "3 0 a; 4 0 b"),
            ("", "3 2 a", "4 1 a", "3 1 a"),
            // Renamed on one side, lowered on the other.
            ("9 4 a", "9 4 b", "5 4 a", "5 4 b"),
            ("9 4 a", "5 4 a", "9 4 b", "5 4 b"),
            ("9 4 a", "9 4 b", "9 4 b", "9 4 b"),
            // Two new files could be the old one: none is.
            ("9 4 a", "9 4 b; 9 4 c", "5 4 a", "9 4 b; 9 4 c"),
        ];
        for (base, ours, theirs, merged) in cases {
            let result = Ratchet::merge(&ratchet(base), &ratchet(ours), &ratchet(theirs));
            assert_eq!(result, ratchet(merged), "{base} | {ours} | {theirs}");
        }
    }

    fn ratchets() -> impl Strategy<Value = Ratchet> {
        let debt = (0..4_usize, proptest::option::of(0..3_usize));
        proptest::collection::btree_map("[a-e]", debt, 0..5).prop_map(|files| {
            files
                .into_iter()
                .map(|(name, (lines, branches))| (name, Debt { lines, branches }))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_order_of_branches_does_not_matter(base in ratchets(), ours in ratchets(), theirs in ratchets()) {
            let merged = Ratchet::merge(&base, &ours, &theirs);
            prop_assert_eq!(&merged, &Ratchet::merge(&base, &theirs, &ours));
            for (name, debt) in merged.files() {
                for side in [&ours, &theirs] {
                    if let Some(allowed) = side.get(name) {
                        prop_assert!(debt.is_within(allowed));
                    }
                }
            }
        }
    }
}
