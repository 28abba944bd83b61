//! Writes every report for any source code, name and data. Nothing may panic, and no content may be
//! mistaken for a part of the format.
#![no_main]

use std::path::Path;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pulpcov_core::CoverageData;
use pulpcov_core::report::{annotate, json, lcov, text, xml};
use pulpcov_core::summarize::Summarizer;
use serde_json::Value;

#[derive(Debug, Arbitrary)]
struct Input {
    name: String,
    context: String,
    branches: bool,
    pairs: Vec<(i8, i8)>,
    source: Vec<u8>,
}

fuzz_target!(|input: Input| {
    let mut data = CoverageData::new();
    let pairs = input.pairs.iter().map(|&(from, to)| (i32::from(from), i32::from(to)));
    let added = if input.branches {
        data.add_arcs(input.name.as_str(), &input.context, pairs)
    } else {
        let lines = pairs.map(|(line, _)| line.saturating_abs()).collect();
        data.add_lines(input.name.as_str(), &input.context, &lines)
    };
    if added.is_err() {
        return;
    }
    let sources = |_: &Path| Ok(Some(input.source.clone()));
    let summarizer = Summarizer::new(&data, &sources);
    let Ok(summary) = summarizer.run() else { return };

    for format in [text::Format::Text, text::Format::Markdown, text::Format::Total] {
        let options = text::Options::new().show_missing(true).format(format);
        let written = into_text(|out| text::write(&summary, &options, out).is_ok());
        assert!(!summary.files().is_empty() || written.is_empty());
    }
    let options = json::Options::new().show_contexts(true).pretty_print(input.branches);
    let written = into_text(|out| json::write(&summary, &options, out).is_ok());
    let tree: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(tree["files"].as_object().map(|files| files.len()), Some(summary.files().len()));

    let written = into_text(|out| xml::write(&summary, &xml::Options::new(), out).is_ok());
    assert_eq!(written.matches("<class ").count(), summary.files().len());
    let options = lcov::Options::new().line_checksums(true);
    let written = into_text(|out| lcov::write(&summary, &options, out).is_ok());
    assert_eq!(
        written.lines().filter(|line| line.starts_with("SF:")).count(),
        summary.files().len()
    );
    for file in summary.files() {
        into_text(|out| annotate::write(&summary, file, out).is_ok());
        assert!(!annotate::file_name(file).contains('/'));
    }
});

fn into_text(write: impl FnOnce(&mut Vec<u8>) -> bool) -> String {
    let mut out = Vec::new();
    if !write(&mut out) {
        out.clear();
    }
    String::from_utf8(out).expect("UTF-8")
}
