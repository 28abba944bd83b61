//! The ratchet: for each file below its floor, how many lines and branches may be missing.

use std::collections::BTreeMap;
use std::fmt;

use crate::results::Numbers;
use crate::text::{branches, is_printable, plural};
use crate::{Error, ErrorKind, Position, Result};

/// How many lines and branches of a file may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Debt {
    /// The number of lines.
    pub lines: usize,
    /// The number of branches. `None` if branches were not measured, so that any number may be missing.
    pub branches: Option<usize>,
}

/// The files below their floor, with the number of lines and branches that may be missing in each.
///
/// As text, a file is a line, and the lines are sorted by the names of the files:
///
/// ```text
/// # Missing lines, missing branches, and file. `pulpcov gate --update` lowers the numbers.
/// 12 3 src/app/views.py
/// 40 - src/legacy/db.py
/// ```
///
/// `-` stands for branches that were not measured. Lines that start with `#` and empty lines mean nothing, and are not
/// kept. In a name, `\\` is a backslash, and `\u{a}` the character with this hexadecimal number: names are written so
/// that each is one line.
///
/// # Examples
///
/// ```
/// use pulpcov_core::gates::{Debt, Ratchet};
///
/// let ratchet = Ratchet::parse(b"12 3 src/app.py\n40 - src/db.py\n")?;
/// assert_eq!(ratchet.get("src/app.py"), Some(Debt { lines: 12, branches: Some(3) }));
/// assert_eq!(ratchet.get("src/new.py"), None);
///
/// let err = Ratchet::parse(b"<<<<<<< HEAD\n12 3 src/app.py\n").unwrap_err();
/// assert!(err.to_string().starts_with("line 1: git left a conflict here"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ratchet {
    files: BTreeMap<String, Debt>,
}

/// The first line of the file.
const HEADER: &str =
    "# Missing lines, missing branches, and file. `pulpcov gate --update` lowers the numbers.";

/// How git marks the sides of a conflict.
const CONFLICT_MARKS: [&str; 4] = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];

impl Debt {
    /// Returns what is missing according to counts. `has_branches` says whether branches were measured.
    pub fn of(numbers: Numbers, has_branches: bool) -> Self {
        Self { lines: numbers.missing, branches: has_branches.then_some(numbers.missing_branches) }
    }

    /// Returns the lesser number of lines, and the lesser number of branches.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::gates::Debt;
    ///
    /// let (a, b) = (Debt { lines: 5, branches: None }, Debt { lines: 7, branches: Some(2) });
    /// assert_eq!(a.min(b), Debt { lines: 5, branches: Some(2) });
    /// ```
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        let branches = match (self.branches, other.branches) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        Self { lines: self.lines.min(other.lines), branches }
    }

    /// Returns whether no more is missing than `allowed` allows.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::gates::Debt;
    ///
    /// let allowed = Debt { lines: 5, branches: Some(2) };
    /// assert!(Debt { lines: 4, branches: Some(2) }.is_within(allowed));
    /// // What was covered elsewhere does not make up for a branch.
    /// assert!(!Debt { lines: 0, branches: Some(3) }.is_within(allowed));
    /// ```
    pub fn is_within(self, allowed: Self) -> bool {
        let branches = match (self.branches, allowed.branches) {
            (Some(missing), Some(allowed)) => missing <= allowed,
            _ => true,
        };
        self.lines <= allowed.lines && branches
    }
}

impl fmt::Display for Debt {
    /// Writes the numbers in words: `12 lines and 3 branches`, or `none`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = plural(self.lines, "line");
        match self.branches {
            None | Some(0) if self.lines == 0 => f.write_str("none"),
            None | Some(0) => f.write_str(&lines),
            Some(count) if self.lines == 0 => f.write_str(&branches(count)),
            Some(count) => write!(f, "{lines} and {}", branches(count)),
        }
    }
}

impl Ratchet {
    /// Creates a ratchet without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a ratchet from its text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with the line, if the text is not UTF-8, has a conflict of git, names a file twice, or has a
    /// line of another form.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (at, line) in text.split(|&b| b == b'\n').enumerate() {
            let number = at + 1;
            let (name, debt) = match entry(line) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(why) => return Err(refused(number, &why)),
            };
            if files.contains_key(&name) {
                let why =
                    format!("{name:?} is named twice: keep the line with the smaller numbers");
                return Err(refused(number, &why));
            }
            files.insert(name, debt);
        }
        Ok(Self { files })
    }

    /// Returns the text, with which [`parse`](Self::parse) returns the same ratchet.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::gates::{Debt, Ratchet};
    ///
    /// let mut ratchet = Ratchet::new();
    /// ratchet.insert("src/a\nb.py", Debt { lines: 2, branches: Some(0) });
    /// assert!(ratchet.to_text().ends_with("\n2 0 src/a\\u{a}b.py\n"));
    /// assert_eq!(Ratchet::parse(ratchet.to_text().as_bytes())?, ratchet);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for (name, debt) in &self.files {
            let branches = debt.branches.map_or("-".to_owned(), |count| count.to_string());
            text.push_str(&format!("{} {branches} {}\n", debt.lines, escaped(name)));
        }
        text
    }

    /// Returns what may be missing of a file.
    pub fn get(&self, name: &str) -> Option<Debt> {
        self.files.get(name).copied()
    }

    /// Sets what may be missing of a file.
    pub fn insert(&mut self, name: impl Into<String>, debt: Debt) {
        self.files.insert(name.into(), debt);
    }

    /// Removes a file. Returns what could be missing of it.
    pub fn remove(&mut self, name: &str) -> Option<Debt> {
        self.files.remove(name)
    }

    /// Gives the numbers of a file to the name that the file has now, unless the ratchet has the new name already.
    /// Returns whether it did.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::gates::Ratchet;
    ///
    /// let mut ratchet = Ratchet::parse(b"12 3 old.py\n")?;
    /// assert!(ratchet.rename("old.py", "new.py"));
    /// assert_eq!(ratchet, Ratchet::parse(b"12 3 new.py\n")?);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn rename(&mut self, old: &str, new: &str) -> bool {
        if self.files.contains_key(new) {
            return false;
        }
        let debt = self.files.remove(old);
        let is_renamed = debt.is_some();
        self.files.extend(debt.map(|debt| (new.to_owned(), debt)));
        is_renamed
    }

    /// Returns the files, sorted by their names.
    pub fn files(&self) -> impl Iterator<Item = (&str, Debt)> {
        self.files.iter().map(|(name, debt)| (name.as_str(), *debt))
    }

    /// Returns the number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl<N: Into<String>> FromIterator<(N, Debt)> for Ratchet {
    fn from_iter<I: IntoIterator<Item = (N, Debt)>>(files: I) -> Self {
        Self { files: files.into_iter().map(|(name, debt)| (name.into(), debt)).collect() }
    }
}

fn refused(line: usize, why: &str) -> Error {
    Error::new(ErrorKind::Config, why).at(Position::Line { line, column: None })
}

/// Reads a line. Returns `None` if it is empty or a comment.
fn entry(line: &[u8]) -> Result<Option<(String, Debt)>, String> {
    let line = str::from_utf8(line).map_err(|_| "this is not UTF-8".to_owned())?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    if CONFLICT_MARKS.iter().any(|mark| line.starts_with(mark)) {
        return Err("git left a conflict here: keep one line a file, with the smaller numbers of both sides, and remove the marks. `pulpcov gate --merge-driver` does that by itself; `pulpcov help gate` says how to set it up".to_owned());
    }
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let form = || {
        "a line has the number of missing lines, that of missing branches or `-`, and the name of the file. Correct it, or restore the file with git".to_owned()
    };
    let mut parts = line.splitn(3, ' ');
    let (Some(lines), Some(branches), Some(name)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(form());
    };
    let lines = count(lines).ok_or_else(form)?;
    let branches = match branches {
        "-" => None,
        branches => Some(count(branches).ok_or_else(form)?),
    };
    // No file has a NUL in its name, however it is written.
    let is_name = |name: &String| !name.is_empty() && !name.contains('\0');
    let name = unescaped(name).filter(is_name).ok_or_else(form)?;
    Ok(Some((name, Debt { lines, branches })))
}

/// Reads a count. A source has fewer lines than `u32` can count.
fn count(text: &str) -> Option<usize> {
    let is_number = text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse::<u32>().ok().filter(|_| is_number)?.try_into().ok()
}

/// Writes a name as part of one line, so that no editor changes it.
fn escaped(name: &str) -> String {
    let last = name.chars().count().saturating_sub(1);
    let mut text = String::with_capacity(name.len());
    for (at, c) in name.chars().enumerate() {
        match c {
            '\\' => text.push_str("\\\\"),
            ' ' if at == 0 || at == last => text.push_str("\\u{20}"),
            c if is_printable(c) => text.push(c),
            c => text.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        }
    }
    text
}

fn unescaped(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        name.push_str(before);
        rest = match behind.strip_prefix('\\') {
            Some(rest) => {
                name.push('\\');
                rest
            }
            None => {
                let (digits, rest) = behind.strip_prefix("u{")?.split_once('}')?;
                let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
                name.push(char::from_u32(code)?);
                rest
            }
        };
    }
    name.push_str(rest);
    Some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            files in proptest::collection::btree_map("[^\0]{1,12}", (0..9_usize, proptest::option::of(0..9_usize)), 0..8),
        ) {
            let debts = files.into_iter().map(|(name, (lines, branches))| (name, Debt { lines, branches }));
            let ratchet: Ratchet = debts.collect();
            prop_assert_eq!(Ratchet::parse(ratchet.to_text().as_bytes()).unwrap(), ratchet.clone());
            prop_assert_eq!(ratchet.to_text().lines().count(), ratchet.len() + 1);
        }
    }

    #[test]
    fn what_people_write_by_hand_is_read_or_refused_with_its_line() {
        let good = b"# x\r\n\r\n12 3 b.py\r\n0 - a b.py\n";
        let ratchet = Ratchet::parse(good).unwrap();
        assert_eq!(ratchet.get("a b.py"), Some(Debt { lines: 0, branches: None }));
        assert_eq!(ratchet.get("b.py"), Some(Debt { lines: 12, branches: Some(3) }));
        for (text, line, words) in [
            ("1 2 a\n1 2", 2, "a line has"),
            ("1 2 ", 1, "a line has"),
            ("1  2 a", 1, "a line has"),
            ("-1 2 a", 1, "a line has"),
            ("+1 2 a", 1, "a line has"),
            ("1.5 2 a", 1, "a line has"),
            ("99999999999 2 a", 1, "a line has"),
            ("1 2 a\\x", 1, "a line has"),
            ("1 2 a\\u{110000}", 1, "a line has"),
            ("1 2 a\\u{+61}", 1, "a line has"),
            ("1 2 a\\u{0}", 1, "a line has"),
            ("1 2 a\0b", 1, "a line has"),
            ("\n1 2 a\n1 2 a\n", 3, "named twice"),
            ("1 2 a\n=======\n1 2 a\n", 2, "git left a conflict"),
            ("<<<<<<< HEAD\n", 1, "git left a conflict"),
        ] {
            let err = Ratchet::parse(text.as_bytes()).unwrap_err();
            assert_eq!(err.position(), Some(&Position::Line { line, column: None }), "{text:?}");
            assert!(err.reason().contains(words), "{text:?}: {err}");
        }
        assert!(Ratchet::parse(b"1 2 a\n1 2 \xff\n").unwrap_err().to_string().contains("line 2"));
    }
}
