//! A progress bar on long runs: on a terminal only, on stderr, so that it never mixes with figures.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many steps.
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows a bar, if stderr is a terminal.
    pub fn new(steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed_precise} {msg}") {
            bar.set_style(style);
        }
        Progress(bar)
    }

    /// Says what is being done.
    pub fn say(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
        self.0.tick();
    }

    /// One step is done.
    pub fn step(&self) {
        self.0.inc(1);
    }

    /// Redraws the clock.
    pub fn tick(&self) {
        self.0.tick();
    }

    /// Prints a line above the bar, on stdout.
    pub fn line(&self, text: &str) {
        self.0.suspend(|| println!("{text}"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
