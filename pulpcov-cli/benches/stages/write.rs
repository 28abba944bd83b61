//! Writes data to a file, without syncing the file to disk.

use criterion::{BatchSize, Criterion, Throughput};
use pulpcov_core::formats::sqlite;

use crate::data::{ARC_CONTEXTS, ARCS, CONTEXTS, Error, LINES, json_file, sqlite_file};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let mut group = criterion.benchmark_group("write");
    for shape in [LINES, ARCS] {
        let data = shape.data(1)?;
        group.throughput(Throughput::Bytes(json_file(&data)?.len() as u64));
        group.bench_function(format!("json/{}", shape.name), |b| b.iter(|| json_file(&data)));
    }
    let file = folder.path().join("written");
    for shape in [LINES, ARCS, CONTEXTS, ARC_CONTEXTS] {
        let data = shape.data(1)?;
        group.throughput(Throughput::Bytes(sqlite_file(&data, folder.path())?.len() as u64));
        group.bench_function(format!("sqlite/{}", shape.name), |b| {
            b.iter_batched(
                || std::fs::remove_file(&file),
                |_| sqlite::write(&data, &file),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
    Ok(())
}
