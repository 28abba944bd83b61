//! A file that the disk takes while it is written: at its end there is little to wait for.

use std::fs::File;
use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// How much a writer writes until the disk is to take it.
const BYTES_BEHIND: usize = 8 << 20;

/// Counts what one writer writes.
#[derive(Clone)]
pub(super) struct Behind {
    wanted: Option<SyncSender<()>>,
    written: usize,
}

impl Behind {
    /// Leave all to the end.
    pub(super) fn nothing() -> Self {
        Self { wanted: None, written: 0 }
    }

    /// That many bytes more are written.
    pub(super) fn add(&mut self, bytes: usize) {
        self.written += bytes;
        if let Some(wanted) = &self.wanted
            && self.written >= BYTES_BEHIND
        {
            // If that is wanted already, or has failed, there is nothing more to want.
            let _ = wanted.try_send(());
            self.written = 0;
        }
    }
}

/// Do what writes the file, and meanwhile have the disk take what is written.
///
/// # Errors
///
/// Those of `write`, and else of the disk.
pub(super) fn write_with<T>(
    file: &File,
    write: impl FnOnce(Behind) -> io::Result<T>,
) -> io::Result<T> {
    thread::scope(|scope| {
        let (wanted, syncs) = sync_channel(1);
        let syncing = scope.spawn(move || syncs.iter().try_for_each(|()| file.sync_data()));
        let done = write(Behind { wanted: Some(wanted), written: 0 })?;
        syncing.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(done)
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_writer_and_of_the_disk_are_told() {
        let file = tempfile::tempfile().unwrap();
        let much = |mut behind: Behind| {
            (0..100).for_each(|_| behind.add(BYTES_BEHIND / 2));
            Ok(7)
        };
        assert_eq!(write_with(&file, much).unwrap(), 7);
        let failed = write_with(&file, |behind| {
            much(behind).and(Err::<(), _>(io::ErrorKind::StorageFull.into()))
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        // It is no disk, and says so.
        let null = File::options().write(true).open("/dev/null").unwrap();
        assert_eq!(write_with(&null, much).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(write_with(&null, |_| Ok(())).unwrap(), ());
    }
}
