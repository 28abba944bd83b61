//! Syncing a file while it is written, so that there is little left to wait for at its end.

use std::fs::File;
use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// The number of bytes that one writer writes between two requests for a sync.
const BYTES_PER_SYNC: usize = 8 << 20;

/// Counts the bytes that one writer writes, and requests syncs.
#[derive(Clone, Default)]
pub(super) struct SyncRequests {
    /// Requests a sync. `None` if the file is synced only at its end.
    wanted: Option<SyncSender<()>>,
    written: usize,
}

impl SyncRequests {
    /// Adds to the number of bytes written.
    pub(super) fn add(&mut self, bytes: usize) {
        self.written += bytes;
        if let Some(wanted) = &self.wanted
            && self.written >= BYTES_PER_SYNC
        {
            // If the channel is full, a sync is requested already. If it is closed, a sync has failed, which
            // is reported at the end, or there is no thread for syncs.
            let _ = wanted.try_send(());
            self.written = 0;
        }
    }
}

/// Calls `write`, which writes `file`, and syncs the file from another thread meanwhile.
///
/// # Errors
///
/// Returns the error of `write`, or else that of a sync.
pub(super) fn write_with<T>(
    file: &File,
    write: impl FnOnce(SyncRequests) -> io::Result<T>,
) -> io::Result<T> {
    thread::scope(|scope| {
        let (wanted, syncs) = sync_channel(1);
        let sync = move || syncs.iter().try_for_each(|()| file.sync_data());
        let syncing = thread::Builder::new().spawn_scoped(scope, sync);
        let done = write(SyncRequests { wanted: Some(wanted), written: 0 })?;
        // If no thread could be started, there is more to sync at the end.
        if let Ok(syncing) = syncing {
            syncing.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        }
        Ok(done)
    })
}

// The test needs Linux, where syncing `/dev/null` fails.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_writer_and_of_the_disk_are_told() {
        let file = tempfile::tempfile().unwrap();
        let much = |mut syncs: SyncRequests| {
            (0..100).for_each(|_| syncs.add(BYTES_PER_SYNC / 2));
            Ok(7)
        };
        assert_eq!(write_with(&file, much).unwrap(), 7);
        let failed = write_with(&file, |syncs| {
            much(syncs).and(Err::<(), _>(io::ErrorKind::StorageFull.into()))
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        let null = File::options().write(true).open("/dev/null").unwrap();
        assert_eq!(write_with(&null, much).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        write_with(&null, |_| Ok(())).unwrap();
    }
}
