//! A progress bar for combines that take a while.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pulpcov_core::combine::Event;

/// Shorter combines show nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// Shown on a terminal only, and gone when the combine ends.
pub(crate) struct Progress {
    start: Instant,
    /// `None` where nobody would see it.
    bar: Option<Mutex<ProgressBar>>,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        let wanted = !quiet && std::io::stderr().is_terminal();
        Self { start: Instant::now(), bar: wanted.then(|| Mutex::new(hidden_bar())) }
    }

    pub(crate) fn on_event(&self, event: &Event<'_>) {
        let Some(Ok(bar)) = self.bar.as_ref().map(Mutex::lock) else { return };
        if bar.is_hidden() && self.start.elapsed() > PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        match event {
            Event::Found { inputs } => bar.set_length(*inputs as u64),
            Event::Read { .. } | Event::Duplicate { .. } | Event::LeftOut { .. } => bar.inc(1),
            Event::Writing { rows } => {
                bar.set_message(format!("writing {rows} rows"));
                bar.enable_steady_tick(Duration::from_millis(100));
            }
            Event::Deleting { .. } => bar.set_message("deleting inputs"),
            _ => {}
        }
    }

    /// Do something that prints, without the bar in its way.
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
