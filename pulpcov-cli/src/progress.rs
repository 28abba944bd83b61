//! A progress bar for work that takes a while.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pulpcov_core::{combine, summarize};

/// Work that takes less time shows no bar.
const SHOWN_AFTER: Duration = Duration::from_millis(500);

/// A progress bar. It is shown on a terminal only, and removed when the work ends.
pub(crate) struct Progress {
    start: Instant,
    /// `None` if there is no terminal, or if the command is quiet.
    bar: Option<Mutex<ProgressBar>>,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        let wanted = !quiet && std::io::stderr().is_terminal();
        Self { start: Instant::now(), bar: wanted.then(|| Mutex::new(hidden_bar())) }
    }

    /// Updates the bar for a step of a combine.
    pub(crate) fn on_event(&self, event: &combine::Event<'_>) {
        use combine::Event;
        let Some(bar) = self.visible_bar() else { return };
        match event {
            Event::Found { inputs } => bar.set_length(*inputs as u64),
            Event::Read { .. }
            | Event::Duplicate { .. }
            | Event::Unreadable { .. }
            | Event::Archive { .. } => {
                bar.inc(1);
                // How many files are in archives is only known in the end.
                bar.set_length(bar.length().unwrap_or_default().max(bar.position()));
            }
            Event::Writing { rows } => {
                bar.set_message(format!("writing {rows} rows"));
                bar.enable_steady_tick(Duration::from_millis(100));
            }
            Event::Deleting { .. } => bar.set_message("deleting inputs"),
            _ => {}
        }
    }

    /// Updates the bar for a file of a report that is done.
    pub(crate) fn on_file(&self, progress: summarize::Progress) {
        let Some(bar) = self.visible_bar() else { return };
        bar.set_length(progress.files as u64);
        bar.inc(1);
    }

    /// Returns the bar, and shows it once [`SHOWN_AFTER`] is over.
    fn visible_bar(&self) -> Option<MutexGuard<'_, ProgressBar>> {
        let bar = self.bar.as_ref()?.lock().ok()?;
        if bar.is_hidden() && self.start.elapsed() > SHOWN_AFTER {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        Some(bar)
    }

    /// Hides the bar while `print` runs.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        match self.bar.as_ref().map(Mutex::lock) {
            Some(Ok(bar)) => bar.suspend(print),
            _ => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(Ok(bar)) = self.bar.as_ref().map(Mutex::lock) {
            bar.finish_and_clear();
        }
    }
}

fn hidden_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    match ProgressStyle::with_template("{spinner} {bar:40} {pos}/{len} files {msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
