//! A damaged input does not damage the result: coverage.py can read it, report on it and append to it.
//!
//! Each case flips bits in a real data file, mostly one bit, and combines the file with intact ones. The data
//! files are the fixtures of all versions, and new ones that coverage.py writes with contexts, arcs and
//! plugins.
//!
//! `PULPCOV_CASES` sets the number of cases. To repeat a case that failed, set `PULPCOV_FIRST_CASE` to its
//! number.

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use pulpcov_core::combine::{Combined, Combiner, StoreFormat, store};
use pulpcov_core::formats::DataFile;
use pulpcov_core::{CoverageData, ErrorKind, Measurement};
use serde_json::{Value, json};

use super::results::{Results, own_data};
use super::{TARGET, has_rows, input_name};
use crate::support::random::Random;
use crate::support::{Dir, Rows, reference, root};

const CASES: usize = 2000;

/// The number of the damaged file. `INTACT` has the numbers of the files beside it.
const DAMAGED: i32 = 1;
const INTACT: [i32; 2] = [2, 3];

/// An intact data file.
struct Specimen {
    name: String,
    /// The file itself, and its journal or log if it has one: the suffix of the name, and the bytes.
    files: Vec<(String, Vec<u8>)>,
    measurement: Option<Measurement>,
    rows: Rows,
    /// The start and length of each text in the file itself.
    texts: Vec<(usize, usize)>,
}

impl Specimen {
    fn new(name: &str, files: Vec<(String, Vec<u8>)>) -> Self {
        let dir = Dir::new();
        let path = put(&dir, DAMAGED, &files);
        let data = DataFile::open(&path).unwrap().read().unwrap().data;
        let texts = texts(&data).iter().flat_map(|text| places(&files[0].1, text)).collect();
        let (measurement, rows) = (data.measurement(), Rows::of(&data));
        Self { name: name.to_owned(), files, measurement, rows, texts }
    }

    /// Returns the files with some bits flipped.
    fn damaged(&self, random: &mut Random) -> Vec<(String, Vec<u8>)> {
        let mut files = self.files.clone();
        let which = if random.below(4) == 0 { random.below(files.len()) } else { 0 };
        let bytes = &mut files[which].1;
        let bits = if random.below(4) == 0 { 1 + random.below(8) } else { 1 };
        for _ in 0..bits {
            let at = match random.below(3) {
                0 if which == 0 && !self.texts.is_empty() => {
                    let (start, len) = self.texts[random.below(self.texts.len())];
                    start + random.below(len)
                }
                // The first bytes of a page decide how the rest is read.
                1 => (random.below(bytes.len()) / 512 * 512 + random.below(120)) % bytes.len(),
                _ => random.below(bytes.len()),
            };
            bytes[at] ^= 1 << random.below(8);
        }
        files
    }
}

fn texts(data: &CoverageData) -> Vec<String> {
    let contexts = data.contexts().into_iter().map(str::to_owned);
    let files = data.files().flat_map(|file| [file.path().to_string(), file.tracer().to_owned()]);
    contexts.chain(files).filter(|text| !text.is_empty()).collect()
}

fn places(bytes: &[u8], text: &str) -> Vec<(usize, usize)> {
    let len = text.len();
    let found = bytes.windows(len).enumerate().filter(|(_, part)| *part == text.as_bytes());
    found.map(|(at, _)| (at, len)).collect()
}

/// Writes the files with an old time stamp, since a combine waits for a file that has just changed.
fn put(dir: &Dir, number: i32, files: &[(String, Vec<u8>)]) -> std::path::PathBuf {
    for (suffix, bytes) in files {
        let path = dir.write(format!("{}{suffix}", input_name(number)), bytes);
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    }
    dir.path(input_name(number))
}

/// Returns data files of all versions, stored in every way that the fixtures have.
fn specimens() -> Vec<Specimen> {
    let folder = root().join("tests/fixtures/data");
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let entries =
        ["written", "odd"].map(|part| manifest[part].as_array().unwrap().as_slice()).concat();
    let mut specimens: Vec<Specimen> = entries
        .iter()
        .map(|entry| {
            let name = entry["file"].as_str().unwrap();
            let companions = entry["companions"].as_array().into_iter().flatten();
            let names = std::iter::once(name).chain(companions.map(|name| name.as_str().unwrap()));
            let file = |file: &str| {
                (file.strip_prefix(name).unwrap().to_owned(), fs::read(folder.join(file)).unwrap())
            };
            Specimen::new(name, names.map(file).collect())
        })
        .collect();
    specimens.extend(new_specimens());
    specimens
}

/// Returns data files that coverage.py writes now, with many files and contexts, with lines or arcs, and with
/// plugins.
fn new_specimens() -> Vec<Specimen> {
    let dir = Dir::new();
    let contexts =
        ["", "test_one|run", "Prüfung 😀", "a rather long name of a context".repeat(9).as_str()]
            .map(str::to_owned);
    let files: Vec<[String; 2]> = (0..20)
        .map(|number| {
            let tracer = if number % 7 == 3 { "tmpl_plugin.PagePlugin" } else { "" };
            [format!("/srv/app/größe/file{number}.py"), tracer.to_owned()]
        })
        .collect();
    let rows = |row: fn(usize) -> Value| -> Vec<Value> {
        let of_file = |[path, _]: &[String; 2]| {
            let of_context = |(at, context): (usize, &String)| json!([path, context, row(at)]);
            contexts.iter().enumerate().map(of_context).collect::<Vec<_>>()
        };
        files.iter().flat_map(of_file).collect()
    };
    let lines = rows(|at| json!((1 + at..40 + 7 * at).collect::<Vec<_>>()));
    let arcs = rows(|at| json!((0..30).map(|n| [n, n + 1 + at]).collect::<Vec<_>>()));
    let job = |name: &str, lines: &[Value], arcs: &[Value]| {
        json!({"do": "write", "file": dir.path(name), "measure": name, "contexts": contexts,
            "files": files, "lines": lines, "arcs": arcs})
    };
    reference(&[job("lines", &lines, &[]), job("arcs", &[], &arcs)]);
    let read = |name| vec![(String::new(), fs::read(dir.path(name)).unwrap())];
    ["lines", "arcs"].map(|name| Specimen::new(&format!("new {name}"), read(name))).into()
}

#[derive(Debug, Default)]
struct Counts {
    merged: AtomicUsize,
    left_out: AtomicUsize,
    refused: AtomicUsize,
}

/// Damages a specimen, combines it with intact files, and checks that nothing else is lost.
fn check(number: usize, specimens: &[Specimen], results: &Results, counts: &Counts) {
    let mut random = Random::new(number as u64);
    let specimen = &specimens[number % specimens.len()];
    let damaged = specimen.damaged(&mut random);
    let case = format!("case {number}, of {}", specimen.name);

    let dir = Dir::new();
    let path = put(&dir, DAMAGED, &damaged);
    let own = own_data(specimen.measurement.unwrap_or(Measurement::Lines), "own");
    store(&own, dir.path(input_name(INTACT[0])), StoreFormat::Sqlite).unwrap();
    put(&dir, INTACT[1], &specimen.files);
    let before = super::snapshot(&dir);

    let combine = || Combiner::new(dir.path(TARGET)).run();
    let outcome =
        std::panic::catch_unwind(combine).unwrap_or_else(|_| panic!("{case}: it panicked"));
    let combined = match outcome {
        Ok(combined) => combined,
        Err(err) => {
            // After the damage, the file may contradict the intact ones: it may name another plugin, or have
            // lines instead of arcs.
            let contradicts =
                matches!(err.kind(), ErrorKind::TracerConflict | ErrorKind::MixedData);
            assert!(contradicts, "{case}: {err}");
            assert!(super::snapshot(&dir) == before, "{case}: {err}");
            counts.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
    };
    let intact = Rows::of(&own).union(specimen.rows.clone());
    let result = Rows::by_sql(dir.path(TARGET));
    assert!(has_rows(&result, &intact), "{case}: rows of an intact file are lost");
    is_kept_unless_in_the_result(&case, &dir, &combined, &path, &damaged);
    match combined.left_out.is_empty() {
        true => counts.merged.fetch_add(1, Ordering::Relaxed),
        false => counts.left_out.fetch_add(1, Ordering::Relaxed),
    };

    results.add(case, fs::read(dir.path(TARGET)).unwrap());
}

#[track_caller]
fn is_kept_unless_in_the_result(
    case: &str,
    dir: &Dir,
    combined: &Combined,
    path: &Path,
    damaged: &[(String, Vec<u8>)],
) {
    assert!(combined.not_deleted.is_empty(), "{case}: {:?}", combined.not_deleted);
    let mut names = vec![TARGET.to_owned()];
    if combined.left_out.is_empty() {
        // A journal stays if the damaged file does not need it.
        names.extend(dir.names().into_iter().filter(|name| name.ends_with("-journal")));
    } else {
        assert_eq!(combined.left_out[0].path(), Some(path), "{case}");
        for (suffix, bytes) in damaged {
            let name = format!("{}{suffix}", input_name(DAMAGED));
            assert!(fs::read(dir.path(&name)).unwrap() == *bytes, "{case}: {name} has changed");
            names.push(name);
        }
    }
    names.sort();
    names.dedup();
    assert_eq!(dir.names(), names, "{case}: {:?}", combined.left_out);
}

#[test]
fn a_damaged_input_does_not_damage_the_result() {
    let cases = crate::support::cases(CASES);
    let first = crate::support::number_of_environment("PULPCOV_FIRST_CASE").unwrap_or_default();
    let specimens = specimens();
    assert!(specimens.len() > 60, "{}", specimens.len());
    let results = Results::new();
    let counts = Counts::default();
    let next = AtomicUsize::new(first);
    std::thread::scope(|scope| {
        let work = || {
            loop {
                match next.fetch_add(1, Ordering::Relaxed) {
                    number if number < first + cases => {
                        check(number, &specimens, &results, &counts)
                    }
                    _ => break,
                }
            }
        };
        // If a thread panics, so does the scope.
        (0..2).for_each(|_| drop(scope.spawn(work)));
    });
    results.assert_usable_by_coverage();
    let different = results.len();
    println!("{cases} cases: {counts:?}, {different} different results");
    let [merged, left_out] =
        [&counts.merged, &counts.left_out].map(|count| count.load(Ordering::Relaxed));
    assert!(cases < 100 || merged > cases / 5 && left_out > cases / 5, "{counts:?}");
}
