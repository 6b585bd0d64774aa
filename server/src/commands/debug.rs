//! `lathe debug`: runs a batch as a server would, and tells what each transaction did.
mod batch;
mod watch;

use super::{CommandError, print_json};
use crate::genesis::{DEV_CHAIN_ID, block_params};
use crate::inspect::abi::{decode_revert, number};
use crate::inspect::project::{Project, Settings};
use crate::inspect::steps::cell_name;
use crate::transaction;
use batch::Batch;
use clap::Args;
use lathe_vm::batch::Record;
use lathe_vm::code::CodeStore;
use lathe_vm::machine::{Event, Limits, Log};
use lathe_vm::programs;
use lathe_vm::receipt::{Receipt, ReceiptStatus};
use lathe_vm::replay::{self, ReplayError};
use lathe_vm::state::Tree;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use watch::{Transaction, Watcher};

/// Arguments.
#[derive(Debug, Args)]
pub struct Debug {
    /// Batches as JSON, in order; the last one is shown. `-` reads stdin.
    #[arg(required = true, value_name = "BATCH")]
    pub batches: Vec<PathBuf>,
    /// Stop after the transaction at this place, from 0.
    #[arg(long, value_name = "INDEX")]
    pub tx: Option<usize>,
    /// Print every step of the transaction that --tx names.
    #[arg(long, requires = "tx")]
    pub trace: bool,
    /// Steps that --trace prints.
    #[arg(long, default_value_t = 10_000, value_name = "STEPS")]
    pub trace_limit: u64,
    /// Genesis file, unless the first batch has a state of its own; the embedded development genesis if left out.
    #[arg(long, env = "LATHE_GENESIS")]
    pub genesis: Option<PathBuf>,
    /// Chain id of the L2.
    #[arg(long, env = "LATHE_CHAIN_ID", default_value_t = DEV_CHAIN_ID)]
    pub chain_id: u64,
    /// Solidity file whose contracts, compiled with lathec, are looked for in the state: for names and lines.
    #[arg(long, value_name = "FILE")]
    pub source: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Whatever runs is run to its end; what a server would refuse for want of a proof is told.
const LIMITS: Limits = lathe_vm::ethereum::replay::LIMITS;

/// Replays and prints.
///
/// # Errors
/// A file that is no batch, a transaction that a server would refuse, or a batch without an outcome.
pub fn run(args: &Debug) -> Result<(), CommandError> {
    let project = match &args.source {
        Some(file) => Project::compile(file, &Settings::default(), &BTreeMap::new())?,
        None => Project::default(),
    };
    let batches = args.batches.iter().map(|file| batch::read(file)).collect::<Result<Vec<_>, _>>()?;
    let Some((shown, earlier)) = batches.split_last() else { return Ok(()) };
    let (mut tree, codes) = batch::state(&batches[0], &args.batches[0], args.genesis.as_deref())?;
    for batch in earlier {
        let params = block_params(args.chain_id, batch.number, batch.timestamp);
        let records = records(batch, args.chain_id)?;
        let outcome = replay::execute(&tree, &codes, programs::kernel(), &params, &records, &LIMITS)
            .map_err(|error| format!("batch {}: {error}", batch.number))?;
        tree.apply(&outcome.touched)?;
    }
    show(args, &project, (&tree, &codes), shown)
}

/// The records of a batch.
fn records(batch: &Batch, chain_id: u64) -> Result<Vec<Record>, CommandError> {
    let record = |(index, text): (usize, &String)| {
        let checked = transaction::check(text, chain_id);
        checked.map(|c| c.record).map_err(|error| {
            format!("batch {}, transactions[{index}] is refused before it runs: {error}", batch.number)
        })
    };
    Ok(batch.transactions.iter().enumerate().map(record).collect::<Result<_, String>>()?)
}

fn show(
    args: &Debug,
    project: &Project,
    (tree, codes): (&Tree, &CodeStore),
    batch: &Batch,
) -> Result<(), CommandError> {
    let params = block_params(args.chain_id, batch.number, batch.timestamp);
    let all = records(batch, args.chain_id)?;
    let kept = args.tx.map_or(all.len(), |last| last.saturating_add(1));
    let records = all
        .get(..kept)
        .ok_or_else(|| format!("--tx {}: batch {} has {} transactions", kept - 1, batch.number, all.len()))?;
    let kernel = programs::kernel();
    let traced = args.tx.filter(|_| args.trace).map(|tx| (tx, args.trace_limit));
    let mut watcher = Watcher::new(project, traced);
    let run = replay::execute_watched(tree, codes, kernel, &params, records, &LIMITS, &mut |seen| {
        watcher.step(seen)
    });
    let (transactions, rows) = watcher.finish();
    let (outcome, events) = run.map_err(|error| stopped(&error, &transactions))?;
    let unproven = replay::execute(tree, codes, kernel, &params, records, &Limits::default()).err();
    let logs = logs(&events);
    let views: Vec<View> = records
        .iter()
        .zip(&outcome.receipts)
        .zip(&transactions)
        .zip(&logs)
        .map(|(((record, receipt), done), logs)| View { project, record, receipt, done, logs })
        .collect();
    if args.json {
        return print_json(&json!({
            "number": batch.number,
            "transactions": views.iter().map(View::json).collect::<Vec<_>>(),
            "steps": outcome.steps,
            "trace": rows,
            "refusedByServer": unproven.map(|error| error.to_string()),
        }));
    }
    for (index, view) in views.iter().enumerate() {
        if args.tx == Some(index) {
            rows.iter().for_each(|row| println!("{row}"));
        }
        view.print(index);
    }
    println!("batch {}: {} of {} transactions, {} steps", batch.number, kept, all.len(), outcome.steps);
    if let Some(error) = unproven {
        println!("a server refuses this batch: {error}");
    }
    Ok(())
}

/// Why there is no outcome, and how far the batch came.
fn stopped(error: &ReplayError, transactions: &[Transaction]) -> String {
    match transactions.len().checked_sub(1) {
        Some(last) => format!("the batch stops in transaction {last}: {error}"),
        None => error.to_string(),
    }
}

/// The logs of each record: the kernel reads its sender's nonce first.
fn logs(events: &[Event]) -> Vec<Vec<&Log>> {
    let mut all: Vec<Vec<&Log>> = Vec::new();
    for event in events {
        match (event, all.last_mut()) {
            (Event::NonceRead(_), _) => all.push(Vec::new()),
            (Event::Log(log), Some(last)) => last.push(log),
            _ => {}
        }
    }
    all
}

/// A transaction with all that is known of it.
struct View<'a> {
    project: &'a Project,
    record: &'a Record,
    receipt: &'a Receipt,
    done: &'a Transaction,
    logs: &'a [&'a Log],
}

impl View<'_> {
    fn status(&self) -> String {
        match self.receipt.status {
            ReceiptStatus::Success => "success".into(),
            ReceiptStatus::Skipped => format!(
                "skipped: nonce {}, expected {}",
                self.record.nonce,
                self.done.nonce.map_or_else(|| "another".into(), |nonce| nonce.lo.to_string())
            ),
            ReceiptStatus::Reverted => {
                match (&self.done.halt, decode_revert(self.project, &self.receipt.output)) {
                    (Some(kind), _) => format!("halted: {kind}"),
                    (None, Some(reason)) => format!("reverted: {reason}"),
                    (None, None) => "reverted".into(),
                }
            }
        }
    }

    fn print(&self, index: usize) {
        let (from, to) = (hex::encode(self.record.from), hex::encode(self.record.to));
        println!("transaction {index}: {}", self.status());
        println!(
            "  from 0x{from}, nonce {}, to 0x{to}, {} bytes of data",
            self.record.nonce,
            self.record.data.len()
        );
        if !self.receipt.output.is_empty() {
            println!("  -> 0x{}", hex::encode(&self.receipt.output));
        }
        for log in self.logs {
            let topics: Vec<String> = log.topics.iter().map(ToString::to_string).collect();
            let (of, data) = (hex::encode(log.address), hex::encode(&log.data));
            println!("  log 0x{data} topics [{}]  (of 0x{of})", topics.join(", "));
        }
        for (cell, (old, new)) in self.done.changes() {
            println!("  {}: {:#x} -> {:#x}", cell_name(cell), number(*old), number(*new));
        }
        println!("  {} steps of contracts, {} of the kernel", self.done.steps, self.done.kernel_steps);
    }

    fn json(&self) -> Value {
        let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        let logs = self.logs.iter().map(|log| {
            let topics: Vec<String> = log.topics.iter().map(ToString::to_string).collect();
            json!({ "address": hex(&log.address), "topics": topics, "data": hex(&log.data) })
        });
        let changes = self.done.changes().map(|(cell, (old, new))| {
            json!({ "cell": cell_name(cell), "old": old.to_string(), "new": new.to_string() })
        });
        json!({
            "from": hex(&self.record.from),
            "to": hex(&self.record.to),
            "nonce": self.record.nonce,
            "status": self.receipt.status,
            "detail": self.status(),
            "output": hex(&self.receipt.output),
            "logs": logs.collect::<Vec<_>>(),
            "changes": changes.collect::<Vec<_>>(),
            "steps": self.done.steps,
            "kernelSteps": self.done.kernel_steps,
        })
    }
}
