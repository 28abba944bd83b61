//! The sources of a report: on disk, in archives, or in a git revision.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use pulpcov_core::foreign;
use pulpcov_core::paths::WorkingFolder;
use pulpcov_core::summarize::{DiskSources, SourceTree, Sources};
use pulpcov_core::{Authors, Error, ErrorKind};

use super::git::{self, seen_from};
use crate::exit::Failure;
use crate::plan::{ReportPlan, SourcePlace};

/// How many bytes of a source are read. Real sources are smaller, but an archive can claim any size.
const LARGEST_SOURCE: u64 = 64 << 20;

/// The largest size of all sources of an archive or a revision together.
const LARGEST_TREE: usize = 1 << 30;

/// The sources where they were measured. They may be in a zip archive that Python imports from.
pub(super) struct MeasuredSources {
    folder: WorkingFolder,
    disk: DiskSources,
}

impl MeasuredSources {
    /// Creates the sources. The files and folders in `shown` are shown whichever user's data names them.
    pub(super) fn new(folder: WorkingFolder, shown: &[PathBuf]) -> Result<Self, Error> {
        let disk = DiskSources::new(folder.clone());
        let disk = shown.iter().try_fold(disk, |disk, path| disk.allow(path))?;
        Ok(Self { disk, folder })
    }
}

impl Sources for MeasuredSources {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        self.read_for(path, &Authors::Caller)
    }

    fn read_for(&self, path: &Path, authors: &Authors) -> Result<Option<Vec<u8>>, Error> {
        if let Some(bytes) = self.disk.read_for(path, authors)? {
            return Ok(Some(bytes));
        }
        let Some((archive, name)) = self.folder.zip_location(path.as_os_str().as_bytes()) else {
            return Ok(None);
        };
        match self.disk.open(&path_of(archive), authors) {
            Err(err) if err.kind() == ErrorKind::Withheld => Err(err),
            archive => Ok(archive.ok().flatten().and_then(|file| read_from_zip(file, name))),
        }
    }
}

/// Reads a file of a zip archive. As for coverage.py, a file that cannot be read counts as missing.
fn read_from_zip(file: File, name: &[u8]) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).ok()?;
    let entry = archive.by_name(str::from_utf8(name).ok()?).ok()?;
    read(entry).ok()
}

/// Returns the sources of a folder, an archive or a revision, unless sources are where they were measured.
pub(super) fn named(plan: &ReportPlan, cwd: &Path) -> Result<Option<SourceTree>, Failure> {
    let is_source = if plan.with.is_some() { is_any_source } else { is_python };
    match &plan.sources {
        SourcePlace::Root(root) => of_root(root, is_source).map(Some),
        SourcePlace::Revision(revision) => of_revision(revision, cwd, is_source).map(Some),
        SourcePlace::Measured => Ok(None),
    }
}

/// Returns the Python sources of a folder or an archive.
pub(super) fn at(path: &Path) -> Result<SourceTree, Failure> {
    of_root(path, is_python)
}

/// Tells the files of an archive or a revision that are read from those that are not.
type IsSource = fn(&[u8]) -> bool;

fn of_root(path: &Path, is_source: IsSource) -> Result<SourceTree, Failure> {
    if path.is_dir() {
        return Ok(SourceTree::folder(path)?);
    }
    let name = path.to_string_lossy().to_lowercase();
    let file = || File::open(path).map(BufReader::new);
    let files = if [".zip", ".whl", ".egg"].iter().any(|ending| name.ends_with(ending)) {
        file().and_then(|file| zip_files(file, is_source))
    } else if name.ends_with(".tar") {
        file().and_then(|file| tar_files(file, is_source))
    } else if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
        file().and_then(|file| tar_files(GzDecoder::new(file), is_source))
    } else {
        Err(io::Error::other("neither a folder nor a .zip, .whl, .tar or .tar.gz"))
    };
    let files = files.map_err(|err| Failure::reading(path, &err))?;
    let root = path.canonicalize().map_err(|err| Failure::reading(path, &err))?;
    Ok(SourceTree::in_memory(files).at(root))
}

type Files = Vec<(PathBuf, Vec<u8>)>;

/// Converts the name of a file in an archive or a revision, which need not be UTF-8.
fn path_of(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}

fn zip_files(file: BufReader<File>, is_source: IsSource) -> io::Result<Files> {
    let mut archive = zip::ZipArchive::new(file)?;
    let mut files = Bounded::default();
    for at in 0..archive.len() {
        let entry = archive.by_index(at)?;
        if is_source(entry.name_raw()) {
            files.push(path_of(entry.name_raw()), read(entry)?)?;
        }
    }
    Ok(files.files)
}

/// Files in memory, of a limited total size.
#[derive(Default)]
struct Bounded {
    files: Files,
    size: usize,
}

impl Bounded {
    fn push(&mut self, path: PathBuf, bytes: Vec<u8>) -> io::Result<()> {
        self.size += bytes.len();
        if self.size > LARGEST_TREE {
            let message = format!("its sources are larger than {LARGEST_TREE} bytes; unpack it");
            return Err(io::Error::other(message));
        }
        self.files.push((path, bytes));
        Ok(())
    }
}

fn tar_files(archive: impl Read, is_source: IsSource) -> io::Result<Files> {
    let mut files = Bounded::default();
    for entry in tar::Archive::new(archive).entries()? {
        let entry = entry?;
        let path = entry.path_bytes().into_owned();
        if entry.header().entry_type().is_file() && is_source(&path) {
            files.push(path_of(&path), read(entry)?)?;
        }
    }
    Ok(files.files)
}

fn read(entry: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(LARGEST_SOURCE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns whether a file is Python source.
fn is_python(path: &[u8]) -> bool {
    path.ends_with(b".py") || path.ends_with(b".pyw")
}

/// Returns whether a file is source of a language that other tools may have measured.
fn is_any_source(path: &[u8]) -> bool {
    is_python(path) || foreign::has_language(&String::from_utf8_lossy(path))
}

/// Reads the sources of a git revision through the git command, without a checkout.
///
/// Paths are relative to the current folder.
fn of_revision(revision: &str, cwd: &Path, is_source: IsSource) -> Result<SourceTree, Failure> {
    let is_source = |(path, _): &(PathBuf, String)| is_source(path.as_os_str().as_bytes());
    let commit = git::commit_of(revision)?;
    let files: Vec<_> = git::tree(&commit)?.into_iter().filter(is_source).collect();
    let prefix = git::git(&["rev-parse", "--show-prefix"], Vec::new())?;
    let prefix = path_of(prefix.trim_ascii_end());
    let contents = git::objects(&files)?;
    let read = files.into_iter().zip(contents);
    let read = read.map(|((path, _), bytes)| (seen_from(&prefix, &path), bytes));
    Ok(SourceTree::in_memory(read).at(cwd))
}
