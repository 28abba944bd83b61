//! Finds the data files of a folder, and parses their names.
//!
//! A folder that receives data files from several users has a subfolder for each user:
//!
//! ```text
//! ROOT/                  everybody may write to it, as to /tmp
//!   uid-1000/            of user 1000 alone
//!   uid-1000-aB3dE9fX/   instead, if somebody else has taken the plain name
//! ```
//!
//! `find` also looks into the users' folders, but into no other folders. A user can replace their folder at
//! any moment, so `find` uses descriptors instead of paths there.

mod archives;
mod find;
mod users;

pub use archives::is_archive_name;
#[cfg(feature = "archives")]
pub(crate) use find::base_of;
pub use find::{Found, base_names, find};
pub use users::{UserFolder, user_folders};

/// The parts of a parallel data file's name.
///
/// coverage.py adds a suffix to the base name, so that each process writes its own file:
///
/// | version | name |
/// |---|---|
/// | 7.17 | `.coverage.HOST.pidPID.XRANDOMx.HHASHh` |
/// | 7.3 and later | `.coverage.HOST.pidPID.XRANDOMx` |
/// | before | `.coverage.HOST.PID.RANDOM` |
///
/// The host name may contain dots. A suffix that the user chose (`--data-suffix`) has none of these parts.
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
    /// The name without suffix: `.coverage`, or the value of `--data-file`.
    pub base: String,
    /// The host of the process.
    pub host: Option<String>,
    /// The id of the process.
    pub pid: Option<u32>,
    /// The random part.
    pub random: Option<String>,
    /// The hash of the data, as given in the name. It may differ from the hash of the current content, so it
    /// is for people only and no decision is based on it.
    pub hash: Option<String>,
}

impl DataFileName {
    /// Splits `name` into its parts. Returns `None` if `name` is not `base`, a dot and a suffix.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::discover::DataFileName;
    ///
    /// let name = DataFileName::parse(".coverage", ".coverage.web-1.pid4711.Xa1b2c3x").unwrap();
    /// assert_eq!((name.host.as_deref(), name.pid), (Some("web-1"), Some(4711)));
    /// let name = DataFileName::parse(".coverage", ".coverage.unit").unwrap();
    /// assert_eq!(name.host, None);
    /// assert!(DataFileName::parse(".coverage", ".coveragerc").is_none());
    /// ```
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

/// Parses `HOST.pidPID.XRANDOMx`.
fn modern(suffix: &str) -> Option<Parts<'_>> {
    let (rest, random) = suffix.rsplit_once(".X")?;
    let random = random.strip_suffix('x').filter(|random| is_word(random))?;
    let (host, pid) = rest.rsplit_once(".pid")?;
    Some((non_empty(host)?, pid.parse().ok()?, random))
}

/// Parses `HOST.PID.RANDOM`.
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
}
