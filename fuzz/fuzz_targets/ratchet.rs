//! Reads ratchets. What is written is read again, and a merge has no number above those of either side.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::gates::Ratchet;
use pulpcov_core::{ErrorKind, Position};

fuzz_target!(|text: &[u8]| {
    // Three ratchets, separated by NUL, which no name has.
    let mut sides = text.splitn(3, |&b| b == 0).map(parse);
    let Some(Some(base)) = sides.next() else { return };
    let (Some(Some(ours)), Some(Some(theirs))) = (sides.next(), sides.next()) else { return };
    let merged = Ratchet::merge(&base, &ours, &theirs);
    assert_eq!(merged, Ratchet::merge(&base, &theirs, &ours));
    for (name, debt) in merged.files() {
        for side in [&ours, &theirs] {
            assert!(side.get(name).is_none_or(|allowed| debt.is_within(allowed)));
        }
    }
});

fn parse(text: &[u8]) -> Option<Ratchet> {
    match Ratchet::parse(text) {
        Ok(ratchet) => {
            let written = ratchet.to_text();
            assert_eq!(written.lines().count(), ratchet.len() + 1);
            assert_eq!(Ratchet::parse(written.as_bytes()).ok().as_ref(), Some(&ratchet));
            Some(ratchet)
        }
        Err(err) => {
            assert_eq!(err.kind(), ErrorKind::Config);
            assert!(matches!(err.position(), Some(Position::Line { line: 1.., .. })));
            None
        }
    }
}
