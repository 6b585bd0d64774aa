//! `lathe submit`: posts a batch file and, if asked, waits for it.
use super::status::{print_batch, show};
use super::{CommandError, call, client};
use crate::batchgen::NewBatch;
use crate::view::BatchView;
use clap::Args;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments.
#[derive(Debug, Args)]
pub struct Submit {
    /// Batch as JSON: {"number", "timestamp", "transactions": ["0x02f8..."]}; `-` reads stdin.
    pub batch: PathBuf,
    /// The server.
    #[arg(long, env = "LATHE_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Wait until the batch is `proven` or `executed`.
    #[arg(long, value_parser = ["proven", "executed"])]
    pub wait: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Posts and waits.
///
/// # Errors
/// A file that is no batch, or what the server answers.
pub async fn run(args: Submit) -> Result<(), CommandError> {
    let new = read(&args.batch)?;
    let client = client()?;
    let mut view: BatchView = call(client.post(format!("{}/v1/batches", args.url)).json(&new)).await?;
    while let Some(wanted) = &args.wait {
        let there = view.status == *wanted || view.status == "executed";
        if there {
            break;
        }
        if view.status == "failed" {
            return Err(format!("batch {} failed: {}", view.number, view.error.unwrap_or_default()).into());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        view = call(client.get(format!("{}/v1/batches/{}", args.url, new.number))).await?;
    }
    show(args.json, &view, print_batch)
}

/// Reads a batch file.
///
/// # Errors
/// Names the file.
pub fn read(file: &Path) -> Result<NewBatch, CommandError> {
    let named = |e: &dyn std::fmt::Display| format!("batch file {}: {e}", file.display());
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map_err(|e| named(&e))?;
    } else {
        text = std::fs::read_to_string(file).map_err(|e| named(&e))?;
    }
    Ok(serde_json::from_str(&text).map_err(|e| named(&e))?)
}
