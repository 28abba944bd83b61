//! Which files of a folder are data files, and what their names say.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The parts of a parallel data file's name.
///
/// coverage.py adds a suffix to the base name so that each process writes a file of its own:
///
/// | version | name |
/// |---|---|
/// | 7.17 | `.coverage.HOST.pidPID.XRANDOMx.HHASHh` |
/// | 7.3 and later | `.coverage.HOST.pidPID.XRANDOMx` |
/// | before | `.coverage.HOST.PID.RANDOM` |
///
/// The host's name may have dots. A suffix that someone chose (`--data-suffix`) has none of
/// these parts.
///
/// # Examples
///
/// ```
/// use pulpcov_core::discover::DataFileName;
///
/// let name = DataFileName::parse(".coverage", ".coverage.ci-4.example.org.pid77.XaB3dEfx.HAbCdEf0123h").unwrap();
/// assert_eq!(name.host.as_deref(), Some("ci-4.example.org"));
/// assert_eq!((name.pid, name.random.as_deref()), (Some(77), Some("aB3dEf")));
/// assert_eq!(name.hash.as_deref(), Some("AbCdEf0123"));
///
/// let old = DataFileName::parse("data", "data.web-1.4711.031337").unwrap();
/// assert_eq!((old.host.as_deref(), old.pid), (Some("web-1"), Some(4711)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataFileName {
    /// The name without suffix: `.coverage`, or what `--data-file` says.
    pub base: String,
    /// The host that the process ran on.
    pub host: Option<String>,
    /// The process's id.
    pub pid: Option<u32>,
    /// The random part.
    pub random: Option<String>,
    /// A hash of the data, as the name has it. A hint for people, nothing more: it may not
    /// be the hash of what the file holds now, and no decision is ever based on it.
    pub hash: Option<String>,
}

impl DataFileName {
    /// Take `name` apart; `None` if it is not `base`, a dot and a suffix.
    pub fn parse(base: &str, name: &str) -> Option<Self> {
        let suffix = name.strip_prefix(base)?.strip_prefix('.')?;
        let (rest, hash) = match suffix
            .rsplit_once(".H")
            .and_then(|(rest, hash)| Some((rest, hash.strip_suffix('h')?)))
        {
            Some((rest, hash)) if is_word(hash) => (rest, Some(hash)),
            _ => (suffix, None),
        };
        let parts = modern(rest).or_else(|| classic(rest).filter(|_| hash.is_none()));
        let (host, pid, random) =
            parts.map_or((None, None, None), |(h, p, r)| (Some(h), Some(p), Some(r)));
        Some(Self {
            base: base.to_owned(),
            host: host.map(str::to_owned),
            pid,
            random: random.map(str::to_owned),
            hash: hash.filter(|_| parts.is_some()).map(str::to_owned),
        })
    }
}

type Parts<'a> = (&'a str, u32, &'a str);

/// `HOST.pidPID.XRANDOMx`
fn modern(suffix: &str) -> Option<Parts<'_>> {
    let (rest, random) = suffix.rsplit_once(".X")?;
    let random = random.strip_suffix('x').filter(|random| is_word(random))?;
    let (host, pid) = rest.rsplit_once(".pid")?;
    Some((non_empty(host)?, pid.parse().ok()?, random))
}

/// `HOST.PID.RANDOM`
fn classic(suffix: &str) -> Option<Parts<'_>> {
    let (rest, random) = suffix.rsplit_once('.')?;
    let (host, pid) = rest.rsplit_once('.')?;
    let digits = random.bytes().all(|b| b.is_ascii_digit());
    Some((non_empty(host)?, pid.parse().ok()?, non_empty(random).filter(|_| digits)?))
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The files that `places` hold for combining, sorted by their absolute paths, each once.
///
/// A folder gives its files that are named `base`, a dot and anything; SQLite's companions
/// of a data file (`-journal`, `-wal`, `-shm`) are not files of their own, unless
/// they hold data: these are the only files that are opened. Anything else is a file
/// that was named outright, whatever it is called. What is no
/// regular file is listed too, so that opening it can say so.
///
/// The rules are those of coverage.py 7.17.3, `data.combinable_files`.
///
/// # Errors
///
/// [`ErrorKind::NoData`] for a place that does not exist, [`ErrorKind::Io`] for a folder that cannot be listed.
pub fn find(places: &[PathBuf], base: &OsStr) -> Result<Vec<PathBuf>> {
    let mut found = Found::new();
    for place in places {
        match place.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() || metadata.is_symlink() && place.is_dir() => {
                list(place, base, &mut found)?;
            }
            // A link that leads nowhere exists all the same.
            Ok(_) => found.add(place.clone()),
            Err(_) => {
                let message = "Couldn't combine from non-existent path";
                return Err(Error::new(ErrorKind::NoData, message).with_path(place));
            }
        }
    }
    let paths: Vec<PathBuf> = found.files.into_values().collect();
    let all: BTreeSet<&OsStr> = paths.iter().map(|path| path.as_os_str()).collect();
    Ok(paths.iter().filter(|path| !is_companion(path, &all)).cloned().collect())
}

/// Under which base names the folders among `places` hold data files of processes, and how many.
///
/// For a message to who combines under another base name. A base name is taken to end at the first dot behind its first
/// letter: the host's name begins there.
///
/// # Examples
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().to_owned();
/// std::fs::write(folder.join("data.web-1.4711.031337"), "")?;
/// let names = pulpcov_core::discover::base_names(&[folder]);
/// assert_eq!(names.get("data"), Some(&1));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn base_names(places: &[PathBuf]) -> BTreeMap<String, usize> {
    let mut bases = BTreeMap::new();
    let entries = places.iter().filter_map(|place| place.read_dir().ok()).flatten().flatten();
    for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
        let dot = name.bytes().skip(1).position(|byte| byte == b'.').map(|at| at + 1);
        let base = dot.and_then(|dot| name.get(..dot)).unwrap_or_default();
        if DataFileName::parse(base, &name).is_some_and(|name| name.pid.is_some()) {
            *bases.entry(base.to_owned()).or_default() += 1;
        }
    }
    bases
}

/// Sorted and told apart by absolute path, as text, but named as the caller did at first.
struct Found {
    files: BTreeMap<OsString, PathBuf>,
    /// Asked for once, and not for each file.
    working_folder: Option<PathBuf>,
}

impl Found {
    fn new() -> Self {
        Self { files: BTreeMap::new(), working_folder: std::path::absolute(".").ok() }
    }

    fn add(&mut self, path: PathBuf) {
        let absolute = match &self.working_folder {
            Some(folder) => std::path::absolute(folder.join(&path)),
            None => std::path::absolute(&path),
        };
        let absolute = absolute.map_or_else(|_| path.clone().into(), PathBuf::into_os_string);
        self.files.entry(absolute).or_insert(path);
    }
}

fn list(folder: &Path, base: &OsStr, found: &mut Found) -> Result<()> {
    let trouble = |err| Error::io(folder, err);
    let prefix = [base.as_encoded_bytes(), b"."].concat();
    for entry in std::fs::read_dir(folder).map_err(trouble)? {
        let name = entry.map_err(trouble)?.file_name();
        if name.as_encoded_bytes().starts_with(&prefix) {
            // Names in the current folder are shown as they are.
            let path = if folder == Path::new(".") { name.into() } else { folder.join(name) };
            found.add(path);
        }
    }
    Ok(())
}

/// Is this what SQLite keeps beside one of the files? coverage.py takes any `-journal` for one; here what holds
/// data is a data file, whatever its name.
fn is_companion(path: &Path, all: &BTreeSet<&OsStr>) -> bool {
    let Some(name) = path.to_str() else { return false };
    let beside_a_file = |suffix| {
        name.strip_suffix(suffix).is_some_and(|main| {
            all.contains(OsStr::new(main)) || Path::new(main).symlink_metadata().is_ok()
        })
    };
    (name.ends_with("-journal") || beside_a_file("-wal") || beside_a_file("-shm"))
        && !holds_data(path)
}

#[cfg(any(feature = "json", feature = "sqlite"))]
use crate::formats::holds_data;

/// Without a format to read, content says nothing.
#[cfg(not(any(feature = "json", feature = "sqlite")))]
fn holds_data(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(host: &str, pid: u32, random: &str, hash: Option<&str>) -> DataFileName {
        DataFileName {
            base: ".coverage".into(),
            host: Some(host.into()),
            pid: Some(pid),
            random: Some(random.into()),
            hash: hash.map(Into::into),
        }
    }

    #[test]
    fn every_form_of_suffix_is_taken_apart() {
        for (suffix, parts) in [
            ("box.pid1.Xabcdefx", name("box", 1, "abcdef", None)),
            ("box.pid1.Xabcdefx.H0123456789h", name("box", 1, "abcdef", Some("0123456789"))),
            ("a.b.c.pid1.Xab_d9fx", name("a.b.c", 1, "ab_d9f", None)),
            ("box.pid9.pid1.Xabcdefx", name("box.pid9", 1, "abcdef", None)),
            ("X.pid2.XXxXxXxx", name("X", 2, "XxXxXx", None)),
            ("box.4711.000042", name("box", 4711, "000042", None)),
            ("a.b.c.4711.42", name("a.b.c", 4711, "42", None)),
        ] {
            let file = format!(".coverage.{suffix}");
            assert_eq!(DataFileName::parse(".coverage", &file), Some(parts), "{file}");
        }
    }

    #[test]
    fn a_chosen_suffix_has_no_parts() {
        let none = DataFileName {
            base: ".coverage".into(),
            host: None,
            pid: None,
            random: None,
            hash: None,
        };
        for suffix in
            ["unit-py311", "", "1.2", "box.pid.Xabcdefx", "a.99999999999.1", "box.1.2.H0123456789h"]
        {
            let file = format!(".coverage.{suffix}");
            assert_eq!(DataFileName::parse(".coverage", &file), Some(none.clone()), "{file}");
        }
        for file in [".coverage", ".coveragerc", "coverage.box.1.2", ""] {
            assert_eq!(DataFileName::parse(".coverage", file), None, "{file}");
        }
    }

    #[test]
    fn companions_are_not_listed_and_strangers_are() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            ".coverage",
            ".coverage.b",
            ".coverage.b-wal",
            ".coverage.b-shm",
            ".coverage.c-journal",
            ".coverage.d-wal",
            ".coveragerc",
            "x",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join(".coverage.e")).unwrap();
        let named = folder.path().join("x");
        let again = folder.path().join(".coverage.b");
        let found = find(&[folder.path().into(), named, again], OsStr::new(".coverage")).unwrap();
        let names: Vec<_> =
            found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, [".coverage.b", ".coverage.d-wal", ".coverage.e", "x"]);
        assert!(find(&[folder.path().join("y")], OsStr::new(".coverage")).is_err());
    }
}
