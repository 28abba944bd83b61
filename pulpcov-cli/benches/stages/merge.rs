//! Merges one data set into another that has the same source files.

use criterion::{BatchSize, Criterion, Throughput};

use crate::data::{ARC_CONTEXTS, ARCS, CONTEXTS, Error, LINES};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Error> {
    let mut group = criterion.benchmark_group("merge");
    for shape in [LINES, ARCS, CONTEXTS, ARC_CONTEXTS] {
        let (all, more) = (shape.data(1)?, shape.data(2)?);
        all.clone().merge(more.clone())?;
        group.throughput(Throughput::Elements(more.row_count()));
        group.bench_function(shape.name, |b| {
            b.iter_batched(
                || (all.clone(), more.clone()),
                |(mut all, more)| {
                    let merged = all.merge(more);
                    // Returned, so that the time to drop it is not measured.
                    (all, merged)
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
    Ok(())
}
