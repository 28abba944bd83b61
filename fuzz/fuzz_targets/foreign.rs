//! Reads reports of other tools. What is written of one says the same when it is read and written again, in each format, and merging it
//! with itself doubles each count of a line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::foreign::{Report, cobertura, codecov, coverage_json, json, lcov};

/// A tracefile has a record for each branch, and other formats have counts of them. More would only fill memory.
const BRANCHES: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let read = match bytes.first() {
        Some(b'<') => cobertura::read(bytes),
        Some(b'{') => json::read(bytes),
        _ => lcov::read(bytes),
    };
    let Ok(report) = read else { return };
    check_json(&report);
    check_codecov(&report);
    let first = xml(&report);
    let of_xml = cobertura::read(&*first).expect("what is written can be read");
    // XML has no control characters, so names may become the same.
    assert!((1..=report.files().len()).contains(&of_xml.files().len()));
    if branches(&report) > BRANCHES {
        return;
    }
    let text = tracefile(&report);
    let again = lcov::read(&*text).expect("what is written can be read");
    assert_eq!(tracefile(&again), text);
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

/// JSON says of a line only whether it ran.
fn check_json(report: &Report) {
    let again = json::read(&*coverage_json(report)).expect("what is written can be read");
    for ((name, file), (other, of_other)) in report.files().zip(again.files()) {
        let (file, of_other) = (file.total(), of_other.total());
        assert_eq!((name, file.lines().len()), (other, of_other.lines().len()));
        for ((line, hits), (other, again)) in file.lines().iter().zip(of_other.lines()) {
            assert_eq!((line, *hits > 0), (other, *again > 0));
        }
    }
    assert_eq!(report.files().len(), again.files().len());
    let twice = json::read(&*coverage_json(&again)).expect("what is written can be read");
    assert_eq!(again, twice);
}

fn check_codecov(report: &Report) {
    let text = codecov(report);
    let again = json::read(&*text).expect("what is written can be read");
    assert_eq!(report.files().len(), again.files().len());
    assert_eq!(codecov(&again), text);
}

fn branches(report: &Report) -> u64 {
    let of_file = |counts: pulpcov_core::foreign::Counts| -> u64 {
        counts.taken_branches().values().map(|(_, all)| all).sum()
    };
    report.files().map(|(_, file)| of_file(file.total())).sum()
}

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

fn coverage_json(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    coverage_json::write(report, "", &mut out).expect("memory can be written to");
    out
}

fn codecov(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    codecov::write(report, &mut out).expect("memory can be written to");
    out
}
