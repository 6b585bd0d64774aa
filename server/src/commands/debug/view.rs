//! What is printed of a transaction, whichever kernel ran it.
use super::watch::Transaction;
use crate::acceptor::hex0x;
use crate::inspect::abi::{decode_revert, number};
use crate::inspect::project::Project;
use crate::inspect::steps::cell_name;
use lathe_vm::Word;
use lathe_vm::sandbox::CallStatus;
use serde_json::{Map, Value, json};

/// A log.
pub struct Log<'a> {
    /// The contract.
    pub address: [u8; 20],
    /// At most four.
    pub topics: &'a [Word],
    /// The data.
    pub data: &'a [u8],
}

/// A transaction with all that is known of it.
pub struct View<'a> {
    /// `success`, `reverted` or `skipped`.
    pub status: Value,
    /// The same for people, with the reason.
    pub detail: String,
    /// What its kind has to say.
    pub lines: Vec<String>,
    /// The same for programs.
    pub fields: Map<String, Value>,
    /// The answer.
    pub output: &'a [u8],
    /// In order.
    pub logs: Vec<Log<'a>>,
    /// Cells and steps.
    pub done: &'a Transaction,
}

/// Why a transaction failed.
pub fn failure(project: &Project, ended: Option<CallStatus>, output: &[u8]) -> String {
    match (ended, decode_revert(project, output)) {
        (Some(CallStatus::Halted(kind)), _) => format!("halted: {kind}"),
        (_, Some(reason)) => format!("reverted: {reason}"),
        (Some(_), None) => "reverted".into(),
        (None, None) => "failed before any code ran".into(),
    }
}

/// Prints the cells that something changed.
pub fn print_changes(done: &Transaction) {
    for (cell, (old, new)) in done.changes() {
        println!("  {}: {:#x} -> {:#x}", cell_name(cell), number(*old), number(*new));
    }
}

/// The cells that something changed.
pub fn changes(done: &Transaction) -> Value {
    let change = |(cell, (old, new)): (&_, &(Word, Word))| {
        let (cell, old, new) = (cell_name(cell), old.to_string(), new.to_string());
        json!({ "cell": cell, "old": old, "new": new })
    };
    done.changes().map(change).collect()
}

impl View<'_> {
    /// Prints it for people.
    pub fn print(&self, index: usize) {
        println!("transaction {index}: {}", self.detail);
        self.lines.iter().for_each(|line| println!("  {line}"));
        if !self.output.is_empty() {
            println!("  -> {}", hex0x(self.output));
        }
        for log in &self.logs {
            let topics: Vec<String> = log.topics.iter().map(ToString::to_string).collect();
            let (of, data) = (hex0x(&log.address), hex0x(log.data));
            println!("  log {data} topics [{}]  (of {of})", topics.join(", "));
        }
        print_changes(self.done);
        println!("  {} steps of contracts, {} of the kernel", self.done.steps, self.done.kernel_steps);
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let logs = self.logs.iter().map(|log| {
            let topics: Vec<String> = log.topics.iter().map(ToString::to_string).collect();
            json!({ "address": hex0x(&log.address), "topics": topics, "data": hex0x(log.data) })
        });
        let mut out = self.fields.clone();
        for (field, value) in [
            ("status", self.status.clone()),
            ("detail", json!(self.detail)),
            ("output", json!(hex0x(self.output))),
            ("logs", logs.collect()),
            ("changes", changes(self.done)),
            ("steps", json!(self.done.steps)),
            ("kernelSteps", json!(self.done.kernel_steps)),
        ] {
            out.insert(field.into(), value);
        }
        Value::Object(out)
    }
}
