//! Maps the paths of four hosts by the rules of `[paths]`.

use criterion::{BatchSize, Criterion, Throughput};
use pulpcov_core::FilePath;
use pulpcov_core::paths::{PathAliases, WorkingFolder};

use crate::data::{Error, path};

const RULES: [&str; 3] = ["/home/ci/work/shop/", r"C:\agent\_work\*\shop", "*/builds/shop/"];

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Error> {
    let paths = (0..10_000).map(|n| on_host(n % 4, &path(n)).try_into());
    let paths: Vec<FilePath> = paths.collect::<Result<_, pulpcov_core::Error>>()?;
    map_all(&mut aliases()?, &paths);

    let mut group = criterion.benchmark_group("aliases");
    group.throughput(Throughput::Elements(paths.len() as u64));
    group.bench_function("new-paths", |b| {
        b.iter_batched(
            aliases,
            |aliases| aliases.map(|mut aliases| (map_all(&mut aliases, &paths), aliases)),
            BatchSize::LargeInput,
        );
    });
    // The next data file of a host has the same paths as the one before.
    let mut known = aliases()?;
    map_all(&mut known, &paths);
    group.bench_function("known-paths", |b| b.iter(|| map_all(&mut known, &paths)));
    group.finish();
    Ok(())
}

fn aliases() -> pulpcov_core::Result<PathAliases> {
    let mut aliases = PathAliases::new(WorkingFolder::new("/nonexistent/shop")).exists(|_| true);
    for rule in RULES {
        aliases.add(rule, "src")?;
    }
    Ok(aliases)
}

fn map_all(aliases: &mut PathAliases, paths: &[FilePath]) -> usize {
    paths.iter().flat_map(|path| aliases.map_file(path)).map(|path| path.as_str().len()).sum()
}

/// Returns a path as a host has it. One host in four has no rule.
fn on_host(host: u64, path: &str) -> String {
    let tail = path.trim_start_matches("/home/ci/work/shop/");
    match host {
        0 => path.to_owned(),
        1 => format!(r"C:\agent\_work\7\shop\{}", tail.replace('/', r"\")),
        2 => format!("/mnt/builds/shop/{tail}"),
        _ => format!("/opt/venv/lib/python3.12/site-packages/{tail}"),
    }
}
