//! Batches of the records kernel, which servers prove today.
use super::batch::Batch;
use super::view::{self, View};
use super::watch::{Cut, Transaction, Watcher};
use super::{Debug, LIMITS, kept};
use crate::acceptor::hex0x;
use crate::commands::{CommandError, print_json};
use crate::genesis::block_params;
use crate::inspect::project::Project;
use crate::transaction;
use lathe_vm::batch::Record;
use lathe_vm::code::CodeStore;
use lathe_vm::machine::{Event, Limits, Log};
use lathe_vm::programs;
use lathe_vm::receipt::{Receipt, ReceiptStatus};
use lathe_vm::replay::{self, ReplayError};
use lathe_vm::state::Tree;
use serde_json::{Map, json};

/// Runs the earlier batches, then shows the last.
///
/// # Errors
/// See [`super::run`].
pub fn run(
    args: &Debug,
    project: &Project,
    (mut tree, codes): (Tree, CodeStore),
    earlier: &[Batch],
    shown: &Batch,
) -> Result<(), CommandError> {
    for batch in earlier {
        let params = block_params(args.chain_id, batch.number, batch.timestamp);
        let records = records(batch, args.chain_id)?;
        let outcome = replay::execute(&tree, &codes, programs::kernel(), &params, &records, &LIMITS)
            .map_err(|error| format!("batch {}: {error}", batch.number))?;
        tree.apply(&outcome.touched)?;
    }
    show(args, project, (&tree, &codes), shown)
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
    let records = kept(args, batch, &all)?;
    let kernel = programs::kernel();
    let traced = args.tx.filter(|_| args.trace).map(|tx| (tx, args.trace_limit));
    let mut watcher = Watcher::new(Cut::NonceRead, project, traced);
    let run = replay::execute_watched(tree, codes, kernel, &params, records, &LIMITS, &mut |seen| {
        watcher.step(seen)
    });
    let watched = watcher.finish();
    let (outcome, events) = run.map_err(|error| stopped(&error, &watched.transactions))?;
    let unproven = replay::execute(tree, codes, kernel, &params, records, &Limits::default()).err();
    let logs = logs(&events);
    let views: Vec<View> = records
        .iter()
        .zip(&outcome.receipts)
        .zip(&watched.transactions)
        .zip(&logs)
        .map(|(((record, receipt), done), logs)| view(project, record, receipt, done, logs))
        .collect();
    if args.json {
        return print_json(&json!({
            "number": batch.number,
            "transactions": views.iter().map(View::json).collect::<Vec<_>>(),
            "steps": outcome.steps,
            "trace": watched.rows,
            "refusedByServer": unproven.map(|error| error.to_string()),
        }));
    }
    for (index, view) in views.iter().enumerate() {
        if args.tx == Some(index) {
            watched.rows.iter().for_each(|row| println!("{row}"));
        }
        view.print(index);
    }
    println!(
        "batch {}: {} of {} transactions, {} steps",
        batch.number,
        records.len(),
        all.len(),
        outcome.steps
    );
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

fn view<'a>(
    project: &Project,
    record: &Record,
    receipt: &'a Receipt,
    done: &'a Transaction,
    logs: &[&'a Log],
) -> View<'a> {
    let (from, to) = (hex0x(&record.from), hex0x(&record.to));
    let detail = match receipt.status {
        ReceiptStatus::Success => "success".into(),
        ReceiptStatus::Skipped => format!(
            "skipped: nonce {}, expected {}",
            record.nonce,
            done.nonce.map_or_else(|| "another".into(), |nonce| nonce.lo.to_string())
        ),
        ReceiptStatus::Reverted => view::failure(project, done.ended, &receipt.output),
    };
    View {
        status: json!(receipt.status),
        detail,
        lines: vec![format!(
            "from {from}, nonce {}, to {to}, {} bytes of data",
            record.nonce,
            record.data.len()
        )],
        fields: Map::from_iter([
            ("from".into(), json!(from)),
            ("to".into(), json!(to)),
            ("nonce".into(), json!(record.nonce)),
        ]),
        output: &receipt.output,
        logs: logs
            .iter()
            .map(|log| view::Log { address: log.address, topics: &log.topics, data: &log.data })
            .collect(),
        done,
    }
}
