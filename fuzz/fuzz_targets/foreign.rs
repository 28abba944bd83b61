//! Reads reports of other tools. What is written of one says the same when it is read and written again, and merging it with itself
//! doubles each count of a line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::foreign::{Report, cobertura, lcov};

fuzz_target!(|bytes: &[u8]| {
    let read = if bytes.starts_with(b"<") { cobertura::read(bytes) } else { lcov::read(bytes) };
    let Ok(report) = read else { return };
    let text = tracefile(&report);
    let again = lcov::read(&*text).expect("what is written can be read");
    assert_eq!(tracefile(&again), text);
    let first = xml(&report);
    let of_xml = cobertura::read(&*first).expect("what is written can be read");
    // XML has no control characters, so names may become the same.
    assert!((1..=report.files().len()).contains(&of_xml.files().len()));
    let mut twice = again.clone();
    twice.merge(again.clone());
    assert_eq!(twice.differing().count(), 0);
    for ((_, once), (_, twice)) in again.files().zip(twice.files()) {
        let (once, twice) = (once.total(), twice.total());
        assert_eq!(once.lines().len(), twice.lines().len());
        for ((line, hits), (other, doubled)) in once.lines().iter().zip(twice.lines()) {
            assert_eq!((line, hits.saturating_mul(2)), (other, *doubled));
        }
        assert_eq!(once.functions().len(), twice.functions().len());
        assert_eq!(once.taken_branches(), twice.taken_branches());
        assert_eq!(once.conditions().len(), twice.conditions().len());
    }
});

fn tracefile(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    lcov::write(report, &mut out).expect("memory can be written to");
    out
}

fn xml(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    cobertura::write(report, 0, &mut out).expect("memory can be written to");
    out
}
