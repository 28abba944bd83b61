//! Reads many reports at once.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Report, cobertura, json, lcov};
use crate::error::{Error, ErrorKind, Result};

/// How many bytes are read at a time. The first of them say what a file is.
const BUFFER: usize = 1 << 18;

const NOT_A_REPORT: &str =
    "this is no tracefile of lcov, no XML in the format of Cobertura, and no JSON";

const COMPRESSED: &str = "this is compressed with gzip: unpack it first";

/// What many reports hold together.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Merged {
    /// The reports that could be read.
    pub report: Report,
    /// An error for each of the others.
    pub left_out: Vec<Error>,
}

/// Reads reports on all cores, and merges them in their order. Nothing of a report is in the result if a part of it cannot be read.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign;
///
/// let folder = tempfile::tempdir()?;
/// let [a, b] = ["a.info", "b.info"].map(|name| folder.path().join(name));
/// std::fs::write(&a, "SF:x.c\nDA:1,1\nend_of_record\n")?;
/// std::fs::write(&b, "SF:x.c\nDA:1,2\n")?;
/// let merged = foreign::merge_files(&[a.clone(), b.clone()]);
/// assert_eq!(merged.report.files().next().unwrap().1.total().lines(), [(1, 1)]);
/// assert_eq!(merged.left_out[0].path(), Some(b.as_path()));
/// assert_eq!(foreign::merge_files(&[a.clone(), a]).report.files().next().unwrap().1.total().lines(), [(1, 2)]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn merge_files(paths: &[PathBuf]) -> Merged {
    let parts = parts(paths, rayon::current_num_threads());
    let merged: Vec<Merged> = parts.into_par_iter().map(merge_in_order).collect();
    let mut merged = merged.into_iter();
    let mut all = merged.next().unwrap_or_default();
    for part in merged {
        all.report.merge(part.report);
        all.left_out.extend(part.left_out);
    }
    all
}

fn merge_in_order(paths: &[PathBuf]) -> Merged {
    let mut merged = Merged::default();
    for path in paths {
        match read(path) {
            Ok(report) => merged.report.merge(report),
            Err(err) => merged.left_out.push(err),
        }
    }
    merged
}

/// Splits paths into `count` parts of about as many bytes, in their order.
fn parts(paths: &[PathBuf], count: usize) -> Vec<&[PathBuf]> {
    let sizes: Vec<u64> =
        paths.iter().map(|path| path.metadata().map_or(0, |status| status.len() + 1)).collect();
    let share = sizes.iter().sum::<u64>().div_ceil(count.max(1) as u64).max(1);
    let (mut parts, mut start, mut sum) = (Vec::new(), 0, 0);
    for (at, size) in sizes.iter().enumerate() {
        sum += size;
        if sum >= share {
            parts.extend(paths.get(start..=at));
            (start, sum) = (at + 1, 0);
        }
    }
    parts.extend(paths.get(start..).filter(|rest| !rest.is_empty()));
    parts
}

/// Reads reports on all cores, and returns each in their order.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a.info");
/// std::fs::write(&path, "SF:x.c\nDA:1,1\nend_of_record\n")?;
/// let reports = foreign::read_files(&[path, folder.path().join("b.info")]);
/// assert!(reports[0].is_ok() && reports[1].is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_files(paths: &[PathBuf]) -> Vec<Result<Report>> {
    paths.par_iter().map(|path| read(path)).collect()
}

/// Reads a report of any known format, which its content tells.
///
/// # Errors
///
/// Those of [`lcov::read`], [`cobertura::read`] and [`json::read`], with the path, and [`ErrorKind::Io`] if the file cannot be opened.
///
/// # Examples
///
/// ```
/// use pulpcov_core::{ErrorKind, foreign};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("notes.txt");
/// std::fs::write(&path, "not a report")?;
/// assert_eq!(foreign::read(&path).unwrap_err().kind(), ErrorKind::NotADataFile);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read(path: &Path) -> Result<Report> {
    read_content(path).map_err(|err| err.with_path(path))
}

fn read_content(path: &Path) -> Result<Report> {
    let io = |err| Error::io(path, err);
    let mut input = BufReader::with_capacity(BUFFER, File::open(path).map_err(io)?);
    let head = input.fill_buf().map_err(io)?.trim_ascii_start();
    let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head);
    match head.first() {
        Some(b'<') => cobertura::read(input),
        Some(b'{') => json::read(input),
        Some(0x1f) => Err(Error::new(ErrorKind::NotADataFile, COMPRESSED)),
        _ if lcov::is_tracefile(head) => lcov::read(input),
        _ => Err(Error::new(ErrorKind::NotADataFile, NOT_A_REPORT)),
    }
}
