//! Batches of the Ethereum kernel, which are executed but not proven yet.
use super::batch::{Batch, Block};
use super::view::{self, View};
use super::watch::{Cut, Transaction as Done, Watched, Watcher};
use super::{Debug, LIMITS, kept};
use crate::acceptor::hex0x;
use crate::commands::{CommandError, print_json};
use crate::genesis::block_params;
use crate::inspect::abi::number;
use crate::inspect::project::Project;
use lathe_vm::Word;
use lathe_vm::code::CodeStore;
use lathe_vm::ethereum::replay::{self, ReplayError};
use lathe_vm::ethereum::transaction::{Signed, is_signed};
use lathe_vm::ethereum::{Reason, Receipt, Transaction, batch};
use lathe_vm::genesis::parse_address;
use lathe_vm::programs;
use lathe_vm::replay::BlockParams;
use lathe_vm::state::{CellId, Tree};
use lathe_vm::trace::Page;
use serde_json::{Map, Value, json};

/// Runs the earlier batches, then shows the last.
///
/// # Errors
/// See [`super::run`].
pub fn run(
    args: &Debug,
    project: &Project,
    (mut tree, mut codes): (Tree, CodeStore),
    earlier: &[Batch],
    shown: &Batch,
) -> Result<(), CommandError> {
    for batch in earlier {
        let named = |error: &dyn std::fmt::Display| format!("batch {}: {error}", batch.number);
        let bytes = batch::encode(&bodies(batch)?).map_err(|error| named(&error))?;
        let (kernel, params) = (programs::ethereum(), params(args, batch)?);
        let outcome = replay::execute(&tree, &codes, kernel, &params, &bytes, &LIMITS);
        let outcome = outcome.map_err(|error| named(&error))?;
        tree.apply(&outcome.touched)?;
        for page in &outcome.published {
            codes.insert(Page::clone(page));
        }
    }
    show(args, project, (&tree, &codes), shown)
}

/// The bodies to post: wallets' bytes in the form of the batch, everything else as it is.
fn bodies(batch: &Batch) -> Result<Vec<Vec<u8>>, CommandError> {
    let body = |(index, text): (usize, &String)| {
        let named =
            |error: &dyn std::fmt::Display| format!("batch {}, transactions[{index}]: {error}", batch.number);
        let digits = text.strip_prefix("0x").ok_or_else(|| named(&"0x is missing"))?;
        let bytes = hex::decode(digits).map_err(|error| named(&error))?;
        match bytes.first() {
            Some(first) if is_signed(*first) => {
                Ok(Signed::from_raw(&bytes).map_err(|error| named(&error))?.encode())
            }
            _ => Ok(bytes),
        }
    };
    Ok(batch.transactions.iter().enumerate().map(body).collect::<Result<_, String>>()?)
}

/// The block: what the batch says, else what a server has.
fn params(args: &Debug, batch: &Batch) -> Result<BlockParams, CommandError> {
    let own = Block::default();
    let block = batch.block.as_ref().unwrap_or(&own);
    let chain_id = block.chain_id.unwrap_or(args.chain_id);
    let mut out = block_params(chain_id, batch.number, batch.timestamp);
    let named = |field: &str, error: &dyn std::fmt::Display| {
        format!("batch {}, block.{field}: {error}", batch.number)
    };
    if let Some(limit) = block.gas_limit {
        out.gas_limit = limit;
    }
    for (field, text, value) in [
        ("baseFee", &block.base_fee, &mut out.base_fee),
        ("prevrandao", &block.prevrandao, &mut out.prevrandao),
    ] {
        if let Some(text) = text {
            *value = text.parse().map_err(|error| named(field, &error))?;
        }
    }
    if let Some(recipient) = &block.fee_recipient {
        out.fee_recipient = parse_address(recipient).map_err(|error| named("feeRecipient", &error))?;
    }
    Ok(out)
}

fn show(
    args: &Debug,
    project: &Project,
    (tree, codes): (&Tree, &CodeStore),
    shown: &Batch,
) -> Result<(), CommandError> {
    let (params, all) = (params(args, shown)?, bodies(shown)?);
    let bodies = kept(args, shown, &all)?;
    let bytes = batch::encode(bodies)?;
    let traced = args.tx.filter(|_| args.trace).map(|tx| (tx, args.trace_limit));
    let mut watcher = Watcher::new(Cut::KernelLog, project, traced);
    let kernel = programs::ethereum();
    let run = replay::execute_watched(tree, codes, kernel, &params, &bytes, &LIMITS, &mut |seen| {
        watcher.step(seen)
    });
    let watched = watcher.finish();
    let outcome = run.map_err(|error| stopped(&error, &watched, bodies.len()))?;
    let views: Vec<View> = bodies
        .iter()
        .zip(&outcome.receipts)
        .zip(&watched.transactions)
        .map(|((body, receipt), done)| view(project, body, receipt, done))
        .collect();
    if args.json {
        return print_json(&json!({
            "number": shown.number,
            "transactions": views.iter().map(View::json).collect::<Vec<_>>(),
            "end": { "changes": view::changes(&watched.rest), "steps": watched.rest.steps,
                     "kernelSteps": watched.rest.kernel_steps },
            "steps": outcome.steps,
            "trace": watched.rows,
        }));
    }
    for (index, view) in views.iter().enumerate() {
        if args.tx == Some(index) {
            watched.rows.iter().for_each(|row| println!("{row}"));
        }
        view.print(index);
    }
    let gas = outcome.receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used);
    let (run, all, steps) = (bodies.len(), all.len(), outcome.steps);
    println!("batch {}: {run} of {all} transactions, {gas} gas, {steps} steps", shown.number);
    view::print_changes(&watched.rest);
    Ok(())
}

/// Why there is no outcome, and how far the batch came.
fn stopped(error: &ReplayError, watched: &Watched, posted: usize) -> String {
    match watched.transactions.len() {
        ended if ended < posted => format!("the batch stops in transaction {ended}: {error}"),
        _ => format!("the batch stops behind its last transaction: {error}"),
    }
}

fn view<'a>(project: &Project, body: &[u8], receipt: &'a Receipt, done: &'a Done) -> View<'a> {
    let said = Transaction::decode(body).ok();
    let (status, detail) = match receipt.skip_reason {
        Some(reason) => ("skipped", skipped(reason, said.as_ref(), receipt, done)),
        None if receipt.status => ("success", "success".into()),
        None => ("reverted", view::failure(project, done.ended, &receipt.output)),
    };
    let mut fields = Map::from_iter([("receipt".into(), json!(receipt))]);
    let mut head = format!("type {:#04x}", receipt.kind);
    if let Some(from) = receipt.from {
        head += &format!(", from {}", hex0x(&from));
    }
    let mut limit = String::new();
    if let Some(said) = &said {
        if let Some(nonce) = nonce(said) {
            head += &format!(", nonce {nonce}");
            fields.insert("nonce".into(), json!(nonce));
        }
        head += &match receipt.to {
            Some(to) => format!(", to {}", hex0x(&to)),
            None => ", creates a contract".into(),
        };
        let (value, data) = content(said);
        head += &format!(", {} wei, {} bytes of data", number(value), data.len());
        limit = format!(" of {}", said.gas_limit());
        fields.insert("value".into(), Value::String(number(value).to_string()));
        fields.insert("gasLimit".into(), json!(said.gas_limit()));
    }
    let price = number(receipt.effective_gas_price);
    let mut lines = vec![head, format!("gas {}{limit}, {price} wei each", receipt.gas_used)];
    if let Some(created) = receipt.contract_address {
        lines.push(format!("created {}", hex0x(&created)));
    }
    let logs = receipt.logs.iter();
    View {
        status: status.into(),
        detail,
        lines,
        fields,
        output: &receipt.output,
        logs: logs
            .map(|log| view::Log { address: log.address, topics: &log.topics, data: &log.data })
            .collect(),
        done,
    }
}

/// The reason, and for a nonce which one would do.
fn skipped(reason: Reason, said: Option<&Transaction>, receipt: &Receipt, done: &Done) -> String {
    let text = format!("skipped (reason {}): {reason}", reason.number());
    let nonces = matches!(reason, Reason::NonceTooLow | Reason::NonceTooHigh);
    let expected = receipt.from.and_then(|from| done.before(&CellId::nonce(from)));
    match (said.and_then(nonce), expected) {
        (Some(nonce), Some(expected)) if nonces => {
            format!("{text} (nonce {nonce}, expected {})", number(expected))
        }
        _ => text,
    }
}

fn nonce(transaction: &Transaction) -> Option<u64> {
    match transaction {
        Transaction::Signed(t) => Some(t.payload.nonce),
        Transaction::Account(t) => Some(t.payload.nonce),
        Transaction::Priority(_) => None,
    }
}

/// Wei and data.
fn content(transaction: &Transaction) -> (Word, &[u8]) {
    match transaction {
        Transaction::Signed(t) => (t.payload.value, &t.payload.data),
        Transaction::Account(t) => (t.payload.value, &t.payload.data),
        Transaction::Priority(t) => (t.value, &t.data),
    }
}
