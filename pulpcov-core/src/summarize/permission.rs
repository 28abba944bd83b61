//! Opens a source only if one of the users who named it could have opened it.
//!
//! The path is resolved component by component and link by link, as in the kernel, but with file
//! descriptors. So the permissions that are checked belong to the same folders and the same file
//! that are opened. No other user can replace one of them in between.
//!
//! The owner, the group and the mode are checked. An access control list can deny access that the
//! mode grants, so a file with such a list is only open to its owner.

use std::collections::{HashMap, VecDeque};
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::unistd::{Gid, Uid, User};

use crate::data::{Author, Authors};

/// The number of links that Linux follows in a path.
const MOST_LINKS: usize = 40;

#[cfg(target_os = "linux")]
const FOLDER: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);
const SOURCE: OFlag =
    OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// A device and an inode number, which identify a file or a folder.
pub(super) type Inode = (nix::libc::dev_t, nix::libc::ino_t);

/// Returns the inode of a path, after following links.
pub(super) fn inode(path: &Path) -> io::Result<Inode> {
    Ok(inode_of(&nix::sys::stat::stat(path)?))
}

fn inode_of(stat: &FileStat) -> Inode {
    (stat.st_dev, stat.st_ino)
}

/// The outcome of opening a file.
#[derive(Debug)]
pub(super) enum Opened {
    File(File),
    /// The file does not exist.
    Missing,
    /// No author may read the file, or learn whether it exists.
    Withheld,
}

/// Opens files on behalf of users, and remembers the groups of each user.
#[derive(Debug, Default)]
pub(super) struct Opener {
    users: Mutex<HashMap<Author, Arc<Reader>>>,
}

impl Opener {
    /// Opens the regular file at an absolute path. At least one author must be able to read the
    /// file, or the file must be in `shown` or in a folder in `shown`.
    pub(super) fn open(
        &self,
        path: &Path,
        authors: &Authors,
        shown: &[Inode],
    ) -> io::Result<Opened> {
        let readers = match authors {
            Authors::Caller => vec![Arc::new(Reader::Caller)],
            Authors::Others(authors) => authors.iter().map(|author| self.reader(*author)).collect(),
        };
        PathWalk { readers, shown, folders: vec![OpenFolder::root()?], links: 0 }.open(path)
    }

    fn reader(&self, author: Author) -> Arc<Reader> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(users.entry(author).or_insert_with(|| Arc::new(Reader::new(author))))
    }
}

/// A user whose permissions are checked.
#[derive(Debug)]
enum Reader {
    /// The user who runs this process. The operating system checks the permissions.
    Caller,
    User {
        number: Uid,
        groups: Vec<Gid>,
    },
    /// An unknown user, who only has the permissions of everyone.
    Anybody,
}

impl Reader {
    fn new(author: Author) -> Self {
        match author {
            Author::User(number) => {
                let number = Uid::from_raw(number);
                Self::User { number, groups: groups(number) }
            }
            Author::Anybody => Self::Anybody,
        }
    }

    /// Returns whether the user has one of three permissions: `bits` are the mode bits that grant
    /// it to the owner, to the group, and to all others.
    fn may(&self, bits: [Mode; 3], stat: &FileStat, has_list: impl FnOnce() -> bool) -> bool {
        let [of_owner, of_group, of_others] = bits;
        let bit = match self {
            Self::Caller => return true,
            Self::User { number, .. } if number.is_root() => return true,
            Self::User { number, .. } if number.as_raw() == stat.st_uid => of_owner,
            _ if has_list() => return false,
            Self::User { groups, .. } if groups.contains(&Gid::from_raw(stat.st_gid)) => of_group,
            Self::User { .. } | Self::Anybody => of_others,
        };
        Mode::from_bits_truncate(stat.st_mode).contains(bit)
    }

    fn may_search(&self, folder: &OpenFolder) -> bool {
        let bits = [Mode::S_IXUSR, Mode::S_IXGRP, Mode::S_IXOTH];
        self.may(bits, &folder.stat, || has_access_control_list(&folder.handle))
    }

    fn may_read(&self, stat: &FileStat, file: &File) -> bool {
        let bits = [Mode::S_IRUSR, Mode::S_IRGRP, Mode::S_IROTH];
        self.may(bits, stat, || has_access_control_list(file))
    }
}

/// Returns the groups of a user; none if this machine does not know the user.
fn groups(number: Uid) -> Vec<Gid> {
    let Ok(Some(user)) = User::from_uid(number) else { return Vec::new() };
    #[cfg(not(target_vendor = "apple"))]
    if let Ok(name) = CString::new(user.name)
        && let Ok(groups) = nix::unistd::getgrouplist(&name, user.gid)
    {
        return groups;
    }
    vec![user.gid]
}

/// Returns whether the file has an access control list, which grants or denies more than the mode.
#[cfg(target_os = "linux")]
fn has_access_control_list(file: &impl AsFd) -> bool {
    use std::os::fd::AsRawFd;

    use rustix::io::Errno;

    // An `O_PATH` descriptor does not allow fgetxattr(2), so ask through `/proc`.
    let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    match rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0; 1]) {
        Err(Errno::NODATA | Errno::OPNOTSUPP) => false,
        // The list is longer than a byte, or reading it failed.
        _ => true,
    }
}

#[cfg(not(target_os = "linux"))]
fn has_access_control_list(_: &impl AsFd) -> bool {
    false
}

/// Returns whether the file belongs to a file system of the kernel such as `/proc`, whose files
/// describe the system or its processes.
#[cfg(target_os = "linux")]
fn is_of_kernel(file: &File) -> bool {
    // The magic numbers of statfs(2), from linux/magic.h.
    const FILE_SYSTEMS: [u64; 15] = [
        0x9fa0,      // proc
        0x6265_6572, // sysfs
        0x6462_6720, // debugfs
        0x7472_6163, // tracefs
        0x7363_6673, // securityfs
        0x0027_e0eb, // cgroup
        0x6367_7270, // cgroup2
        0xcafe_4a11, // bpf
        0x6165_676c, // pstore
        0xde5e_81e4, // efivarfs
        0xf97c_ff8c, // selinuxfs
        0x4341_5d53, // smackfs
        0x6265_6570, // configfs
        0x4249_4e4d, // binfmt_misc
        0x6e73_6673, // nsfs
    ];
    let kind = rustix::fs::fstatfs(file).map(|status| status.f_type as u64 & 0xffff_ffff);
    kind.map_or(true, |kind| FILE_SYSTEMS.contains(&kind))
}

#[cfg(not(target_os = "linux"))]
fn is_of_kernel(_: &File) -> bool {
    false
}

/// A folder on the path.
struct OpenFolder {
    handle: OwnedFd,
    stat: FileStat,
}

impl OpenFolder {
    fn root() -> io::Result<Self> {
        Self::of(open("/", FOLDER, Mode::empty())?)
    }

    fn of(handle: OwnedFd) -> io::Result<Self> {
        let stat = fstat(&handle)?;
        Ok(Self { handle, stat })
    }
}

/// The state of resolving a path.
struct PathWalk<'w> {
    /// The users who can search all folders so far.
    readers: Vec<Arc<Reader>>,
    shown: &'w [Inode],
    /// The folders from the root to the current one.
    folders: Vec<OpenFolder>,
    links: usize,
}

impl PathWalk<'_> {
    fn open(mut self, path: &Path) -> io::Result<Opened> {
        match self.walk(path) {
            Ok(Some(file)) => self.check_access(file),
            // A user who may not search a folder must not learn whether a file in it exists.
            Ok(None) if self.readers.is_empty() => Ok(Opened::Withheld),
            Ok(None) => Ok(Opened::Missing),
            Err(_) if self.readers.is_empty() => Ok(Opened::Withheld),
            Err(err) => Err(err),
        }
    }

    /// Resolves the path and opens the file. Returns `None` if the file does not exist.
    fn walk(&mut self, path: &Path) -> io::Result<Option<File>> {
        let mut pending = components(path);
        while let Some(name) = pending.pop_front() {
            let Some(here) = self.folders.last() else { return Ok(None) };
            self.readers.retain(|reader| reader.may_search(here));
            if name == ".." {
                // The parent of the root is the root.
                self.folders.truncate(self.folders.len().saturating_sub(1).max(1));
                continue;
            }
            let stat = match fstatat(&here.handle, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                Err(Errno::ENOENT | Errno::ENAMETOOLONG) => return Ok(None),
                stat => stat?,
            };
            match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
                SFlag::S_IFLNK => {
                    self.links += 1;
                    if self.links > MOST_LINKS {
                        return Err(Errno::ELOOP.into());
                    }
                    let target = readlinkat(&here.handle, name.as_os_str())?;
                    let target = Path::new(&target);
                    if target.is_absolute() {
                        self.folders.truncate(1);
                    }
                    let mut way = components(target);
                    way.append(&mut pending);
                    pending = way;
                }
                SFlag::S_IFDIR => {
                    let flags = FOLDER | OFlag::O_NOFOLLOW;
                    let handle = openat(&here.handle, name.as_os_str(), flags, Mode::empty())?;
                    self.folders.push(OpenFolder::of(handle)?);
                }
                _ if !pending.is_empty() => return Ok(None),
                SFlag::S_IFREG => {
                    let file = openat(&here.handle, name.as_os_str(), SOURCE, Mode::empty())?;
                    return Ok(Some(file.into()));
                }
                _ => return Err(io::Error::other("it is a device, a socket or a FIFO")),
            }
        }
        Err(Errno::EISDIR.into())
    }

    /// Returns the file if it is shown to everyone, or if one of the remaining users may read it.
    fn check_access(mut self, file: File) -> io::Result<Opened> {
        let stat = fstat(&file)?;
        if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(io::Error::other("it is no file any more"));
        }
        self.readers.retain(|reader| reader.may_read(&stat, &file));
        let is_shown = |stat: &FileStat| self.shown.contains(&inode_of(stat));
        // A hard link inside a shown folder could refer to a file outside of it.
        let in_shown =
            || stat.st_nlink == 1 && self.folders.iter().any(|step| is_shown(&step.stat));
        // The content of such a file depends on the process that opens it. This process may see
        // more than the authors, whatever the mode says, so only the caller may read the file.
        if is_of_kernel(&file) {
            self.readers.retain(|reader| matches!(**reader, Reader::Caller));
        }
        let may_be_shown = !self.readers.is_empty() || is_shown(&stat) || in_shown();
        Ok(if may_be_shown { Opened::File(file) } else { Opened::Withheld })
    }
}

/// Returns the components of a path, without `/` and `.`.
fn components(path: &Path) -> VecDeque<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsStr::from_bytes(b"..").to_owned()),
        _ => None,
    };
    path.components().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// An id that no user has.
    const STRANGER: Author = Author::User(4_000_000_007);

    /// A folder that every user can reach, if they can reach `/tmp`.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let place = tempfile::tempdir().unwrap();
            fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
            Self(place)
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn write(&self, name: &str, mode: u32) {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            self.set_mode(name, mode);
        }

        fn set_mode(&self, name: &str, mode: u32) {
            fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
        }

        fn open(&self, name: &str, authors: impl Into<Authors>, shown: &[Inode]) -> String {
            match Opener::default().open(&self.path(name), &authors.into(), shown) {
                Ok(Opened::File(file)) => io::read_to_string(file).unwrap(),
                Ok(other) => format!("{other:?}"),
                Err(err) => err.to_string(),
            }
        }
    }

    #[test]
    fn what_a_stranger_may_read_is_opened_for_them() {
        let place = Place::new();
        place.write("public.py", 0o644);
        place.write("secret.py", 0o600);
        place.write("group.py", 0o640);
        place.write("closed/public.py", 0o644);
        place.set_mode("closed", 0o700);
        place.write("open/public.py", 0o644);
        place.set_mode("open", 0o711);
        for (name, opened) in [
            ("public.py", "public.py"),
            ("open/public.py", "open/public.py"),
            ("open/../public.py", "public.py"),
            ("secret.py", "Withheld"),
            ("group.py", "Withheld"),
            ("closed/public.py", "Withheld"),
            // Strangers do not learn what is in a closed folder, either.
            ("closed/missing.py", "Withheld"),
            ("closed/../public.py", "Withheld"),
            ("missing.py", "Missing"),
            ("missing/missing.py", "Missing"),
            ("public.py/inside.py", "Missing"),
        ] {
            assert_eq!(place.open(name, STRANGER, &[]), opened, "{name}");
            assert_eq!(place.open(name, Author::Anybody, &[]), opened, "{name}");
        }
        for name in ["public.py", "closed/public.py", "group.py"] {
            assert_eq!(place.open(name, Authors::Caller, &[]), name);
            assert_eq!(place.open(name, Author::User(0), &[]), name);
        }
        // One author with permission is enough.
        let both = Authors::Others([STRANGER, Author::User(0)].into());
        assert_eq!(place.open("secret.py", both, &[]), "secret.py");
    }

    #[test]
    fn links_lead_to_what_is_checked() {
        let place = Place::new();
        place.write("secret.py", 0o600);
        place.write("public.py", 0o644);
        place.write("closed/public.py", 0o644);
        symlink("secret.py", place.path("to-secret.py")).unwrap();
        symlink("public.py", place.path("to-public.py")).unwrap();
        symlink(place.path("public.py"), place.path("absolute.py")).unwrap();
        symlink("../public.py", place.path("closed/link.py")).unwrap();
        symlink("closed", place.path("to-closed")).unwrap();
        symlink("loop.py", place.path("loop.py")).unwrap();
        place.set_mode("closed", 0o700);
        for (name, opened) in [
            ("to-public.py", "public.py"),
            ("absolute.py", "public.py"),
            ("to-secret.py", "Withheld"),
            ("to-closed/public.py", "Withheld"),
            ("closed/link.py", "Withheld"),
        ] {
            assert_eq!(place.open(name, STRANGER, &[]), opened, "{name}");
        }
        assert!(place.open("loop.py", STRANGER, &[]).contains("symbolic links"));
    }

    #[test]
    fn what_is_shown_is_shown_to_all() {
        let place = Place::new();
        place.write("app/secret.py", 0o600);
        place.write("other/secret.py", 0o600);
        symlink("../other/secret.py", place.path("app/link.py")).unwrap();
        fs::hard_link(place.path("other/secret.py"), place.path("app/hard.py")).unwrap();
        let shown = [inode(&place.path("app")).unwrap()];
        assert_eq!(place.open("app/secret.py", STRANGER, &shown), "app/secret.py");
        for name in ["other/secret.py", "app/../other/secret.py", "app/link.py", "app/hard.py"] {
            assert_eq!(place.open(name, STRANGER, &shown), "Withheld", "{name}");
        }
        let file = [inode(&place.path("other/secret.py")).unwrap()];
        assert_eq!(place.open("other/secret.py", STRANGER, &file), "other/secret.py");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_the_kernel_tells_the_caller_is_for_the_caller() {
        let open = |authors: Authors| {
            let path = Path::new("/proc/self/maps");
            Opener::default().open(path, &authors, &[]).unwrap()
        };
        assert!(matches!(open(Authors::Caller), Opened::File(_)));
        for author in [Author::User(0), STRANGER, Author::Anybody] {
            assert!(matches!(open(author.into()), Opened::Withheld), "{author:?}");
        }
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let place = Place::new();
        nix::unistd::mkfifo(&place.path("fifo.py"), Mode::from_bits_truncate(0o644)).unwrap();
        assert!(place.open("fifo.py", STRANGER, &[]).contains("FIFO"));
        assert!(place.open("", STRANGER, &[]).contains("Is a directory"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_with_a_list_of_its_own_is_open_to_its_owner_alone() {
        let place = Place::new();
        place.write("listed.py", 0o644);
        // The mode 0644, and user 4711 without permissions (acl(5), posix_acl_xattr.h).
        let entry = |tag: u16, bits: u16, id: u32| {
            [&tag.to_le_bytes()[..], &bits.to_le_bytes(), &id.to_le_bytes()].concat()
        };
        let entries = [
            entry(0x01, 6, u32::MAX),
            entry(0x02, 0, 4711),
            entry(0x04, 4, u32::MAX),
            entry(0x10, 4, u32::MAX),
            entry(0x20, 4, u32::MAX),
        ];
        let list = [&2u32.to_le_bytes()[..], &entries.concat()].concat();
        let path = place.path("listed.py");
        let flags = rustix::fs::XattrFlags::empty();
        match rustix::fs::setxattr(&path, "system.posix_acl_access", &list, flags) {
            Err(rustix::io::Errno::OPNOTSUPP) => return,
            set => set.unwrap(),
        }
        assert_eq!(place.open("listed.py", STRANGER, &[]), "Withheld");
        assert_eq!(place.open("listed.py", Authors::Caller, &[]), "listed.py");
        let owner = nix::unistd::geteuid().as_raw();
        assert_eq!(place.open("listed.py", Author::User(owner), &[]), "listed.py");
    }
}
