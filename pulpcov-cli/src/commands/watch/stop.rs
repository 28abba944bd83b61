//! Ending on SIGINT and SIGTERM, between two reports and never in the midst of one.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use crate::exit::Failure;

/// Told when the command is to end.
pub(super) struct Stop(Receiver<()>);

impl Stop {
    /// From now on the signals do nothing else. Threads that are started later leave them alone too.
    pub(super) fn on_signals() -> Result<Self, Failure> {
        let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        signals
            .thread_block()
            .map_err(|err| Failure::Refused(format!("signals cannot be waited for: {err}")))?;
        let (sender, receiver) = channel();
        thread::spawn(move || {
            // Nobody listens any more once the command ends for another reason.
            while signals.wait().is_ok() && sender.send(()).is_ok() {}
        });
        Ok(Self(receiver))
    }

    /// Wait for so long. Is it time to end?
    pub(super) fn wait(&self, time: Duration) -> bool {
        !matches!(self.0.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}
