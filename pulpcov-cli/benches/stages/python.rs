//! Analyzes source code: files of growing size, and a folder of real code.
//!
//! `PULPCOV_BENCH_SOURCES=FOLDER` names the folder, for example one with unpacked packages. The
//! time per byte should be the same for all.

use std::path::{Path, PathBuf};

use criterion::{BenchmarkId, Criterion, Throughput};
use pulpcov_core::python::{AnalyzeOptions, Facts, PythonSource};

use crate::data::Error;

const FUNCTION: &str = "
    def method_NUMBER(self, items, *, limit: int = 10):
        '''What is dear.'''
        total = {}
        for item in items:
            if item.price > limit and not item.sold:
                total[item.name] = max(
                    item.price,
                    total.get(item.name, 0),
                )
            elif item:
                with self.lock, open(item.name) as file:
                    return file.read()
        try:
            return [name for name in total if name]
        except (KeyError, ValueError) as err:
            raise RuntimeError(f'{err}: {total!r}') from err
        finally:
            self.done = True
";

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Error> {
    let options = AnalyzeOptions::new()?;
    let mut group = criterion.benchmark_group("python");
    for functions in [10, 100, 1_000] {
        let source = class(functions);
        analyze(&source, &options)?;
        group.throughput(Throughput::Bytes(source.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("methods-of-a-class", functions),
            &source,
            |b, source| b.iter(|| analyze(source, &options)),
        );
    }
    let statements = format!("class C:\n{}", "    a = b.c(1)\n".repeat(24_914));
    group.throughput(Throughput::Bytes(statements.len() as u64));
    group.bench_function("24914-statements", |b| {
        b.iter(|| analyze(statements.as_bytes(), &options));
    });
    if let Some(folder) = std::env::var_os("PULPCOV_BENCH_SOURCES") {
        let sources = sources(Path::new(&folder))?;
        let bytes: usize = sources.iter().map(Vec::len).sum();
        group.sample_size(10).throughput(Throughput::Bytes(bytes as u64));
        group.bench_function("folder", |b| {
            b.iter(|| sources.iter().filter(|source| analyze(source, &options).is_ok()).count());
        });
    }
    group.finish();
    Ok(())
}

fn analyze(source: &[u8], options: &AnalyzeOptions) -> pulpcov_core::Result<Facts> {
    PythonSource::decode(source)?.analyze(options)
}

fn class(methods: usize) -> Vec<u8> {
    let methods = (0..methods).map(|n| FUNCTION.replace("NUMBER", &n.to_string()));
    format!("class Shop:\n{}", methods.collect::<String>()).into_bytes()
}

/// Returns the contents of the Python files in a folder.
fn sources(folder: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let mut sources = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|extension| extension == "py") {
                sources.push(std::fs::read(entry.path())?);
            }
        }
    }
    Ok(sources)
}
