//! Changes a numbits value step by step, and compares it with a `BTreeSet` of lines.
#![no_main]

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pulpcov_core::Numbits;

#[derive(Debug, Arbitrary)]
enum Step {
    Insert(u16),
    Extend(Vec<u16>),
    Union(Vec<u16>),
    UnionBytes(Vec<u8>),
    Intersect(Vec<u16>),
    Contains(u16),
    Recode,
}

fuzz_target!(|steps: Vec<Step>| {
    let (mut bits, mut set) = (Numbits::new(), BTreeSet::new());
    for step in steps {
        match step {
            Step::Insert(line) => {
                bits.insert(line.into());
                set.insert(i32::from(line));
            }
            Step::Extend(lines) => {
                bits.extend(lines.iter().copied().map(i32::from));
                set.extend(lines.into_iter().map(i32::from));
            }
            Step::Union(lines) => {
                let other: BTreeSet<i32> = lines.into_iter().map(i32::from).collect();
                bits.union_with(&other.iter().copied().collect());
                set.extend(other);
            }
            Step::UnionBytes(bytes) => {
                bits.union_with_bytes(&bytes);
                set.extend(lines_of(&bytes));
            }
            Step::Intersect(lines) => {
                let other: BTreeSet<i32> = lines.into_iter().map(i32::from).collect();
                let other_bits: Numbits = other.iter().copied().collect();
                assert_eq!(bits.intersects(&other_bits), !set.is_disjoint(&other));
                assert_eq!(bits.intersection(&other_bits), other_bits.intersection(&bits));
                bits = bits.intersection(&other_bits);
                set = &set & &other;
            }
            Step::Contains(line) => {
                assert_eq!(bits.contains(line.into()), set.contains(&line.into()));
            }
            Step::Recode => bits = Numbits::from_bytes(&[bits.as_bytes(), &[0, 0]].concat()),
        }
    }
    assert!(bits.iter().eq(set.iter().copied()));
    assert_eq!(bits.len(), set.len());
    assert_eq!(bits.is_empty(), set.is_empty());
    assert_eq!(bits.max(), set.last().copied());
    assert_eq!(bits, set.iter().copied().collect());
    assert_ne!(bits.as_bytes().last(), Some(&0));
    assert_eq!(lines_of(bits.as_bytes()), set);
});

/// Returns the lines of a numbits value, as coverage.py's `numbits_to_nums` does.
fn lines_of(numbits: &[u8]) -> BTreeSet<i32> {
    let bit_set = |line: &i32| numbits[(line / 8) as usize] >> (line % 8) & 1 == 1;
    (0..numbits.len() as i32 * 8).filter(bit_set).collect()
}
