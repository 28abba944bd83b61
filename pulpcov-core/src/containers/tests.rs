//! Archives that are whole, cut off, damaged, or made to cost much.

use std::io::{Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Limits, Search};
use crate::error::ErrorKind;

const DATA: &[u8] =
    b"!coverage.py: This is a private format, don't read it directly!{\"lines\":{}}";

/// What a search found: paths and bytes, errors of files, and the error of the archive.
#[derive(Debug, Default)]
struct Found {
    files: Vec<(String, Vec<u8>)>,
    failed: Vec<String>,
    end: Option<String>,
}

impl Found {
    fn paths(&self) -> Vec<&str> {
        self.files.iter().map(|(path, _)| path.as_str()).collect()
    }

    /// Returns all errors.
    fn errors(&self) -> Vec<&str> {
        self.failed.iter().chain(&self.end).map(String::as_str).collect()
    }
}

/// Looks into a file and into a stream, which have to say the same.
fn look_with(limits: Limits, bytes: &[u8]) -> Found {
    let search = Search::new(".coverage").limits(limits);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, bytes).unwrap();
    let mut of_file = Found::default();
    let file = std::fs::File::open(&path).unwrap();
    let end = search.file(file, "x".as_ref(), |member| of_file.add(member));
    of_file.end = end.err().map(|err| err.to_string());
    let mut of_stream = Found::default();
    let end = search.stream(bytes, "x", |member| of_stream.add(member));
    of_stream.end = end.err().map(|err| err.to_string());
    assert_eq!(of_file.files, of_stream.files);
    assert_eq!(of_file.errors().is_empty(), of_stream.errors().is_empty());
    of_file
}

impl Found {
    fn add(&mut self, member: crate::Result<super::Member>) {
        let read = member.and_then(|member| {
            let path = member.path().to_string_lossy().into_owned();
            Ok((path, member.read(Vec::new())?))
        });
        match read {
            Ok(file) => self.files.push(file),
            Err(err) => self.failed.push(err.to_string()),
        }
    }
}

fn look(bytes: &[u8]) -> Found {
    look_with(Limits::default(), bytes)
}

fn limits(change: impl Fn(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (at, (name, bytes)) in files.iter().enumerate() {
        let methods = [CompressionMethod::Deflated, CompressionMethod::Stored];
        let options = SimpleFileOptions::default().compression_method(methods[at % 2]);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

const FILES: [(&str, &[u8]); 6] = [
    (".coverage", DATA),
    ("a/.coverage.web.1", DATA),
    ("b/c/.coverage.web.1", DATA),
    (".coveragerc", b"[run]"),
    ("readme.txt", b"about"),
    ("b/.coverage.web.1-shm", b"\x18\xe2\x2d\x00"),
];

#[test]
fn archives_in_archives_are_looked_into() {
    let paths = ["x!/.coverage", "x!/a/.coverage.web.1", "x!/b/c/.coverage.web.1"];
    for archive in [
        zipped(&FILES),
        tarred(&FILES),
        gzipped(&tarred(&FILES)),
        zstd(&tarred(&FILES)),
        gzipped(&zipped(&FILES)),
        zstd(&gzipped(&zstd(&tarred(&FILES)))),
    ] {
        let found = look(&archive);
        assert_eq!(found.paths(), paths);
        assert!(found.files.iter().all(|(_, bytes)| bytes == DATA));
        assert_eq!(found.errors(), [""; 0]);
        // The same, in one more archive with a name of archives, of data files, and of neither.
        let inner: [(&str, &[u8]); 3] =
            [("in/shard.tar.gz", &archive), (".coverage.3", &archive), ("other", &archive)];
        for outer in [zipped(&inner), tarred(&inner), gzipped(&tarred(&inner))] {
            let found = look(&outer);
            let inner = |name: &str| paths.map(|path| path.replacen('x', &format!("x!/{name}"), 1));
            assert_eq!(found.paths(), [inner("in/shard.tar.gz"), inner(".coverage.3")].concat());
            assert_eq!(found.errors(), [""; 0]);
        }
    }
}

#[test]
fn a_compressed_file_has_the_name_without_its_ending() {
    for packed in [gzipped(DATA), zstd(DATA), gzipped(&zstd(DATA)), DATA.to_vec()] {
        assert_eq!(look(&packed).paths(), ["x"]);
        let archive = zipped(&[(".coverage.gz", &packed), ("other.gz", &packed)]);
        assert_eq!(look(&archive).paths(), ["x!/.coverage.gz"]);
    }
}

#[test]
fn frames_and_members_that_follow_are_one_file() {
    let (start, end) = DATA.split_at(70);
    let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'a', b'b', b'c'];
    let frames = [&skipped[..], &zstd(start), &skipped, &zstd(end)].concat();
    assert_eq!(look(&frames).files[0].1, DATA);
    assert_eq!(look(&[gzipped(start), gzipped(end)].concat()).files[0].1, DATA);
    let cut = look(&frames[..frames.len() - 1]);
    assert_eq!(cut.errors().len(), 1, "{cut:?}");
}

/// Newer programs write zip archives with zstd (method 93 in APPNOTE.TXT, section 4.4.5).
#[test]
fn zip_archives_with_zstd_are_read() {
    let mut archive = zipped(&[("readme", b""), (".coverage", &zstd(DATA))]);
    let mut sum = flate2::Crc::new();
    sum.update(DATA);
    let at = archive.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
    let entry = &mut archive[at..];
    entry[10..12].copy_from_slice(&93u16.to_le_bytes());
    entry[16..20].copy_from_slice(&sum.sum().to_le_bytes());
    entry[24..28].copy_from_slice(&(DATA.len() as u32).to_le_bytes());
    let found = look(&archive);
    assert_eq!((found.paths(), found.errors()), (vec!["x!/.coverage"], vec![]));
    assert_eq!(found.files[0].1, DATA);
}

#[test]
fn only_regular_files_are_read() {
    let mut tar = tar::Builder::new(Vec::new());
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        tar.append_link(&mut header, ".coverage.link", "/etc/passwd").unwrap();
    }
    for kind in [tar::EntryType::Fifo, tar::EntryType::Block, tar::EntryType::Directory] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        tar.append_data(&mut header, ".coverage.device", &b""[..]).unwrap();
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.add_symlink(".coverage.link", "/etc/passwd", options).unwrap();
    zip.add_directory(".coverage.folder", options).unwrap();
    for archive in [tar.into_inner().unwrap(), zip.finish().unwrap().into_inner()] {
        let found = look(&archive);
        let nothing = "x: no file in it is a data file named .coverage or .coverage.*";
        assert_eq!((found.paths().len(), found.errors()), (0, vec![nothing]));
    }
}

#[test]
fn names_are_shown_and_not_followed() {
    let long = format!("{}/.coverage.1", "d".repeat(400));
    let archive =
        zipped(&[("../../etc/.coverage.1", DATA), ("/srv/.coverage.2", DATA), (&long, DATA)]);
    let found = look(&archive);
    assert_eq!(found.paths()[..2], ["x!/../../etc/.coverage.1", "x!//srv/.coverage.2"]);
    assert!(found.paths()[2].len() < 320 && found.paths()[2].ends_with('…'));
    let found = look(&tarred(&[(&long, DATA)]));
    assert_eq!(found.paths().len(), 1);
    let escape = look(&zipped(&[("\x1b[31m/.coverage.1", b"no data")]));
    assert_eq!(
        escape.errors(),
        ["x!/?[31m/.coverage.1: this is not in any format that coverage.py wrote"]
    );
}

#[test]
fn other_data_files_are_named() {
    for (name, base) in [("data.web.1.2", "data"), ("sub/coverage.db", "coverage.db")] {
        let files: [(&str, &[u8]); 2] = [("readme", b"about"), (name, DATA)];
        for archive in [zipped(&files), tarred(&files), gzipped(&tarred(&files))] {
            let found = look(&archive);
            let file = name.rsplit('/').next().unwrap();
            let nothing = "no file in it is a data file named .coverage or .coverage.*";
            let error = format!("x: {nothing}; {file} would be combined with data_file = {base}");
            assert_eq!(found.errors(), [error]);
        }
    }
}

#[test]
fn bombs_end_with_the_limit() {
    let bomb = [DATA, &[b' '; 100_000]].concat();
    let small = limits(|limits| limits.file_bytes = 50_000);
    let files: [(&str, &[u8]); 3] =
        [(".coverage.2", &bomb), (".coverage.1", DATA), (".coverage.3", DATA)];
    for archive in [zipped(&files), tarred(&files), gzipped(&tarred(&files))] {
        let found = look_with(small.clone(), &archive);
        // The other files are still read.
        assert_eq!(found.paths(), ["x!/.coverage.1", "x!/.coverage.3"]);
        let error = "x!/.coverage.2: more than 50000 bytes, the most that is read of one file in an archive: unpack it first";
        assert_eq!(found.errors(), [error]);
    }
    let total = limits(|limits| limits.total_bytes = 100_000);
    for archive in [zipped(&files), gzipped(&tarred(&files)), gzipped(&bomb), zstd(&bomb)] {
        let found = look_with(total.clone(), &archive);
        // Nothing is read of the archive after that.
        let is_limit = |error: &&str| error.contains(": more than 100000 bytes unpacked");
        assert!(!found.errors().is_empty() && found.errors().iter().all(is_limit), "{found:?}");
    }
    let few = limits(|limits| limits.files = 2);
    for archive in [zipped(&files), tarred(&files)] {
        let error = "x: more than 2 files, the most that one archive may have: unpack it first";
        assert_eq!(look_with(few.clone(), &archive).end.as_deref(), Some(error));
    }
    let mut deep = gzipped(DATA);
    for _ in 0..6 {
        deep = gzipped(&deep);
    }
    let error = "x: more than 6 archives are in each other: unpack the outer ones first";
    assert_eq!(look(&deep).errors(), [error]);
}

#[test]
fn headers_of_tar_are_bounded() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(4 << 20);
    tar.append_data(&mut header, "name", std::io::repeat(b'a').take(4 << 20)).unwrap();
    let found = look(&gzipped(&tar.into_inner().unwrap()));
    assert_eq!(found.errors(), ["x: the archive is damaged: the headers of a file are too long"]);
}

#[test]
fn encrypted_files_are_named() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(".coverage.1", SimpleFileOptions::default()).unwrap();
    zip.write_all(DATA).unwrap();
    let secret = SimpleFileOptions::default().with_deprecated_encryption(b"secret");
    zip.start_file(".coverage.2", secret).unwrap();
    zip.write_all(DATA).unwrap();
    let found = look(&zip.finish().unwrap().into_inner());
    assert_eq!(found.paths(), ["x!/.coverage.1"]);
    assert_eq!(found.errors(), ["x!/.coverage.2: this is encrypted: unpack it first"]);
}

/// Whatever is missing at the end, what is found is whole, and the rest is not passed over in silence.
#[test]
fn what_is_cut_off_is_an_error() {
    let files: [(&str, &[u8]); 2] = [(".coverage.1", DATA), (".coverage.2", DATA)];
    for archive in [zipped(&files), tarred(&files), gzipped(&tarred(&files)), zstd(&tarred(&files))]
    {
        let steps = archive.len().min(500);
        for step in 1..steps {
            let cut = look(&archive[..archive.len() * step / steps]);
            assert!(cut.files.iter().all(|(_, bytes)| bytes == DATA));
            // One empty block ends a tar. More may follow.
            assert!(!cut.errors().is_empty() || cut.files.len() == 2, "{step}: {cut:?}");
            assert!(cut.errors().len() <= 1, "{step}: {cut:?}");
        }
    }
}

#[test]
fn flipped_bits_are_noticed() {
    let files: [(&str, &[u8]); 2] = [(".coverage.1", DATA), (".coverage.2", DATA)];
    for archive in [zipped(&files), gzipped(&tarred(&files))] {
        for at in 0..archive.len() {
            let mut damaged = archive.clone();
            damaged[at] ^= 4;
            let found = look(&damaged);
            let is_whole = found.files.iter().all(|(_, bytes)| bytes == DATA);
            // A flag of gzip's header has no checksum, nor has a name in a zip archive.
            assert!(is_whole || !found.errors().is_empty(), "{at}: {found:?}");
        }
    }
}

#[test]
fn kinds_of_errors() {
    let kind = |bytes: &[u8]| {
        Search::new(".coverage").stream(bytes, "x", |_| ()).map_err(|err| err.kind())
    };
    assert_eq!(kind(&zipped(&[])), Err(ErrorKind::NoData));
    assert_eq!(kind(b"PK\x03\x04"), Err(ErrorKind::Corrupt));
    assert_eq!(kind(&[0x1f, 0x8b, 8, 0, 0]), Err(ErrorKind::Corrupt));
}
