//! `lathe status`: the server's health, or one batch.
use super::{CommandError, call, client, print_json};
use crate::view::{BatchView, HealthView};
use clap::Args;
use serde::Serialize;

/// Arguments.
#[derive(Debug, Args)]
pub struct Status {
    /// A batch number; the whole server if left out.
    pub number: Option<u64>,
    /// The server.
    #[arg(long, env = "LATHE_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Asks and prints.
///
/// # Errors
/// What the server answers.
pub async fn run(args: Status) -> Result<(), CommandError> {
    let client = client()?;
    if let Some(number) = args.number {
        let view: BatchView = call(client.get(format!("{}/v1/batches/{number}", args.url))).await?;
        return show(args.json, &view, print_batch);
    }
    let health: HealthView = call(client.get(format!("{}/healthz", args.url))).await?;
    show(args.json, &health, print_health)
}

/// JSON, or what `people` prints.
pub(super) fn show<T: Serialize>(json: bool, value: &T, people: impl FnOnce(&T)) -> Result<(), CommandError> {
    if json {
        return print_json(value);
    }
    people(value);
    Ok(())
}

/// One batch for people.
pub fn print_batch(view: &BatchView) {
    let stage = match (&view.stage, view.percent) {
        (Some(stage), Some(percent)) => format!(", {stage} {percent:.0}%"),
        _ => String::new(),
    };
    println!("batch {}: {}{stage}, {} transactions", view.number, view.status, view.transactions.len());
    println!("  old root  {}", view.old_root);
    println!("  new root  {}", view.new_root);
    for (stage, ms) in &view.stages_ms {
        println!("  {stage:<14} {:>9.3} s", *ms as f64 / 1000.0);
    }
    for (step, tx) in [("commit", &view.l1.commit), ("prove", &view.l1.prove), ("execute", &view.l1.execute)]
    {
        if let Some(tx) = tx {
            let gas = tx.gas_used.map_or("not mined yet".into(), |g| format!("{g} gas"));
            println!("  L1 {step:<11} {} {gas}", tx.hash);
        }
    }
    if let Some(error) = &view.error {
        println!("  error     {error}");
    }
}

fn print_health(h: &HealthView) {
    println!("lathe {}: {}, L2 chain {}", h.version, h.status, h.chain_id);
    println!(
        "  batches   accepted {}, proven {}, executed {}",
        h.last_accepted, h.last_proven, h.last_executed
    );
    println!("  device    {}{}", h.device, if h.development_keys { ", development keys" } else { "" });
    match (&h.l1.last_error, h.l1.configured, h.l1.reachable) {
        (_, false, _) => println!("  L1        settlement is off"),
        (_, _, true) => println!("  L1        reachable"),
        (error, _, _) => {
            let since = h.l1.since.map(|s| format!(" since {s}")).unwrap_or_default();
            println!("  L1        unreachable{since}: {}", error.as_deref().unwrap_or("not called yet"));
        }
    }
    for error in [&h.worker_error, &h.settle_error].into_iter().flatten() {
        println!("  error     {error}");
    }
}
