//! Compares two versions of a source, reads names of tests, and reads JUnit reports. The parts of the input are
//! separated by a NUL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pulpcov_core::impact::{TestFiles, TestName, failed_tests};
use pulpcov_core::python::{AnalyzeOptions, PythonSource, SourceChange};

fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|&byte| byte == 0);
    let (old, new) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    compare(old, new);
    if let Some(Ok(context)) = parts.next().map(std::str::from_utf8) {
        name(context);
    }
    if let Some(xml) = parts.next() {
        let _ = failed_tests(xml);
    }
});

fn compare(old: &[u8], new: &[u8]) {
    assert_eq!(SourceChange::between(old, old), SourceChange::Nothing);
    if let SourceChange::Functions(functions) = SourceChange::between(old, new) {
        assert!(!functions.is_empty());
        for function in functions {
            assert!(*function.lines.start() >= 1 && function.lines.start() <= function.lines.end());
        }
    }
    let Ok(source) = PythonSource::decode(old) else { return };
    let names = source.imports().is_ok();
    assert_eq!(source.definitions().is_ok(), names);
    // A text with a comment more is the same program, if it is one.
    let Ok(options) = AnalyzeOptions::new() else { return };
    if source.analyze(&options).is_ok() && !old.is_empty() {
        let commented = format!("{}# a comment\n", source.text());
        let text = source.text().as_bytes();
        assert_eq!(SourceChange::between(text, commented.as_bytes()), SourceChange::Nothing);
    }
}

fn name(context: &str) {
    let Some(name) = TestName::parse(context) else { return };
    assert!(context.contains(name.id()) && context.starts_with(name.static_context()));
    assert!(name.belongs_to(name.id()));
    if let Some(file) = name.file() {
        assert!(name.belongs_to(file) && TestFiles::of_contexts([context]).contains(file));
    }
}
