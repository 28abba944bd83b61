//! How long to wait for others, in all.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Time that is spent, by any thread, and does not come back.
#[derive(Debug)]
pub(crate) struct Patience(Mutex<Duration>);

impl Patience {
    pub(crate) const fn new(time: Duration) -> Self {
        Self(Mutex::new(time))
    }

    /// Sleep for so long, if there is as much time left. Was there?
    pub(crate) fn wait(&self, pause: Duration) -> bool {
        {
            let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(rest) = left.checked_sub(pause) else { return false };
            *left = rest;
        }
        std::thread::sleep(pause);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends() {
        let patience = Patience::new(Duration::from_millis(5));
        let pause = Duration::from_millis(2);
        assert_eq!([0; 4].map(|_| patience.wait(pause)), [true, true, false, false]);
    }
}
