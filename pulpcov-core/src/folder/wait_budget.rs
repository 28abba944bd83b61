//! A limit on the total time to wait.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The remaining time to wait. All threads share it.
#[derive(Debug)]
pub(crate) struct WaitBudget(Mutex<Duration>);

impl WaitBudget {
    pub(crate) const fn new(time: Duration) -> Self {
        Self(Mutex::new(time))
    }

    /// Sleeps for `pause` if that much time remains. Returns whether it slept.
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
    fn the_budget_ends() {
        let budget = WaitBudget::new(Duration::from_millis(5));
        let pause = Duration::from_millis(2);
        assert_eq!([0; 4].map(|_| budget.wait(pause)), [true, true, false, false]);
    }
}
