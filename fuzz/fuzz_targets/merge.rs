//! Merges data sets in memory and through files. Merging must be commutative, associative and
//! idempotent.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pulpcov_core::{CoverageData, Measurement, Result};
use pulpcov_fuzz::{DataSet, RoundTrip, json_round_trip};

static FILES: LazyLock<RoundTrip> = LazyLock::new(RoundTrip::new);

#[derive(Debug, Arbitrary)]
struct Input {
    arcs: [bool; 3],
    sets: [DataSet; 3],
}

fuzz_target!(|input: Input| {
    let kind = |arcs: bool| if arcs { Measurement::Arcs } else { Measurement::Lines };
    let built = std::array::from_fn(|i| input.sets[i].build(kind(input.arcs[i])));
    let [Some(a), Some(b), Some(c)] = built else { return };

    let ab = merged(&a, &b);
    assert_same(&ab, &merged(&b, &a));
    assert_same(&ab.and_then(|ab| merged(&ab, &c)), &merged(&b, &c).and_then(|bc| merged(&a, &bc)));
    assert_eq!(merged(&a, &a).ok().as_ref(), Some(&a));

    let bytes = FILES.sqlite_bytes(&a);
    let read = FILES.sqlite(&a);
    assert_eq!(read, a);
    assert_eq!(FILES.sqlite_bytes(&read), bytes, "equal data has equal bytes");
    if let Ok(both) = merged(&a, &b) {
        assert_eq!(merged(&read, &FILES.sqlite(&b)).ok(), Some(both));
    }
    through_json(a);
});

fn merged(a: &CoverageData, b: &CoverageData) -> Result<CoverageData> {
    let mut all = a.clone();
    all.merge(b.clone())?;
    assert!(all.row_count() <= a.row_count() + b.row_count());
    Ok(all)
}

/// Asserts that both results are errors, or that both are equal data.
fn assert_same(one: &Result<CoverageData>, other: &Result<CoverageData>) {
    assert_eq!(one.as_ref().ok(), other.as_ref().ok());
}

/// Checks that the data stays the same when it is written as JSON and read again. Contexts,
/// metadata and empty rows are not compared, because the format of coverage.py 4.x does not have
/// them.
fn through_json(mut data: CoverageData) {
    data.drop_contexts();
    data.clear_meta();
    let once = json_round_trip(&data);
    assert_eq!(once.row_count(), rows_with_something(&data));
    if data.measurement().is_some() {
        assert!(once.files().map(|file| file.path()).eq(data.files().map(|file| file.path())));
    }
    for file in once.files() {
        assert_eq!(once.lines(file.path()), data.lines(file.path()));
        assert_eq!(once.arcs(file.path()), data.arcs(file.path()));
        assert_eq!(Some(file.tracer()), data.file_tracer(file.path()));
    }
    assert_eq!(json_round_trip(&once), once);
}

/// Returns the number of rows that have lines or arcs.
fn rows_with_something(data: &CoverageData) -> u64 {
    let of_file = |file: pulpcov_core::FileData<'_>| {
        let lines = file.lines_by_context().into_iter().filter(|(_, lines)| !lines.is_empty());
        lines.count()
            + file.arcs_by_context().into_iter().map(|(_, arcs)| arcs.len()).sum::<usize>()
    };
    data.files().map(of_file).sum::<usize>() as u64
}
