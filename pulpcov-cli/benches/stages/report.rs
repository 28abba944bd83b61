//! Makes a summary from data and source code, and each report from a summary.

use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput};
use pulpcov_core::CoverageData;
use pulpcov_core::report::{html, json, lcov, text, xml};
use pulpcov_core::summarize::{Summarizer, Summary};

use crate::data::Error;

const FILES: usize = 100;
const FUNCTIONS: usize = 50;
/// The number of lines of each function in [`source`].
const LINES: i32 = 8;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Error> {
    let data = data()?;
    let source = source();
    let sources = |_: &Path| Ok(Some(source.clone().into_bytes()));
    let summarize = || Summarizer::new(&data, &sources).run();
    let summary = summarize()?;

    let mut group = criterion.benchmark_group("report");
    group.throughput(Throughput::Bytes((FILES * source.len()) as u64));
    group.bench_function("summarize", |b| b.iter(|| summarize().map(|s| s.totals())));
    group.bench_function("text", |b| b.iter(|| write(&summary, "text")));
    group.bench_function("json", |b| b.iter(|| write(&summary, "json")));
    group.bench_function("xml", |b| b.iter(|| write(&summary, "xml")));
    group.bench_function("lcov", |b| b.iter(|| write(&summary, "lcov")));
    group.bench_function("html-single", |b| b.iter(|| write(&summary, "html")));
    let options = html::Options::new().show_contexts(true);
    group.bench_function("html-new", |b| {
        b.iter_batched(
            tempfile::tempdir,
            |folder| {
                let folder = folder.map_err(pulpcov_core::Error::from)?;
                html::write(&summary, &options, folder.path())
            },
            BatchSize::PerIteration,
        );
    });
    let folder = tempfile::tempdir()?;
    html::write(&summary, &options, folder.path())?;
    group.bench_function("html-unchanged", |b| {
        b.iter(|| html::write(&summary, &options, folder.path()));
    });
    group.finish();
    Ok(())
}

fn write(summary: &Summary<'_>, format: &str) -> pulpcov_core::Result<f64> {
    let out = std::io::sink();
    match format {
        "json" => json::write(summary, &json::Options::new(), out),
        "xml" => xml::write(summary, &xml::Options::new(), out),
        "html" => html::write_single_file(summary, &html::Options::new(), out),
        "lcov" => lcov::write(summary, &lcov::Options::new(), out),
        _ => text::write(summary, &text::Options::new().show_missing(true), out),
    }
}

/// Returns data in which half of every second function ran.
fn data() -> Result<CoverageData, Error> {
    let mut data = CoverageData::new();
    for file in 0..FILES {
        let arcs = (0..FUNCTIONS as i32).step_by(2).flat_map(|function| {
            let start = 1 + function * LINES;
            [
                (-start, start + 1),
                (start + 1, start + 2),
                (start + 2, start + 3),
                (start + 3, -start),
            ]
        });
        data.add_arcs(format!("src/part{}/file{file}.py", file % 7), "", arcs)?;
    }
    Ok(data)
}

fn source() -> String {
    let function = |n| {
        format!(
            "def function_{n}(items, limit=10):\n    total = {{}}\n    for item in items:\n        if item.price > limit:\n            total[item.name] = max(item.price, total.get(item.name, 0))\n        elif item:\n            return None\n    return total\n"
        )
    };
    (0..FUNCTIONS).map(function).collect()
}
