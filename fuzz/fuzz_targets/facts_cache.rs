//! Reads any bytes as cached facts. Broken facts must be computed again, and nothing may panic.
#![no_main]

use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pulpcov_core::summarize::{FactsCache, Summarizer};
use pulpcov_core::{CoverageData, Numbits};

/// The offsets in the first entry of a cache file. The file starts with a magic number. Each entry
/// has a key, an idle time, a length, a checksum and facts.
const LENGTH: std::ops::Range<usize> = 49..53;
const CHECKSUM: std::ops::Range<usize> = 53..61;
const FACTS: usize = 61;

fuzz_target!(|input: (bool, Vec<u8>)| {
    let (is_sealed, bytes) = input;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("cache");
    assert_eq!(statements(&folder), [1, 2]);

    let name = folder.join("facts-1");
    let mut kept = fs::read(&name).expect("the cache's file");
    if is_sealed {
        kept.truncate(FACTS);
        kept.extend(&bytes);
        kept[LENGTH].copy_from_slice(&u32::try_from(bytes.len()).expect("short").to_le_bytes());
        kept[CHECKSUM].copy_from_slice(&blake3::hash(&bytes).as_bytes()[..8]);
        fs::write(&name, kept).expect("written");
        statements(&folder);
    } else {
        for (old, new) in kept.iter_mut().rev().zip(bytes.iter().rev()) {
            *old ^= new;
        }
        fs::write(&name, kept).expect("written");
        assert_eq!(statements(&folder), [1, 2]);
    }
});

fn statements(folder: &Path) -> Vec<i32> {
    let mut data = CoverageData::new();
    data.add_lines("a.py", "", &Numbits::from_iter([1])).expect("lines");
    let sources = |_: &Path| Ok(Some(b"import sys\nprint(sys)\n".to_vec()));
    let cache = FactsCache::open(folder);
    let summarizer = Summarizer::new(&data, &sources).cache(&cache);
    let summary = summarizer.run().expect("a summary");
    cache.save().expect("saved");
    summary.files()[0].analysis().expect("everything is kept").statements().to_vec()
}
