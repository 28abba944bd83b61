//! Analyzes any bytes as source code, for every version of Python. Either the source code is
//! refused, or the facts fit the text and each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::python::{AnalyzeOptions, Facts, FactsJson, PythonSource, PythonVersion};
use pulpcov_core::results::{Analysis, RegionSplitter};

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = PythonSource::decode(bytes) else { return };
    let lines = source.text().split('\n').count() as i32;
    let options = AnalyzeOptions::new().expect("the default patterns compile");
    for version in PythonVersion::ALL {
        match source.analyze(&options.clone().version(version)) {
            Ok(facts) => check(&facts, lines),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});

fn check(facts: &Facts, lines: i32) {
    assert!(facts.statements().is_sorted_by(|a, b| a < b));
    assert!(facts.statements().iter().all(|&line| (0..=lines).contains(&line)));
    assert!(facts.statements().iter().all(|line| facts.excluded().binary_search(line).is_err()));
    let _ = FactsJson::new(facts);

    // Pretend that every second statement and every third arc ran.
    let ran = facts.statements().iter().copied().step_by(2);
    let arcs = facts.arcs().iter().copied().step_by(3);
    for analysis in [Analysis::of_lines(facts, ran.clone()), Analysis::of_arcs(facts, ran, arcs)] {
        let numbers = analysis.numbers();
        assert_eq!(analysis.missing().len(), numbers.missing);
        assert!(numbers.missing <= numbers.statements);
        let _ = (analysis.missing_formatted(true), analysis.branch_stats());
        let mut splitter = RegionSplitter::new(&analysis);
        facts.regions().iter().for_each(|region| splitter.add(region.ranges()));
        let _ = splitter.split();
    }
}
