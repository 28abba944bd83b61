//! Damaged inputs are named and kept.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::formats::{DataFile, read_bytes};
use pulpcov_core::{CoverageData, ErrorKind};
use rusqlite::Connection;

use super::{TARGET, data, has_rows, input_name, inputs, snapshot};
use crate::support::random::Random;
use crate::support::{Dir, HANGS, Rows};

/// Returns `bytes` cut short, with bits flipped, or with a block overwritten.
fn damage(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match random.below(4) {
        0 => bytes.truncate(random.below(bytes.len())),
        1 => {
            let (from, to) = (random.below(bytes.len()), random.below(bytes.len()));
            let len = random.below(64).min(bytes.len() - from).min(bytes.len() - to);
            bytes.copy_within(from..from + len, to);
        }
        // The first bytes of a page decide how the rest is read.
        kind => {
            for _ in 0..=random.below(8) {
                let any = random.below(bytes.len());
                let near = any / 512 * 512 + random.below(120);
                let at = if kind == 2 || near >= bytes.len() { any } else { near };
                bytes[at] ^= 1 << random.below(8);
            }
        }
    }
    bytes
}

/// Returns intact data files of all kinds, as bytes.
fn specimens() -> Vec<(String, Vec<u8>)> {
    let mut arcs = CoverageData::new();
    for file in 0..30 {
        arcs.add_arcs(format!("f{file}.py"), "", (1..60).map(|line| (line, line + 1))).unwrap();
    }
    arcs.set_file_tracer("f1.py", "plugin").unwrap();
    let dir = Dir::new();
    let mut specimens = Vec::new();
    for (name, data) in [("lines", data(7)), ("arcs", arcs)] {
        let path = dir.path(name);
        store(&data, &path, StoreFormat::Sqlite).unwrap();
        let small = Connection::open(&path).unwrap();
        small.execute_batch("pragma page_size = 512; vacuum").unwrap();
        small.close().unwrap();
        specimens.push((format!("{name}, SQLite"), fs::read(&path).unwrap()));
        let mut data = data;
        data.drop_contexts();
        store(&data, &path, StoreFormat::Json4).unwrap();
        specimens.push((format!("{name}, JSON"), fs::read(&path).unwrap()));
    }
    let written = crate::support::root().join("tests/fixtures/data/written");
    for entry in fs::read_dir(written).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        if read_bytes(&bytes).is_ok() {
            specimens.push((path.file_name().unwrap().to_string_lossy().into_owned(), bytes));
        }
    }
    specimens
}

#[test]
fn damaged_bytes_never_panic_nor_hang() {
    let specimens = specimens();
    assert!(specimens.len() > 10);
    let dir = Dir::new();
    let mut random = Random::new(0x5eed);
    let (mut refused, mut read) = (0, 0);
    for round in 0..4000 {
        let (name, good) = &specimens[round % specimens.len()];
        let bytes = damage(&mut random, good);
        let start = Instant::now();
        let result = std::panic::catch_unwind(|| read_bytes(&bytes));
        let result = result.unwrap_or_else(|_| panic!("round {round}, {name}: it panicked"));
        if round % 20 == 0 {
            let path = dir.write("data", &bytes);
            let age = std::time::SystemTime::now() - Duration::from_secs(9);
            File::options().write(true).open(&path).unwrap().set_modified(age).unwrap();
            let by_path = DataFile::open(&path).and_then(DataFile::read);
            assert_eq!(by_path.is_ok(), result.is_ok(), "round {round}, {name}");
            if let Err(err) = by_path {
                assert_eq!(err.path(), Some(path.as_path()), "round {round}, {name}: {err}");
            }
        }
        assert!(start.elapsed() < HANGS, "round {round}, {name}: {:?}", start.elapsed());
        match result {
            Ok(_) => read += 1,
            Err(err) => {
                assert!(
                    !matches!(err.kind(), ErrorKind::Io | ErrorKind::Busy),
                    "round {round}, {name}: {err}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 500 && read > 100, "{refused} refused, {read} read");
}

#[test]
fn damaged_inputs_are_named_and_kept_and_the_rest_combined() {
    let mut random = Random::new(0xbad);
    let specimen = &specimens()[0].1;
    for round in 0..10 {
        let dir = Dir::new();
        let rows = inputs(&dir, 1..=5);
        let bad: Vec<_> = (20..50).map(input_name).collect();
        for name in &bad {
            let bytes = damage(&mut random, specimen);
            dir.write(name, bytes);
        }
        // At least one file has to be damaged.
        dir.write(&bad[0], &specimen[..specimen.len() / 2]);
        let before = snapshot(&dir);
        let args: &[&str] = if round % 2 == 0 { &["combine"] } else { &["combine", "-i"] };
        let ran = dir.pulpcov(args).status(if round % 2 == 0 { 3 } else { 0 });
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        let after = snapshot(&dir);
        for name in &bad {
            let named =
                ran.stderr.lines().any(|line| line.contains("left out: ") && line.contains(name));
            assert_eq!(after.contains_key(name), named, "{name}\n{}", ran.stderr);
            assert!(!named || after[name] == before[name], "{name} has changed");
        }
        assert!(after.contains_key(&bad[0]));
        let result = Rows::by_sql(dir.path(TARGET));
        assert!(has_rows(&result, &rows), "round {round}");
    }
}
