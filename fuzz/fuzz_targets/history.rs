//! Reads histories of runs. What is read is written as the same runs, in the order of time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::report::html::{History, Run};
use pulpcov_core::{ErrorKind, Position};

fuzz_target!(|text: &[u8]| {
    match History::parse(text) {
        Ok(history) => {
            let written: String = history.runs().iter().map(Run::to_line).collect();
            assert_eq!(written.lines().count(), history.runs().len());
            assert_eq!(History::parse(written.as_bytes()).ok(), Some(history));
        }
        Err(err) => {
            assert_eq!(err.kind(), ErrorKind::Config);
            assert!(matches!(err.position(), Some(Position::Line { line: 1.., .. })));
        }
    }
});
