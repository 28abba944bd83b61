//! Makes changes of a folder survive a crash of the machine.

use std::path::Path;

use crate::error::Result;

/// Makes a rename or a deletion durable.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    match std::fs::File::open(folder).and_then(|handle| handle.sync_all()) {
        // Some file systems, mostly network file systems, cannot sync folders.
        Err(err) if err.kind() == std::io::ErrorKind::InvalidInput => Ok(()),
        synced => synced.map_err(|err| crate::error::Error::io(folder, err)),
    }
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}
