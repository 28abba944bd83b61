//! Parallel work with one step that must be done in order.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// State that numbered tasks change one after the other: 0, 1, 2 …
///
/// Tasks must start in the order of their numbers. Each task must take its turn, or the tasks after it wait
/// forever.
pub(super) struct Sequencer<T> {
    state: Mutex<(usize, T)>,
    next: Condvar,
}

impl<T> Sequencer<T> {
    pub(super) fn new(state: T) -> Self {
        Self { state: Mutex::new((0, state)), next: Condvar::new() }
    }

    /// Waits for turn `number`, then calls `step`.
    pub(super) fn run_in_order<R>(&self, number: usize, step: impl FnOnce(&mut T) -> R) -> R {
        let mut guard = self.lock();
        while guard.0 != number {
            guard = self.next.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        let result = step(&mut guard.1);
        guard.0 += 1;
        drop(guard);
        self.next.notify_all();
        result
    }

    fn lock(&self) -> MutexGuard<'_, (usize, T)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
