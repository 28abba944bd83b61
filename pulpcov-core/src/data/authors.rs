//! Who says that a file was measured.
//!
//! A data file names sources by path, and whoever wrote it chose the paths. A report shows what is at these paths. So
//! a report by root over a stranger's data file could show the stranger files that only root may read.
//! For each file of a data set it is known whose data files name it: a report shows a source only if one of
//! these users could read it themselves.

use std::collections::BTreeSet;
use std::fmt;

/// What the keys of such rows of the table `meta` begin with; the path follows.
#[cfg(feature = "sqlite")]
pub(crate) const META_KEY: &str = "pulpcov_authors:";

/// What stands for [`Author::Anybody`] in a data file.
const ANYBODY: &str = "anybody";

/// Who may have written a data file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Author {
    /// The user of this number.
    User(u32),
    /// It cannot be said who: everybody may write to the file.
    Anybody,
}

/// Whose data files name a file.
///
/// # Examples
///
/// ```
/// use pulpcov_core::{Author, Authors};
///
/// let mut authors = Authors::from(Author::User(33));
/// authors.join(&Author::User(1000).into());
/// assert_eq!(authors.to_string(), "33 1000");
/// // What the caller's own data names needs no other author.
/// authors.join(&Authors::Caller);
/// assert_eq!(authors, Authors::Caller);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Authors {
    /// The caller's, perhaps beside others'.
    #[default]
    Caller,
    /// Only others'.
    Others(BTreeSet<Author>),
}

impl Authors {
    /// Those of both.
    pub fn join(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Others(own), Self::Others(other)) => own.extend(other),
            _ => *self = Self::Caller,
        }
    }

    /// What they are if a data file of `file` says that they are these; the caller's are not listed in it.
    ///
    /// Whoever writes a data file can make less of what it names, and never more.
    #[cfg(any(feature = "json", feature = "sqlite"))]
    pub(crate) fn said_by(self, file: &Self) -> Self {
        let is_trusted = match file {
            Self::Caller => true,
            // Root could have read and written everything.
            Self::Others(users) => users.iter().all(|user| *user == Author::User(0)),
        };
        match self {
            Self::Caller => file.clone(),
            listed if is_trusted => listed,
            _ => Author::Anybody.into(),
        }
    }

    /// As a data file has it; nobody in particular if it is not understood.
    #[cfg(any(feature = "json", feature = "sqlite"))]
    pub(crate) fn parse(text: &str) -> Self {
        let author = |word: &str| word.parse().map_or(Author::Anybody, Author::User);
        let authors: BTreeSet<Author> = text.split_ascii_whitespace().map(author).collect();
        if authors.is_empty() { Author::Anybody.into() } else { Self::Others(authors) }
    }
}

impl From<Author> for Authors {
    fn from(author: Author) -> Self {
        Self::Others(BTreeSet::from([author]))
    }
}

/// The users' numbers, as a data file has them. Nothing for the caller.
impl fmt::Display for Authors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Others(authors) = self else { return Ok(()) };
        for (at, author) in authors.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            match author {
                Author::User(number) => write!(f, "{number}")?,
                Author::Anybody => f.write_str(ANYBODY)?,
            }
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back() {
        let both = Authors::Others([Author::User(0), Author::Anybody].into());
        for authors in [Author::User(7).into(), Author::Anybody.into(), both] {
            assert_eq!(Authors::parse(&authors.to_string()), authors);
        }
        for odd in ["", " ", "root", "-1", "4294967296"] {
            assert_eq!(Authors::parse(odd), Author::Anybody.into(), "{odd:?}");
        }
    }

    #[test]
    fn a_stranger_speaks_for_nobody_else() {
        let root = Authors::from(Author::User(0));
        let stranger = Authors::from(Author::User(65534));
        assert_eq!(root.clone().said_by(&stranger), Author::Anybody.into());
        assert_eq!(Authors::Caller.said_by(&stranger), stranger);
        assert_eq!(root.clone().said_by(&Authors::Caller), root);
        assert_eq!(Authors::parse("33").said_by(&root), Author::User(33).into());
    }
}
