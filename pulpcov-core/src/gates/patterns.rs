//! Patterns of paths, matched name by name.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind};

/// The longest pattern, in names. Matching takes time in proportion to it.
const MAX_NAMES: usize = 256;

/// A pattern of the paths of files. It is compared with whole names, so `src/app` is not `src/app2`.
///
/// A pattern without wildcards is the path of a file, or of a folder with everything below it. A pattern with wildcards
/// is of files only.
///
/// | pattern | files |
/// |---|---|
/// | `src/app.py` | this file |
/// | `src/app`, `src/app/` | everything in this folder, at any depth |
/// | `src/app/*` | the files of this folder, without the folders in it |
/// | `src/app/**` | everything in this folder, at any depth |
/// | `src/**/views.py` | `src/views.py`, and every `views.py` in a folder below |
/// | `**/test_*.py` | every file of such a name |
/// | `src/v?/api.py` | `?` is one character |
/// | `.`, `**` | everything |
///
/// If several patterns match a file, the [most specific](Self::cmp_specificity) one counts.
///
/// # Examples
///
/// ```
/// use pulpcov_core::gates::PathPattern;
///
/// let pattern: PathPattern = "src/app".parse()?;
/// assert!(pattern.is_match("src/app/deep/views.py"));
/// assert!(!pattern.is_match("src/app2/views.py"));
/// assert!("src/../app".parse::<PathPattern>().is_err());
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    names: Vec<Name>,
}

/// What stands between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// `**`: any number of folders, or at the end, everything below.
    Any,
    /// A name with `*` or `?`.
    Wild(Vec<char>),
    Fixed(String),
}

impl PathPattern {
    /// Returns whether the pattern matches a path.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::gates::PathPattern;
    ///
    /// let pattern: PathPattern = "src/*/views.py".parse()?;
    /// assert!(pattern.is_match("src/app/views.py"));
    /// assert!(!pattern.is_match("src/app/old/views.py"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn is_match(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let has_wildcards = self.names.iter().any(|name| !matches!(name, Name::Fixed(_)));
        match has_wildcards {
            true => matches_all(&self.names, &parts),
            false => parts.get(..self.names.len()).is_some_and(|start| {
                start.iter().zip(&self.names).all(|(part, name)| name.is_match(part))
            }),
        }
    }

    /// Compares how specific two patterns are. The greater one wins.
    ///
    /// The patterns are compared name by name, from the left. At the first name that is not alike, a plain name wins over
    /// a name with wildcards, and that wins over `**`. Of two names with wildcards, the one with more plain characters
    /// wins. If one pattern goes on where the other ends, it wins.
    ///
    /// | wins | over |
    /// |---|---|
    /// | `src/app/views.py` | `src/app/*.py` |
    /// | `src/app/*.py` | `src/app/**` |
    /// | `src/app/**` | `src/app` |
    /// | `src/app/test_*.py` | `src/app/*.py` |
    /// | `src/app` | `src` |
    /// | `src/app` | `src/*/views.py` |
    /// | `src` | `**/views.py` |
    /// | `**/views.py` | `**` |
    ///
    /// # Examples
    ///
    /// ```
    /// use std::cmp::Ordering;
    ///
    /// use pulpcov_core::gates::PathPattern;
    ///
    /// let (folder, all): (PathPattern, PathPattern) = ("src/app".parse()?, "**".parse()?);
    /// assert_eq!(folder.cmp_specificity(&all), Ordering::Greater);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn cmp_specificity(&self, other: &Self) -> Ordering {
        let ranks = |pattern: &Self| pattern.names.iter().map(Name::rank).collect::<Vec<_>>();
        ranks(self).cmp(&ranks(other))
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Name {
    fn new(name: &str) -> Self {
        match name {
            "**" => Self::Any,
            name if name.contains(['*', '?']) => Self::Wild(name.chars().collect()),
            name => Self::Fixed(name.to_owned()),
        }
    }

    fn rank(&self) -> (u8, usize) {
        match self {
            Self::Any => (0, 0),
            Self::Wild(chars) => (1, chars.iter().filter(|c| !matches!(c, '*' | '?')).count()),
            Self::Fixed(_) => (2, 0),
        }
    }

    fn is_match(&self, part: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Fixed(name) => name == part,
            Self::Wild(pattern) => matches_wild(pattern, &part.chars().collect::<Vec<_>>()),
        }
    }
}

/// Returns whether all parts of a path match all names. The time is the product of both lengths: after each name,
/// `reached` has the numbers of parts that can have been matched.
fn matches_all(names: &[Name], parts: &[&str]) -> bool {
    let mut reached = vec![false; parts.len() + 1];
    reached[0] = true;
    for (at, name) in names.iter().enumerate() {
        let mut next = vec![false; parts.len() + 1];
        match name {
            // At the end there must be a file below.
            Name::Any => {
                let least = usize::from(at + 1 == names.len());
                let first = reached.iter().position(|&is| is).map(|first| first + least);
                next.iter_mut().skip(first.unwrap_or(usize::MAX)).for_each(|is| *is = true);
            }
            name => {
                for (done, part) in parts.iter().enumerate() {
                    next[done + 1] = reached[done] && name.is_match(part);
                }
            }
        }
        reached = next;
    }
    reached[parts.len()]
}

/// Matches `*` and `?`. If a star matched too little, only the last star needs to be tried again.
fn matches_wild(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(&c) if c == '?' || c == text[t] => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((after_star, from)) = retry else { return false };
                retry = Some((after_star, from + 1));
                (p, t) = (after_star, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

impl FromStr for PathPattern {
    type Err = Error;

    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the pattern is empty, has a name `..`, or has brackets, braces or `**` within a name.
    fn from_str(text: &str) -> Result<Self, Error> {
        let refused =
            |why: &str| Error::new(ErrorKind::Config, format!("the pattern {text:?} {why}"));
        if text.is_empty() {
            return Err(refused("is empty; `**` matches everything"));
        }
        let is_absolute = text.starts_with('/');
        let mut names: Vec<Name> = if is_absolute { vec![Name::new("")] } else { Vec::new() };
        for name in text.split('/').filter(|name| !name.is_empty() && *name != ".") {
            if name == ".." {
                return Err(refused("leaves its folder: write it without `..`"));
            }
            if name.contains(['[', ']', '{', '}', '\\']) {
                return Err(refused(
                    "has a character without a meaning here: `*`, `?` and `**` are the wildcards, and `/` separates names",
                ));
            }
            if name != "**" && name.contains("**") {
                return Err(refused("has `**` within a name: it stands for whole folders"));
            }
            // Two in a row mean the same as one.
            if name != "**" || names.last() != Some(&Name::Any) {
                names.push(Name::new(name));
            }
        }
        if names.len() > MAX_NAMES {
            return Err(refused("is too long"));
        }
        if names.is_empty() {
            names.push(Name::Any);
        }
        Ok(Self { text: text.to_owned(), names })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        text.parse().unwrap()
    }

    #[test]
    fn names_are_compared_as_a_whole() {
        let cases = [
            ("src/app", "src/app", true),
            ("src/app", "src/app/a.py", true),
            ("src/app", "src/app/deep/a.py", true),
            ("src/app/", "src/app/a.py", true),
            ("./src/app", "src/app/a.py", true),
            ("src//app", "src/app/a.py", true),
            ("src/app", "src/app2/a.py", false),
            ("src/app", "src", false),
            ("app", "src/app/a.py", false),
            ("src/app/*", "src/app/a.py", true),
            ("src/app/*", "src/app/deep/a.py", false),
            ("src/app/**", "src/app/deep/a.py", true),
            ("src/app/**", "src/app", false),
            ("src/**/a.py", "src/a.py", true),
            ("src/**/a.py", "src/x/y/a.py", true),
            ("src/**/a.py", "src/x/y/b.py", false),
            ("src/**/**/a.py", "src/a.py", true),
            ("**/test_*.py", "test_x.py", true),
            ("**/test_*.py", "a/b/test_x.py", true),
            ("**/test_*.py", "a/b/atest_x.py", false),
            ("**", "a/b", true),
            (".", "a/b", true),
            ("*", "a", true),
            ("*", "a/b", false),
            ("v?/a", "v1/a", true),
            ("v?/a", "v/a", false),
            ("v?/a", "vö/a", true),
            ("*a*b*", "xaxbx", true),
            ("*a*b*", "xbxax", false),
            ("/opt/lib", "/opt/lib/a.py", true),
            ("/opt/lib", "opt/lib/a.py", false),
            ("/**", "/opt/a.py", true),
            ("/**", "opt/a.py", false),
        ];
        for (text, path, expected) in cases {
            assert_eq!(pattern(text).is_match(path), expected, "{text} {path}");
        }
    }

    #[test]
    fn specificity_is_that_of_the_table() {
        let descending = [
            "src/app/views.py",
            "src/app/test_*.py",
            "src/app/*.py",
            "src/app/*",
            "src/app/**/views.py",
            "src/app/**",
            "src/app",
            "src/*/views.py",
            "src/**/views.py",
            "src/**",
            "src",
            "**/views.py",
            "**",
        ];
        for pair in descending.windows(2) {
            let order = pattern(pair[0]).cmp_specificity(&pattern(pair[1]));
            assert_eq!(order, Ordering::Greater, "{pair:?}");
        }
        let alike = pattern("src/a*b.py").cmp_specificity(&pattern("src/ab*.py"));
        assert_eq!(alike, Ordering::Equal);
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for text in
            ["", "..", "src/../x", "a[bc]", "{a,b}", "a**", "**a", "a\\b", &"a/".repeat(300)]
        {
            assert_eq!(
                text.parse::<PathPattern>().unwrap_err().kind(),
                ErrorKind::Config,
                "{text}"
            );
        }
    }

    #[test]
    fn many_wildcards_take_no_longer() {
        let text = format!("{}b", "**/*a*a*a*/".repeat(80));
        assert!(!pattern(&text).is_match(&"aaaaaaaaaaaaaaaa/".repeat(500)));
    }
}
