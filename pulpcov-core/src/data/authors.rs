//! The users whose data files name a source file.
//!
//! The author of a data file chooses the source paths in it, and a report shows the files at these paths. A
//! report that root makes from a stranger's data file could show the stranger files that only root may read.
//! To prevent this, a data set records for each file whose data files name it. A report shows a source only
//! if one of these users could read it.

use std::collections::BTreeSet;
use std::fmt;

/// The prefix of the keys in the table `meta` that list authors. The path follows.
pub(crate) const META_KEY: &str = "pulpcov_authors:";

/// The text for [`Author::Anybody`] in a data file.
const ANYBODY: &str = "anybody";

/// A user who may have written a data file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Author {
    /// The user with this id.
    User(u32),
    /// An unknown user, because everybody may write to the file.
    Anybody,
}

/// The users whose data files name a file.
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
    /// The caller, perhaps together with others.
    #[default]
    Caller,
    /// Only users other than the caller.
    Others(BTreeSet<Author>),
}

impl Authors {
    /// Adds the authors of `other`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{Author, Authors};
    ///
    /// let mut authors = Authors::from(Author::User(1000));
    /// authors.join(&Author::Anybody.into());
    /// assert_eq!(authors, Authors::Others([Author::User(1000), Author::Anybody].into()));
    /// ```
    pub fn join(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Others(own), Self::Others(other)) => own.extend(other),
            _ => *self = Self::Caller,
        }
    }

    /// Returns the authors to trust if a data file whose own authors are `file` lists `self` for a path.
    /// [`Caller`](Self::Caller) means that it lists none.
    ///
    /// A list in a data file can only reduce the trust in a path, never increase it.
    pub(crate) fn trusted_from(self, file: &Self) -> Self {
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

    /// Parses the list of authors in a data file. Text that is not understood becomes [`Author::Anybody`].
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

/// Writes the list of authors as in a data file: the users' ids, or nothing for the caller.
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

#[cfg(all(test, feature = "combine"))]
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
        assert_eq!(root.clone().trusted_from(&stranger), Author::Anybody.into());
        assert_eq!(Authors::Caller.trusted_from(&stranger), stranger);
        assert_eq!(root.clone().trusted_from(&Authors::Caller), root);
        assert_eq!(Authors::parse("33").trusted_from(&root), Author::User(33).into());
    }
}
