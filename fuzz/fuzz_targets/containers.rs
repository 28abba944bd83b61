//! Looks into archives, compressed files and subunit streams. No input costs more than the limits say, and a file has in it what a
//! stream of the same bytes has.
#![no_main]

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pulpcov_core::Result;
use pulpcov_core::containers::{Limits, Member, Search};

const FILE: u64 = 1 << 16;
const TOTAL: u64 = 1 << 20;
const FILES: u64 = 100;

fuzz_target!(|bytes: &[u8]| {
    let mut limits = Limits::default();
    (limits.file_bytes, limits.total_bytes, limits.files) = (FILE, TOTAL, FILES);
    let search = Search::new(".coverage").limits(limits);
    let mut of_stream = Found::default();
    let end = search.stream(bytes, "x", |member| of_stream.add(member));
    of_stream.is_whole &= end.is_ok();

    let mut of_file = Found::default();
    let end = search.file(file(bytes), Path::new("x"), |member| of_file.add(member));
    of_file.is_whole &= end.is_ok();
    if of_stream.is_whole && of_file.is_whole {
        assert_eq!(of_stream.files, of_file.files);
    }
});

/// What is in an archive.
struct Found {
    files: Vec<(String, Vec<u8>)>,
    /// Whether there was no error.
    is_whole: bool,
}

impl Default for Found {
    fn default() -> Self {
        Self { files: Vec::new(), is_whole: true }
    }
}

impl Found {
    fn add(&mut self, member: Result<Member>) {
        let read = member.and_then(|member| {
            let path = member.path().to_string_lossy().into_owned();
            assert!(path.starts_with('x') && path.len() < 20_000);
            Ok((path, member.read(Vec::new())?))
        });
        match read {
            Ok((path, bytes)) => {
                assert!(bytes.len() as u64 <= FILE);
                self.files.push((path, bytes));
            }
            Err(err) => {
                assert!(err.path().is_some(), "{err}");
                self.is_whole = false;
            }
        }
        assert!(self.files.len() as u64 <= FILES);
    }
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    file.write_all(bytes).expect("a temporary file can be written to");
    file.rewind().expect("a temporary file has a start");
    file
}
