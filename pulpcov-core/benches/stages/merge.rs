//! One data set into another that has seen the same sources.

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
                    // Given back, so that dropping it is not measured.
                    (all, merged)
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
    Ok(())
}
