//! Reads tracefiles of lcov. What is written of one says the same, and merging it with itself doubles each count.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::foreign::{Report, lcov};

fuzz_target!(|bytes: &[u8]| {
    let Ok(report) = lcov::read(bytes) else { return };
    // Without files, nothing is written, and an empty file is no tracefile.
    if report.files().len() == 0 {
        return;
    }
    let text = written(&report);
    let again = lcov::read(&*text).expect("what is written can be read");
    assert_eq!(again, report);
    assert_eq!(written(&again), text);
    let mut twice = report.clone();
    twice.merge(again);
    assert_eq!(twice.differing().count(), 0);
    for ((_, once), (_, twice)) in report.files().zip(twice.files()) {
        let (once, twice) = (once.total(), twice.total());
        assert_eq!(once.lines().len(), twice.lines().len());
        for ((line, hits), (other, doubled)) in once.lines().iter().zip(twice.lines()) {
            assert_eq!((line, hits.saturating_mul(2)), (other, *doubled));
        }
        assert_eq!(once.branches().blocks().count(), twice.branches().blocks().count());
    }
});

fn written(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    lcov::write(report, &mut out).expect("memory can be written to");
    out
}
