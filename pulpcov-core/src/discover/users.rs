//! Folders that belong to the processes of a single user.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::folder::{Folder, Kind};

/// The prefix of the names of these folders.
const PREFIX: &str = "uid-";
/// The number of random letters and digits in a name. Nobody can guess and take such a name in advance.
const RANDOM: usize = 8;

/// An entry whose name is reserved for the folder of one user.
#[derive(Debug)]
#[non_exhaustive]
pub struct UserFolder {
    /// The name.
    pub name: OsString,
    /// The path, for messages.
    pub path: PathBuf,
    /// The user id in the name.
    pub user: u32,
    /// Whether the name is the plain one, which the user's first process tries.
    pub is_plain: bool,
    /// What the entry is.
    pub kind: Kind,
    /// The owner of the entry.
    pub owner: Option<u32>,
    /// The open folder, or an error if the entry is not a folder or cannot be opened.
    pub folder: Result<Arc<Folder>>,
}

/// Returns the users' folders in a folder, sorted by name.
///
/// # Errors
///
/// [`ErrorKind::Io`] if the folder cannot be listed.
///
/// # Examples
///
/// ```
/// use pulpcov_core::discover::user_folders;
/// use pulpcov_core::folder::Folder;
///
/// let root = tempfile::tempdir()?;
/// std::fs::create_dir(root.path().join("uid-33"))?;
/// std::fs::create_dir(root.path().join("uid-www"))?;
/// let folders = user_folders(&Folder::open(root.path())?)?;
/// assert_eq!((folders.len(), folders[0].user, folders[0].is_plain), (1, 33, true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn user_folders(root: &Arc<Folder>) -> Result<Vec<UserFolder>> {
    let names = root.names().map_err(|err| Error::io(root.path(), err))?;
    Ok(among(root, &names))
}

/// Returns those of the `names` that are reserved for users' folders.
pub(super) fn among(root: &Arc<Folder>, names: &[OsString]) -> Vec<UserFolder> {
    let mut folders: Vec<_> = names.iter().filter_map(|name| UserFolder::of(root, name)).collect();
    folders.sort_by(|a, b| a.name.cmp(&b.name));
    folders
}

impl UserFolder {
    /// Returns `None` if the name is not reserved for a user's folder, or if the entry no longer exists.
    fn of(root: &Arc<Folder>, name: &OsStr) -> Option<Self> {
        let (user, is_plain) = parse(name)?;
        let entry = root.entry(name);
        let status = entry.status().ok()?;
        let path = entry.path().to_owned();
        let folder = match status.kind {
            Kind::Folder => root.open_subfolder(name).map_err(|err| Error::io(&path, err)),
            Kind::Link => Err(refused("this is a symbolic link, which is not followed", &path)),
            _ => Err(refused("this is no folder", &path)),
        };
        let (name, owner) = (name.to_owned(), status.owner);
        Some(Self { name, path, user, is_plain, kind: status.kind, owner, folder })
    }
}

fn refused(what: &str, path: &std::path::Path) -> Error {
    Error::new(ErrorKind::NotADataFile, what).with_path(path)
}

/// Returns the user whose folder has this name, and whether the name is the plain one.
pub(super) fn parse(name: &OsStr) -> Option<(u32, bool)> {
    let rest = name.to_str()?.strip_prefix(PREFIX)?;
    let (number, random) = match rest.split_once('-') {
        Some((number, random)) => (number, Some(random)),
        None => (rest, None),
    };
    let is_random =
        |text: &str| text.len() == RANDOM && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let user: u32 = number.parse().ok()?;
    // Rust also parses `+7` and `007` as numbers.
    let is_number = user.to_string() == number;
    (is_number && random.is_none_or(is_random)).then_some((user, random.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users_folders() {
        for (name, user) in [
            ("uid-0", Some((0, true))),
            ("uid-1000-aB3dE9fX", Some((1000, false))),
            ("uid-1000-aB3dE9f", None),
            ("uid-1000-aB3dE9f_", None),
            ("uid-", None),
            ("uid-+7", None),
            ("uid-007", None),
            ("uid--1", None),
            ("uid-4294967296", None),
            ("uid-1-aB3dE9fX-aB3dE9fX", None),
            ("Uid-1", None),
        ] {
            assert_eq!(parse(name.as_ref()), user, "{name}");
        }
    }
}
