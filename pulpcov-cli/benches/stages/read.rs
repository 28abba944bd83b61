//! Reads data files from memory.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use pulpcov_core::formats::read_bytes;

use crate::data::{ARC_CONTEXTS, ARCS, CONTEXTS, Error, LINES, json_file, sqlite_file};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let mut files = Vec::new();
    for shape in [LINES, ARCS] {
        files.push((format!("json/{}", shape.name), json_file(&shape.data(1)?)?));
    }
    for shape in [LINES, ARCS, CONTEXTS, ARC_CONTEXTS] {
        files
            .push((format!("sqlite/{}", shape.name), sqlite_file(&shape.data(1)?, folder.path())?));
    }
    let mut group = criterion.benchmark_group("read");
    for (name, bytes) in &files {
        read_bytes(bytes)?;
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| b.iter(|| read_bytes(black_box(bytes))));
    }
    group.finish();
    Ok(())
}
