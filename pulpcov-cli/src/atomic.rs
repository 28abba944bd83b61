//! Files that are written as a whole, or not at all.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// Replace a file by one with these bytes. Whoever reads meanwhile gets all of the one or all of the other.
/// The umask says who may read it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    finish(begin(path, bytes)?, path)
}

/// As [`write`], a file that everybody can read, whatever the umask.
pub(crate) fn write_for_all(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = begin(path, bytes)?;
    file.as_file().set_permissions(Permissions::from_mode(0o644))?;
    finish(file, path)
}

fn begin(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".pulpcov_")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    Ok(file)
}

fn finish(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|err| err.error).map(drop)
}
