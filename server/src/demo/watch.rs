//! Live progress of one batch: bars on a terminal, plain lines elsewhere.
use crate::commands::{CommandError, call};
use crate::demo::report::STAGES;
use crate::view::BatchView;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Polls until L1 executed the batch; shows each stage as it goes by. `alive` fails when the server is gone.
///
/// # Errors
/// A failed batch, or a server that is gone.
pub async fn watch(
    client: &reqwest::Client,
    url: &str,
    number: u64,
    mut alive: impl FnMut() -> Result<(), CommandError>,
) -> Result<BatchView, CommandError> {
    let bar = ProgressBar::new(100);
    let style = ProgressStyle::with_template("  {prefix:<14} [{bar:30}] {pos:>3}% [{elapsed}]");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut printed = Vec::new();
    let mut stage = String::new();
    loop {
        alive()?;
        let view: BatchView = call(client.get(format!("{url}/v1/batches/{number}"))).await?;
        let current = view.stage.clone().unwrap_or_default();
        for name in STAGES {
            let done = name != current && view.stages_ms.contains_key(name);
            if done && !printed.contains(&name) {
                print(&bar, &format!("  {name:<14} {:>9.3} s", view.stages_ms[name] as f64 / 1000.0));
                printed.push(name);
            }
        }
        if !current.is_empty() && current != stage {
            bar.reset_elapsed();
            bar.set_prefix(current.clone());
            stage = current;
        }
        bar.set_position(view.percent.unwrap_or(0.0) as u64);
        match view.status.as_str() {
            "executed" => {
                bar.finish_and_clear();
                return Ok(view);
            }
            "failed" => return Err(format!("the batch failed: {}", view.error.unwrap_or_default()).into()),
            _ => tokio::time::sleep(Duration::from_millis(150)).await,
        }
    }
}

/// `ProgressBar::println` writes nothing where there is no terminal.
fn print(bar: &ProgressBar, line: &str) {
    if bar.is_hidden() { println!("{line}") } else { bar.println(line) }
}
