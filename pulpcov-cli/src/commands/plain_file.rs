//! Files that come with a repository, such as the ratchet. They may be anybody's, so they are read only if they are plain files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path};

use crate::exit::Failure;
use crate::{settings, ui};

/// The largest file that is read. A million files of the ratchet fit in.
const LARGEST: u64 = 64 << 20;

/// Refuses a path with a link in it. A link of the repository could lead anywhere. Of an absolute path, only the file itself is
/// checked.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|status| status.is_symlink());
    let mut at = settings::cwd()?;
    for part in path.components() {
        at.push(part);
        if matches!(part, Component::Normal(_)) && !path.is_absolute() && is_link(&at) {
            return Err(not_plain(path));
        }
    }
    if is_link(&at) { Err(not_plain(path)) } else { Ok(()) }
}

/// Reads a file. Returns `None` if there is none.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::symlink_metadata(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Ok(status) if !status.is_file() => Err(not_plain(path)),
        _ => read(path).map(Some),
    }
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let done = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    done.map_err(|err| Failure::reading(path, &err))?;
    if bytes.len() as u64 > LARGEST {
        let largest = LARGEST >> 20;
        let name = ui::name(path);
        return Err(Failure::Refused(format!("{name}: this has more than {largest} MiB")));
    }
    Ok(bytes)
}

fn not_plain(path: &Path) -> Failure {
    Failure::Refused(format!("{}: this is not a plain file, or is behind a link", ui::name(path)))
}
