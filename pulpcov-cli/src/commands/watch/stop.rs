//! Ends the command on SIGINT and SIGTERM, between two reports and never during one.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use crate::exit::Failure;

/// Receives a message when the command has to end.
pub(super) struct Stop(Receiver<()>);

impl Stop {
    /// Blocks the signals in this thread and in threads that are started later, and waits for them in a
    /// thread.
    pub(super) fn on_signals() -> Result<Self, Failure> {
        let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        signals
            .thread_block()
            .map_err(|err| Failure::Refused(format!("signals cannot be waited for: {err}")))?;
        let (sender, receiver) = channel();
        thread::spawn(move || {
            // If the command ends for another reason, the receiver is gone.
            while signals.wait().is_ok() && sender.send(()).is_ok() {}
        });
        Ok(Self(receiver))
    }

    /// Waits for `time`, or until a signal arrives. Returns whether the command has to end.
    pub(super) fn wait(&self, time: Duration) -> bool {
        !matches!(self.0.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}
