//! What `lathe run` tells: as it happens for people, at the end as JSON.
use super::checksummed;
use crate::inspect::abi::{decode_log, decode_output, decode_revert};
use crate::inspect::profile::Profile;
use crate::inspect::project::{Contract, Project};
use crate::inspect::steps::Row;
use alloy::json_abi::Function;
use lathe_vm::sandbox::{Answer, Status};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

/// A log.
#[derive(Clone, Debug, Serialize)]
pub struct LogView {
    /// The contract.
    pub address: String,
    /// `Name(argument: value, ...)`, if an event of the project fits.
    pub event: Option<String>,
    /// Topics as words.
    pub topics: Vec<String>,
    /// Data.
    pub data: String,
}

/// What a call left.
#[derive(Clone, Debug, Serialize)]
pub struct Called {
    /// `name(types)`, or calldata.
    pub function: String,
    /// `success`, `reverted` or `halted`.
    pub status: &'static str,
    /// Why it reverted or halted, where that can be told.
    pub reason: Option<String>,
    /// What it handed back.
    pub output: String,
    /// The same by the interface, one text per value.
    pub result: Option<Vec<String>>,
    /// Its logs.
    pub logs: Vec<LogView>,
    /// Steps of contracts.
    pub steps: u32,
    /// Gas used.
    pub gas: u32,
    /// Its steps one by one, if they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<Row>,
}

impl Called {
    /// Reads an answer by the interfaces of the project.
    pub fn new(project: &Project, title: &str, function: Option<&Function>, answer: &Answer) -> Called {
        let (status, reason) = match answer.status {
            Status::Success => ("success", None),
            Status::Reverted => ("reverted", decode_revert(project, &answer.output)),
            Status::Halted(kind) => ("halted", Some(kind.to_string())),
        };
        let success = answer.status == Status::Success;
        let result = function.filter(|_| success).and_then(|f| decode_output(f, &answer.output));
        let logs = answer.logs.iter().map(|log| LogView {
            address: checksummed(log.address),
            event: decode_log(project, log),
            topics: log
                .topics
                .iter()
                .map(|topic| format!("0x{}", hex::encode(topic.to_be_bytes())))
                .collect(),
            data: format!("0x{}", hex::encode(&log.data)),
        });
        Called {
            function: title.into(),
            status,
            reason,
            output: format!("0x{}", hex::encode(&answer.output)),
            result,
            logs: logs.collect(),
            steps: answer.steps,
            gas: answer.gas_used,
            trace: Vec::new(),
        }
    }

    /// Whether it did not fail.
    pub fn succeeded(&self) -> bool {
        self.status == "success"
    }

    fn print(&self) {
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        println!("{}: {}{reason}", self.function, self.status);
        match &self.result {
            Some(values) => values.iter().for_each(|value| println!("  -> {value}")),
            None if self.output != "0x" && self.reason.is_none() => println!("  -> {}", self.output),
            None => {}
        }
        for log in &self.logs {
            match &log.event {
                Some(event) => println!("  log {event}  (of {})", log.address),
                None => {
                    println!("  log {} topics [{}]  (of {})", log.data, log.topics.join(", "), log.address);
                }
            }
        }
        println!("  {} steps, {} gas", self.steps, self.gas);
    }
}

/// The whole run.
pub struct Report {
    quiet: bool,
    contract: String,
    address: Option<String>,
    deployment: Option<Called>,
    calls: Vec<Called>,
    rows: Vec<Row>,
    profile: Option<Value>,
}

impl Report {
    /// Nothing told yet; `quiet` prints nothing and keeps all for the JSON.
    pub fn new(contract: &Contract, quiet: bool) -> Report {
        let contract = contract.full_name();
        let (address, deployment, profile) = (None, None, None);
        Report { quiet, contract, address, deployment, calls: Vec::new(), rows: Vec::new(), profile }
    }

    /// A row of a trace.
    pub fn row(&mut self, row: Row) {
        match self.quiet {
            true => self.rows.push(row),
            false => println!("{row}"),
        }
    }

    /// The contract was deployed, or not.
    pub fn deployed(&mut self, mut called: Called, address: Option<[u8; 20]>) {
        called.trace = std::mem::take(&mut self.rows);
        self.address = address.map(checksummed);
        // A deployment hands back the hash of its runtime page.
        if !self.quiet {
            match &self.address {
                Some(address) => {
                    println!("{} at {address}", self.contract);
                    println!("  deployed in {} steps, {} gas", called.steps, called.gas);
                }
                None => called.print(),
            }
        }
        self.deployment = Some(called);
    }

    /// A call has ended.
    pub fn called(&mut self, mut called: Called) {
        called.trace = std::mem::take(&mut self.rows);
        if !self.quiet {
            called.print();
        }
        self.calls.push(called);
    }

    /// All calls together.
    pub fn profiled(&mut self, profile: &Profile, file: &Path) {
        if !self.quiet {
            println!("\n{}\nflame graph: {}", profile.tables(), file.display());
        }
        self.profile = Some(json!({
            "total": profile.total(),
            "functions": profile.functions(),
            "lines": profile.lines(),
            "flameGraph": file,
        }));
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let mut report = json!({
            "contract": self.contract,
            "address": self.address,
            "deployment": self.deployment,
            "calls": self.calls,
        });
        if let Some(profile) = &self.profile {
            report["profile"] = profile.clone();
        }
        report
    }
}
