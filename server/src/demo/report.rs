//! What the demo found out, for people and as `report.json`. Every figure comes from the server or from L1.
use crate::prover::CircuitInfo;
use crate::view::{BatchView, ProofView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// `target/demo/report.json`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Report {
    /// Batch number.
    pub batch: u64,
    /// How many.
    pub transactions: usize,
    /// State root before.
    pub old_root: String,
    /// State root after.
    pub new_root: String,
    /// Circuits of the batch, in order.
    pub circuits: Vec<CircuitInfo>,
    /// Milliseconds per stage.
    pub stages_ms: BTreeMap<String, u64>,
    /// Bytes posted to L1 as proof.
    pub proof_bytes: usize,
    /// Milliseconds that verifying the downloaded proof took.
    pub verified_ms: f64,
    /// Settlement.
    pub l1: L1Report,
    /// Peak resident memory of the server.
    pub peak_memory_bytes: u64,
    /// Proving device.
    pub device: String,
}

/// Settlement in the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct L1Report {
    /// Gas of `commitBatch`.
    pub commit_gas: u64,
    /// Gas of `proveBatch`.
    pub prove_gas: u64,
    /// Gas of `executeBatch`.
    pub execute_gas: u64,
    /// What the contract's `executedStateRoot` answered.
    pub executed_root: String,
}

/// Stages in the order in which a batch passes them.
pub const STAGES: [&str; 10] = [
    "accept",
    "replay",
    "assign",
    "commit",
    "challenge",
    "prove",
    "check",
    "settleCommit",
    "settleProve",
    "settleExecute",
];

impl Report {
    /// Joins what server, proof and L1 say.
    ///
    /// # Errors
    /// A settlement step without a receipt, by name.
    pub fn new(
        view: &BatchView,
        proof: &ProofView,
        accept_ms: u64,
        verified_ms: f64,
        executed_root: String,
    ) -> Result<Report, String> {
        let gas = |name: &str, tx: &Option<crate::view::L1TxView>| {
            tx.as_ref().and_then(|t| t.gas_used).ok_or_else(|| format!("{name} has no L1 receipt"))
        };
        let mut stages_ms = view.stages_ms.clone();
        stages_ms.insert("accept".into(), accept_ms);
        Ok(Report {
            batch: view.number,
            transactions: view.transactions.len(),
            old_root: view.old_root.clone(),
            new_root: view.new_root.clone(),
            circuits: proof.circuits.clone(),
            stages_ms,
            proof_bytes: proof.proof.len().saturating_sub(2) / 2,
            verified_ms,
            l1: L1Report {
                commit_gas: gas("commitBatch", &view.l1.commit)?,
                prove_gas: gas("proveBatch", &view.l1.prove)?,
                execute_gas: gas("executeBatch", &view.l1.execute)?,
                executed_root,
            },
            peak_memory_bytes: proof.peak_memory_bytes,
            device: proof.device.clone(),
        })
    }

    /// The summary for people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "  {name:<14} {value}");
        };
        line("batch", format!("{} with {} transactions", self.batch, self.transactions));
        line("old root", self.old_root.clone());
        line("new root", self.new_root.clone());
        for c in &self.circuits {
            let text = format!("{} constraints, {} committed wires", c.constraints, c.committed_wires);
            line(&format!("circuit {}", c.shape), text);
        }
        for stage in STAGES {
            if let Some(ms) = self.stages_ms.get(stage) {
                line(stage, format!("{:>9.3} s", *ms as f64 / 1000.0));
            }
        }
        line("proof", format!("{} bytes, verified in {:.1} ms", self.proof_bytes, self.verified_ms));
        line(
            "L1 gas",
            format!(
                "commit {}, prove {}, execute {}",
                self.l1.commit_gas, self.l1.prove_gas, self.l1.execute_gas
            ),
        );
        line("peak memory", format!("{:.2} GiB", self.peak_memory_bytes as f64 / f64::from(1 << 30)));
        line("device", self.device.clone());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_has_exactly_the_promised_fields() {
        let report = Report {
            batch: 1,
            transactions: 16,
            old_root: "0x1".into(),
            new_root: "0x2".into(),
            circuits: vec![CircuitInfo { shape: "head".into(), constraints: 5, committed_wires: 3 }],
            stages_ms: BTreeMap::from([("prove".into(), 7)]),
            proof_bytes: 704,
            verified_ms: 9.5,
            l1: L1Report { commit_gas: 1, prove_gas: 2, execute_gas: 3, executed_root: "0x2".into() },
            peak_memory_bytes: 11,
            device: "cpu".into(),
        };
        let json = serde_json::to_value(&report).unwrap();
        let names = |v: &serde_json::Value| {
            let mut names: Vec<_> = v.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(
            names(&json),
            "batch circuits device l1 newRoot oldRoot peakMemoryBytes proofBytes stagesMs transactions verifiedMs"
        );
        assert_eq!(names(&json["l1"]), "commitGas executeGas executedRoot proveGas");
        assert_eq!(names(&json["circuits"][0]), "committedWires constraints shape");
        assert!(report.text().contains("0.007 s") && report.text().contains("704 bytes"));
    }
}
