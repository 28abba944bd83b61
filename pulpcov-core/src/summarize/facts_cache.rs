//! A cache of facts about sources, kept between runs.
//!
//! A source that has not changed need not be parsed again. The key of an entry is a hash of
//! everything that the facts depend on: the bytes of the source, the options, the code of this
//! crate, its dependencies, and the compiler. So an entry is never stale, and users may delete any
//! file in the folder at any time.
//!
//! All entries are in one file, which is always replaced as a whole. If two programs write at the
//! same time, only the entries of one of them are kept. Each entry has a checksum: if part of the
//! file is damaged, the intact entries are still used, and the other facts are computed again.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use crate::output::{replace, replace_with};
use crate::python::{
    AnalyzeOptions, AsStored, Definitions, Facts, Imports, PythonSource, SourceNames, Stored,
};
use crate::{Error, Result};

/// The name of the file.
const NAME: &str = "facts-1";
const MAGIC: &[u8; 16] = b"pulpcov facts 1\n";

/// How many rewrites of the file an entry survives without being used.
const MOST_IDLE: u8 = 8;

/// The maximum number of bytes to read. A larger file is not from this crate, or would be slower to
/// read than the sources are to analyze.
const MOST_BYTES: u64 = 1 << 30;

type Key = [u8; 32];
type Checksum = [u8; 8];

/// Facts about sources, kept in a folder between runs.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::summarize::{FactsCache, Summarizer};
/// use pulpcov_core::{CoverageData, Numbits};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join(".pulpcov_cache");
/// # let mut data = CoverageData::new();
/// # data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
/// # let sources = |_: &Path| Ok(Some(b"import sys\n".to_vec()));
/// let cache = FactsCache::open(&folder);
/// let summary = Summarizer::new(&data, &sources).cache(&cache).run()?;
/// cache.save()?;
/// # assert_eq!(summary.files()[0].analysis()?.statements(), [1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FactsCache {
    /// `None` if facts are kept in memory only.
    folder: Option<PathBuf>,
    bytes: Vec<u8>,
    entries: HashMap<Key, Entry>,
    used: Mutex<Used>,
    /// What names are hashed with. It is made once, because it needs the patterns of exclusions to be compiled.
    names_key: OnceLock<Option<Key>>,
}

/// The place of an entry in the file.
#[derive(Debug)]
struct Entry {
    idle: u8,
    checksum: Checksum,
    facts: Range<usize>,
}

/// The entries that were used or added in one run.
#[derive(Debug, Default)]
struct Used {
    found: Vec<Key>,
    new: BTreeMap<Key, Vec<u8>>,
}

impl FactsCache {
    /// Opens the cache in a folder.
    ///
    /// The cache is empty if the folder does not exist, cannot be read, belongs to another user, or
    /// is writable by everyone: whoever can write facts can forge a report.
    pub fn open(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        let bytes = read(&folder).unwrap_or_default();
        let entries = index(&bytes);
        let (used, names_key) = (Mutex::default(), OnceLock::new());
        Self { folder: Some(folder), bytes, entries, used, names_key }
    }

    /// Creates a cache in memory, for a program that asks for the same facts several times. Saving it does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::summarize::FactsCache;
    ///
    /// let cache = FactsCache::in_memory();
    /// assert_eq!(cache.definitions(b"def test_a(): ...\n").tests(), ["test_a"]);
    /// cache.save()?;
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn in_memory() -> Self {
        Self {
            folder: None,
            bytes: Vec::new(),
            entries: HashMap::new(),
            used: Mutex::default(),
            names_key: OnceLock::new(),
        }
    }

    /// Writes new facts to the folder, and creates the folder if necessary.
    ///
    /// Does nothing if there are no new facts.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the folder cannot be written, belongs to another
    /// user, or is writable by everyone.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::summarize::FactsCache;
    ///
    /// let place = tempfile::tempdir()?;
    /// let folder = place.path().join("cache");
    /// // There are no facts yet.
    /// FactsCache::open(&folder).save()?;
    /// assert!(!folder.exists());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn save(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let used = self.used.lock().map(|mut used| std::mem::take(&mut *used)).unwrap_or_default();
        if used.new.is_empty() {
            return Ok(());
        }
        self.write(folder, used).map_err(|err| Error::io(folder, err))
    }

    /// Returns the key of a source analyzed with these options.
    pub(super) fn key(options: &AnalyzeOptions, source: &[u8]) -> Key {
        let how = blake3::derive_key("pulpcov facts", options.fingerprint().as_bytes());
        *blake3::Hasher::new_keyed(&how).update(source).finalize().as_bytes()
    }

    /// Returns the facts that are stored under a key.
    pub(super) fn get(&self, key: &Key) -> Option<Facts> {
        self.stored(key)
    }

    fn stored<T: Stored>(&self, key: &Key) -> Option<T> {
        if let Some(bytes) = self.used.lock().ok()?.new.get(key) {
            let AsStored(value) = postcard::from_bytes(bytes).ok()?;
            return Some(value);
        }
        let entry = self.entries.get(key)?;
        let bytes = self.bytes.get(entry.facts.clone())?;
        if checksum(bytes) != entry.checksum {
            return None;
        }
        let AsStored(value) = postcard::from_bytes(bytes).ok()?;
        self.used.lock().ok()?.found.push(*key);
        Some(value)
    }

    /// Stores facts under a key, in memory until the cache is saved.
    pub(super) fn put(&self, key: Key, facts: &Facts) {
        self.store(key, facts);
    }

    fn store(&self, key: Key, value: &impl Stored) {
        // If this fails, the next run computes the value again.
        if let (Ok(bytes), Ok(mut used)) =
            (postcard::to_allocvec(&AsStored(value)), self.used.lock())
        {
            used.new.insert(key, bytes);
        }
    }

    /// Returns what a source imports. A source that is not Python may import anything.
    pub(crate) fn imports(&self, source: &[u8]) -> Imports {
        self.names(source).imports
    }

    /// Returns the functions and classes that a source defines. A source that is not Python defines none.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::summarize::FactsCache;
    ///
    /// # let place = tempfile::tempdir()?;
    /// # let folder = place.path().join("cache");
    /// let cache = FactsCache::open(&folder);
    /// assert_eq!(cache.definitions(b"def test_a(): ...\n").tests(), ["test_a"]);
    /// assert!(cache.definitions(b"def test_a(:\n").tests().is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn definitions(&self, source: &[u8]) -> Definitions {
        self.names(source).definitions
    }

    /// Returns the names in a source, and stores them. Whoever asks for some of them asks for the others later, so the source
    /// is parsed once for all.
    fn names(&self, source: &[u8]) -> SourceNames {
        let how = self.names_key.get_or_init(|| {
            let how = AnalyzeOptions::new().ok()?.fingerprint();
            Some(blake3::derive_key("pulpcov names", how.as_bytes()))
        });
        let hash = |how| *blake3::Hasher::new_keyed(how).update(source).finalize().as_bytes();
        let key = how.as_ref().map(hash);
        if let Some(names) = key.as_ref().and_then(|key| self.stored(key)) {
            return names;
        }
        let names = PythonSource::decode(source).and_then(|source| source.names());
        let names = names.unwrap_or_else(|_| SourceNames::unknown());
        key.into_iter().for_each(|key| self.store(key, &names));
        names
    }

    fn write(&self, folder: &Path, mut used: Used) -> io::Result<()> {
        make_folder(folder)?;
        replace_with(&folder.join(NAME), |out| self.write_entries(&mut used, out))
    }

    fn write_entries(&self, used: &mut Used, out: &mut impl Write) -> io::Result<()> {
        out.write_all(MAGIC)?;
        for (key, facts) in &used.new {
            write_entry(out, key, 0, checksum(facts), facts)?;
        }
        used.found.sort_unstable();
        let mut kept: Vec<_> = self.entries.iter().collect();
        kept.sort_unstable_by_key(|(key, _)| **key);
        for (key, entry) in kept {
            let is_used = used.found.binary_search(key).is_ok();
            let idle = if is_used { 0 } else { entry.idle.saturating_add(1) };
            let is_new = used.new.contains_key(key);
            if let Some(facts) = self.bytes.get(entry.facts.clone())
                && idle <= MOST_IDLE
                && !is_new
            {
                write_entry(out, key, idle, entry.checksum, facts)?;
            }
        }
        Ok(())
    }
}

fn checksum(bytes: &[u8]) -> Checksum {
    let mut checksum = Checksum::default();
    checksum.copy_from_slice(blake3::hash(bytes).as_bytes().split_at(8).0);
    checksum
}

/// Writes an entry: its key, its number of idle rewrites, the length of its facts, their checksum,
/// and the facts.
fn write_entry(
    out: &mut impl Write,
    key: &Key,
    idle: u8,
    checksum: Checksum,
    facts: &[u8],
) -> io::Result<()> {
    let length = u32::try_from(facts.len()).map_err(io::Error::other)?;
    out.write_all(key)?;
    out.write_all(&[idle])?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&checksum)?;
    out.write_all(facts)
}

/// Returns the place of each entry, up to the end of the file or the first incomplete entry.
fn index(bytes: &[u8]) -> HashMap<Key, Entry> {
    let mut entries = HashMap::new();
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else { return entries };
    while let Some((key, entry, behind)) = split_entry(bytes.len(), rest) {
        entries.insert(key, entry);
        rest = behind;
    }
    entries
}

/// Splits off the first entry of `rest`, and returns the entry and what follows it. `rest` is the
/// last part of a file that is `end` bytes long.
fn split_entry(end: usize, rest: &[u8]) -> Option<(Key, Entry, &[u8])> {
    let (key, rest) = rest.split_first_chunk()?;
    let (&idle, rest) = rest.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let start = end.checked_sub(rest.len())?;
    let (facts, rest) =
        rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let facts = start..start + facts.len();
    Some((*key, Entry { idle, checksum: *checksum, facts }, rest))
}

fn read(folder: &Path) -> io::Result<Vec<u8>> {
    refuse_strangers_folder(folder)?;
    let file = fs::File::open(folder.join(NAME))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Creates the folder, and marks it as a cache for backup tools (<https://bford.info/cachedir/>)
/// and for git.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.symlink_metadata().is_ok() {
        return refuse_strangers_folder(folder);
    }
    fs::create_dir_all(folder)?;
    refuse_strangers_folder(folder)?;
    replace(&folder.join(".gitignore"), b"*\n")?;
    replace(
        &folder.join("CACHEDIR.TAG"),
        b"Signature: 8a477f597d28d172789f06886806bc55\n# Facts about sources, kept by pulpcov. Delete it whenever you like.\n",
    )
}

/// Returns an error if the folder is a link, belongs to another user, or is writable by everyone.
fn refuse_strangers_folder(folder: &Path) -> io::Result<()> {
    let metadata = folder.symlink_metadata()?;
    if !metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is no folder"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let others_may_write = metadata.permissions().mode() & 0o002 != 0;
        if metadata.uid() != nix::unistd::geteuid().as_raw() || others_may_write {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "others can write to the folder",
            ));
        }
    }
    Ok(())
}
