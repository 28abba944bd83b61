//! A file that goes to the disk while it is written: at its end there is little to wait for.

use std::fs::File;
use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// After how many bytes of one writer the disk is asked to take them.
const BYTES_A_SYNC: usize = 8 << 20;

/// Counts what one writer writes, and asks for syncs.
#[derive(Clone, Default)]
pub(super) struct SyncRequests {
    /// None if all is left to the end.
    wanted: Option<SyncSender<()>>,
    written: usize,
}

impl SyncRequests {
    /// That many bytes more are written.
    pub(super) fn add(&mut self, bytes: usize) {
        self.written += bytes;
        if let Some(wanted) = &self.wanted
            && self.written >= BYTES_A_SYNC
        {
            // Full: a sync is wanted already. Closed: one has failed, which is told at the end.
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
    write: impl FnOnce(SyncRequests) -> io::Result<T>,
) -> io::Result<T> {
    thread::scope(|scope| {
        let (wanted, syncs) = sync_channel(1);
        let sync = move || syncs.iter().try_for_each(|()| file.sync_data());
        let syncing = thread::Builder::new().spawn_scoped(scope, sync);
        let done = write(SyncRequests { wanted: Some(wanted), written: 0 })?;
        // Where there are no more threads, the end takes longer.
        if let Ok(syncing) = syncing {
            syncing.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        }
        Ok(done)
    })
}

// Linux's /dev/null refuses to be synced.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_writer_and_of_the_disk_are_told() {
        let file = tempfile::tempfile().unwrap();
        let much = |mut syncs: SyncRequests| {
            (0..100).for_each(|_| syncs.add(BYTES_A_SYNC / 2));
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
