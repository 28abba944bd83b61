//! Compares a diff, the source that it leads to, and lines that ran. The parts of the input are separated by a NUL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::changes::{Diff, FilePatch, RanBefore};
use pulpcov_core::python::{AnalyzeOptions, PythonSource};
use pulpcov_core::results::Analysis;
use pulpcov_core::{ArcSet, Numbits};

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |&byte| byte == 0);
    let (text, source) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let ran: Vec<i32> = parts.next().unwrap_or_default().iter().map(|&line| line.into()).collect();
    let (Ok(diff), Ok(options)) = (Diff::parse(text), AnalyzeOptions::new()) else { return };
    let Ok(facts) = PythonSource::decode(source).and_then(|source| source.analyze(&options)) else {
        return;
    };
    let arcs: Vec<(i32, i32)> = ran.windows(2).map(|pair| (pair[0], pair[1])).collect();
    for analysis in [
        Analysis::of_lines(&facts, ran.iter().copied()),
        Analysis::of_arcs(&facts, ran.iter().copied(), arcs.iter().copied()),
    ] {
        for change in diff.files() {
            let change = change.with_python_lines(source);
            check(&FilePatch::new(&change, &facts, &analysis));
            let before = RanBefore {
                lines: Numbits::from_iter(ran.iter().copied()),
                arcs: ArcSet::from_iter(arcs.iter().copied()),
            };
            check(&FilePatch::of_new_misses(&before, &change, &facts, &analysis));
        }
    }
});

fn check(patch: &FilePatch) {
    let numbers = patch.numbers();
    assert_eq!(numbers.statements, patch.statements().len());
    assert_eq!(numbers.missing, patch.missing().len());
    assert!(numbers.missing_branches <= numbers.branches);
    assert!(patch.missing().iter().all(|line| patch.statements().binary_search(line).is_ok()));
    assert!(patch.lines().is_sorted_by_key(|(line, _)| *line));
}
