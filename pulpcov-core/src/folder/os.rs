//! Operations on folders, for each operating system.

#[cfg(not(unix))]
pub(super) use elsewhere::Handle;
#[cfg(unix)]
pub(super) use unix::Handle;

#[cfg(unix)]
mod unix {
    use std::ffi::{OsStr, OsString};
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use nix::dir::Dir;
    use nix::fcntl::{AtFlags, OFlag, open, openat};
    use nix::sys::stat::{Mode, fstat, fstatat};
    use nix::unistd::{UnlinkatFlags, unlinkat};

    use crate::folder::{Folder, Status};

    /// Opens a folder to access the names in it. On Linux this needs no permission to list the folder.
    #[cfg(target_os = "linux")]
    const TO_REACH: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);
    #[cfg(not(target_os = "linux"))]
    const TO_REACH: OFlag = TO_LIST;
    const TO_LIST: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);
    /// Follows no links, does not block on a FIFO, and does not acquire a controlling terminal.
    const CAREFULLY: OFlag =
        OFlag::O_NOFOLLOW.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

    /// The maximum number of folders that are kept open. There can be more folders than a process may open
    /// files.
    const MOST_KEPT: usize = 64;
    static KEPT: AtomicUsize = AtomicUsize::new(0);

    /// A folder, and how to open it again.
    #[derive(Debug)]
    pub(in crate::folder) struct Handle {
        origin: Origin,
        /// The identity of the folder, to notice if another one has taken its place.
        inode: (u64, u64),
        /// The open descriptor. If there is none, the folder is opened again for each use.
        kept: Option<Kept>,
    }

    #[derive(Debug)]
    enum Origin {
        Path(PathBuf),
        Subfolder(Arc<Folder>, OsString),
    }

    impl Origin {
        fn open(&self) -> io::Result<OwnedFd> {
            Ok(match self {
                Self::Path(path) => open(path, TO_REACH, Mode::empty())?,
                Self::Subfolder(above, name) => {
                    let flags = TO_REACH | OFlag::O_NOFOLLOW;
                    openat(above.handle.opened()?, name.as_os_str(), flags, Mode::empty())?
                }
            })
        }
    }

    #[derive(Debug)]
    struct Kept(OwnedFd);

    impl Kept {
        fn new(opened: OwnedFd) -> Option<Self> {
            let is_free = |count: usize| (count < MOST_KEPT).then_some(count + 1);
            KEPT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_free).ok()?;
            Some(Self(opened))
        }
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            KEPT.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A kept descriptor, or one that was opened for a single use.
    enum Opened<'h> {
        Kept(BorrowedFd<'h>),
        Again(OwnedFd),
    }

    impl AsFd for Opened<'_> {
        fn as_fd(&self) -> BorrowedFd<'_> {
            match self {
                Self::Kept(kept) => kept.as_fd(),
                Self::Again(again) => again.as_fd(),
            }
        }
    }

    impl Handle {
        pub(in crate::folder) fn open_folder(path: &Path) -> io::Result<Self> {
            Self::new(Origin::Path(path.into()))
        }

        pub(in crate::folder) fn open_subfolder(
            above: &Arc<Folder>,
            name: &OsStr,
        ) -> io::Result<Self> {
            Self::new(Origin::Subfolder(Arc::clone(above), name.into()))
        }

        fn new(origin: Origin) -> io::Result<Self> {
            let opened = origin.open()?;
            let inode = Status::from(&fstat(&opened)?).inode.unwrap_or_default();
            Ok(Self { origin, inode, kept: Kept::new(opened) })
        }

        pub(in crate::folder) fn is_subfolder(&self) -> bool {
            matches!(self.origin, Origin::Subfolder(..))
        }

        fn opened(&self) -> io::Result<Opened<'_>> {
            if let Some(Kept(kept)) = &self.kept {
                return Ok(Opened::Kept(kept.as_fd()));
            }
            let again = self.origin.open()?;
            if Status::from(&fstat(&again)?).inode != Some(self.inode) {
                return Err(io::Error::other("another folder has taken its place"));
            }
            Ok(Opened::Again(again))
        }

        pub(in crate::folder) fn status(&self, _: &Path) -> io::Result<Status> {
            Ok(Status::from(&fstat(self.opened()?)?))
        }

        pub(in crate::folder) fn names(&self, _: &Path) -> io::Result<Vec<OsString>> {
            let mut folder = Dir::openat(self.opened()?, ".", TO_LIST, Mode::empty())?;
            let mut names = Vec::new();
            for entry in folder.iter() {
                let name = entry?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(OsStr::from_bytes(&name).to_owned());
                }
            }
            Ok(names)
        }

        pub(in crate::folder) fn status_of(&self, _: &Path, name: &OsStr) -> io::Result<Status> {
            let status = fstatat(self.opened()?, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
            Ok(Status::from(&status))
        }

        pub(in crate::folder) fn open(
            &self,
            _: &Path,
            name: &OsStr,
            to_write: bool,
        ) -> io::Result<File> {
            let access = if to_write { OFlag::O_RDWR } else { OFlag::O_RDONLY };
            Ok(openat(self.opened()?, name, access | CAREFULLY, Mode::empty())?.into())
        }

        pub(in crate::folder) fn remove(&self, _: &Path, name: &OsStr) -> io::Result<()> {
            Ok(unlinkat(self.opened()?, name, UnlinkatFlags::NoRemoveDir)?)
        }

        pub(in crate::folder) fn remove_folder(&self, _: &Path, name: &OsStr) -> io::Result<()> {
            Ok(unlinkat(self.opened()?, name, UnlinkatFlags::RemoveDir)?)
        }

        pub(in crate::folder) fn sync(&self, _: &Path) -> io::Result<()> {
            File::from(openat(self.opened()?, ".", TO_LIST, Mode::empty())?).sync_all()
        }
    }
}

/// On systems without such descriptors, a folder is accessed by path.
#[cfg(not(unix))]
mod elsewhere {
    use std::ffi::{OsStr, OsString};
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::path::Path;
    use std::sync::Arc;

    use crate::folder::{Folder, Status};

    #[derive(Debug)]
    pub(in crate::folder) struct Handle {
        is_subfolder: bool,
    }

    impl Handle {
        pub(in crate::folder) fn open_folder(path: &Path) -> io::Result<Self> {
            if fs::metadata(path)?.is_dir() {
                Ok(Self { is_subfolder: false })
            } else {
                Err(io::ErrorKind::NotADirectory.into())
            }
        }

        pub(in crate::folder) fn open_subfolder(
            above: &Arc<Folder>,
            name: &OsStr,
        ) -> io::Result<Self> {
            if fs::symlink_metadata(above.join(name))?.is_dir() {
                Ok(Self { is_subfolder: true })
            } else {
                Err(io::ErrorKind::NotADirectory.into())
            }
        }

        pub(in crate::folder) fn is_subfolder(&self) -> bool {
            self.is_subfolder
        }

        pub(in crate::folder) fn status(&self, path: &Path) -> io::Result<Status> {
            Ok(Status::from(&fs::metadata(path)?))
        }

        pub(in crate::folder) fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
            fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect()
        }

        pub(in crate::folder) fn status_of(&self, path: &Path, _: &OsStr) -> io::Result<Status> {
            Ok(Status::from(&fs::symlink_metadata(path)?))
        }

        pub(in crate::folder) fn open(
            &self,
            path: &Path,
            _: &OsStr,
            to_write: bool,
        ) -> io::Result<File> {
            OpenOptions::new().read(true).write(to_write).open(path)
        }

        pub(in crate::folder) fn remove(&self, path: &Path, _: &OsStr) -> io::Result<()> {
            fs::remove_file(path)
        }

        pub(in crate::folder) fn remove_folder(&self, path: &Path, name: &OsStr) -> io::Result<()> {
            fs::remove_dir(path.join(name))
        }

        pub(in crate::folder) fn sync(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }
    }
}
