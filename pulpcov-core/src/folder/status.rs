//! What the operating system knows about a file, except its content.

use std::fs::Metadata;
use std::time::SystemTime;

/// The kind, the owner and the state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The kind of the file.
    pub kind: Kind,
    /// The size in bytes.
    pub size: u64,
    /// The time of the last change.
    pub modified: Option<SystemTime>,
    /// The user id of the owner, or `None` on systems without such owners.
    pub owner: Option<u32>,
    /// The permissions: the lowest twelve bits of the mode. 0 on systems without a mode.
    pub mode: u32,
    /// The number of names (hard links).
    pub links: u64,
    pub(crate) inode: Option<(u64, u64)>,
}

impl Status {
    /// Returns whether users may write who are neither the owner nor in the group.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// # use std::os::unix::fs::PermissionsExt;
    /// use std::fs::{Permissions, set_permissions};
    ///
    /// use pulpcov_core::folder::Folder;
    ///
    /// let place = tempfile::tempdir()?;
    /// set_permissions(place.path(), Permissions::from_mode(0o755))?;
    /// assert!(!Folder::open(place.path())?.status()?.everybody_may_write());
    /// set_permissions(place.path(), Permissions::from_mode(0o1777))?;
    /// assert!(Folder::open(place.path())?.status()?.everybody_may_write());
    /// # }
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn everybody_may_write(&self) -> bool {
        self.mode & 0o002 != 0
    }

    /// Returns whether users may access names in the folder who are neither the owner nor in the group.
    pub(crate) fn everybody_may_search(&self) -> bool {
        self.mode & 0o001 != 0
    }

    /// Returns whether the file belongs to the user of this process or to root. Always true on systems
    /// without owners.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::folder::Folder;
    ///
    /// let place = tempfile::tempdir()?;
    /// assert!(Folder::open(place.path())?.status()?.is_of_caller_or_root());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn is_of_caller_or_root(&self) -> bool {
        self.owner.is_none_or(|owner| owner == 0 || owner == caller())
    }
}

/// Returns the effective user of this process.
pub(crate) fn caller() -> u32 {
    #[cfg(unix)]
    return nix::unistd::geteuid().as_raw();
    #[cfg(not(unix))]
    return 0;
}

/// What a name in a folder can refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, a socket or a FIFO.
    Other,
}

#[cfg(unix)]
impl From<&nix::sys::stat::FileStat> for Status {
    fn from(stat: &nix::sys::stat::FileStat) -> Self {
        use std::time::{Duration, UNIX_EPOCH};

        use nix::sys::stat::SFlag;

        let kind = match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFREG => Kind::File,
            SFlag::S_IFDIR => Kind::Folder,
            SFlag::S_IFLNK => Kind::Link,
            _ => Kind::Other,
        };
        let seconds = Duration::from_secs(stat.st_mtime.unsigned_abs());
        let modified = match stat.st_mtime < 0 {
            true => UNIX_EPOCH.checked_sub(seconds),
            false => UNIX_EPOCH.checked_add(seconds),
        };
        let modified = modified
            .and_then(|time| time.checked_add(Duration::from_nanos(number(stat.st_mtime_nsec))));
        Self {
            kind,
            size: number(stat.st_size),
            modified,
            owner: Some(stat.st_uid),
            mode: (number(stat.st_mode) & 0o7777) as u32,
            links: number(stat.st_nlink),
            inode: Some((number(stat.st_dev), number(stat.st_ino))),
        }
    }
}

/// Converts a number to `u64`: its type differs between systems.
#[cfg(unix)]
fn number(count: impl TryInto<u64>) -> u64 {
    count.try_into().unwrap_or_default()
}

impl From<&Metadata> for Status {
    fn from(metadata: &Metadata) -> Self {
        let kind = match metadata.file_type() {
            kind if kind.is_file() => Kind::File,
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_symlink() => Kind::Link,
            _ => Kind::Other,
        };
        #[cfg(unix)]
        let (owner, mode, links, inode) = {
            use std::os::unix::fs::MetadataExt;
            let inode = Some((metadata.dev(), metadata.ino()));
            (Some(metadata.uid()), metadata.mode() & 0o7777, metadata.nlink(), inode)
        };
        #[cfg(not(unix))]
        let (owner, mode, links, inode) = (None, 0, 1, None);
        let modified = metadata.modified().ok();
        Self { kind, size: metadata.len(), modified, owner, mode, links, inode }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::folder::Entry;

    #[test]
    fn both_ways_to_ask_say_the_same() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        std::fs::write(path("file"), "text").unwrap();
        std::fs::hard_link(path("file"), path("again")).unwrap();
        std::fs::create_dir(path("folder")).unwrap();
        symlink("nowhere", path("link")).unwrap();
        for name in ["file", "folder", "link"] {
            let by_entry = Entry::at_path(path(name)).unwrap().status().unwrap();
            assert_eq!(by_entry, Status::from(&path(name).symlink_metadata().unwrap()), "{name}");
        }
        let before_1970 = std::fs::File::options().write(true).open(path("file")).unwrap();
        let time = SystemTime::UNIX_EPOCH - std::time::Duration::from_millis(1500);
        before_1970.set_modified(time).unwrap();
        let status = Entry::at_path(path("file")).unwrap().status().unwrap();
        assert_eq!((status.modified, status.links), (Some(time), 2));
    }
}
